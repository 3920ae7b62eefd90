/**
 * Time as a guest: nothing outside `cmd`, tests and this file reads the machine's clock.
 *
 * Two kinds of time are kept apart and never mixed. Monotonic time only measures spans inside one
 * process; wall time only labels what people and other machines read. A lease is judged by the first,
 * an event is dated by the second.
 *
 * Absent: time zones, calendars, cron (see controllers/schedule).
 */

/** A pending callback; cancelling a fired or cancelled one does nothing. */
export interface Timer {
  cancel(): void;
}

/** The only source of time. Implementations: {@link systemClock}, and `FakeClock` in `#testing/clock`. */
export interface Clock {
  /** Milliseconds since an arbitrary point; never goes back, does not advance while the machine sleeps. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch; may jump either way. */
  wallMs(): number;
  /** Calls `fn` once, no earlier than `delayMs` from now. */
  after(delayMs: number, fn: () => void): Timer;
}

/** The machine's clock. Only `cmd`, `testing` and tests may name it (checked by the house test). */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, fn) {
    const handle = setTimeout(fn, Math.max(0, delayMs));
    return { cancel: () => clearTimeout(handle) };
  },
};

/**
 * As {@link systemClock}, but its monotonic time is the same in every thread of the process (that of
 * `performance.now()` starts anew in each worker). For what threads tell each other about time.
 */
export const processClock: Clock = {
  ...systemClock,
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
};

/** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Wall time as Kubernetes writes it in `metav1.Time`: whole seconds, UTC. */
export function rfc3339(wallMs: number): string {
  return new Date(Math.floor(wallMs / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}

/** Wall time as Kubernetes writes it in `metav1.MicroTime`: six fractional digits, UTC. */
export function rfc3339Micro(wallMs: number): string {
  return new Date(wallMs).toISOString().replace('Z', '000Z');
}
