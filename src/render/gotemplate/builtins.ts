/** The functions text/template itself brings. */
import { byteLength, byteSlice, encodeUtf8 } from './bytes.ts';
import { equal, equalAny, less, lessOrEqual } from './compare.ts';
import { FunctionError } from './errors.ts';
import { formatValue, sprint, sprintf, sprintln } from './format.ts';
import { fn, type FunctionTable } from './functions.ts';
import { elementType, getKey, GoInt, int, isMap, isTrue, typeName, zeroOf } from './value.ts';

export const BUILTINS: FunctionTable = {
  // Short-circuit evaluation of these two is the evaluator's.
  and: fn(['value', '...value'], (first: unknown, ...rest: unknown[]) => [first, ...rest].find((value) => !isTrue(value)) ?? rest.at(-1) ?? first),
  or: fn(['value', '...value'], (first: unknown, ...rest: unknown[]) => [first, ...rest].find(isTrue) ?? rest.at(-1) ?? first),
  not: fn(['value'], (value: unknown) => !isTrue(value)),
  eq: fn(['value', '...value'], (first: unknown, ...others: unknown[]) => equalAny(first, others)),
  ne: fn(['value', 'value'], (a: unknown, b: unknown) => !equal(a, b)),
  lt: fn(['value', 'value'], (a: unknown, b: unknown) => less(a, b)),
  le: fn(['value', 'value'], (a: unknown, b: unknown) => lessOrEqual(a, b)),
  gt: fn(['value', 'value'], (a: unknown, b: unknown) => !lessOrEqual(a, b)),
  ge: fn(['value', 'value'], (a: unknown, b: unknown) => !less(a, b)),
  index: fn(['value', '...value'], index),
  slice: fn(['value', '...value'], slice),
  len: fn(['value'], length),
  print: fn(['...any'], (...values: unknown[]) => sprint(values)),
  printf: fn(['string', '...any'], (format: string, ...values: unknown[]) => sprintf(format, values)),
  println: fn(['...any'], (...values: unknown[]) => sprintln(values)),
  html: fn(['...any'], (...values: unknown[]) => escapeHtml(textOf(values))),
  js: fn(['...any'], (...values: unknown[]) => escapeJs(textOf(values))),
  urlquery: fn(['...any'], (...values: unknown[]) => escapeQuery(textOf(values))),
  call: fn(['value', '...value'], (callee: unknown) => {
    throw new FunctionError(callee === null ? 'call of nil' : `non-function ${formatValue(callee)} of type ${typeName(callee)}`);
  }),
};

function textOf(values: readonly unknown[]): string {
  return sprint(values.map((value) => value ?? '<no value>'));
}

function length(value: unknown): GoInt {
  if (typeof value === 'string') return int(byteLength(value));
  if (Array.isArray(value) || value instanceof Uint8Array) return int(value.length);
  if (isMap(value)) return int(Object.keys(value).length);
  if (value === null) throw new FunctionError('len of nil pointer');
  throw new FunctionError(`len of type ${typeName(value)}`);
}

function index(collection: unknown, ...indexes: unknown[]): unknown {
  if (collection === null) throw new FunctionError('index of untyped nil');
  let item: unknown = collection;
  for (const key of indexes) {
    if (item === null || item === undefined) throw new FunctionError('index of nil pointer');
    item = indexOne(item, key);
  }
  return item ?? null;
}

function indexOne(item: unknown, key: unknown): unknown {
  if (Array.isArray(item)) return item[position(key, item.length, true)];
  if (item instanceof Uint8Array) return new GoInt(item[position(key, item.length, true)] as number, 'uint8');
  if (typeof item === 'string') {
    const bytes = encodeUtf8(item);
    return new GoInt(bytes[position(key, bytes.length, true)] as number, 'uint8');
  }
  if (!isMap(item)) throw new FunctionError(`can't index item of type ${typeName(item)}`);
  if (key === null) throw new FunctionError('value is nil; should be of type string');
  if (typeof key !== 'string') throw new FunctionError(`value has type ${typeName(key)}; should be string`);
  const value = getKey(item, key);
  return value === undefined ? zeroOf(elementType(item)) : value;
}

/** A slice index; `inside` wants an element to be there. */
function position(key: unknown, size: number, inside: boolean): number {
  if (key === null) throw new FunctionError('cannot index slice/array with nil');
  if (!(key instanceof GoInt)) throw new FunctionError(`cannot index slice/array with type ${typeName(key)}`);
  const at = key.number();
  if (at < 0 || at > size) throw new FunctionError(`index out of range: ${at}`);
  if (inside && at === size) throw new FunctionError('reflect: slice index out of range');
  return at;
}

function slice(item: unknown, ...indexes: unknown[]): unknown {
  if (item === null) throw new FunctionError('slice of untyped nil');
  if (indexes.length > 3) throw new FunctionError(`too many slice indexes: ${indexes.length}`);
  if (typeof item === 'string' && indexes.length === 3) throw new FunctionError('cannot 3-index slice a string');
  if (typeof item !== 'string' && !Array.isArray(item)) throw new FunctionError(`can't slice item of type ${typeName(item)}`);
  const size = typeof item === 'string' ? byteLength(item) : item.length;
  const bounds = [0, size];
  for (const [i, key] of indexes.slice(0, 2).entries()) bounds[i] = position(key, size, false);
  const [start = 0, end = size] = bounds;
  if (start > end) throw new FunctionError(`invalid slice index: ${start} > ${end}`);
  return typeof item === 'string' ? byteSlice(item, start, end) : item.slice(start, end);
}

const HTML: Readonly<Record<string, string>> = { '\0': '\ufffd', '"': '&#34;', "'": '&#39;', '&': '&amp;', '<': '&lt;', '>': '&gt;' };

export function escapeHtml(text: string): string {
  return text.replace(/[\0"'&<>]/g, (char) => HTML[char] as string);
}

const JS: Readonly<Record<string, string>> = { '\\': '\\\\', "'": "\\'", '"': '\\"', '<': '\\u003C', '>': '\\u003E', '&': '\\u0026', '=': '\\u003D' };

function escapeJs(text: string): string {
  return text.replace(/[\\'"<>&=]|[\x00-\x1f]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (char) => {
    const known = JS[char];
    if (known !== undefined) return known;
    const code = char.codePointAt(0) as number;
    return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

/** url.QueryEscape */
export function escapeQuery(text: string): string {
  let out = '';
  for (const byte of encodeUtf8(text)) {
    const char = String.fromCharCode(byte);
    if (/[A-Za-z0-9\-_.~]/.test(char)) out += char;
    else out += char === ' ' ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}
