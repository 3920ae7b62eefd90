/**
 * The imagined world of one seed: an API server with a lock and one guarded object, a network that delays
 * and loses, and the record of who may write when. Candidates (candidate.ts, go-candidate.ts) live in it.
 *
 * What must hold, checked at every step:
 * 1. No write is sent under a term once a newer term has begun, and no two terms are open at one instant.
 * 2. A write of an older epoch never takes effect over a newer epoch's.
 * 3. Each term's epoch is above all before it.
 * 4. A term's first write is made from a cache that is at least as fresh as the object was at the win.
 */
import type { Random } from '#base/random';
import { decodeLock, type LockKind, type LockObject, type LockRecord } from '#kube/leaderelection';
import { Scheduler } from './scheduler.ts';

export type LockAnswer = { kind: 'ok'; version: string; record: LockRecord | undefined } | { kind: 'absent' } | { kind: 'conflict' };

/** The object that leaders write. */
export interface Guarded {
  version: number;
  epoch: number;
  /** Which term, counted in the order in which they began; the simulation's own knowledge. */
  term: number;
  writer: string;
}

export type WriteAnswer = { kind: 'ok' | 'conflict'; object: Guarded };

/** Somebody who may write; asked by the checks. */
export interface Writer {
  readonly name: string;
  /** The epoch under which a write would pass the guard at this instant, if any. */
  openEpoch(): number | undefined;
}

export class Violation extends Error {
  override name = 'Violation';
}

/** How a network treats one message. */
export interface Weather {
  latencyMs(): number;
  lost(): boolean;
}


export class World {
  readonly scheduler = new Scheduler();
  readonly random: Random;
  readonly kind: LockKind;
  readonly writers: Writer[] = [];
  readonly transcript: string[] = [];
  readonly #keepTranscript: boolean;
  readonly #watchers: ((version: string, record: LockRecord | undefined) => void)[] = [];
  readonly #objectWatchers: ((version: number) => void)[] = [];
  lock: LockObject | undefined;
  #revision = 10;
  guarded: Guarded = { version: 1, epoch: -1, term: 0, writer: '' };
  /** The server handles nothing before this time. */
  stalledUntilMs = 0;
  /** The newest term that has begun: its number, epoch and holder. */
  newest = { term: 0, epoch: -1, holder: '' };
  /**
   * Whoever deletes the lock deletes the count of epochs with it: candidates go on above what they saw, but
   * nobody may have seen the last one. From then on only the order of terms is checked, not of epochs.
   */
  #countLost = false;

  constructor(random: Random, kind: LockKind, keepTranscript: boolean) {
    this.random = random;
    this.kind = kind;
    this.#keepTranscript = keepTranscript;
  }

  get nowMs(): number {
    return this.scheduler.nowMs;
  }

  note(who: string, what: string): void {
    if (this.#keepTranscript) this.transcript.push(`${this.nowMs.toFixed(1).padStart(9)} ${who.padEnd(4)} ${what}`);
  }

  fail(who: string, what: string): never {
    this.note(who, `VIOLATION ${what}`);
    throw new Violation(`at ${this.nowMs.toFixed(1)} ms, ${who}: ${what}`);
  }

  chance(probability: number): boolean {
    return this.random.next() < probability;
  }

  between(low: number, high: number): number {
    return low + this.random.next() * (high - low);
  }

  // ---- the API server

  /** Delivers a request and its answer through the weather; the answer may never come. */
  call<A>(weather: Weather, serve: () => A, answer: (result: A) => void): void {
    const { scheduler } = this;
    if (weather.lost()) return;
    scheduler.after(weather.latencyMs(), () => {
      const handle = () => {
        if (this.nowMs < this.stalledUntilMs) return scheduler.at(this.stalledUntilMs + this.between(0, 20), handle);
        const result = serve();
        if (weather.lost()) return;
        scheduler.after(weather.latencyMs(), () => answer(result));
        // A proxy that answers twice.
        if (this.chance(0.02)) scheduler.after(weather.latencyMs() * 3, () => answer(result));
      };
      handle();
    });
  }

  readLock(): LockAnswer {
    const { lock } = this;
    return lock ? this.#ok(lock) : { kind: 'absent' };
  }

  /** Compare-and-swap; an empty version creates. */
  writeLock(version: string, object: LockObject): LockAnswer {
    const current = this.lock?.metadata.resourceVersion ?? '';
    if (version !== '' && !this.lock) return { kind: 'absent' };
    if (version !== current) return { kind: 'conflict' };
    this.lock = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#revision) } };
    this.#announce();
    return this.#ok(this.lock);
  }

  deleteLock(): void {
    this.note('api', 'lock deleted');
    this.lock = undefined;
    this.#countLost = true;
    this.#announce();
  }

  writeGuarded(base: number, write: Omit<Guarded, 'version'>): WriteAnswer {
    if (base !== this.guarded.version) return { kind: 'conflict', object: this.guarded };
    if (write.term < this.guarded.term) this.fail(write.writer, `write of epoch ${write.epoch} took effect over that of ${this.guarded.writer}'s later term`);
    this.guarded = { ...write, version: base + 1 };
    for (const watcher of this.#objectWatchers) watcher(this.guarded.version);
    return { kind: 'ok', object: this.guarded };
  }

  onLock(watcher: (version: string, record: LockRecord | undefined) => void): void {
    this.#watchers.push(watcher);
  }

  onObject(watcher: (version: number) => void): void {
    this.#objectWatchers.push(watcher);
  }

  #announce(): void {
    const { lock } = this;
    const version = lock?.metadata.resourceVersion ?? '';
    const record = lock ? decodeLock(this.kind, lock) : undefined;
    for (const watcher of this.#watchers) watcher(version, record);
  }

  #ok(object: LockObject): LockAnswer {
    return { kind: 'ok', version: object.metadata.resourceVersion ?? '', record: decodeLock(this.kind, object) };
  }

  // ---- the checks

  /** Returns the term's number. */
  termBegan(who: string, epoch: number): number {
    this.note(who, `leads, epoch ${epoch}`);
    if (epoch <= this.newest.epoch && !this.#countLost) this.fail(who, `term of epoch ${epoch} after epoch ${this.newest.epoch}`);
    this.newest = { term: this.newest.term + 1, epoch, holder: who };
    this.checkSingle(who);
    return this.newest.term;
  }

  /** At most one guard is open. */
  checkSingle(who: string): void {
    const open = this.writers.filter((writer) => writer.openEpoch() !== undefined);
    if (open.length > 1) this.fail(who, `open terms at one instant: ${open.map((writer) => `${writer.name} (epoch ${writer.openEpoch()})`).join(', ')}`);
  }

  writeSent(who: string, term: number): void {
    if (term < this.newest.term) this.fail(who, `sends a write of an old term though ${this.newest.holder} began epoch ${this.newest.epoch}`);
  }
}
