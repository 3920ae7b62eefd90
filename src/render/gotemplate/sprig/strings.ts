/** Sprig's functions on text. */
import { byteLength, byteSlice, decodeUtf8, encodeUtf8 } from '../bytes.ts';
import { FunctionError } from '../errors.ts';
import { formatValue } from '../format.ts';
import { fn, type FunctionTable } from '../functions.ts';
import { quoteGo } from '../quote.ts';
import { setKey, strings, typed, type GoInt } from '../value.ts';
import { strslice, strval } from './cast.ts';
import { camelCase, kebabCase, snakeCase, swapCase, titleCase } from './cases.ts';

/** `repeat`, `indent` and the like refuse to build more than this many characters at once. */
export const TEXT_MAX = 64 * 1024 * 1024;

export const STRING_FUNCTIONS: FunctionTable = {
  abbrev: fn(['int', 'string'], (width: GoInt, text: string) => abbreviate(text, 0, width.number())),
  abbrevboth: fn(['int', 'int', 'string'], (left: GoInt, right: GoInt, text: string) => (right.number() < 4 || (left.number() > 0 && right.number() < 7) ? text : abbreviate(text, left.number(), right.number()))),
  trunc: fn(['int', 'string'], trunc),
  trim: fn(['string'], trimSpace),
  upper: fn(['string'], (text: string) => text.toWellFormed().toUpperCase()),
  lower: fn(['string'], (text: string) => lower(text)),
  title: fn(['string'], titleCase),
  untitle: fn(['string'], (text: string) => text.replace(/(^|\s)(\S)/gu, (_all, space: string, char: string) => space + char.toLowerCase())),
  substr: fn(['int', 'int', 'string'], substring),
  repeat: fn(['int', 'string'], (count: GoInt, text: string) => repeat(text, count.number())),
  trimall: fn(['string', 'string'], (cutset: string, text: string) => trimChars(text, cutset)),
  trimAll: fn(['string', 'string'], (cutset: string, text: string) => trimChars(text, cutset)),
  trimSuffix: fn(['string', 'string'], (suffix: string, text: string) => (suffix && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text)),
  trimPrefix: fn(['string', 'string'], (prefix: string, text: string) => (text.startsWith(prefix) ? text.slice(prefix.length) : text)),
  nospace: fn(['string'], noSpace),
  initials: fn(['string'], initials),
  swapcase: fn(['string'], swapCase),
  snakecase: fn(['string'], snakeCase),
  camelcase: fn(['string'], camelCase),
  kebabcase: fn(['string'], kebabCase),
  wrap: fn(['int', 'string'], (width: GoInt, text: string) => wrap(text, width.number(), { separator: '\n', breakLong: false })),
  wrapWith: fn(['int', 'string', 'string'], (width: GoInt, separator: string, text: string) => wrap(text, width.number(), { separator, breakLong: true })),
  contains: fn(['string', 'string'], (part: string, text: string) => text.includes(part)),
  hasPrefix: fn(['string', 'string'], (part: string, text: string) => text.startsWith(part)),
  hasSuffix: fn(['string', 'string'], (part: string, text: string) => text.endsWith(part)),
  quote: fn(['...any'], (...values: unknown[]) => values.filter(present).map((value) => quoteGo(strval(value))).join(' ')),
  squote: fn(['...any'], (...values: unknown[]) => values.filter(present).map((value) => `'${formatValue(value)}'`).join(' ')),
  cat: fn(['...any'], (...values: unknown[]) => values.filter(present).map((value) => formatValue(value)).join(' ')),
  indent: fn(['int', 'string'], (width: GoInt, text: string) => indent(width.number(), text)),
  nindent: fn(['int', 'string'], (width: GoInt, text: string) => `\n${indent(width.number(), text)}`),
  replace: fn(['string', 'string', 'string'], (from: string, to: string, text: string) => replaceAll(text, from, to)),
  plural: fn(['string', 'string', 'int'], (one: string, many: string, count: GoInt) => (count.value === 1n ? one : many)),
  toString: fn(['any'], strval),
  toStrings: fn(['any'], (value: unknown) => strings(strslice(value))),
  join: fn(['string', 'any'], (separator: string, value: unknown) => strslice(value).join(separator)),
  split: fn(['string', 'string'], (separator: string, text: string) => numbered(splitText(text, separator))),
  splitn: fn(['string', 'int', 'string'], (separator: string, count: GoInt, text: string) => numbered(splitText(text, separator, count.number()))),
  splitList: fn(['string', 'string'], (separator: string, text: string) => strings(splitText(text, separator))),
  hello: fn([], () => 'Hello!'),
};

function present(value: unknown): boolean {
  return value !== null && value !== undefined;
}

function abbreviate(text: string, start: number, width: number): string {
  if (width < 4) return text;
  const size = byteLength(text);
  if (size <= width) return text;
  let offset = Math.min(start, size);
  if (size - offset < width - 3) offset = size - (width - 3);
  if (offset <= 4) return `${byteSlice(text, 0, width - 3)}...`;
  if (width < 7) return '';
  if (offset + width - 3 < size) return `...${abbreviate(byteSlice(text, offset, size), 0, width - 3)}`;
  return `...${byteSlice(text, size - (width - 3), size)}`;
}

