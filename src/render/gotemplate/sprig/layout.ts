/** Go's time layouts (`2006-01-02T15:04:05Z07:00`): formatting and parsing. Rules: package time, "Layout". */

/** A moment with the zone it is shown in. */
export interface Moment {
  /** Nanoseconds since the Unix epoch. */
  nanoseconds: bigint;
  /** Seconds east of UTC. */
  offset: number;
  zone: string;
}

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

const CHUNK =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|__2|002|01|02|03|04|05|06|15|_2006|_2|PM|pm|-07:00:00|-07:00|-070000|-0700|-07|Z07:00:00|Z070000|Z07:00|Z0700|Z07|[.,](?:0+|9+)(?![0-9])|1|2|3|4|5/g;

export { MONTHS, DAYS };

export interface Civil {
  year: number;
  /** 1–12 */
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  weekday: number;
  yearDay: number;
}

export function civilOf({ nanoseconds, offset }: Moment): Civil {
  const seconds = floorDiv(nanoseconds, 1_000_000_000n) + BigInt(offset);
  const date = new Date(Number(seconds) * 1000);
  const start = Date.UTC(2000, 0, 1);
  const yearStart = new Date(start);
  yearStart.setUTCFullYear(date.getUTCFullYear());
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    nanosecond: Number(((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n),
    weekday: date.getUTCDay(),
    yearDay: Math.floor((date.getTime() - yearStart.getTime()) / 86_400_000) + 1,
  };
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

const two = (value: number) => String(value).padStart(2, '0');

export function formatMoment(moment: Moment, layout: string): string {
  const civil = civilOf(moment);
  let text = '';
  let last = 0;
  for (const match of layout.matchAll(CHUNK)) {
    text += layout.slice(last, match.index) + chunkText(match[0], civil, moment);
    last = match.index + match[0].length;
  }
  return text + layout.slice(last);
}

function chunkText(chunk: string, civil: Civil, moment: Moment): string {
  const hour12 = civil.hour % 12 === 0 ? 12 : civil.hour % 12;
  switch (chunk) {
    case 'January':
      return MONTHS[civil.month - 1] as string;
    case 'Jan':
      return (MONTHS[civil.month - 1] as string).slice(0, 3);
    case 'Monday':
      return DAYS[civil.weekday] as string;
    case 'Mon':
      return (DAYS[civil.weekday] as string).slice(0, 3);
    case '2006':
      return String(civil.year).padStart(4, '0');
    case '_2006':
      return `_${String(civil.year).padStart(4, '0')}`;
    case '06':
      return two(civil.year % 100);
    case '01':
      return two(civil.month);
    case '1':
      return String(civil.month);
    case '02':
      return two(civil.day);
    case '2':
      return String(civil.day);
    case '_2':
      return String(civil.day).padStart(2, ' ');
    case '__2':
      return String(civil.yearDay).padStart(3, ' ');
    case '002':
      return String(civil.yearDay).padStart(3, '0');
    case '15':
      return two(civil.hour);
    case '03':
      return two(hour12);
    case '3':
      return String(hour12);
    case '04':
      return two(civil.minute);
    case '4':
      return String(civil.minute);
    case '05':
      return two(civil.second);
    case '5':
      return String(civil.second);
    case 'PM':
      return civil.hour < 12 ? 'AM' : 'PM';
    case 'pm':
      return civil.hour < 12 ? 'am' : 'pm';
    case 'MST':
      return moment.zone;
    default:
      return /^[.,]/.test(chunk) ? fractionText(chunk, civil.nanosecond) : offsetText(chunk, moment.offset);
  }
}

function fractionText(chunk: string, nanosecond: number): string {
  const digits = String(nanosecond).padStart(9, '0').slice(0, chunk.length - 1);
  if (chunk[1] === '0') return chunk[0] + digits;
  const trimmed = digits.replace(/0+$/, '');
  return trimmed ? chunk[0] + trimmed : '';
}

function offsetText(chunk: string, offset: number): string {
  if (chunk.startsWith('Z') && offset === 0) return 'Z';
  const sign = offset < 0 ? '-' : '+';
  const total = Math.abs(offset);
  const parts = [two(Math.floor(total / 3600))];
  const form = chunk.slice(1);
  const colon = form.includes(':') ? ':' : '';
  if (form.length > 2) parts.push(two(Math.floor(total / 60) % 60));
  if (form.replaceAll(':', '').length > 4) parts.push(two(total % 60));
  return sign + parts.join(colon);
}

interface Parsed {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  fraction: string;
  pm: boolean | undefined;
  offset: number | undefined;
  zone: string | undefined;
  yearDay: number | undefined;
}

/** time.Parse; `undefined` when the text does not fit the layout. */
export function parseMoment(layout: string, text: string): Moment | undefined {
  const parsed: Parsed = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0, fraction: '', pm: undefined, offset: undefined, zone: undefined, yearDay: undefined };
  let rest = text;
  let last = 0;
  for (const match of layout.matchAll(CHUNK)) {
    const prefix = layout.slice(last, match.index);
    if (!rest.startsWith(prefix)) return undefined;
    const after = parseChunk(match[0], rest.slice(prefix.length), parsed);
    if (after === undefined) return undefined;
    rest = after;
    last = match.index + match[0].length;
  }
  if (rest !== layout.slice(last)) return undefined;
  return momentOf(parsed);
}

const NUMBERS: Readonly<Record<string, readonly [RegExp, keyof Parsed]>> = {
  '2006': [/^[0-9]{4}/, 'year'],
  '01': [/^[0-9]{2}/, 'month'],
  '1': [/^[0-9]{1,2}/, 'month'],
  '02': [/^[0-9]{2}/, 'day'],
  '2': [/^[0-9]{1,2}/, 'day'],
  _2: [/^ ?[0-9]{1,2}/, 'day'],
  '15': [/^[0-9]{1,2}/, 'hour'],
  '03': [/^[0-9]{2}/, 'hour'],
  '3': [/^[0-9]{1,2}/, 'hour'],
  '04': [/^[0-9]{2}/, 'minute'],
  '4': [/^[0-9]{1,2}/, 'minute'],
  '05': [/^[0-9]{2}/, 'second'],
  '5': [/^[0-9]{1,2}/, 'second'],
  '002': [/^[0-9]{3}/, 'yearDay'],
  __2: [/^ *[0-9]{1,3}/, 'yearDay'],
};

function parseChunk(chunk: string, rest: string, parsed: Parsed): string | undefined {
  const number = NUMBERS[chunk];
  if (number) {
    const match = number[0].exec(rest);
    if (!match) return undefined;
    (parsed as unknown as Record<string, number>)[number[1]] = Number(match[0]);
    const after = rest.slice(match[0].length);
    // A fraction may follow the seconds even where the layout has none.
    const fraction = chunk === '05' || chunk === '5' ? /^[.,]([0-9]+)/.exec(after) : null;
    if (!fraction) return after;
    parsed.fraction = fraction[1] as string;
    return after.slice(fraction[0].length);
  }
  return parseWord(chunk, rest, parsed);
}

function parseWord(chunk: string, rest: string, parsed: Parsed): string | undefined {
  switch (chunk) {
    case 'January':
    case 'Jan':
      return parseName(MONTHS, chunk === 'Jan', rest, (index) => (parsed.month = index + 1));
    case 'Monday':
    case 'Mon':
      return parseName(DAYS, chunk === 'Mon', rest, () => undefined);
    case '06': {
      const match = /^[0-9]{2}/.exec(rest);
      if (!match) return undefined;
      parsed.year = Number(match[0]) + (Number(match[0]) >= 69 ? 1900 : 2000);
      return rest.slice(2);
    }
    case 'PM':
    case 'pm': {
      const match = (chunk === 'PM' ? /^(AM|PM)/ : /^(am|pm)/).exec(rest);
      if (!match) return undefined;
      parsed.pm = match[0].toLowerCase() === 'pm';
      return rest.slice(2);
    }
    case 'MST': {
      const match = /^(?:[A-Z]{3,5}|[+-][0-9]{2})/.exec(rest);
      if (!match) return undefined;
      parsed.zone = match[0];
      return rest.slice(match[0].length);
    }
    default:
      return parseTail(chunk, rest, parsed);
  }
}

function parseName(names: readonly string[], short: boolean, rest: string, found: (index: number) => unknown): string | undefined {
  const index = names.findIndex((name) => rest.toLowerCase().startsWith((short ? name.slice(0, 3) : name).toLowerCase()));
  if (index < 0) return undefined;
  found(index);
  return rest.slice(short ? 3 : (names[index] as string).length);
}

function parseTail(chunk: string, rest: string, parsed: Parsed): string | undefined {
  if (/^[.,]/.test(chunk)) {
    const match = chunk[1] === '0' ? new RegExp(`^[.,]([0-9]{${chunk.length - 1}})(?![0-9])`).exec(rest) : /^[.,]([0-9]+)/.exec(rest);
    if (!match) return chunk[1] === '9' || parsed.fraction !== '' ? rest : undefined;
    parsed.fraction = match[1] as string;
    return rest.slice(match[0].length);
  }
  if (chunk.startsWith('Z') && rest.startsWith('Z')) {
    parsed.offset = 0;
    return rest.slice(1);
  }
  const colon = chunk.includes(':') ? ':' : '';
  const size = chunk.replace(/[^0-9]/g, '').length;
  const pattern = size === 2 ? /^([+-])([0-9]{2})/ : size === 4 ? new RegExp(`^([+-])([0-9]{2})${colon}([0-9]{2})`) : new RegExp(`^([+-])([0-9]{2})${colon}([0-9]{2})${colon}([0-9]{2})`);
  const match = pattern.exec(rest);
  if (!match) return undefined;
  const seconds = Number(match[2]) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0);
  parsed.offset = match[1] === '-' ? -seconds : seconds;
  return rest.slice(match[0].length);
}

