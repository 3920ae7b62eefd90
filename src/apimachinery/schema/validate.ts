/**
 * Validation of a value against a schema. The wording of every message is the API server's, because tools
 * parse it; rule: apiextensions.k8s.io/v1 and recorded answers of a real server. One walk, no compilation.
 *
 * A message names the path from the validated value on (`spec.n in body …`), while the field of the error
 * starts with the path that the caller gives: the two differ when only `status` is validated.
 */
import { deepEqual, isRecord } from '#base/json';
import { child, invalid, notSupported, required, tooLong, tooMany, typeInvalid, type FieldError } from '../validation/index.ts';
import { hasFormat } from './formats.ts';
import { itemKey, validateListUniqueness } from './lists.ts';
import { matchesPattern } from './pattern.ts';
import type { Schema } from './types.ts';

export interface ValidateOptions {
  /** Path of the value; the root of an object is the empty path. */
  path?: string;
  /** The value before the update: what did not change is not judged again (ratcheting). */
  old?: unknown;
}

/** Every violation, in the API server's words; an empty list means valid. CEL rules are {@link validateRules}'s. */
export function validateSchema(schema: Schema, value: unknown, { path = '', old }: ValidateOptions = {}): FieldError[] {
  const { errors } = new Walk(path).check(schema, value, { name: '', old });
  const repeated = old !== undefined && validateListUniqueness(schema, old, path).length > 0 ? [] : validateListUniqueness(schema, value, path);
  return [...errors, ...repeated];
}

interface Result {
  errors: FieldError[];
  /** How much of the schema was looked at: the alternative that got furthest explains a failed anyOf or oneOf. */
  matches: number;
}

interface Spot {
  /** Path from the validated value on. */
  name: string;
  old: unknown;
}

const BODY = 'in body';

class Walk {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  check(schema: Schema, value: unknown, spot: Spot): Result {
    if (spot.old !== undefined && deepEqual(spot.old, value)) return { errors: [], matches: 0 };
    const result: Result = { errors: [], matches: 1 };
    const add = (part: Result) => {
      result.errors.push(...part.errors);
      result.matches += part.matches + 1;
    };
    const typed = this.checkType(schema, value, spot.name);
    if (schema.type || schema.format || schema['x-kubernetes-int-or-string']) add(typed);
    if (value === null || value === undefined) {
      result.errors.push(...this.checkEnum(schema, value ?? null, spot.name));
      return result;
    }
    add(this.checkCombinations(schema, value, spot));
    if (typeof value === 'string') add({ errors: this.checkString(schema, value, spot.name), matches: 0 });
    if (typeof value === 'number') add({ errors: this.checkNumber(schema, value, spot.name), matches: 1 });
    if (Array.isArray(value)) add(this.checkList(schema, value as unknown[], spot));
    result.errors.push(...this.checkEnum(schema, value, spot.name));
    if (isRecord(value)) add(this.checkObject(schema, value, spot));
    return result;
  }

