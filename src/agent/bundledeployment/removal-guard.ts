/**
 * Protects workloads from an upstream that went back in time (a restore from an old backup): BundleDeployments
 * that are missing from a list, without anybody having seen their deletion, are taken for deleted only if they
 * are few. When they are many at once, their releases stay for a while and the log says so, which leaves an
 * administrator time to restore the rest or to stop the agents (docs: facts/fleet.md §4.6, hazard 6).
 */
import type { Clock } from '#base/clock';

const LIMITS = {
  /** Up to so many may go unseen at once … */
  few: 2,
  /** … or this share of all releases of the agent. */
  share: 0.5,
};

/** How long a removal in bulk is held by default. */
export const BULK_REMOVAL_HOLD_MS = 60 * 60_000;

export interface RemovalGuardOptions {
  clock: Clock;
  /** 0 switches the protection off. */
  holdMs: number;
}

export class RemovalGuard {
  readonly #clock: Clock;
  readonly #holdMs: number;
  readonly #witnessed = new Set<string>();
  #heldSinceMs: number | undefined;

  constructor({ clock, holdMs }: RemovalGuardOptions) {
    this.#clock = clock;
    this.#holdMs = holdMs;
  }

  /** The deletion of this BundleDeployment was seen; its release may go. */
  witnessed(name: string): void {
    this.#witnessed.add(name);
  }

  /** The BundleDeployment is there (again), or nothing of it is left. */
  forget(name: string): void {
    this.#witnessed.delete(name);
  }

  /** Milliseconds for which the release must stay; 0: it may go. `missing` are the owners without BundleDeployment, `total` all owners. */
  holdMs(name: string, missing: readonly string[], total: number): number {
    if (this.#witnessed.has(name)) return 0;
    const unseen = missing.filter((owner) => !this.#witnessed.has(owner)).length;
    if (unseen <= LIMITS.few || unseen <= total * LIMITS.share) {
      this.#heldSinceMs = undefined;
      return 0;
    }
    this.#heldSinceMs ??= this.#clock.monotonicMs();
    return Math.max(0, this.#heldSinceMs + this.#holdMs - this.#clock.monotonicMs());
  }
}
