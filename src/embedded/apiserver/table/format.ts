/** Small formatters of table cells. Rule: kubernetes `pkg/printers/internalversion`. */
import { humanDuration } from '#base/duration';
import { getPath, isRecord } from '#base/json';

const DAY_MS = 24 * 3600 * 1000;
const YEAR_DAYS = 365;

/** An age as kubectl prints it; years from two on. */
export function ageOf(ms: number): string {
  if (ms < -1000) return '<invalid>';
  const days = Math.floor(ms / DAY_MS);
  if (days < 2 * YEAR_DAYS) return humanDuration(Math.max(0, ms));
  const years = Math.floor(days / YEAR_DAYS);
  const rest = days % YEAR_DAYS;
  return years < 8 && rest > 0 ? `${years}y${rest}d` : `${years}y`;
}

/** The age of a timestamp, `<unknown>` without one. */
export function since(timestamp: unknown, nowMs: number): string {
  const ms = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  return Number.isNaN(ms) ? '<unknown>' : ageOf(nowMs - ms);
}

export function text(value: unknown, fallback = ''): string {
  if (value === undefined || value === null || value === '') return fallback;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

export function at(object: unknown, path: string): unknown {
  return getPath(object, ...path.split('.'));
}

export function listAt<T = Record<string, unknown>>(object: unknown, path: string): T[] {
  const value = at(object, path);
  return Array.isArray(value) ? (value as T[]) : [];
}

/** `a=1,b=2` in the order of keys, or `<none>`. */
export function labelText(labels: unknown): string {
  if (!isRecord(labels) || Object.keys(labels).length === 0) return '<none>';
  return Object.keys(labels)
    .sort()
    .map((key) => `${key}=${String(labels[key])}`)
    .join(',');
}

/** Names of the containers of a pod spec, or their images. */
export function containers(object: unknown, path: string, field: 'name' | 'image'): string {
  return listAt(object, path)
    .map((container) => text(container[field]))
    .join(',');
}

/** Booleans as Go prints them for people. */
export function yesNo(value: unknown): string {
  return value ? 'True' : 'False';
}
