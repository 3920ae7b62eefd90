/**
 * When a Schedule's window is open, from its spec and the time alone: no timer has to be remembered, so a new
 * leader finds a window as open as its predecessor left it. Patterns are quartz's: seconds first, Sunday is 1,
 * `?` stands for any value.
 */
import { Cron } from 'croner';
import type { Schedule } from '#api/fleet';
import { parseDuration } from '#base/duration';

export interface Window {
  active: boolean;
  nextStartMs: number | undefined;
  /** When this answer changes: the end of the open window, or the next start. */
  changesMs: number | undefined;
}

/** Throws an `Error` that says what is wrong with the spec. */
export function windowAt({ spec }: Schedule, nowMs: number): Window {
  const durationMs = spec.duration ? parseDuration(spec.duration) : 0;
  if (durationMs <= 0) throw new Error('spec.duration: must be longer than nothing, e.g. "2h"');
  const cron = cronOf(spec.schedule ?? '', spec.location);
  const next = (afterMs: number) => cron.nextRun(new Date(afterMs))?.getTime();
  const nextStartMs = next(nowMs);
  // The first start after (now − duration) has not ended yet; if it has begun, the window is open.
  const startMs = next(nowMs - durationMs);
  if (startMs === undefined || startMs > nowMs) return { active: false, nextStartMs, changesMs: nextStartMs };
  const following = next(startMs);
  if (following !== undefined && following - startMs <= durationMs) throw new Error(`spec.duration: ${spec.duration} is not shorter than the time between two starts (${(following - startMs) / 1000} s)`);
  return { active: true, nextStartMs, changesMs: startMs + durationMs };
}

function cronOf(pattern: string, location: string | undefined): Cron {
  try {
    const timezone = location && location !== 'Local' ? { timezone: location } : {};
    return new Cron(pattern.replaceAll('?', '*'), { paused: true, mode: '6-or-7-parts', alternativeWeekdays: true, ...timezone });
  } catch (error) {
    throw new Error(`spec.schedule: ${JSON.stringify(pattern)} is no cron expression with seconds (such as "0 0 1 * * ?"), or spec.location is no time zone`, { cause: error });
  }
}
