/** Sprig's conversions: anything to a number or text, without ever failing (spf13/cast and sprig's strval). */
import { decodeUtf8 } from '../bytes.ts';
import { formatValue } from '../format.ts';
import { GoInt, GoStruct } from '../value.ts';
import { parseInteger } from '../literals.ts';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

export function toInt64(value: unknown): bigint {
  switch (typeof value) {
    case 'number':
      return floatToInt(value);
    case 'boolean':
      return value ? 1n : 0n;
    case 'string':
      return textToInt(value);
    default:
      return value instanceof GoInt ? BigInt.asIntN(64, value.value) : 0n;
  }
}

// What amd64 makes of a float that does not fit: the smallest integer.
function floatToInt(value: number): bigint {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 63) return INT64_MIN;
  return BigInt(Math.trunc(value));
}

function textToInt(text: string): bigint {
  const trimmed = text.replace(/^(.*)\.0*$/, '$1');
  const value = parseInteger(trimmed);
  return value === undefined || value < INT64_MIN || value > INT64_MAX ? 0n : value;
}

export function toNumber(value: unknown): number {
  return Number(toInt64(value));
}

export function toFloat64(value: unknown): number {
  switch (typeof value) {
    case 'number':
      return value;
    case 'boolean':
      return value ? 1 : 0;
    case 'string':
      return parseGoFloat(value) ?? 0;
    default:
      return value instanceof GoInt ? value.number() : 0;
  }
}

/** strconv.ParseFloat */
export function parseGoFloat(text: string): number | undefined {
  if (/^[+-]?(?:inf|infinity)$/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (!/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** sprig's strval; nil is `<nil>`. */
export function strval(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '<nil>';
  if (value instanceof Uint8Array) return decodeUtf8(value);
  return formatValue(value);
}

/** sprig's strslice: a list of texts from nearly anything; nil elements are dropped. */
export function strslice(value: unknown): string[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.filter((item) => item !== null && item !== undefined).map(strval);
  if (value instanceof Uint8Array) return Array.from(value, String);
  return [strval(value)];
}

/** sprig's empty: the zero value of its type. */
export function isEmpty(value: unknown): boolean {
  switch (typeof value) {
    case 'boolean':
      return !value;
    case 'string':
      return value === '';
    case 'number':
      return value === 0;
    case 'object':
      return value === null || emptyObject(value);
    default:
      return true;
  }
}

function emptyObject(value: object): boolean {
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof GoInt) return value.value === 0n;
  if (value instanceof GoStruct) return false;
  for (const _ in value) return false;
  return true;
}
