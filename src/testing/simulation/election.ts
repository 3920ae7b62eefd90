/**
 * One seed of the election simulation: a world, its candidates, a time of faults in which nothing unsafe may
 * happen, then a time of peace in which somebody must lead.
 */
import { intBelow, pick, seededRandom } from '#base/random';
import { profileTimings, provesDeath, RATE_ERROR, requestTimeoutMs, type Timings } from '#kube/leaderelection';
import { SimCandidate, type Bug } from './candidate.ts';
import { GoCandidate } from './go-candidate.ts';
import { Violation, World, type Weather } from './world.ts';

const FAULTS_MS = 45_000;

export interface SimulationResult {
  seed: number;
  /** What was violated; absent when all held. */
  violation?: string;
  terms: number;
  transcript: readonly string[];
}

export function simulateElection(seed: number, { bug, transcript = false }: { bug?: Bug; transcript?: boolean } = {}): SimulationResult {
  const random = seededRandom(seed * 2 + 1);
  const world = new World(random, random.next() < 0.7 ? 'leases' : 'configmaps', transcript);
  const timings = { ...profileTimings(random.next() < 0.6 ? 'default' : 'fast').timings, watchdogMs: 2_000 };
  const run = new Run(world, timings, bug);
  try {
    run.faults();
    run.peace();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { seed, violation: error.message, terms: world.newest.term, transcript: world.transcript };
  }
  return { seed, terms: world.newest.term, transcript: world.transcript };
}

class Run {
  readonly #world: World;
  readonly #timings: Timings;
  readonly #candidates: SimCandidate[];
  readonly #go: GoCandidate | undefined;
  #calm = false;

  constructor(world: World, timings: Timings, bug: Bug | undefined) {
    this.#world = world;
    this.#timings = timings;
    const count = 2 + intBelow(world.random, 4);
    this.#candidates = Array.from({ length: count }, (_, i) => {
      const name = `c${i}`;
      const info = { bootId: `${name}-0`, startedAtMs: 0, podUid: `pod-${name}`, podName: name, container: 'main' };
      return new SimCandidate(world, { name, timings, rate: this.#rate(), weather: this.#weather(), info, bug, boots: world.random });
    });
    this.#go = world.chance(0.15) ? new GoCandidate(world, 'go', { rate: 1, weather: this.#weather() }) : undefined;
  }

