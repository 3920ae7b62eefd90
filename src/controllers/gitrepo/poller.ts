/**
 * When each repository is asked for its newest commit. Kept in memory on purpose: an idle poll costs no
 * write to the API server. A new leader does not ask all at once but spreads the first polls over one
 * interval; a repository that was never deployed is asked at once.
 */
import type { Clock } from '#base/clock';
import { parseDuration } from '#base/duration';
import { jitter, type Random } from '#base/random';
import type { GitRepo } from '#api/fleet';
import { keyOf, keyText } from '#apimachinery/meta';

const LIMITS = {
  /** Fleet's default; also used for 0. */
  intervalMs: 15_000,
  /** Fleet adds up to 10 % to each interval. */
  jitterShare: 0.1,
};

export class Poller {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #due = new Map<string, number>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Milliseconds until the repository is due; ≤ 0 when it is. `undefined`: polling is off and nothing is missing. */
  untilDueMs(repo: GitRepo): number | undefined {
    const never = !repo.status?.commit && !repo.status?.pollingCommit;
    if (repo.spec.disablePolling && !never) return undefined;
    const key = keyText(keyOf(repo));
    let dueMs = this.#due.get(key);
    if (dueMs === undefined) {
      dueMs = this.#clock.monotonicMs() + (never ? 0 : this.#random.next() * intervalMs(repo));
      this.#due.set(key, dueMs);
    }
    return dueMs - this.#clock.monotonicMs();
  }

  /** The repository was asked just now. */
  polled(repo: GitRepo): void {
    this.#due.set(keyText(keyOf(repo)), this.#clock.monotonicMs() + jitter(this.#random, intervalMs(repo), LIMITS.jitterShare));
  }

  /** Ask at once: the spec has changed or a webhook says there is something new. */
  hurry(repo: GitRepo): void {
    this.#due.set(keyText(keyOf(repo)), this.#clock.monotonicMs());
  }

  forget(key: string): void {
    this.#due.delete(key);
  }

  /** A new term starts with new timers. */
  reset(): void {
    this.#due.clear();
  }
}

function intervalMs(repo: GitRepo): number {
  const wanted = repo.spec.pollingInterval ? parseDuration(repo.spec.pollingInterval) : 0;
  return wanted > 0 ? wanted : LIMITS.intervalMs;
}
