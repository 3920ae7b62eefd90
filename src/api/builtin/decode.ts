/**
 * Reading a body into a builtin type the way Go's JSON codec does, because clients see what it does:
 * unknown fields vanish, `null` is absent, an empty optional field is not written back, a mandatory one is
 * written even when empty, times and quantities take their canonical form. Values of a wrong type give the
 * codec's own message. Rule: encoding/json, struct tags of k8s.io/api; recorded answers of a real server.
 */
import { isRecord } from '#base/json';
import type { Unstructured } from '#apimachinery/meta';
import { canonicalQuantity } from '#apimachinery/quantity';
import { zeroField, zeroOf, type GoField, type Schema } from '#apimachinery/schema';

export interface Decoded {
  object: Unstructured;
  /** `unknown field "spec.x"` messages in the order of the body. */
  unknown: string[];
}

/** More unknown fields than this are not listed. */
const UNKNOWN_MAX = 100;

interface Place {
  /** Innermost struct around the value, for messages; absent at the root. */
  struct?: string;
  /** Dotted names of fields from the root, without indices and map keys. */
  names: string;
  /** Full path, with indices and map keys. */
  path: string;
  unknown: string[];
}

/** Throws an `Error` with the codec's message when a value does not fit. */
export function decodeObject(schema: Schema, object: Unstructured): Decoded {
  const place: Place = { names: '', path: '', unknown: [] };
  const decoded = decode(schema, object, place) as Unstructured;
  if (schema.go?.definition === SECRET) takeStringData(decoded);
  return { object: decoded, unknown: place.unknown.slice(0, UNKNOWN_MAX) };
}

const SECRET = 'io.k8s.api.core.v1.Secret';

/** `stringData` is for writing only: it becomes `data`. */
function takeStringData(secret: Unstructured): void {
  const { stringData } = secret;
  if (!isRecord(stringData)) return;
  const encoded = Object.fromEntries(Object.entries(stringData).map(([key, value]) => [key, toBase64(String(value))]));
  secret['data'] = { ...(isRecord(secret['data']) ? secret['data'] : {}), ...encoded };
  delete secret['stringData'];
}

function toBase64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function decode(schema: Schema, value: unknown, place: Place): unknown {
  if (schema.go?.codec) return decodeSpecial(schema, value, place);
  if (schema.go?.fields) return decodeStruct(schema, value, place);
  switch (schema.type) {
    case 'array':
      return decodeList(schema, value, place);
    case 'object':
      return decodeMap(schema, value, place);
    case 'integer':
      return decodeInteger(schema, value, place);
    default:
      if (typeof value !== schema.type) throw mismatch(schema, value, place);
      return value;
  }
}

function decodeStruct(schema: Schema, value: unknown, place: Place): unknown {
  if (!isRecord(value)) throw mismatch(schema, value, place);
  const { struct = '', fields = new Map<string, GoField>() } = schema.go ?? {};
  const decoded: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const path = place.path === '' ? key : `${place.path}.${key}`;
    const property = fields.has(key) ? schema.properties?.[key] : undefined;
    if (!property) place.unknown.push(`unknown field ${JSON.stringify(path)}`);
    else if (value[key] !== null && value[key] !== undefined) {
      decoded[key] = decode(property, value[key], { struct, names: place.names === '' ? key : `${place.names}.${key}`, path, unknown: place.unknown });
    }
  }
  return writeStruct(schema, decoded, fields);
}

/** The fields Go would write, in its order. */
function writeStruct(schema: Schema, decoded: Readonly<Record<string, unknown>>, fields: ReadonlyMap<string, GoField>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, field] of fields) {
    const property = schema.properties?.[name] ?? {};
    const value = decoded[name];
    if (value === undefined) {
      const zero = zeroField(property, field);
      if (zero !== undefined) result[name] = zero;
    } else if (field.always && losesEmptiness(schema) && Array.isArray(value) && value.length === 0) {
      result[name] = null;
    } else if (field.always || field.pointer || !isEmpty(value, property)) {
      result[name] = value;
    }
  }
  return result;
}

/** Most groups are stored as protobuf, which does not know an empty list from none. */
function losesEmptiness(schema: Schema): boolean {
  return schema.go?.definition?.startsWith('io.k8s.api.') ?? false;
}

/** Empty in the sense of `omitempty`: structs and types with a codec of their own never are. */
function isEmpty(value: unknown, property: Schema): boolean {
  if (property.go?.codec && property.go.codec !== 'bytes') return false;
  // An empty list of managers is a request to forget them (see #apimachinery/managedfields), so it must survive.
  if (Array.isArray(value)) return value.length === 0 && property.go?.type !== '[]v1.ManagedFieldsEntry';
  if (isRecord(value)) return !property.go?.fields && Object.keys(value).length === 0;
  return value === '' || value === 0 || value === false;
}

