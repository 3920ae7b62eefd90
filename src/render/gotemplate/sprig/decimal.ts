/** Decimal numbers as digits × 10^-scale, so that 0.1 + 0.2 is 0.3 in a chart as it is for Sprig. */

export interface Decimal {
  digits: bigint;
  scale: number;
}

/** Division keeps this many places, as shopspring/decimal does. */
const DIVISION_PLACES = 16;

export function decimalOf(value: number): Decimal {
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e');
  const fraction = mantissa.split('.')[1] ?? '';
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(mantissa.replace('.', ''));
  return scale < 0 ? { digits: digits * 10n ** BigInt(-scale), scale: 0 } : { digits, scale };
}

export function decimalToNumber({ digits, scale }: Decimal): number {
  return Number(`${digits}e-${scale}`);
}

export function decimalDivide(a: Decimal, b: Decimal): Decimal {
  if (b.digits === 0n) throw new Error('decimal division by 0');
  const numerator = a.digits * 10n ** BigInt(DIVISION_PLACES + 1 + b.scale);
  const quotient = numerator / (b.digits * 10n ** BigInt(a.scale));
  const half = quotient < 0n ? -5n : 5n;
  return { digits: (quotient + half) / 10n, scale: DIVISION_PLACES };
}
