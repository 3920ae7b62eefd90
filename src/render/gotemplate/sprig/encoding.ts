/** Sprig's encodings, reflection, defaults and paths. */
import { base64Encode } from '#base/hash';
import { decodeUtf8, encodeUtf8 } from '../bytes.ts';
import { ChartFailure, FunctionError } from '../errors.ts';
import { fn, type FunctionTable } from '../functions.ts';
import { toJson } from '../json.ts';
import { kindName, typeName } from '../value.ts';
import { isEmpty } from './cast.ts';
import { deepEqualGo } from './deep.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export const ENCODING_FUNCTIONS: FunctionTable = {
  b64enc: fn(['string'], (text: string) => base64Encode(encodeUtf8(text))),
  b64dec: fn(['string'], base64Text),
  b32enc: fn(['string'], (text: string) => base32Encode(encodeUtf8(text))),
  b32dec: fn(['string'], base32Text),
  fromJson: fn(['string'], (text: string) => parsed(text) ?? null),
  mustFromJson: fn(['string'], (text: string) => parseJson(text)),
  toJson: fn(['any'], (value: unknown) => orEmpty(() => toJson(value))),
  mustToJson: fn(['any'], (value: unknown) => toJson(value)),
  toPrettyJson: fn(['any'], (value: unknown) => orEmpty(() => toJson(value, { escapeHtml: true, indent: '  ' }))),
  mustToPrettyJson: fn(['any'], (value: unknown) => toJson(value, { escapeHtml: true, indent: '  ' })),
  toRawJson: fn(['any'], (value: unknown) => toJson(value, { escapeHtml: false })),
  mustToRawJson: fn(['any'], (value: unknown) => toJson(value, { escapeHtml: false })),
  default: fn(['any', '...any'], (fallback: unknown, ...given: unknown[]) => (given.length === 0 || isEmpty(given[0]) ? fallback : given[0])),
  empty: fn(['any'], isEmpty),
  ternary: fn(['any', 'any', 'bool'], (yes: unknown, no: unknown, condition: boolean) => (condition ? yes : no)),
  fail: fn(['string'], (message: string) => {
    throw new ChartFailure(message);
  }),
  typeOf: fn(['any'], (value: unknown) => typeName(value)),
  typeIs: fn(['string', 'any'], (type: string, value: unknown) => typeName(value) === type),
  typeIsLike: fn(['string', 'any'], (type: string, value: unknown) => typeName(value) === type || typeName(value) === `*${type}`),
  kindOf: fn(['any'], kindOf),
  kindIs: fn(['string', 'any'], (kind: string, value: unknown) => kindOf(value) === kind),
  deepEqual: fn(['any', 'any'], deepEqualGo),
  base: fn(['string'], base),
  dir: fn(['string'], dir),
  clean: fn(['string'], clean),
  ext: fn(['string'], ext),
  isAbs: fn(['string'], (path: string) => path.startsWith('/')),
  osBase: fn(['string'], base),
  osDir: fn(['string'], dir),
  osClean: fn(['string'], clean),
  osExt: fn(['string'], ext),
  osIsAbs: fn(['string'], (path: string) => path.startsWith('/')),
};

function kindOf(value: unknown): string {
  const type = typeName(value);
  return type.startsWith('*') ? 'ptr' : kindName(value);
}

function orEmpty(work: () => string): string {
  try {
    return work();
  } catch {
    return '';
  }
}

/** json.Unmarshal into interface{}. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FunctionError(jsonProblem(text));
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Go's words for a JSON syntax error, as far as the first wrong character tells. */
export function jsonProblem(text: string): string {
  if (text.trim() === '') return 'unexpected end of JSON input';
  for (let end = 1; end <= text.length; end++) {
    const char = text[end - 1] as string;
    if (end === 1 && !/[\s{["0-9tfn-]/.test(char)) return `invalid character '${char === '\\' || char === "'" ? `\\${char}` : char}' looking for beginning of value`;
  }
  return 'unexpected end of JSON input';
}

function base64Text(text: string): string {
  const clean = text.replace(/[\r\n]/g, '');
  const bad = /[^A-Za-z0-9+/=]/.exec(clean)?.index ?? -1;
  const wellFormed = bad < 0 && clean.length % 4 === 0 && /^[^=]*={0,2}$/.test(clean);
  if (!wellFormed) return `illegal base64 data at input byte ${bad >= 0 ? bad : corruptAt(clean)}`;
  return decodeUtf8(Uint8Array.from(atob(clean), (char) => char.charCodeAt(0)));
}

function corruptAt(text: string): number {
  const padding = text.indexOf('=');
  if (padding >= 0 && padding % 4 >= 2) return padding % 4 === 2 && text[padding + 1] === '=' ? padding + 2 : padding + 1;
  return padding >= 0 ? padding : text.length - (text.length % 4);
}

function base32Encode(bytes: Uint8Array): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  let text = '';
  for (let i = 0; i < bits.length; i += 5) text += BASE32[Number.parseInt(bits.slice(i, i + 5).padEnd(5, '0'), 2)];
  return text.padEnd(Math.ceil(text.length / 8) * 8, '=');
}

function base32Text(text: string): string {
  const clean = text.replace(/[\r\n]/g, '');
  if (clean.length % 8 !== 0 || !/^[A-Z2-7]*=*$/.test(clean)) return `illegal base32 data at input byte ${Math.max(0, clean.search(/[^A-Z2-7]/))}`;
  let bits = '';
  for (const char of clean.replace(/=+$/, '')) bits += BASE32.indexOf(char).toString(2).padStart(5, '0');
  const bytes = bits.match(/.{8}/g) ?? [];
  return decodeUtf8(Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2)));
}

/** path.Clean */
export function clean(path: string): string {
  if (path === '') return '.';
  const rooted = path.startsWith('/');
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else if (!rooted) kept.push('..');
  }
  return `${rooted ? '/' : ''}${kept.join('/')}` || '.';
}

export function base(path: string): string {
  if (path === '') return '.';
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

function dir(path: string): string {
  return clean(path.slice(0, path.lastIndexOf('/') + 1));
}

function ext(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot);
}