function decodeList(schema: Schema, value: unknown, place: Place): unknown {
  if (!Array.isArray(value)) throw mismatch(schema, value, place);
  const items = schema.items ?? {};
  return value.map((item: unknown, index) => (item === null ? zeroOf(items) : decode(items, item, { ...place, path: `${place.path}[${index}]` })));
}

function decodeMap(schema: Schema, value: unknown, place: Place): unknown {
  if (!isRecord(value)) throw mismatch(schema, value, place);
  const element = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {};
  // Object.entries of a null-prototype-safe copy: a key named __proto__ must stay an ordinary key.
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, item === null ? zeroOf(element) : decode(element, item, { ...place, path: `${place.path}.${key}` })]));
}

const INT32_MAX = 2 ** 31 - 1;

function decodeInteger(schema: Schema, value: unknown, place: Place): unknown {
  if (typeof value !== 'number') throw mismatch(schema, value, place);
  const fits = Number.isInteger(value) && (schema.format !== 'int32' || (value <= INT32_MAX && value >= -INT32_MAX - 1)) && Math.abs(value) < 2 ** 63;
  if (!fits) throw mismatch(schema, value, place, ` ${value}`);
  return value;
}

function decodeSpecial(schema: Schema, value: unknown, place: Place): unknown {
  switch (schema.go?.codec) {
    case 'time':
    case 'microTime':
      if (typeof value !== 'string') throw new Error(`json: cannot unmarshal ${jsonTypeOf(value)} into Go value of type string`);
      return canonicalTime(value, schema.go.codec === 'microTime');
    case 'quantity':
      return canonicalQuantity(typeof value === 'number' ? numberText(value) : typeof value === 'string' ? value : '');
    case 'intOrString':
      if (typeof value === 'string') return value;
      if (typeof value !== 'number') throw new Error(`json: cannot unmarshal ${jsonTypeOf(value)} into Go value of type int32`);
      if (!Number.isInteger(value) || Math.abs(value) > INT32_MAX) throw new Error(`json: cannot unmarshal number ${value} into Go value of type int32`);
      return value;
    case 'bytes':
      return decodeBytes(schema, value, place);
    case 'schemaOrList':
      return Array.isArray(value) ? value.map((item: unknown) => decode(schema.items ?? {}, item, place)) : decode(schema.items ?? {}, value, place);
    case 'schemaOrBoolean':
      return typeof value === 'boolean' ? value : decode(schema.items ?? {}, value, place);
    case 'schemaOrNames':
      return Array.isArray(value) ? value : decode(schema.items ?? {}, value, place);
    default:
      return value;
  }
}

function decodeBytes(schema: Schema, value: unknown, place: Place): string {
  if (typeof value !== 'string') throw mismatch(schema, value, place);
  const clean = value.replace(/[\r\n]/g, '');
  const wrong = /[^A-Za-z0-9+/]/.exec(clean.replace(/={0,2}$/, ''));
  if (wrong) throw new Error(`illegal base64 data at input byte ${wrong.index}`);
  if (clean.length % 4 !== 0) throw new Error(`illegal base64 data at input byte ${clean.length - (clean.length % 4)}`);
  return clean;
}

function numberText(value: number): string {
  const text = String(value);
  return text.includes('e+') ? text.replace('e+', 'e') : text;
}

const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** RFC 3339 in UTC, in whole seconds or with six decimals, which then have to be given. */
function canonicalTime(text: string, micro: boolean): string {
  const match = RFC3339.exec(text);
  const at = match ? Date.parse(`${match[1]}T${match[2]}${match[4]?.toUpperCase()}`) : Number.NaN;
  const layout = `2006-01-02T15:04:05${micro ? '.000000' : ''}Z07:00`;
  const refuse = (rest: string, part: string) => new Error(`parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(part)}`);
  if (Number.isNaN(at)) throw refuse(text, '2006');
  const fraction = match?.[3] ?? '';
  if (micro && fraction.length !== 7) throw refuse(`${fraction}${match?.[4] ?? ''}`, '.000000');
  const seconds = new Date(at).toISOString().slice(0, 19);
  return micro ? `${seconds}${fraction}Z` : `${seconds}Z`;
}

function jsonTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (isRecord(value)) return 'object';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function mismatch(schema: Schema, value: unknown, place: Place, literal = ''): Error {
  const target = place.struct ? `Go struct field ${place.struct}.${place.names}` : 'Go value';
  return new Error(`json: cannot unmarshal ${jsonTypeOf(value)}${literal} into ${target} of type ${schema.go?.type ?? 'string'}`);
}
