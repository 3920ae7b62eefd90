/**
 * Go's fmt over our values: `%v` of anything, and Sprintf with its verbs, flags, widths, argument indexes
 * and its way of reporting misuse inside the text (`%!d(string=hi)`). Rules: package documentation of fmt.
 */
import { goFloat } from '#render/rawyaml';
import { decodeUtf8, encodeUtf8, runes } from './bytes.ts';
import { formatFloat } from './floats.ts';
import { quoteGo, quoteRune } from './quote.ts';
import { DAYS, MONTHS } from './sprig/layout.ts';
import { GoInt, GoStruct, isMap, sortedKeys, typeName } from './value.ts';

/** Width and precision beyond these are refused by Go too (fmt: tooLarge). */
const WIDTH_MAX = 1_000_000;

/** `%v` */
export function formatValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return goFloat(value);
    case 'boolean':
      return String(value);
    default:
      return render(value, { ...NO_FLAGS, verb: 'v' }, 0);
  }
}

/** fmt.Sprint: a space between operands when neither is a string. */
export function sprint(values: readonly unknown[]): string {
  let text = '';
  for (const [index, value] of values.entries()) {
    if (index > 0 && typeof value !== 'string' && typeof values[index - 1] !== 'string') text += ' ';
    text += value === null || value === undefined ? '<nil>' : formatValue(value);
  }
  return text;
}

/** fmt.Sprintln */
export function sprintln(values: readonly unknown[]): string {
  return `${values.map((value) => (value === null || value === undefined ? '<nil>' : formatValue(value))).join(' ')}\n`;
}

export interface Flags {
  verb: string;
  width: number | undefined;
  precision: number | undefined;
  plus: boolean;
  plusV: boolean;
  minus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
}

const NO_FLAGS: Flags = { verb: 'v', width: undefined, precision: undefined, plus: false, plusV: false, minus: false, sharp: false, space: false, zero: false };

/** fmt.Sprintf */
export function sprintf(format: string, args: readonly unknown[]): string {
  return new Printer(format, args).run();
}

class Printer {
  private pos = 0;
  private argNum = 0;
  private reordered = false;
  private goodArgNum = true;
  private out = '';
  private readonly format: string;
  private readonly args: readonly unknown[];

  constructor(format: string, args: readonly unknown[]) {
    this.format = format;
    this.args = args;
  }

  run(): string {
    while (this.pos < this.format.length) {
      const percent = this.format.indexOf('%', this.pos);
      if (percent < 0) {
        this.out += this.format.slice(this.pos);
        break;
      }
      this.out += this.format.slice(this.pos, percent);
      this.pos = percent + 1;
      this.directive();
    }
    if (!this.reordered && this.argNum < this.args.length) this.extra();
    return this.out;
  }

  private extra(): void {
    const rest = this.args.slice(this.argNum).map((arg) => (arg === null || arg === undefined ? '<nil>' : `${typeName(arg)}=${formatValue(arg)}`));
    this.out += `%!(EXTRA ${rest.join(', ')})`;
  }

  private directive(): void {
    const flags: Flags = { ...NO_FLAGS };
    this.goodArgNum = true;
    let afterIndex = false;
    this.flags(flags);
    afterIndex = this.argIndex();
    if (this.format[this.pos] === '*') {
      this.pos++;
      this.starWidth(flags);
      afterIndex = false;
    } else {
      flags.width = this.number();
      if (afterIndex && flags.width !== undefined) this.goodArgNum = false;
    }
    if (this.format[this.pos] === '.') afterIndex = this.precision(flags, afterIndex);
    if (!afterIndex) afterIndex = this.argIndex();
    this.verb(flags);
  }

  private flags(flags: Flags): void {
    for (; this.pos < this.format.length; this.pos++) {
      switch (this.format[this.pos]) {
        case '#':
          flags.sharp = true;
          break;
        case '0':
          flags.zero = true;
          break;
        case '+':
          flags.plus = true;
          break;
        case '-':
          flags.minus = true;
          break;
        case ' ':
          flags.space = true;
          break;
        default:
          return;
      }
    }
  }

