/**
 * Sprig's dates. `now` is the moment passed in; the local zone is UTC, because a render must not depend on
 * the machine it runs on.
 */
import { FunctionError } from '../errors.ts';
import { durationText, formatValue } from '../format.ts';
import { fn, type FunctionTable } from '../functions.ts';
import { GoInt, GoStruct, int, int64, type GoFunction } from '../value.ts';
import { civilOf, formatMoment, parseMoment, type Moment } from './layout.ts';

const SECOND = 1_000_000_000n;

/** time.Time */
export class GoTime extends GoStruct {
  readonly goType = 'time.Time';
  readonly moment: Moment;

  constructor(moment: Moment) {
    super();
    this.moment = moment;
  }

  override text(): string {
    return formatMoment(this.moment, '2006-01-02 15:04:05.999999999 -0700 MST');
  }

  override json(): unknown {
    return formatMoment(this.moment, '2006-01-02T15:04:05.999999999Z07:00');
  }

  override method(name: string): GoFunction | undefined {
    return TIME_METHODS[name]?.(this);
  }
}

export function duration(nanoseconds: bigint): GoInt {
  return new GoInt(nanoseconds, 'int64', 'time.Duration');
}

const getter = (read: (time: GoTime) => unknown) => (time: GoTime) => fn([], () => read(time));

const TIME_METHODS: Readonly<Record<string, (time: GoTime) => GoFunction>> = {
  Format: (time) => fn(['string'], (layout: string) => formatMoment(time.moment, layout)),
  Unix: getter((time) => int64(seconds(time))),
  UnixNano: getter((time) => int64(time.moment.nanoseconds)),
  UnixMilli: getter((time) => int64(time.moment.nanoseconds / 1_000_000n)),
  Year: getter((time) => int(civilOf(time.moment).year)),
  Month: getter((time) => new GoInt(civilOf(time.moment).month, 'int', 'time.Month')),
  Day: getter((time) => int(civilOf(time.moment).day)),
  Hour: getter((time) => int(civilOf(time.moment).hour)),
  Minute: getter((time) => int(civilOf(time.moment).minute)),
  Second: getter((time) => int(civilOf(time.moment).second)),
  Nanosecond: getter((time) => int(civilOf(time.moment).nanosecond)),
  Weekday: getter((time) => new GoInt(civilOf(time.moment).weekday, 'int', 'time.Weekday')),
  YearDay: getter((time) => int(civilOf(time.moment).yearDay)),
  UTC: getter((time) => new GoTime({ ...time.moment, offset: 0, zone: 'UTC' })),
  Local: getter((time) => new GoTime({ ...time.moment, offset: 0, zone: 'UTC' })),
  IsZero: getter((time) => time.moment.nanoseconds === -62135596800n * SECOND),
  String: getter((time) => time.text()),
  Add: (time) => fn(['time.Duration'], (by: GoInt) => new GoTime({ ...time.moment, nanoseconds: time.moment.nanoseconds + by.value })),
  AddDate: (time) => fn(['int', 'int', 'int'], (years: GoInt, months: GoInt, days: GoInt) => addDate(time, [years.number(), months.number(), days.number()])),
  Sub: (time) => fn(['time.Time'], (other: GoTime) => duration(time.moment.nanoseconds - other.moment.nanoseconds)),
  Before: (time) => fn(['time.Time'], (other: GoTime) => time.moment.nanoseconds < other.moment.nanoseconds),
  After: (time) => fn(['time.Time'], (other: GoTime) => time.moment.nanoseconds > other.moment.nanoseconds),
  Equal: (time) => fn(['time.Time'], (other: GoTime) => time.moment.nanoseconds === other.moment.nanoseconds),
  Truncate: (time) => fn(['time.Duration'], (by: GoInt) => new GoTime({ ...time.moment, nanoseconds: by.value > 0n ? time.moment.nanoseconds - (time.moment.nanoseconds % by.value) : time.moment.nanoseconds })),
};

function seconds(time: GoTime): bigint {
  const { nanoseconds } = time.moment;
  return nanoseconds < 0n && nanoseconds % SECOND !== 0n ? nanoseconds / SECOND - 1n : nanoseconds / SECOND;
}