function trunc(count: GoInt, text: string): string {
  const limit = count.number();
  const size = byteLength(text);
  if (limit < 0 && size + limit > 0) return byteSlice(text, size + limit, size);
  return limit >= 0 && size > limit ? byteSlice(text, 0, limit) : text;
}

function substring(start: GoInt, end: GoInt, text: string): string {
  const size = byteLength(text);
  const from = start.number();
  const to = end.number();
  if (from < 0) return checkedSlice(text, 0, to, size);
  return to < 0 || to > size ? checkedSlice(text, from, size, size) : checkedSlice(text, from, to, size);
}

function checkedSlice(text: string, from: number, to: number, size: number): string {
  if (to < 0 || to > size) throw new FunctionError(`runtime error: slice bounds out of range [:${to}]${to > size ? ` with length ${size}` : ''}`);
  if (from > to) throw new FunctionError(`runtime error: slice bounds out of range [${from}:${to === size ? '' : to}]`);
  return byteSlice(text, from, to);
}

const SPACE = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** Without white space; when there was some, each byte becomes a character (goutils.DeleteWhiteSpace). */
function noSpace(text: string): string {
  const bytes = Array.from(encodeUtf8(text), (byte) => String.fromCharCode(byte));
  const kept = bytes.filter((char) => !SPACE.test(char));
  return kept.length === bytes.length ? text : kept.join('');
}

/** The first byte of each word, each byte taken for a character. */
function initials(text: string): string {
  const bytes = Array.from(encodeUtf8(text), (byte) => String.fromCharCode(byte)).join('');
  return Array.from(bytes.matchAll(/(?<=^|[\t\n\v\f\r \x85\xa0])[^\t\n\v\f\r \x85\xa0]/g), (match) => match[0]).join('');
}

/** strings.TrimSpace */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACE.test(text[start] as string)) start++;
  while (end > start && SPACE.test(text[end - 1] as string)) end--;
  return text.slice(start, end);
}

function lower(text: string): string {
  // Go maps İ to i̇ by simple case folding; other characters agree with JavaScript.
  return text.toWellFormed().toLowerCase();
}

function trimChars(text: string, cutset: string): string {
  const set = new Set(cutset);
  const chars = Array.from(text);
  let start = 0;
  let end = chars.length;
  while (start < end && set.has(chars[start] as string)) start++;
  while (end > start && set.has(chars[end - 1] as string)) end--;
  return chars.slice(start, end).join('');
}

/** strings.Repeat with a bound. */
export function repeat(text: string, count: number): string {
  if (count < 0) throw new FunctionError('strings: negative Repeat count');
  if (text.length * count > TEXT_MAX) throw new FunctionError(`repeat would build ${text.length * count} characters, ${TEXT_MAX} at most`);
  return text.repeat(count);
}

function indent(width: number, text: string): string {
  const pad = repeat(' ', width);
  if (pad.length * 4 * (text.split('\n').length) > TEXT_MAX * 4) throw new FunctionError(`indent would build more than ${TEXT_MAX} characters`);
  return pad + text.replaceAll('\n', `\n${pad}`);
}

function replaceAll(text: string, from: string, to: string): string {
  if (from !== '') return text.split(from).join(to);
  return to + runesKept(text).map((char) => char + to).join('');
}

function runesKept(text: string): string[] {
  return Array.from(text);
}

/** strings.SplitN: an empty separator splits into characters; count < 0 is no limit. */
export function splitText(text: string, separator: string, count = -1): string[] {
  if (count === 0) return [];
  const parts = separator === '' ? Array.from(text) : text.split(separator);
  if (count < 0 || parts.length <= count) return parts;
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)];
}

function numbered(parts: readonly string[]): Record<string, unknown> {
  const map: Record<string, unknown> = {};
  for (const [index, part] of parts.entries()) setKey(map, `_${index}`, part);
  return typed(map, 'map[string]string');
}

/** Breaks at spaces; a word longer than the width stays whole unless `breakLong`. */
function wrap(text: string, width: number, options: { separator: string; breakLong: boolean }): string {
  const size = width < 1 ? 1 : width;
  const bytes = encodeUtf8(text);
  const lines: string[] = [];
  let offset = 0;
  const piece = (from: number, to: number) => decodeUtf8(bytes.subarray(from, to));
  while (bytes.length - offset > size) {
    if (bytes[offset] === 32) {
      offset++;
      continue;
    }
    const at = bytes.subarray(0, offset + size + 1).lastIndexOf(32);
    if (at >= offset) {
      lines.push(piece(offset, at));
      offset = at + 1;
    } else if (options.breakLong) {
      lines.push(piece(offset, offset + size));
      offset += size;
    } else {
      const next = bytes.indexOf(32, offset + size);
      if (next < 0) break;
      lines.push(piece(offset, next));
      offset = next + 1;
    }
  }
  lines.push(piece(offset, bytes.length));
  return lines.join(options.separator || '\n');
}

