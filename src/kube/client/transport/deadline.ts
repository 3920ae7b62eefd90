/** The life of one request: the caller's signal and the time limit joined into one signal that must be disposed. */
import { TimeoutError } from '#base/async';
import type { Clock } from '#base/clock';

export interface Deadline {
  readonly signal: AbortSignal;
  /** Stops the time limit (headers of a stream have arrived); the caller's signal stays joined. */
  stopTimer(): void;
  /** Releases everything; call when the request is over. */
  dispose(): void;
  /** The error to throw for a failure: the abort's reason when there is one, else the failure itself. */
  reason(error: unknown): Error;
}

export function createDeadline(clock: Clock, outer: AbortSignal | undefined, limitMs: number, what: string): Deadline {
  const controller = new AbortController();
  const onAbort = () => controller.abort(outer?.reason);
  const timer = clock.after(limitMs, () => controller.abort(new TimeoutError(`${what}: no answer after ${limitMs} ms`)));
  if (outer?.aborted) onAbort();
  else outer?.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    stopTimer: () => timer.cancel(),
    dispose() {
      timer.cancel();
      outer?.removeEventListener('abort', onAbort);
    },
    reason(error) {
      if (controller.signal.aborted) return asError(controller.signal.reason);
      return asError(error);
    },
  };
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
