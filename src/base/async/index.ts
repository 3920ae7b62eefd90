/** Promises with limits. Nothing here reads a clock that was not passed in. */
import type { Clock } from '../clock/index.ts';

/** A wait that ran out of time; names what was waited for and for how long. */
export class TimeoutError extends Error {
  override name = 'TimeoutError';
}

/** Rejects with {@link TimeoutError} when `promise` is not settled after `limitMs`. */
export function withTimeout<T>(clock: Clock, limitMs: number, what: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(limitMs, () => reject(new TimeoutError(`${what}: no answer after ${limitMs} ms`)));
    promise.then(
      (value) => {
        timer.cancel();
        resolve(value);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error as Error);
      },
    );
  });
}

/** Runs `work` over `items`, at most `limit` at once; results keep the order of items. */
export async function mapLimit<T, R>(items: readonly T[], limit: number, work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}

/** Marks a promise as deliberately not awaited; its rejection goes to `onError`. */
export function detach(promise: Promise<unknown>, onError: (error: unknown) => void): void {
  promise.catch(onError);
}
