/** The schedule and time zone of a CronJob, with the words a real server finds for what is wrong. Rule: Kubernetes API reference, CronJob v1. */
import { invalid, isSet, text, type FieldError, type Struct } from './support.ts';

interface Bounds {
  min: number;
  max: number;
  names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly Bounds[] = [{ min: 0, max: 59 }, { min: 0, max: 23 }, { min: 1, max: 31 }, { min: 1, max: 12, names: MONTHS }, { min: 0, max: 6, names: DAYS }];
const DESCRIPTORS = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);
const DURATION = /^[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$|^[-+]?0$/;

export function scheduleErrors(schedule: string): FieldError[] {
  if (/TZ=/.test(schedule)) return [invalid('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead')];
  const problem = schedule.startsWith('@') ? descriptorProblem(schedule) : fieldsProblem(schedule);
  return problem === undefined ? [] : [invalid('spec.schedule', schedule, problem)];
}

function descriptorProblem(schedule: string): string | undefined {
  if (DESCRIPTORS.has(schedule)) return undefined;
  const every = '@every ';
  if (!schedule.startsWith(every)) return `unrecognized descriptor: ${schedule}`;
  const duration = schedule.slice(every.length);
  return DURATION.test(duration) ? undefined : `failed to parse duration ${schedule}: time: invalid duration ${JSON.stringify(duration)}`;
}

function fieldsProblem(schedule: string): string | undefined {
  const fields = schedule.trim().split(/\s+/);
  if (fields.length !== FIELDS.length) return `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`;
  for (const [index, field] of fields.entries()) {
    for (const part of field.split(',').filter(Boolean)) {
      const problem = rangeProblem(part, FIELDS[index] as Bounds);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

/** One of `*`, `n`, `n-m`, each with an optional `/step`. */
function rangeProblem(range: string, bounds: Bounds): string | undefined {
  const [body = '', step, ...more] = range.split('/');
  const [low = '', high, ...ends] = body.split('-');
  let start = bounds.min;
  let end = bounds.max;
  if (low !== '*' && low !== '?') {
    if (ends.length > 0) return `too many hyphens: ${range}`;
    const first = valueOf(low, bounds);
    if (typeof first === 'string') return first;
    const last = high === undefined ? first : valueOf(high, bounds);
    if (typeof last === 'string') return last;
    start = first;
    end = high === undefined && step !== undefined ? bounds.max : last;
  }
  if (more.length > 0) return `too many slashes: ${range}`;
  const every = step === undefined ? 1 : numberOf(step);
  if (typeof every === 'string') return every;
  if (start < bounds.min) return `beginning of range (${start}) below minimum (${bounds.min}): ${range}`;
  if (end > bounds.max) return `end of range (${end}) above maximum (${bounds.max}): ${range}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${range}`;
  return every === 0 ? `step of range should be a positive number: ${range}` : undefined;
}

function valueOf(word: string, { names, min }: Bounds): number | string {
  const index = names?.indexOf(word.toLowerCase()) ?? -1;
  return index >= 0 ? index + min : numberOf(word);
}

function numberOf(word: string): number | string {
  if (!/^[-+]?\d+$/.test(word)) return `failed to parse int from ${word}: strconv.Atoi: parsing ${JSON.stringify(word)}: invalid syntax`;
  const value = Number(word);
  return value < 0 ? `negative number (${value}) not allowed: ${word}` : value;
}

export function timeZoneErrors(spec: Struct): FieldError[] {
  const zone = spec['timeZone'];
  if (!isSet(zone)) return [];
  const name = text(zone);
  if (name === '') return [invalid('spec.timeZone', name, 'timeZone must be nil or non-empty string')];
  if (name.toLowerCase() === 'local') return [invalid('spec.timeZone', name, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones')];
  return isZone(name) ? [] : [invalid('spec.timeZone', name, `unknown time zone ${name}`)];
}

function isZone(name: string): boolean {
  if (/^[-+]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name }).format();
    return true;
  } catch {
    return false;
  }
}
