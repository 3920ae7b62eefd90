/**
 * A candidate with the documented behaviour of client-go's elector: it polls with jitter, compares records in
 * whole seconds, waits the record's lease duration since *it* saw a change, gives up when its renewals fail
 * for the renew deadline (counted from its last attempt's start of waiting), and never guards writes. Ours
 * must be safe beside it; it is judged only where it meets ours.
 */
import { decodeLock, encodeLock, type LockObject, type LockRecord } from '#kube/leaderelection';
import type { LockAnswer, Weather, World, Writer } from './world.ts';

const L = 15_000;
const D = 10_000;
const R = 2_000;

export class GoCandidate implements Writer {
  readonly name: string;
  readonly #world: World;
  readonly #rate: number;
  readonly #weather: Weather;
  #seen: { text: string; sinceMs: number; record: LockRecord | undefined } | undefined;
  #leadingUntilMs = 0;
  #epoch = -1;
  #renewals = 0;

  constructor(world: World, name: string, { rate, weather }: { rate: number; weather: Weather }) {
    this.name = name;
    this.#world = world;
    this.#rate = rate;
    this.#weather = weather;
    world.writers.push(this);
  }

  openEpoch(): number | undefined {
    return this.localMs < this.#leadingUntilMs ? this.#epoch : undefined;
  }

  get localMs(): number {
    return this.#world.nowMs * this.#rate;
  }

  get leading(): boolean {
    return this.openEpoch() !== undefined;
  }

  start(): void {
    const world = this.#world;
    world.scheduler.after((this.leading ? R : R * world.between(1, 2.2)) / this.#rate, () => {
      this.#poll();
      this.start();
    });
  }

  #poll(): void {
    const world = this.#world;
    world.call(this.#weather, () => this.#readAndTry(), (won) => {
      if (!won) return;
      const first = !this.leading || this.#epoch !== won.epoch;
      // It believes in its lease for R + D after its last success.
      this.#leadingUntilMs = this.localMs + R + D;
      this.#epoch = won.epoch;
      if (first) {
        world.note(this.name, '(client-go)');
        // It does not count a lease it takes back from itself as a new term.
        if (world.newest.holder === this.name && world.newest.epoch === won.epoch) world.checkSingle(this.name);
        else world.termBegan(this.name, won.epoch);
      }
    });
  }

  /** Read and compare-and-swap in one visit: what matters here is when, not how. */
  #readAndTry(): { epoch: number } | undefined {
    const world = this.#world;
    const { lock } = world;
    const record = lock ? decodeLock(world.kind, lock) : undefined;
    const text = lock ? goView(lock, record) : '';
    if (!this.#seen || this.#seen.text !== text) this.#seen = { text, sinceMs: this.localMs, record };
    const mine = record?.holder === this.name;
    if (mine && !this.leading) this.#epoch = record.transitions;
    if (record && !mine && record.holder !== '') {
      if (this.localMs < this.#seen.sinceMs + wireSeconds(lock as LockObject, world) * 1000) return undefined;
    }
    const transitions = mine ? (record?.transitions ?? 0) : (record?.transitions ?? -1) + 1;
    return this.#put(lock, transitions);
  }

  #put(lock: LockObject | undefined, transitions: number): { epoch: number } | undefined {
    const world = this.#world;
    const base = lock ?? { metadata: { name: 'lock' } };
    const { object } = encodeLock(world.kind, base, { record: { holder: this.name, durationMs: L, transitions }, wallMs: world.nowMs + this.#renewals++ / 1000, previous: undefined });
    const answer: LockAnswer = world.writeLock(lock?.metadata.resourceVersion ?? '', object);
    return answer.kind === 'ok' ? { epoch: transitions } : undefined;
  }
}

/** The record as client-go compares it: times in whole seconds. */
function goView(lock: LockObject, record: LockRecord | undefined): string {
  return JSON.stringify([record?.holder, record?.transitions, record?.renewTime?.slice(0, 19), record?.acquireTime?.slice(0, 19), lock.spec?.leaseDurationSeconds ?? lock.metadata.annotations]);
}

function wireSeconds(lock: LockObject, world: World): number {
  if (world.kind === 'leases') return lock.spec?.leaseDurationSeconds ?? 0;
  return (JSON.parse(lock.metadata.annotations?.['control-plane.alpha.kubernetes.io/leader'] ?? '{}') as { leaseDurationSeconds?: number }).leaseDurationSeconds ?? 0;
}
