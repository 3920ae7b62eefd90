/**
 * How often drift of one BundleDeployment is corrected. Changes come in bursts, and another controller may put
 * its own value back each time: the first repair comes after a moment, each further one after twice as long,
 * until the objects have stayed as they should be. In memory: a new leader begins anew.
 */
import type { Clock } from '#base/clock';

const LIMITS = { minMs: 1_000, maxMs: 10 * 60_000 };

export class RepairPace {
  readonly #clock: Clock;
  readonly #paces = new Map<string, { nextMs: number; delayMs: number; quietSinceMs?: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until a repair may begin; the first call starts the wait. */
  waitMs(key: string): number {
    const nowMs = this.#clock.monotonicMs();
    let pace = this.#paces.get(key);
    if (!pace) this.#paces.set(key, (pace = { nextMs: nowMs + LIMITS.minMs, delayMs: LIMITS.minMs }));
    delete pace.quietSinceMs;
    return Math.max(0, pace.nextMs - nowMs);
  }

  began(key: string): void {
    const delayMs = Math.min(LIMITS.maxMs, 2 * (this.#paces.get(key)?.delayMs ?? LIMITS.minMs));
    this.#paces.set(key, { nextMs: this.#clock.monotonicMs() + delayMs, delayMs });
  }

  /** No drift was seen; after as long a time as the last delay, the pace is forgotten. */
  settled(key: string): void {
    const pace = this.#paces.get(key);
    if (!pace) return;
    const nowMs = this.#clock.monotonicMs();
    pace.quietSinceMs ??= nowMs;
    if (nowMs - pace.quietSinceMs >= pace.delayMs || pace.delayMs === LIMITS.minMs) this.#paces.delete(key);
  }
}