function addDate(time: GoTime, [years = 0, months = 0, days = 0]: number[]): GoTime {
  const civil = civilOf(time.moment);
  const date = new Date(Date.UTC(2000, 0, 1, civil.hour, civil.minute, civil.second));
  date.setUTCFullYear(civil.year + years, civil.month - 1 + months, civil.day + days);
  const nanoseconds = (BigInt(date.getTime()) / 1000n - BigInt(time.moment.offset)) * SECOND + BigInt(civil.nanosecond);
  return new GoTime({ ...time.moment, nanoseconds });
}

const UNITS: Readonly<Record<string, bigint>> = { ns: 1n, us: 1000n, µs: 1000n, μs: 1000n, ms: 1_000_000n, s: SECOND, m: 60n * SECOND, h: 3600n * SECOND };

const HOUR = 3_600_000_000_000;

/** Methods of the named integers of package time. */
export function timeMethods(goType: string, method: string, receiver: GoInt): GoFunction | undefined {
  if (method === 'String') return fn([], () => formatValue(receiver));
  if (goType !== 'time.Duration') return undefined;
  const units: Readonly<Record<string, number>> = { Hours: HOUR, Minutes: HOUR / 60, Seconds: HOUR / 3600 };
  const unit = units[method];
  if (unit !== undefined) return fn([], () => receiver.number() / unit);
  const whole: Readonly<Record<string, bigint>> = { Milliseconds: 1_000_000n, Microseconds: 1000n, Nanoseconds: 1n };
  const size = whole[method];
  if (size !== undefined) return fn([], () => int64(receiver.value / size));
  if (method === 'Abs') return fn([], () => duration(receiver.value < 0n ? -receiver.value : receiver.value));
  if (method === 'Round') return fn(['time.Duration'], (by: GoInt) => duration(by.value > 0n ? roundTo(receiver.value, by.value) : receiver.value));
  if (method === 'Truncate') return fn(['time.Duration'], (by: GoInt) => duration(by.value > 0n ? receiver.value - (receiver.value % by.value) : receiver.value));
  return undefined;
}

/** time.ParseDuration in nanoseconds. */
export function parseGoDuration(text: string): bigint | undefined {
  if (/^[+-]?0$/.test(text)) return 0n;
  if (!/^[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = 's'] of text.matchAll(/([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const scale = UNITS[unit] as bigint;
    total += BigInt(whole || '0') * scale;
    if (fraction) total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  }
  return text.startsWith('-') ? -total : total;
}

/** The functions, over the moment a render takes place. */
export function dateFunctions(nowMs: number): FunctionTable {
  const now = () => new GoTime({ nanoseconds: BigInt(Math.trunc(nowMs)) * 1_000_000n, offset: 0, zone: 'UTC' });
  const moment = (value: unknown) => toMoment(value) ?? now().moment;
  const dated = (layout: string, value: unknown, zone: string) => formatMoment(inZone(moment(value), zone), layout);
  const modify = (text: string, time: GoTime, must: boolean) => {
    const by = parseGoDuration(text);
    if (by === undefined) {
      if (must) throw new FunctionError(`time: invalid duration ${JSON.stringify(text)}`);
      return time;
    }
    return new GoTime({ ...time.moment, nanoseconds: time.moment.nanoseconds + by });
  };
  const since = (value: Moment) => now().moment.nanoseconds - value.nanoseconds;
  const inZoneFn = fn(['string', 'any', 'string'], dated);
  const modifyFn = fn(['string', 'time.Time'], (text: string, time: GoTime) => modify(text, time, false));
  const mustModify = fn(['string', 'time.Time'], (text: string, time: GoTime) => modify(text, time, true));
  return {
    now: fn([], now),
    date: fn(['string', 'any'], (layout: string, value: unknown) => dated(layout, value, 'Local')),
    date_in_zone: inZoneFn,
    dateInZone: inZoneFn,
    date_modify: modifyFn,
    dateModify: modifyFn,
    must_date_modify: mustModify,
    mustDateModify: mustModify,
    htmlDate: fn(['any'], (value: unknown) => dated('2006-01-02', value, 'Local')),
    htmlDateInZone: fn(['any', 'string'], (value: unknown, zone: string) => dated('2006-01-02', value, zone)),
    ago: fn(['any'], (value: unknown) => durationText(roundTo(since(moment(value)), SECOND))),
    duration: fn(['any'], (value: unknown) => durationText(wholeSeconds(value) * SECOND)),
    durationRound: fn(['any'], (value: unknown) => roundedDuration(value, since)),
    toDate: fn(['string', 'string'], (layout: string, text: string) => new GoTime(parseMoment(layout, text) ?? ZERO)),
    mustToDate: fn(['string', 'string'], (layout: string, text: string) => new GoTime(parseMoment(layout, text) ?? noParse(layout, text))),
    unixEpoch: fn(['time.Time'], (time: GoTime) => String(seconds(time))),
  };
}

const ZERO: Moment = { nanoseconds: -62135596800n * SECOND, offset: 0, zone: 'UTC' };

function noParse(layout: string, text: string): never {
  throw new FunctionError(`parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(text)} as ${JSON.stringify(layout)}`);
}

function toMoment(value: unknown): Moment | undefined {
  if (value instanceof GoTime) return value.moment;
  if (value instanceof GoInt && ['int', 'int64', 'int32'].includes(value.kind) && value.named === undefined) return { nanoseconds: value.value * SECOND, offset: 0, zone: 'UTC' };
  return undefined;
}

/** The same moment shown in a zone of the tz database; unknown zones are UTC. */
export function inZone(moment: Moment, zone: string): Moment {
  if (zone === '' || zone === 'UTC' || zone === 'Local') return { ...moment, offset: 0, zone: 'UTC' };
  try {
    const date = new Date(Number(moment.nanoseconds / 1_000_000n));
    const part = (name: 'longOffset' | 'short') =>
      new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: name }).formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
    const match = /GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?/.exec(part('longOffset'));
    const offset = match ? (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0)) : 0;
    return { ...moment, offset, zone: abbreviation(part('short'), zone, offset) };
  } catch {
    return { ...moment, offset: 0, zone: 'UTC' };
  }
}