  private number(): number | undefined {
    const digits = /^[0-9]+/.exec(this.format.slice(this.pos, this.pos + 20))?.[0];
    if (digits === undefined) return undefined;
    this.pos += digits.length;
    const value = Number(digits);
    return value > WIDTH_MAX ? undefined : value;
  }

  private starWidth(flags: Flags): void {
    const value = this.starValue();
    if (value === undefined) this.out += '%!(BADWIDTH)';
    else {
      flags.width = Math.abs(value);
      if (value < 0) {
        flags.minus = true;
        flags.zero = false;
      }
    }
  }

  private starValue(): number | undefined {
    const arg = this.args[this.argNum];
    if (this.argNum >= this.args.length) return undefined;
    this.argNum++;
    if (!(arg instanceof GoInt)) return undefined;
    const value = arg.number();
    return Math.abs(value) > WIDTH_MAX ? undefined : value;
  }

  private precision(flags: Flags, afterWidthIndex: boolean): boolean {
    this.pos++;
    if (afterWidthIndex) this.goodArgNum = false;
    const afterIndex = this.argIndex();
    if (this.format[this.pos] === '*') {
      this.pos++;
      const value = this.starValue();
      if (value === undefined || value < 0) {
        if (value === undefined) this.out += '%!(BADPREC)';
      } else flags.precision = value;
      return false;
    }
    flags.precision = this.number() ?? 0;
    return afterIndex;
  }

  /** `[3]`: the next argument's number. */
  private argIndex(): boolean {
    if (this.format[this.pos] !== '[') return false;
    this.reordered = true;
    const close = this.format.indexOf(']', this.pos);
    const digits = close < 0 ? '' : this.format.slice(this.pos + 1, close);
    this.pos = close < 0 ? this.pos + 1 : close + 1;
    const index = /^[0-9]+$/.test(digits) ? Number(digits) - 1 : -1;
    if (index >= 0 && index < this.args.length) {
      this.argNum = index;
      return true;
    }
    this.goodArgNum = false;
    return true;
  }

  private verb(flags: Flags): void {
    const code = this.format.codePointAt(this.pos);
    if (code === undefined) {
      this.out += '%!(NOVERB)';
      return;
    }
    const verb = String.fromCodePoint(code);
    this.pos += verb.length;
    flags.verb = verb;
    // For %v a plus asks for field names, not for a sign.
    if (verb === 'v' && flags.plus) {
      flags.plus = false;
      flags.plusV = true;
    }
    if (verb === '%') this.out += '%';
    else if (!this.goodArgNum) this.out += `%!${verb}(BADINDEX)`;
    else if (this.argNum >= this.args.length) this.out += `%!${verb}(MISSING)`;
    else {
      const arg = this.args[this.argNum++];
      this.out += renderTop(arg, flags);
    }
  }
}

function renderTop(arg: unknown, flags: Flags): string {
  if (flags.verb === 'T') return pad(arg === null || arg === undefined ? '<nil>' : typeName(arg), flags);
  if (arg === null || arg === undefined) return flags.verb === 'v' ? pad('<nil>', flags) : `%!${flags.verb}(<nil>)`;
  if (flags.verb === 'p') return bad(arg, flags);
  return render(arg, flags, 0);
}

function bad(value: unknown, flags: Flags): string {
  if (value === null || value === undefined) return `%!${flags.verb}(<nil>)`;
  // Width, precision and flags stay in force inside the report.
  return `%!${flags.verb}(${typeName(value)}=${render(value, { ...flags, verb: 'v', sharp: false }, 0)})`;
}

export function pad(text: string, flags: Pick<Flags, 'width' | 'minus' | 'zero'>): string {
  const missing = (flags.width ?? 0) - runes(text).length;
  if (missing <= 0) return text;
  if (flags.minus) return text + ' '.repeat(missing);
  return (flags.zero ? '0' : ' ').repeat(missing) + text;
}

