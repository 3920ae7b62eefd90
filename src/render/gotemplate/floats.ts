/** Floats in Go's verbs: %v %g %G %e %E %f %F %b, with flags, width and precision. */
import { goFloat } from '#render/rawyaml';
import type { Flags } from './format.ts';
import { pad } from './format.ts';

/** The text of a float, `undefined` when the verb is not for floats. */
export function formatFloat(value: number, flags: Flags): string | undefined {
  const body = digitsOf(Math.abs(value), flags);
  if (body === undefined) return undefined;
  const negative = value < 0 || Object.is(value, -0);
  const sign = negative ? '-' : flags.plus || value === Number.POSITIVE_INFINITY ? '+' : flags.space ? ' ' : '';
  const finite = Number.isFinite(value);
  const shownSign = Number.isNaN(value) ? (flags.plus ? '+' : flags.space ? ' ' : '') : sign;
  if (flags.zero && !flags.minus && flags.width !== undefined && finite) return shownSign + body.padStart(flags.width - shownSign.length, '0');
  return pad(shownSign + body, { ...flags, zero: false });
}

function digitsOf(value: number, flags: Flags): string | undefined {
  if (!'vgGeEfFxX'.includes(flags.verb)) return undefined;
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return 'Inf';
  switch (flags.verb) {
    case 'e':
      return twoDigitExponent(exponential(value, flags.precision ?? 6));
    case 'E':
      return twoDigitExponent(exponential(value, flags.precision ?? 6)).toUpperCase();
    case 'x':
      return hexFloat(value, flags.precision);
    case 'X':
      return hexFloat(value, flags.precision).toUpperCase();
    case 'f':
    case 'F':
      return fixed(value, flags.precision ?? 6) + (flags.sharp && flags.precision === 0 ? '.' : '');
    case 'G':
      return general(value, flags).toUpperCase();
    default:
      return general(value, flags);
  }
}

function general(value: number, flags: Flags): string {
  const text = flags.precision === undefined ? goFloat(value) : generalTo(value, flags.precision);
  return flags.sharp && flags.verb !== 'v' ? withPoint(text, flags.precision ?? 6) : text;
}

/** `%.Ng`: N significant digits, trailing zeros dropped. */
function generalTo(value: number, precision: number): string {
  const digits = Math.max(1, Math.min(precision, 100));
  if (value === 0) return '0';
  const [mantissa = '', exponentText = '0'] = exponential(value, digits - 1).split('e');
  const exponent = Number(exponentText);
  const trimmed = mantissa.replace(/\.?0+$/, (zeros) => (mantissa.includes('.') ? '' : zeros));
  const shortest = trimmed.replace('.', '').length;
  // The precision counts for the choice of form only as far as there are digits.
  const limit = digits > shortest && shortest > exponent ? shortest : digits;
  if (exponent < -4 || exponent >= limit) return twoDigitExponent(`${trimmed}e${exponent < 0 ? '' : '+'}${exponent}`);
  const decimals = Math.max(0, digits - 1 - exponent);
  const text = fixed(value, Math.min(decimals, 100));
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function withPoint(text: string, digits: number): string {
  const [mantissa = '', exponent] = text.split('e');
  const count = mantissa.replace(/^0*\.?0*|\./g, '').length;
  const padded = (mantissa.includes('.') ? mantissa : `${mantissa}.`) + '0'.repeat(Math.max(0, digits - Math.max(1, count)));
  return exponent === undefined ? padded : `${padded}e${exponent}`;
}

function twoDigitExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** `0x1.8p+01`; digits beyond the precision are cut to the nearest. */
function hexFloat(value: number, precision: number | undefined): string {
  if (value === 0) return `0x0${precision ? `.${'0'.repeat(precision)}` : ''}p+00`;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  let exponent = Number((bits >> 52n) & 0x7ffn);
  let mantissa = bits & 0xfffffffffffffn;
  if (exponent === 0) {
    exponent = 1;
    while ((mantissa & 0x10000000000000n) === 0n) {
      mantissa <<= 1n;
      exponent--;
    }
    mantissa &= 0xfffffffffffffn;
  }
  const digits = mantissa.toString(16).padStart(13, '0');
  const shown = precision === undefined ? digits.replace(/0+$/, '') : digits.slice(0, precision).padEnd(precision, '0');
  const power = exponent - 1023;
  return `0x1${shown ? `.${shown}` : ''}p${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** Exact decimal expansion to `precision` places. Unlike toFixed, ties go to the even digit, as in Go. */
export function fixed(value: number, precision: number): string {
  if (value >= 1e21) {
    const whole = BigInt(value).toString();
    return precision > 0 ? `${whole}.${'0'.repeat(precision)}` : whole;
  }
  const places = Math.min(precision, 100);
  const padding = '0'.repeat(precision - places);
  const text = value.toFixed(places);
  if (!isTie(value.toFixed(100), value.toFixed(100).indexOf('.') + 1 + places)) return text + padding;
  const down = value.toFixed(100).slice(0, value.toFixed(100).indexOf('.') + (places === 0 ? 0 : 1 + places));
  return (/[02468]$/.test(down) ? down : text) + padding;
}

/** Does exactly one half follow at `from`? */
function isTie(digits: string, from: number): boolean {
  return digits[from] === '5' && /^0*$/.test(digits.slice(from + 1));
}

/** toExponential with ties to the even digit. */
function exponential(value: number, precision: number): string {
  const places = Math.min(precision, 100);
  const text = value.toExponential(places);
  const exact = value.toExponential(100);
  const digits = exact.replace('.', '').split('e')[0] as string;
  if (places >= 100 || !isTie(digits, places + 1)) return text;
  const kept = digits.slice(0, places + 1);
  if (!/[02468]$/.test(kept)) return text;
  return `${kept[0]}${places > 0 ? `.${kept.slice(1)}` : ''}e${exact.split('e')[1]}`;
}
