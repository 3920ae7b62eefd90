/**
 * Go values as JSON and back (encoding/json): sorted keys, int and float text as Go writes them, `<`, `>`
 * and `&` escaped unless told otherwise, bytes as base64.
 */
import { base64Encode } from '#base/hash';
import { FunctionError } from './errors.ts';
import { GoInt, GoStruct, NIL_SLICE, sortedKeys, type GoMap } from './value.ts';

/** Plain data for the YAML writer: integers beyond 2^53 are bigint, structs are their JSON form. */
export function toPlain(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? replaceBroken(value) : (value ?? null);
  if (depth > 1000) throw new FunctionError('json: unsupported value: encountered a cycle');
  if (value instanceof GoInt) return Number.isSafeInteger(value.number()) ? value.number() : value.value;
  if (value instanceof Uint8Array) return base64Encode(value);
  if (value instanceof GoStruct) return toPlain(value.json(), depth + 1);
  if (value === NIL_SLICE) return null;
  if (Array.isArray(value)) return value.map((item) => toPlain(item, depth + 1));
  const plain: GoMap = {};
  for (const key of Object.keys(value)) {
    const item = toPlain((value as GoMap)[key], depth + 1);
    if (key === '__proto__') Object.defineProperty(plain, key, { value: item, writable: true, enumerable: true, configurable: true });
    else plain[replaceBroken(key)] = item;
  }
  return plain;
}

function replaceBroken(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

export interface JsonStyle {
  escapeHtml: boolean;
  /** Spaces per level; absent: one line. */
  indent?: string;
}

/** json.Marshal and MarshalIndent. Throws {@link FunctionError} for what JSON cannot hold. */
export function toJson(value: unknown, style: JsonStyle = { escapeHtml: true }): string {
  return write(value, style, 0);
}

function write(value: unknown, style: JsonStyle, depth: number): string {
  switch (typeof value) {
    case 'string':
      return quoteJson(value, style.escapeHtml);
    case 'number':
      return jsonNumber(value);
    case 'boolean':
      return String(value);
    case 'object':
      return value === null ? 'null' : writeObject(value, style, depth);
    default:
      return 'null';
  }
}

function writeObject(value: object, style: JsonStyle, depth: number): string {
  if (depth > 1000) throw new FunctionError('json: unsupported value: encountered a cycle');
  if (value instanceof GoInt) return value.toString();
  if (value instanceof Uint8Array) return `"${base64Encode(value)}"`;
  if (value instanceof GoStruct) return writeJson(value, style, depth);
  if (value === NIL_SLICE) return 'null';
  if (Array.isArray(value)) return brackets('[]', value.map((item) => write(item, style, depth + 1)), style, depth);
  const map = value as GoMap;
  const colon = style.indent === undefined ? ':' : ': ';
  return brackets('{}', sortedKeys(map).map((key) => `${quoteJson(key, style.escapeHtml)}${colon}${write(map[key], style, depth + 1)}`), style, depth);
}

/** A struct's fields keep their order of declaration. */
function writeJson(value: GoStruct, style: JsonStyle, depth: number): string {
  const json = value.json();
  if (typeof json !== 'object' || json === null || Array.isArray(json) || json instanceof GoStruct || json instanceof GoInt) return write(json, style, depth);
  const colon = style.indent === undefined ? ':' : ': ';
  return brackets('{}', Object.entries(json).map(([key, item]) => `${quoteJson(key, style.escapeHtml)}${colon}${write(item, style, depth + 1)}`), style, depth);
}

function brackets(pair: string, items: readonly string[], style: JsonStyle, depth: number): string {
  if (items.length === 0) return pair;
  if (style.indent === undefined) return `${pair[0]}${items.join(',')}${pair[1]}`;
  const pad = style.indent.repeat(depth + 1);
  return `${pair[0]}\n${items.map((item) => pad + item).join(',\n')}\n${style.indent.repeat(depth)}${pair[1]}`;
}

export function jsonNumber(value: number): string {
  if (!Number.isFinite(value)) throw new FunctionError(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`);
  if (Object.is(value, -0)) return '-0';
  return String(value);
}

function quoteJson(text: string, escapeHtml: boolean): string {
  let quoted = JSON.stringify(replaceBroken(text)).replace(/[\u2028\u2029]/g, (char) => (char === '\u2028' ? '\\u2028' : '\\u2029'));
  if (escapeHtml) quoted = quoted.replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
  return quoted;
}
