/**
 * A clock that stands still until a test advances it. Timers fire in the order of their due time.
 * Both kinds of time advance together unless a test sets a skew.
 */
import type { Clock, Timer } from '#base/clock';

interface Pending {
  dueMs: number;
  order: number;
  fn: () => void;
}

export class FakeClock implements Clock {
  #nowMs = 0;
  #wallOffsetMs: number;
  #order = 0;
  #pending: Pending[] = [];

  constructor(wallStartMs = Date.UTC(2026, 0, 1)) {
    this.#wallOffsetMs = wallStartMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs + this.#wallOffsetMs;
  }

  after(delayMs: number, fn: () => void): Timer {
    const entry = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, fn };
    this.#pending.push(entry);
    return {
      cancel: () => {
        this.#pending = this.#pending.filter((other) => other !== entry);
      },
    };
  }

  /** Lets the wall clock jump, as NTP or an administrator would. */
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Advances both clocks, firing what falls due, and lets promises settle after each timer. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settle();
    for (;;) {
      const next = this.#pending.filter((entry) => entry.dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
      if (!next) break;
      this.#pending = this.#pending.filter((entry) => entry !== next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.fn();
      await settle();
    }
    this.#nowMs = untilMs;
  }
}

/** Lets every promise that can settle without time or I/O do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
