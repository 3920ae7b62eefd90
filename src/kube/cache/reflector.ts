/**
 * When to list, when to watch, and how long to wait: the informer's life as a pure state machine.
 *
 *            listed                     ended, broken (resume where it stopped)
 *   Listing ───────▶ Watching ──────────────────────────────┐
 *      ▲  ▲              │  ▲                               │
 *      │  └─ list failed │  └───────────────────────────────┘
 *      └── 410 Expired ──┘
 *
 * Every way back waits: nothing at all after a watch that lived for a while, else a growing, jittered
 * time, so that neither a broken server nor thousands of clients of one restarted server meet a hot loop.
 */
import { isExpired, isNotFound, StatusError } from '#apimachinery/status';
import type { Random } from '#base/random';

/** A watch that lived this long was healthy: its end is routine, and counters start again. */
export const HEALTHY_WATCH_MS = 10_000;
export const BACKOFF_MIN_MS = 200;
/** Bounds how long a recovered server goes unnoticed. */
export const BACKOFF_MAX_MS = 15_000;
/** Asked of the server per watch, chosen at random in this range so that re-opened watches spread out. */
export const WATCH_SECONDS_MIN = 300;
export const WATCH_SECONDS_MAX = 600;

export interface ReflectorState {
  readonly phase: 'list' | 'watch';
  /** Failures in a row. */
  readonly failures: number;
  /** Before the phase begins. */
  readonly delayMs: number;
}

export type ReflectorEvent =
  | { kind: 'listed' }
  | { kind: 'listFailed'; error: unknown }
  | { kind: 'watchEnded'; livedMs: number; error?: unknown };

export const REFLECTOR_START: ReflectorState = { phase: 'list', failures: 0, delayMs: 0 };

export function nextReflectorState(state: ReflectorState, event: ReflectorEvent, random: Random): ReflectorState {
  switch (event.kind) {
    case 'listed':
      return { phase: 'watch', failures: 0, delayMs: 0 };
    case 'listFailed':
      return backOff('list', state.failures, event.error, random);
    case 'watchEnded': {
      const failures = event.livedMs >= HEALTHY_WATCH_MS ? 0 : state.failures;
      if (event.error === undefined && event.livedMs >= HEALTHY_WATCH_MS) return { phase: 'watch', failures: 0, delayMs: 0 };
      // 404: the kind itself is gone; only a list can tell when it is back.
      const lost = isExpired(event.error) || isNotFound(event.error) || isFromTheFuture(event.error);
      return backOff(lost ? 'list' : 'watch', failures, event.error, random);
    }
  }
}

/** The server is behind what we have seen: it was restored from a backup. Only a list finds common ground. */
function isFromTheFuture(error: unknown): boolean {
  return error instanceof StatusError && error.details?.causes?.some(({ reason }) => reason === 'ResourceVersionTooLarge') === true;
}

function backOff(phase: ReflectorState['phase'], failures: number, error: unknown, random: Random): ReflectorState {
  const fullMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(failures, 20));
  const askedMs = error instanceof StatusError ? (error.details?.retryAfterSeconds ?? 0) * 1000 : 0;
  return { phase, failures: failures + 1, delayMs: Math.max(askedMs, fullMs / 2 + (random.next() * fullMs) / 2) };
}
