/**
 * Errors about one field of an object, and the `Invalid` Status they add up to. Types, wording and order
 * of the parts are the API convention every client parses (`metav1.StatusCause`); rule: Kubernetes API
 * conventions, "Response Status Kind", and the recorded answers of a real server.
 */
import { StatusError, type StatusCause } from '../status/index.ts';

export type FieldErrorType =
  | 'FieldValueNotFound' | 'FieldValueRequired' | 'FieldValueDuplicate' | 'FieldValueInvalid' | 'FieldValueNotSupported'
  | 'FieldValueForbidden' | 'FieldValueTooLong' | 'FieldValueTooMany' | 'InternalError' | 'FieldValueTypeInvalid';

export interface FieldError {
  readonly type: FieldErrorType;
  /** Dotted path with indices and map keys in brackets, e.g. `spec.containers[0].name`. */
  readonly field: string;
  /** The whole message of the cause, without the path. */
  readonly message: string;
}

/** Stands for "the value is too big to repeat": the message omits it. */
export const OMIT_VALUE: unique symbol = Symbol('omit value');

export const invalid = (field: string, value: unknown, detail: string): FieldError => withValue('FieldValueInvalid', 'Invalid value', field, { value, detail });
export const typeInvalid = (field: string, value: unknown, detail: string): FieldError => withValue('FieldValueTypeInvalid', 'Invalid value', field, { value, detail });
export const duplicate = (field: string, value: unknown): FieldError => withValue('FieldValueDuplicate', 'Duplicate value', field, { value, detail: '' });
export const notFound = (field: string, value: unknown): FieldError => withValue('FieldValueNotFound', 'Not found', field, { value, detail: '' });
export const required = (field: string, detail = ''): FieldError => plain('FieldValueRequired', 'Required value', field, detail);
export const forbidden = (field: string, detail = ''): FieldError => plain('FieldValueForbidden', 'Forbidden', field, detail);
export const internal = (field: string, detail: string): FieldError => plain('InternalError', 'Internal error', field, detail);

/** Supported values are listed in the order given. */
export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const detail = supported.length > 0 ? `supported values: ${supported.map((item) => JSON.stringify(item)).join(', ')}` : '';
  return withValue('FieldValueNotSupported', 'Unsupported value', field, { value, detail });
}

/** `max` in bytes; a negative one means the limit is not known. */
export function tooLong(field: string, max: number): FieldError {
  const detail = max >= 0 ? `may not be more than ${max} ${max === 1 ? 'byte' : 'bytes'}` : 'value is too long';
  return plain('FieldValueTooLong', 'Too long', field, detail);
}

export function tooLongCharacters(field: string, max: number): FieldError {
  return plain('FieldValueTooLong', 'Too long', field, `may not be more than ${max} ${max === 1 ? 'character' : 'characters'}`);
}

export function tooMany(field: string, actual: number, max: number): FieldError {
  const detail = max >= 0 ? `must have at most ${max} ${max === 1 ? 'item' : 'items'}` : 'has too many items';
  return withValue('FieldValueTooMany', 'Too many', field, { value: actual >= 0 ? actual : OMIT_VALUE, detail });
}

function plain(type: FieldErrorType, title: string, field: string, detail: string): FieldError {
  return { type, field, message: detail ? `${title}: ${detail}` : title };
}

function withValue(type: FieldErrorType, title: string, field: string, { value, detail }: { value: unknown; detail: string }): FieldError {
  const shown = value === OMIT_VALUE ? title : `${title}: ${formatValue(value)}`;
  return { type, field, message: detail ? `${shown}: ${detail}` : shown };
}

/** A value as messages show it: JSON, with Go's escapes of `<`, `>` and `&`. */
export function formatValue(value: unknown): string {
  return value === undefined ? 'null' : JSON.stringify(value);
}

/** `path.key`, or `key` below the empty path. */
export function child(path: string, ...keys: string[]): string {
  return [path, ...keys].filter((part) => part !== '').join('.');
}

/** `path[key]`: an index of a list, or a key of a map. */
export function at(path: string, key: number | string): string {
  return `${path}[${key}]`;
}

export function fieldErrorText(error: FieldError): string {
  return `${error.field}: ${error.message}`;
}

export interface InvalidSubject {
  group?: string;
  kind: string;
  name: string;
}

/** The 422 answer: `Kind.group "name" is invalid: …` with one cause per error; equal errors are told once in the message. */
export function invalidError({ group = '', kind, name }: InvalidSubject, errors: readonly FieldError[]): StatusError {
  const texts = [...new Set(errors.map(fieldErrorText))];
  const list = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  const causes: StatusCause[] = errors.map(({ type, message, field }) => ({ reason: type, message, field }));
  const details = { ...(name ? { name } : {}), ...(group ? { group } : {}), kind, causes };
  return new StatusError(422, 'Invalid', `${group ? `${kind}.${group}` : kind} ${JSON.stringify(name)} is invalid${texts.length > 0 ? `: ${list}` : ''}`, details);
}