  faults(): void {
    const world = this.#world;
    for (const candidate of this.#candidates) world.scheduler.after(world.between(0, 1000), () => candidate.start());
    this.#go?.start();
    const gapMs = pick(world.random, [1_500, 4_000, 10_000]);
    const next = () => {
      if (world.nowMs > FAULTS_MS) return;
      this.#fault();
      world.scheduler.after(world.between(0.2, 1.8) * gapMs, next);
    };
    world.scheduler.after(world.between(1_001, 6_000), next);
    world.scheduler.runUntil(FAULTS_MS);
  }

  peace(): void {
    const world = this.#world;
    this.#calm = true;
    world.note('sim', 'peace');
    const { leaseDurationMs, retryPeriodMs } = this.#timings;
    for (const candidate of this.#candidates) {
      candidate.cutUntilMs = 0;
      if (!candidate.alive) candidate.restart(false, world.nowMs);
    }
    world.stalledUntilMs = 0;
    // A pause or hang may still last; then a lease (client-go's is the longest), a head start and some requests.
    const lease = this.#go ? 15_000 + 4_400 : leaseDurationMs;
    const boundMs = LONGEST_PAUSE_MS + (lease * (1 + RATE_ERROR) + 3 * retryPeriodMs + 4 * requestTimeoutMs(this.#timings)) * 1.1;
    world.scheduler.runUntil(FAULTS_MS + boundMs);
    const leaders = [...this.#candidates, ...(this.#go ? [this.#go] : [])].filter((candidate) => candidate.leading);
    if (leaders.length !== 1) world.fail('sim', `${leaders.length} leaders ${Math.round(boundMs)} ms after the last fault`);
  }

  /** A clock's rate within what the inequality allows; the extremes are where bugs live. */
  #rate(): number {
    const slow = 1 / (1 + RATE_ERROR);
    const fast = 1 / (1 - RATE_ERROR);
    return pick(this.#world.random, [1, slow, fast, this.#world.between(slow, fast)]);
  }

  #weather(): Weather {
    const world = this.#world;
    const slow = world.chance(0.35);
    return {
      latencyMs: () => {
        if (this.#calm) return world.between(0.5, 5);
        const roll = world.random.next();
        if (roll < 0.9) return world.between(1, 40);
        if (roll < (slow ? 0.93 : 0.985)) return world.between(40, 500);
        return roll < 0.998 ? world.between(400, 1_400) : world.between(1_000, 12_000);
      },
      lost: () => !this.#calm && world.chance(0.01),
    };
  }

  #fault(): void {
    const world = this.#world;
    const leader = this.#candidates.find((candidate) => candidate.leading);
    const victim = leader && world.chance(0.7) ? leader : pick(world.random, this.#candidates);
    if (!victim.alive) return;
    const roll = world.random.next();
    if (roll < 0.2) victim.pause(world.between(100, LONGEST_PAUSE_MS));
    else if (roll < 0.35) victim.hang(world.between(100, LONGEST_PAUSE_MS));
    else if (roll < 0.55) victim.cut(world.between(200, 12_000));
    else if (roll < 0.75) this.#crash(victim);
    else if (roll < 0.85) victim.resign();
    else if (roll < 0.95) this.#stall();
    else if (roll < 0.97) this.#deleteLock();
    else this.#podVanishes(victim);
  }

  #stall(): void {
    const world = this.#world;
    const ms = world.between(200, 10_000);
    world.note('api', `stalls for ${ms.toFixed(0)} ms`);
    world.stalledUntilMs = world.nowMs + ms;
  }

  /**
   * Somebody deletes the lock. Those who saw it wait for its holder all the same; a process that starts right
   * then cannot know of it, which is beyond what is promised (docs/failover.md), so none starts meanwhile.
   */
  #deleteLock(): void {
    const world = this.#world;
    // client-go takes a deleted lock at once.
    if (!this.#go && world.nowMs < FAULTS_MS - 20_000 && this.#candidates.every(({ knowsLock }) => knowsLock)) world.deleteLock();
  }

  #restart(victim: SimCandidate, samePod: boolean): void {
    const world = this.#world;
    if (victim.alive) return;
    if (!world.lock && world.newest.term > 0) world.scheduler.after(500, () => this.#restart(victim, samePod));
    else victim.restart(samePod, world.nowMs);
  }

  /** The process ends; its kubelet reports that (or its node is lost and nothing does), and it comes back. */
  #crash(victim: SimCandidate): void {
    const world = this.#world;
    const { info } = victim;
    const nodeLost = world.chance(0.3);
    const finishedAt = new Date(Math.floor(world.nowMs / 1000) * 1000).toISOString();
    victim.crash();
    if (!nodeLost) this.#podStatus(info.podUid ?? '', info.container ?? '', finishedAt);
    const samePod = !nodeLost && world.chance(0.7);
    world.scheduler.after(world.between(samePod ? 50 : 2_000, 15_000), () => this.#restart(victim, samePod));
  }

  /** Everybody sees the status some time later, perhaps after the next incarnation has begun; the real rule judges it. */
  #podStatus(uid: string, container: string, finishedAt: string): void {
    const world = this.#world;
    const pod = { metadata: { uid }, status: { containerStatuses: [{ name: container, lastState: { terminated: { finishedAt } } }] } };
    for (const candidate of this.#candidates) {
      world.scheduler.after(world.between(300, 4_000), () => {
        const holder = this.#candidates.find(({ info }) => info.podUid === uid)?.info;
        if (candidate.alive && holder && provesDeath(pod, holder)) candidate.tellDeath(holder.bootId);
      });
    }
  }

  /** Somebody deletes the pod by force while its process goes on, cut off or not: no evidence for anybody. */
  #podVanishes(victim: SimCandidate): void {
    const world = this.#world;
    world.note(victim.name, 'pod vanishes, process goes on');
    if (world.chance(0.5)) victim.cut(world.between(1_000, 10_000));
    for (const candidate of this.#candidates) {
      // What a deleted pod's last state says of a running process: nothing that counts.
      if (provesDeath({ metadata: { uid: victim.info.podUid ?? '' } }, victim.info)) candidate.tellDeath(victim.info.bootId);
    }
  }
}

const LONGEST_PAUSE_MS = 9_000;