function momentOf(parsed: Parsed): Moment | undefined {
  let hour = parsed.hour;
  if (parsed.pm === true && hour < 12) hour += 12;
  if (parsed.pm === false && hour === 12) hour = 0;
  if (parsed.month < 1 || parsed.month > 12 || hour > 23 || parsed.minute > 59 || parsed.second > 59) return undefined;
  if (parsed.yearDay === undefined && (parsed.day < 1 || parsed.day > daysIn(parsed.year, parsed.month))) return undefined;
  const date = new Date(Date.UTC(2000, 0, 1, hour, parsed.minute, parsed.second));
  date.setUTCFullYear(parsed.year, parsed.yearDay === undefined ? parsed.month - 1 : 0, parsed.yearDay ?? parsed.day);
  const offset = parsed.offset ?? 0;
  const fraction = BigInt(parsed.fraction.padEnd(9, '0').slice(0, 9) || '0');
  const nanoseconds = (BigInt(date.getTime()) / 1000n - BigInt(offset)) * 1_000_000_000n + fraction;
  return { nanoseconds, offset, zone: parsed.zone ?? (offset === 0 ? 'UTC' : '') };
}

function daysIn(year: number, month: number): number {
  const date = new Date(Date.UTC(2000, 0, 1));
  date.setUTCFullYear(year, month, 0);
  return date.getUTCDate();
}