const ZONE_NAMES: Readonly<Record<string, readonly [number, string][]>> = {
  Europe: [
    [0, 'GMT'],
    [3600, 'CET'],
    [7200, 'CEST'],
  ],
  'Asia/Tokyo': [[32400, 'JST']],
  'Asia/Seoul': [[32400, 'KST']],
  'Asia/Shanghai': [[28800, 'CST']],
  'Asia/Kolkata': [[19800, 'IST']],
};

// Intl gives American abbreviations and GMT+n for the rest; the common others are listed.
function abbreviation(short: string, zone: string, offset: number): string {
  if (!short.startsWith('GMT') || (short === 'GMT' && offset === 0)) return short;
  const names = ZONE_NAMES[zone] ?? (zone === 'Europe/London' ? [[3600, 'BST'] as const] : ZONE_NAMES[zone.split('/')[0] ?? '']);
  const name = names?.find(([at]) => at === offset)?.[1];
  if (name !== undefined) return name;
  const hours = Math.floor(Math.abs(offset) / 3600);
  const minutes = Math.floor(Math.abs(offset) / 60) % 60;
  return `${offset < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}${minutes ? String(minutes).padStart(2, '0') : ''}`;
}

function wholeSeconds(value: unknown): bigint {
  if (typeof value === 'string') return /^[+-]?[0-9]+$/.test(value) ? BigInt(value) : 0n;
  return value instanceof GoInt && value.kind === 'int64' ? value.value : 0n;
}

function roundTo(value: bigint, unit: bigint): bigint {
  const rest = ((value % unit) + unit) % unit;
  return rest * 2n >= unit ? value - rest + unit : value - rest;
}

const ROUND_UNITS: readonly [bigint, string][] = [
  [365n * 24n * 3600n * SECOND, 'y'],
  [30n * 24n * 3600n * SECOND, 'mo'],
  [24n * 3600n * SECOND, 'd'],
  [3600n * SECOND, 'h'],
  [60n * SECOND, 'm'],
  [SECOND, 's'],
];

function roundedDuration(value: unknown, since: (moment: Moment) => bigint): string {
  let nanoseconds = 0n;
  if (typeof value === 'string') nanoseconds = parseGoDuration(value) ?? 0n;
  else if (value instanceof GoTime) nanoseconds = since(value.moment);
  else if (value instanceof GoInt && value.kind === 'int64') nanoseconds = value.value;
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  for (const [unit, name] of ROUND_UNITS) if (size > unit) return `${size / unit}${name}`;
  return '0s';
}
