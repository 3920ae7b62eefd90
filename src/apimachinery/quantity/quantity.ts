/**
 * Quantities of resources: `500m`, `1.5Gi`, `12e6`. A quantity is an exact decimal (a bigint scaled by a
 * power of ten) and the family of suffixes it was written with. Rule: Kubernetes API reference, "Quantity":
 * the canonical form has no fraction, the largest suffix that allows that, and the family of the input
 * (binary falls back to decimal when it cannot be exact). Precision below one nano rounds away from zero.
 */

type Format = 'binarySI' | 'decimalSI' | 'decimalExponent';

/** `unscaled * 10^scale`. */
export interface Quantity {
  readonly unscaled: bigint;
  readonly scale: number;
  readonly format: Format;
}

/** What the API server says about text that is no quantity. */
export const QUANTITY_PATTERN_MESSAGE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const PATTERN = /^([+-]?)([0-9]*)(?:\.([0-9]*))?((?:[KMGTPE]i)|[numkMGTPE]?|[eE][+-]?[0-9]+)$/;
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const DECIMAL_SUFFIX = new Map(Object.entries(DECIMAL).map(([suffix, exponent]) => [exponent, suffix]));
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const NANO = -9;
/** Exponents beyond this are refused: they would only make numbers that fill memory. */
const EXPONENT_MAX = 1000;

/** Throws an `Error` with the API server's message for text that is no quantity. */
export function parseQuantity(text: string): Quantity {
  const match = PATTERN.exec(text);
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match ?? [];
  if (!match || (whole === '' && fraction === '')) throw new Error(QUANTITY_PATTERN_MESSAGE);
  let unscaled = BigInt(`${whole}${fraction}` || '0');
  let scale = -fraction.length;
  let format: Format = 'decimalSI';
  if (suffix.endsWith('i')) {
    unscaled *= 1024n ** BigInt(BINARY.indexOf(suffix));
    format = 'binarySI';
  } else if (/^[eE]./.test(suffix)) {
    const exponent = Number(suffix.slice(1));
    if (Math.abs(exponent) > EXPONENT_MAX) throw new Error(QUANTITY_PATTERN_MESSAGE);
    scale += exponent;
    format = 'decimalExponent';
  } else {
    scale += DECIMAL[suffix] ?? 0;
  }
  return roundToNano({ unscaled: sign === '-' ? -unscaled : unscaled, scale, format });
}

/** Drops trailing zeros; rounds what is finer than a nano away from zero. */
function roundToNano({ unscaled, scale, format }: Quantity): Quantity {
  let value = unscaled;
  let exponent = scale;
  if (exponent < NANO) {
    const divisor = 10n ** BigInt(NANO - exponent);
    const rest = value % divisor;
    value /= divisor;
    if (rest > 0n) value += 1n;
    if (rest < 0n) value -= 1n;
    exponent = NANO;
  }
  while (value !== 0n && value % 10n === 0n) {
    value /= 10n;
    exponent += 1;
  }
  return { unscaled: value, scale: value === 0n ? 0 : exponent, format };
}

export function isQuantity(text: string): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch {
    return false;
  }
}

/** The canonical text. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.unscaled === 0n) return '0';
  if (quantity.format === 'binarySI') {
    const binary = formatBinary(quantity);
    if (binary !== undefined) return binary;
  }
  const exponent = Math.floor(quantity.scale / 3) * 3;
  const digits = quantity.unscaled * 10n ** BigInt(quantity.scale - exponent);
  const suffix = DECIMAL_SUFFIX.get(exponent);
  if (quantity.format === 'decimalExponent' || suffix === undefined) return exponent === 0 ? `${digits}` : `${digits}e${exponent}`;
  return `${digits}${suffix}`;
}

/** Binary suffixes fit only whole numbers of at least 1024; others are written in decimal. */
function formatBinary({ unscaled, scale }: Quantity): string | undefined {
  if (scale < 0) return undefined;
  let value = unscaled * 10n ** BigInt(scale);
  if (value > -1024n && value < 1024n) return undefined;
  let step = 0;
  while (step < BINARY.length - 1 && value % 1024n === 0n) {
    value /= 1024n;
    step += 1;
  }
  return `${value}${BINARY[step]}`;
}

/** `parse` then `format`; throws like {@link parseQuantity}. */
export function canonicalQuantity(text: string): string {
  return formatQuantity(parseQuantity(text));
}

/** Negative, zero or positive, as `a - b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  const [left, right] = align(a, b);
  return left < right ? -1 : left > right ? 1 : 0;
}

function align(a: Quantity, b: Quantity): [bigint, bigint, number] {
  const scale = Math.min(a.scale, b.scale);
  return [a.unscaled * 10n ** BigInt(a.scale - scale), b.unscaled * 10n ** BigInt(b.scale - scale), scale];
}

/** The sum, in the format of the first operand (of the second when the first is zero). */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  const [left, right, scale] = align(a, b);
  return roundToNano({ unscaled: left + right, scale, format: a.unscaled === 0n ? b.format : a.format });
}

export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return addQuantities(a, negateQuantity(b));
}

export function negateQuantity(quantity: Quantity): Quantity {
  return { ...quantity, unscaled: -quantity.unscaled };
}

/** Thousandths as a number, rounded up: what schedulers count CPUs in. */
export function quantityMilli(quantity: Quantity): number {
  return toInteger(quantity, -3);
}

/** Whole units as a number, rounded up: bytes, pods. */
export function quantityValue(quantity: Quantity): number {
  return toInteger(quantity, 0);
}

function toInteger({ unscaled, scale }: Quantity, exponent: number): number {
  if (scale >= exponent) return Number(unscaled * 10n ** BigInt(scale - exponent));
  const divisor = 10n ** BigInt(exponent - scale);
  const rest = unscaled % divisor;
  const whole = unscaled / divisor + (rest > 0n ? 1n : rest < 0n ? -1n : 0n);
  return Number(whole);
}