function render(value: unknown, flags: Flags, depth: number): string {
  switch (typeof value) {
    case 'string':
      return renderString(value, flags);
    case 'boolean':
      return flags.verb === 't' || flags.verb === 'v' ? pad(String(value), flags) : bad(value, flags);
    case 'number':
      return formatFloat(value, flags) ?? bad(value, flags);
    case 'object':
      return renderObject(value, flags, depth);
    default:
      return flags.verb === 'v' ? pad('<nil>', flags) : '%!' + flags.verb + '(<nil>)';
  }
}

function renderObject(value: object | null, flags: Flags, depth: number): string {
  if (value === null) return flags.sharp && flags.verb === 'v' ? 'interface {}(nil)' : depth > 0 ? '<nil>' : pad('<nil>', flags);
  if (depth > 1000) return '...';
  if (value instanceof GoInt) return renderInt(value, flags);
  if (value instanceof Uint8Array) return renderBytes(value, flags, depth);
  if (value instanceof GoStruct) return renderStruct(value, flags, depth);
  if (Array.isArray(value)) return renderList(value, flags, depth);
  return isMap(value) ? renderMap(value, flags, depth) : bad(value, flags);
}

function renderList(list: readonly unknown[], flags: Flags, depth: number): string {
  if (flags.sharp && flags.verb === 'v') return `${typeName(list)}{${list.map((item) => render(item, flags, depth + 1)).join(', ')}}`;
  return `[${list.map((item) => render(item, flags, depth + 1)).join(' ')}]`;
}

function renderMap(map: Record<string, unknown>, flags: Flags, depth: number): string {
  const sharp = flags.sharp && flags.verb === 'v';
  const entries = sortedKeys(map).map((key) => `${render(key, flags, depth + 1)}:${render(map[key] ?? null, flags, depth + 1)}`);
  return sharp ? `${typeName(map)}{${entries.join(', ')}}` : `map[${entries.join(' ')}]`;
}

function renderStruct(value: GoStruct, flags: Flags, depth: number): string {
  const text = value.text();
  if (text !== undefined && 'vsxXq'.includes(flags.verb) && !(flags.sharp && flags.verb === 'v')) return renderString(text, flags);
  const pointer = value.goType.startsWith('*') && depth === 0 ? '&' : '';
  const fields = Object.entries(value.fields());
  if (flags.plusV) return `${pointer}{${fields.map(([name, field]) => `${name}:${render(field, flags, depth + 1)}`).join(' ')}}`;
  return `${pointer}{${fields.map(([, field]) => render(field, flags, depth + 1)).join(' ')}}`;
}

