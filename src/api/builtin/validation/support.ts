/** What the validators of all kinds share: reading plain JSON, and the checks that recur. */
import { deepEqual, isRecord } from '#base/json';
import { at, child, forbidden, invalid, notSupported, required, type FieldError } from '#apimachinery/validation';

export type Struct = Record<string, unknown>;

export const struct = (value: unknown): Struct => (isRecord(value) ? value : {});
export const structs = (value: unknown): Struct[] => (Array.isArray(value) ? value.map(struct) : []);
export const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []);
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
export const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
export const labelsOf = (value: unknown): Record<string, string> | undefined => (isRecord(value) ? (value as Record<string, string>) : undefined);
export const isSet = (value: unknown): boolean => value !== undefined && value !== null;

export const NOT_NEGATIVE = 'must be greater than or equal to 0';
export const IMMUTABLE = 'field is immutable';

/** Each named field of `value` must not be negative. */
export function nonNegative(value: Struct, path: string, ...fields: string[]): FieldError[] {
  return fields.flatMap((field) => (number(value[field]) < 0 ? [invalid(child(path, field), value[field], NOT_NEGATIVE)] : []));
}

/** One error per problem. */
export function problems(path: string, value: unknown, messages: readonly string[]): FieldError[] {
  return messages.map((message) => invalid(path, value, message));
}

/** A field that must be one of some values; an absent one is fine unless it is mandatory. */
export function oneOf(path: string, value: unknown, allowed: readonly string[], mandatory = false): FieldError[] {
  if (!isSet(value) || value === '') return mandatory ? [required(path)] : [];
  return allowed.includes(text(value)) ? [] : [notSupported(path, value, allowed)];
}

export function inRange(path: string, value: unknown, min: number, max: number): FieldError[] {
  return typeof value === 'number' && (value < min || value > max) ? [invalid(path, value, `must be between ${min} and ${max}, inclusive`)] : [];
}

export const port = (path: string, value: unknown): FieldError[] => inRange(path, value, 1, 65535);

export function immutable(path: string, value: unknown, old: unknown): FieldError[] {
  return deepEqual(value, old) ? [] : [invalid(path, value, IMMUTABLE)];
}

/** An integer or a percentage, neither negative. */
export function intOrPercent(path: string, value: unknown): FieldError[] {
  if (typeof value === 'number') return value < 0 ? [invalid(path, value, NOT_NEGATIVE)] : [];
  if (typeof value !== 'string' || /^[0-9]+%$/.test(value)) return [];
  return [invalid(path, value, "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')")];
}

export function percentAtMost100(path: string, value: unknown): FieldError[] {
  return typeof value === 'string' && /^[0-9]+%$/.test(value) && Number.parseInt(value, 10) > 100 ? [invalid(path, value, 'must not be greater than 100%')] : [];
}

export { at, child, forbidden, invalid, notSupported, required, type FieldError };