  field(name: string): string {
    return child(this.#path, name.replace(/^\./, '')) || '<nil>';
  }

  invalid(name: string, value: unknown, detail: string): FieldError {
    return invalid(this.field(name), value, detail);
  }

  checkType(schema: Schema, value: unknown, name: string): Result {
    const types = schema['x-kubernetes-int-or-string'] ? ['integer', 'string'] : schema.type ? [schema.type] : [];
    const actual = typeName(value);
    const wrong = (expected: string): Result => ({ errors: [typeInvalid(this.field(name), actual, `${name} ${BODY} must be of type ${expected}: ${JSON.stringify(actual)}`)], matches: 0 });
    if (actual === 'null') return types.length > 0 && !schema.nullable ? wrong(types.join(',')) : { errors: [], matches: 1 };
    // A string with a format is judged by the format alone, unless a number was asked for.
    if (schema.format && !types.includes('number') && !types.includes('integer') && (actual === 'string' || actual === 'array')) return { errors: [], matches: 1 };
    if (types.length === 0 || types.includes(actual) || (actual === 'integer' && types.includes('number'))) return { errors: [], matches: 1 };
    return wrong(types.join(','));
  }

  checkEnum(schema: Schema, value: unknown, name: string): FieldError[] {
    if (!schema.enum || schema.enum.length === 0 || schema.enum.some((allowed) => deepEqual(allowed, value))) return [];
    if (value === null && schema.nullable) return [];
    return [notSupported(this.field(name), value, schema.enum.map((allowed) => (typeof allowed === 'string' ? allowed : JSON.stringify(allowed))))];
  }

  checkString(schema: Schema, value: string, name: string): FieldError[] {
    const errors: FieldError[] = [];
    const length = Array.from(value).length;
    if (schema.maxLength !== undefined && length > schema.maxLength) errors.push(tooLong(this.field(name), schema.maxLength));
    else if (schema.minLength !== undefined && length < schema.minLength) errors.push(this.invalid(name, value, `${name} ${BODY} should be at least ${schema.minLength} chars long`));
    else if (schema.pattern && !matchesPattern(schema.pattern, value)) errors.push(this.invalid(name, value, `${name} ${BODY} should match '${schema.pattern}'`));
    if (schema.format && !hasFormat(schema.format, value)) errors.push(typeInvalid(this.field(name), value, `${name} ${BODY} must be of type ${schema.format}: ${JSON.stringify(value)}`));
    return errors;
  }

  checkNumber(schema: Schema, value: number, name: string): FieldError[] {
    const errors: FieldError[] = [];
    const { type, format, minimum, maximum, multipleOf } = schema;
    if (type === 'integer' && !fitsInteger(value, format)) {
      const described = format === 'int32' || format === 'int64' ? `with format ${format}` : '(default format)';
      errors.push(invalid('<nil>', '', `Checked value must be of type integer ${described} in ${name}`));
    }
    if (multipleOf !== undefined && !isMultiple(value, multipleOf)) errors.push(this.invalid(name, value, `${name} ${BODY} should be a multiple of ${multipleOf}`));
    if (minimum !== undefined && (schema.exclusiveMinimum ? value <= minimum : value < minimum)) {
      errors.push(this.invalid(name, value, `${name} ${BODY} should be greater than ${schema.exclusiveMinimum ? '' : 'or equal to '}${minimum}`));
    }
    if (maximum !== undefined && (schema.exclusiveMaximum ? value >= maximum : value > maximum)) {
      errors.push(this.invalid(name, value, `${name} ${BODY} should be less than ${schema.exclusiveMaximum ? '' : 'or equal to '}${maximum}`));
    }
    return errors;
  }

  checkList(schema: Schema, list: unknown[], { name, old }: Spot): Result {
    const result: Result = { errors: [], matches: 1 };
    const before = oldItems(schema, old);
    if (schema.items) {
      for (const [index, item] of list.entries()) {
        const part = this.check(schema.items, item, { name: `${name}[${index}]`, old: before?.(item) });
        result.errors.push(...part.errors);
        result.matches += part.matches;
      }
    }
    if (schema.maxItems !== undefined && list.length > schema.maxItems) result.errors.push(tooMany(this.field(name), list.length, schema.maxItems));
    if (schema.minItems !== undefined && list.length < schema.minItems) result.errors.push(this.invalid(name, list.length, `${name} ${BODY} should have at least ${schema.minItems} items`));
    if (schema.uniqueItems && list.some((item, index) => list.slice(0, index).some((other) => deepEqual(item, other)))) {
      result.errors.push(this.invalid(name, '', `${name} ${BODY} shouldn't contain duplicates`));
    }
    return result;
  }

  checkObject(schema: Schema, object: Record<string, unknown>, { name, old }: Spot): Result {
    const result: Result = { errors: [], matches: 0 };
    const before = isRecord(old) ? old : {};
    const size = Object.keys(object).length;
    if (schema.minProperties !== undefined && size < schema.minProperties) result.errors.push(this.invalid(name, size, `${name} ${BODY} should have at least ${schema.minProperties} properties`));
    if (schema.maxProperties !== undefined && size > schema.maxProperties) result.errors.push(tooMany(this.field(name), size, schema.maxProperties));
    for (const key of Object.keys(object)) {
      const member = this.memberSchema(schema, key);
      if (member === 'forbidden') {
        result.errors.push(this.invalid(name, key, `${name}.${key} ${BODY} is a forbidden property`));
      } else if (member) {
        const part = this.check(member, object[key], { name: name === '' ? key : `${name}.${key}`, old: Object.hasOwn(before, key) ? before[key] : undefined });
        result.errors.push(...part.errors);
        result.matches += part.matches;
      }
    }
    const mandatory = schema['x-kubernetes-embedded-resource'] && name !== '' ? [...(schema.required ?? []), 'apiVersion', 'kind'] : (schema.required ?? []);
    for (const key of new Set(mandatory)) if (object[key] === undefined) result.errors.push(required(this.field(`${name}.${key}`)));
    return result;
  }

  memberSchema(schema: Schema, key: string): Schema | 'forbidden' | undefined {
    if (schema.properties && Object.hasOwn(schema.properties, key)) return schema.properties[key];
    if (schema.additionalProperties === false) return 'forbidden';
    return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
  }

  checkCombinations(schema: Schema, value: unknown, spot: Spot): Result {
    const result: Result = { errors: [], matches: 1 };
    const combination = (message: string) => result.errors.push(invalid('<nil>', '', `${JSON.stringify(spot.name)} ${message}`));
    const fresh = { ...spot, old: undefined };
    const merge = (part: Result | undefined) => {
      if (part) result.errors.push(...part.errors);
      result.matches += part?.matches ?? 0;
    };
    if (schema.anyOf?.length) {
      const parts = schema.anyOf.map((option) => this.check(option, value, fresh));
      if (parts.every((part) => part.errors.length > 0)) {
        combination('must validate at least one schema (anyOf)');
        merge(furthest(parts));
      }
    }
    if (schema.oneOf?.length) {
      const parts = schema.oneOf.map((option) => this.check(option, value, fresh));
      const valid = parts.filter((part) => part.errors.length === 0).length;
      if (valid !== 1) combination(`must validate one and only one schema (oneOf). ${valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`}`);
      if (valid === 0) merge(furthest(parts));
    }
    if (schema.allOf?.length) {
      const parts = schema.allOf.map((option) => this.check(option, value, fresh));
      parts.forEach(merge);
      const valid = parts.filter((part) => part.errors.length === 0).length;
      if (valid !== parts.length) combination(`must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`);
    }
    if (schema.not && this.check(schema.not, value, fresh).errors.length === 0) combination('must not validate the schema (not)');
    return result;
  }
}

function furthest(parts: readonly Result[]): Result | undefined {
  return parts.reduce<Result | undefined>((best, part) => (best && best.matches >= part.matches ? best : part), undefined);
}

/** Items of a map list keep their identity over an update; those of other lists do not. */
function oldItems(schema: Schema, old: unknown): ((item: unknown) => unknown) | undefined {
  if (!Array.isArray(old) || schema['x-kubernetes-list-type'] !== 'map') return undefined;
  const byKey = new Map((old as unknown[]).map((item) => [itemKey(schema, item), item]));
  return (item) => byKey.get(itemKey(schema, item));
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function fitsInteger(value: number, format: string | undefined): boolean {
  return Number.isInteger(value) && (format !== 'int32' || Math.abs(value + 0.5) <= 2 ** 31);
}

function isMultiple(value: number, factor: number): boolean {
  const quotient = value / factor;
  return Math.abs(quotient - Math.round(quotient)) < 1e-9;
}