function renderString(text: string, flags: Flags): string {
  const cut = flags.precision === undefined ? text : runes(text).slice(0, flags.precision).join('');
  switch (flags.verb) {
    case 'v':
      return flags.sharp ? pad(quoteGo(text), flags) : pad(cut, flags);
    case 's':
      return pad(cut, flags);
    case 'q':
      return pad(flags.sharp && !/[`\x00-\x08\x0a-\x1f\x7f\ufeff]/.test(cut) ? `\`${cut}\`` : quoteGo(cut, flags.plus), flags);
    case 'x':
    case 'X':
      return hexString(encodeUtf8(text), flags);
    default:
      return bad(text, flags);
  }
}

function hexString(bytes: Uint8Array, flags: Flags): string {
  const shown = flags.precision === undefined ? bytes : bytes.subarray(0, flags.precision);
  const prefix = flags.sharp ? `0${flags.verb}` : '';
  const digits = Array.from(shown, (byte) => byte.toString(16).padStart(2, '0')).map((pair) => (flags.verb === 'X' ? pair.toUpperCase() : pair));
  const text = flags.space ? digits.map((pair) => prefix + pair).join(' ') : digits.length ? prefix + digits.join('') : '';
  return pad(text, flags);
}

function renderBytes(bytes: Uint8Array, flags: Flags, depth: number): string {
  switch (flags.verb) {
    case 'v':
    case 'd':
      if (flags.sharp) return `[]byte{${Array.from(bytes, (byte) => `0x${byte.toString(16)}`).join(', ')}}`;
      return `[${Array.from(bytes, (byte) => renderInt(new GoInt(byte, 'uint8'), { ...flags, sharp: false })).join(' ')}]`;
    case 's':
    case 'q':
      return renderString(decodeUtf8(bytes), flags);
    case 'x':
    case 'X':
      return hexString(bytes, flags);
    default:
      return depth >= 0 ? `[${Array.from(bytes, (byte) => renderInt(new GoInt(byte, 'uint8'), flags)).join(' ')}]` : '';
  }
}

const RADIX: Readonly<Record<string, number>> = { d: 10, v: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };

function renderInt(value: GoInt, flags: Flags): string {
  const named = value.named === undefined ? undefined : namedText(value);
  if (named !== undefined && 'vs'.includes(flags.verb)) return pad(named, flags);
  if (flags.verb === 'v' && flags.sharp && value.unsigned) return integer(value.value, 16, { ...flags, sharp: true, verb: 'x' });
  const radix = RADIX[flags.verb];
  if (radix !== undefined) return integer(value.value, radix, flags.verb === 'v' ? { ...flags, sharp: false } : flags);
  switch (flags.verb) {
    case 'c':
      return pad(runeText(value.value), flags);
    case 'q':
      return pad(quoteRune(runeText(value.value), flags.plus), flags);
    case 'U':
      return pad(`U+${value.value.toString(16).toUpperCase().padStart(Math.max(4, flags.precision ?? 0), '0')}${flags.sharp ? ` '${runeText(value.value)}'` : ''}`, { ...flags, zero: false });
    default:
      return bad(value, flags);
  }
}

function namedText(value: GoInt): string | undefined {
  if (value.named === 'time.Duration') return durationText(value.value);
  if (value.named === 'time.Month') return MONTHS[value.number() - 1];
  return value.named === 'time.Weekday' ? DAYS[value.number()] : undefined;
}

function runeText(code: bigint): string {
  return code < 0n || code > 0x10ffffn || (code >= 0xd800n && code <= 0xdfffn) ? '\ufffd' : String.fromCodePoint(Number(code));
}

function integer(value: bigint, radix: number, flags: Flags): string {
  const negative = value < 0n;
  let digits = (negative ? -value : value).toString(radix);
  if (flags.verb === 'X') digits = digits.toUpperCase();
  const sign = negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  if (flags.precision !== undefined) {
    if (flags.precision === 0 && value === 0n) return pad('', { ...flags, zero: false });
    digits = digits.padStart(flags.precision, '0');
  } else if (flags.zero && !flags.minus && flags.width !== undefined) {
    digits = digits.padStart(flags.width - sign.length, '0');
  }
  return pad(sign + prefixOf(digits, flags) + digits, { ...flags, zero: false });
}

function prefixOf(digits: string, flags: Flags): string {
  if (flags.verb === 'O') return '0o';
  if (!flags.sharp) return '';
  if (flags.verb === 'b') return '0b';
  if (flags.verb === 'o') return digits.startsWith('0') ? '' : '0';
  return flags.verb === 'x' || flags.verb === 'X' ? `0${flags.verb}` : '';
}

/** time.Duration.String */
export function durationText(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  const sign = nanoseconds < 0n ? '-' : '';
  const total = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (total < 1_000n) return `${sign}${total}ns`;
  if (total < 1_000_000n) return `${sign}${fraction(total, 1_000n)}µs`;
  if (total < 1_000_000_000n) return `${sign}${fraction(total, 1_000_000n)}ms`;
  const hours = total / 3_600_000_000_000n;
  const minutes = (total / 60_000_000_000n) % 60n;
  const seconds = fraction(total % 60_000_000_000n, 1_000_000_000n);
  return `${sign}${hours > 0n ? `${hours}h` : ''}${hours > 0n || minutes > 0n ? `${minutes}m` : ''}${seconds}s`;
}

function fraction(value: bigint, unit: bigint): string {
  const rest = (value % unit).toString().padStart(unit.toString().length - 1, '0').replace(/0+$/, '');
  return `${value / unit}${rest ? `.${rest}` : ''}`;
}

