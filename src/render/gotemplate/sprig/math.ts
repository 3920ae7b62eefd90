/** Sprig's arithmetic: int64 that wraps, and decimal arithmetic for the functions ending in f. */
import { fn, type FunctionTable } from '../functions.ts';
import { FunctionError } from '../errors.ts';
import { formatValue } from '../format.ts';
import { int, int64, typed, type GoInt } from '../value.ts';
import { toFloat64, toInt64 } from './cast.ts';
import { decimalDivide, decimalOf, decimalToNumber, type Decimal } from './decimal.ts';

/** Elements `until`, `untilStep` and `seq` may produce. */
export const SEQUENCE_MAX = 1_000_000;

type Rest = unknown[];

export const MATH_FUNCTIONS: FunctionTable = {
  atoi: fn(['string'], (text: string) => int(/^[+-]?[0-9]+$/.test(text) ? clampInt(BigInt(text)) : 0)),
  int: fn(['any'], (value: unknown) => int(toInt64(value))),
  int64: fn(['any'], (value: unknown) => int64(toInt64(value))),
  float64: fn(['any'], toFloat64),
  toDecimal: fn(['any'], (value: unknown) => int64(parseOctal(formatValue(value)))),
  add1: fn(['any'], (value: unknown) => int64(toInt64(value) + 1n)),
  add: fn(['...any'], (...values: Rest) => int64(values.reduce((sum: bigint, value) => sum + toInt64(value), 0n))),
  sub: fn(['any', 'any'], (a: unknown, b: unknown) => int64(toInt64(a) - toInt64(b))),
  div: fn(['any', 'any'], (a: unknown, b: unknown) => int64(toInt64(a) / nonZero(b))),
  mod: fn(['any', 'any'], (a: unknown, b: unknown) => int64(toInt64(a) % nonZero(b))),
  mul: fn(['any', '...any'], (first: unknown, ...rest: Rest) => int64(rest.reduce((product: bigint, value) => BigInt.asIntN(64, product * toInt64(value)), toInt64(first)))),
  max: fn(['any', '...any'], (first: unknown, ...rest: Rest) => int64(rest.reduce((best: bigint, value) => (toInt64(value) > best ? toInt64(value) : best), toInt64(first)))),
  biggest: fn(['any', '...any'], (first: unknown, ...rest: Rest) => int64(rest.reduce((best: bigint, value) => (toInt64(value) > best ? toInt64(value) : best), toInt64(first)))),
  min: fn(['any', '...any'], (first: unknown, ...rest: Rest) => int64(rest.reduce((best: bigint, value) => (toInt64(value) < best ? toInt64(value) : best), toInt64(first)))),
  maxf: fn(['any', '...any'], (...values: Rest) => Math.max(...values.map(toFloat64))),
  minf: fn(['any', '...any'], (...values: Rest) => Math.min(...values.map(toFloat64))),
  add1f: fn(['any'], (value: unknown) => fold([value, 1], (a, b) => aligned(a, b, (x, y) => x + y))),
  addf: fn(['...any'], (...values: Rest) => fold([0, ...values], (a, b) => aligned(a, b, (x, y) => x + y))),
  subf: fn(['any', '...any'], (...values: Rest) => fold(values, (a, b) => aligned(a, b, (x, y) => x - y))),
  mulf: fn(['any', '...any'], (...values: Rest) => fold(values, (a, b) => ({ digits: a.digits * b.digits, scale: a.scale + b.scale }))),
  divf: fn(['any', '...any'], (...values: Rest) => fold(values, decimalDivide)),
  ceil: fn(['any'], (value: unknown) => Math.ceil(toFloat64(value))),
  floor: fn(['any'], (value: unknown) => Math.floor(toFloat64(value))),
  round: fn(['any', 'int', '...float64'], round),
  until: fn(['int'], (count: GoInt) => sequence(0, count.number(), count.number() < 0 ? -1 : 1)),
  untilStep: fn(['int', 'int', 'int'], (start: GoInt, stop: GoInt, step: GoInt) => sequence(start.number(), stop.number(), step.number())),
  seq: fn(['...int'], seq),
};

function clampInt(value: bigint): bigint {
  const max = 2n ** 63n - 1n;
  return value > max ? max : value < -max - 1n ? -max - 1n : value;
}

function nonZero(value: unknown): bigint {
  const divisor = toInt64(value);
  if (divisor === 0n) throw new FunctionError('runtime error: integer divide by zero');
  return divisor;
}

function parseOctal(text: string): bigint {
  if (!/^[+-]?[0-7]+$/.test(text)) return 0n;
  const magnitude = BigInt(`0o${text.replace(/^[+-]/, '')}`);
  return text.startsWith('-') ? -magnitude : magnitude;
}

function fold(values: readonly unknown[], operate: (a: Decimal, b: Decimal) => Decimal): number {
  const [first = 0, ...rest] = values.map(toFloat64);
  if (![first, ...rest].every(Number.isFinite)) throw new FunctionError('Cannot create a Decimal from NaN or infinity');
  return decimalToNumber(rest.map(decimalOf).reduce(operate, decimalOf(first)));
}

function aligned(a: Decimal, b: Decimal, operate: (x: bigint, y: bigint) => bigint): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { digits: operate(a.digits * 10n ** BigInt(scale - a.scale), b.digits * 10n ** BigInt(scale - b.scale)), scale };
}

function round(value: unknown, places: GoInt, roundOn = 0.5): number {
  const power = 10 ** places.number();
  const digit = power * toFloat64(value);
  const part = digit - Math.trunc(digit);
  return (part >= roundOn ? Math.ceil(digit) : Math.floor(digit)) / power;
}

function numbers(start: number, stop: number, step: number): number[] {
  const list: number[] = [];
  if ((stop < start && step >= 0) || (stop >= start && step <= 0)) return list;
  if (Math.abs((stop - start) / step) > SEQUENCE_MAX) throw new FunctionError(`a sequence of ${Math.ceil(Math.abs((stop - start) / step))} elements, ${SEQUENCE_MAX} at most`);
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) list.push(i);
  return list;
}

function sequence(start: number, stop: number, step: number): GoInt[] {
  return typed(numbers(start, stop, step).map(int), '[]int');
}

function seq(...params: GoInt[]): string {
  const [first = 0, second = 0, third = 0] = params.map((param) => param.number());
  switch (params.length) {
    case 1:
      return seqText(1, first, first < 1 ? -1 : 1);
    case 2:
      return seqText(first, second, second < first ? -1 : 1);
    case 3:
      return third < first && second > 0 ? '' : numbers(first, third + (third < first ? -1 : 1), second).join(' ');
    default:
      return '';
  }
}

function seqText(start: number, end: number, step: number): string {
  return numbers(start, end + step, step).join(' ');
}
