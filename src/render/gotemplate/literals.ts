/** Go's literals inside templates: quoted strings, characters, numbers. */
import type { NumberNode } from './ast.ts';
import { decodeUtf8, encodeUtf8 } from './bytes.ts';
import { int } from './value.ts';

const SIMPLE_ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92, "'": 39, '"': 34 };
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/g;

/** strconv.Unquote of `"…"` or `'…'`; `undefined` when the literal is not valid. */
export function unquote(literal: string): string | undefined {
  const quote = literal[0] as string;
  const body = literal.slice(1, -1);
  if (!body.includes('\\')) return body;
  let valid = true;
  let raw = false;
  const text = body.replace(ESCAPE, (_all, hex?: string, octal?: string, small?: string, large?: string, simple?: string) => {
    if (hex !== undefined || octal !== undefined) {
      const byte = hex === undefined ? Number.parseInt(octal as string, 8) : Number.parseInt(hex, 16);
      if (byte > 255) valid = false;
      if (byte < 0x80) return String.fromCharCode(byte);
      raw = true;
      return String.fromCharCode(0xdc00 + byte);
    }
    if (small !== undefined || large !== undefined) return codePoint(Number.parseInt((small ?? large) as string, 16)) ?? ((valid = false), '');
    const code = SIMPLE_ESCAPES[simple as string];
    const otherQuote = quote === '"' ? "'" : '"';
    if (code === undefined || simple === otherQuote) valid = false;
    return String.fromCharCode(code ?? 0);
  });
  if (!valid) return undefined;
  return raw ? decodeUtf8(encodeUtf8(text)) : text;
}

function codePoint(code: number): string | undefined {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return String.fromCodePoint(code);
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

export type ParsedNumber = Omit<NumberNode, 'pos' | 'type'>;

/** The values a number literal can take; a string when it is none, saying why. */
export function parseNumber(text: string): ParsedNumber | string {
  if (text.endsWith('i')) return parseComplex(text);
  const exact = parseInteger(text);
  const uint = exact !== undefined && exact >= 0n && !/^[+-]/.test(text) && exact <= UINT64_MAX ? exact : undefined;
  let integer = exact !== undefined && exact >= INT64_MIN && exact <= INT64_MAX ? exact : undefined;
  let float: number | undefined;
  if (integer !== undefined) float = Number(integer);
  else if (uint !== undefined) float = Number(uint);
  else {
    float = parseFloatLiteral(text);
    if (float !== undefined) {
      if (!/[.eEpP]/.test(text)) return `integer overflow: ${JSON.stringify(text)}`;
      if (Number.isInteger(float) && Math.abs(float) < 2 ** 63) integer = BigInt(float);
    }
  }
  if (integer === undefined && uint === undefined && float === undefined) return `illegal number syntax: ${JSON.stringify(text)}`;
  return { text, int: integer, uint: uint ?? (integer !== undefined && integer >= 0n ? integer : undefined), float, complex: false, ideal: idealOf(text, integer, float) };
}

function idealOf(text: string, integer: bigint | undefined, float: number | undefined): unknown {
  const isHex = /^[+-]?0[xX]/.test(text) && !/[pP]/.test(text);
  if (float !== undefined && !isHex && /[.eEpP]/.test(text)) return float;
  return integer === undefined ? undefined : int(integer);
}

function parseComplex(text: string): ParsedNumber | string {
  const imaginary = parseFloatLiteral(text.slice(0, -1));
  if (imaginary === undefined) return `illegal number syntax: ${JSON.stringify(text)}`;
  return { text, int: undefined, uint: undefined, float: undefined, complex: true, ideal: undefined };
}

/** strconv.ParseInt(text, 0, …) without the range check. Underscores only between digits. */
export function parseInteger(text: string): bigint | undefined {
  const match = /^([+-]?)(0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|0(?:_?[0-7])+|[1-9](?:_?[0-9])*|0)$/.exec(text);
  if (!match) return undefined;
  const digits = (match[2] as string).replaceAll('_', '');
  const magnitude = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return match[1] === '-' ? -magnitude : magnitude;
}

/** strconv.ParseFloat of a literal, hexadecimal floats included. */
export function parseFloatLiteral(text: string): number | undefined {
  const hex = /^([+-]?)0[xX]([0-9a-fA-F_]*)\.?([0-9a-fA-F_]*)[pP]([+-]?[0-9]+)$/.exec(text);
  if (hex) {
    const [, sign, whole = '', fraction = '', exponent = '0'] = hex;
    const mantissa = Number.parseInt(`${whole}${fraction}`.replaceAll('_', '') || '0', 16);
    return (sign === '-' ? -1 : 1) * mantissa * 2 ** (Number(exponent) - 4 * fraction.length);
  }
  if (!/^[+-]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?$/.test(text) || /__|_\.|\._|_$|_[eE]/.test(text)) return undefined;
  // Underscores are only legal behind a base prefix, which decimal floats lack.
  if (text.includes('_')) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** The rune of a character constant, as a number literal. */
export function parseCharConstant(literal: string): ParsedNumber | undefined {
  const text = unquote(literal);
  if (text === undefined || Array.from(text).length !== 1) return undefined;
  const code = text.codePointAt(0) as number;
  const rune = code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : code;
  return { text: literal, int: BigInt(rune), uint: BigInt(rune), float: rune, complex: false, ideal: int(rune) };
}
