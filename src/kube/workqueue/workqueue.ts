/**
 * A queue of keys for reconcilers. Three sets make it right: `queued` (waiting, each key once), `processing`
 * (handed out) and `dirty` (asked for again while handed out, queued anew when done), so a key is never
 * worked on twice at once and no request is lost. The idea is client-go's workqueue.
 *
 * Fairness: keys wait in one line per group (the namespace), and groups take turns. A group may not hold
 * all workers while others exist, so that a namespace whose keys hang or flood delays nobody else.
 *
 * Delayed keys (requeueAfter, back-off) are dropped when their key is handed out earlier for another
 * reason: the reconcile decides anew when it wants to run again.
 */
import type { Clock, Timer } from '#base/clock';
import { jitter, type Random } from '#base/random';

/** Told what happens; all optional. Durations in milliseconds. */
export interface QueueMetrics {
  added?(): void;
  depth?(waiting: number): void;
  /** How long a key waited from being due to being handed out. */
  waited?(ms: number): void;
  worked?(ms: number): void;
  retried?(): void;
}

export interface WorkQueueOptions {
  clock: Clock;
  random: Random;
  backoffMs: { min: number; max: number };
  /** How many workers take keys; bounds what one group may hold. */
  workers: number;
  /** Default: what stands before the slash of `namespace/name`. */
  groupOf?: (key: string) => string;
  metrics?: QueueMetrics;
}

/** Spreads retries that began together. */
const BACKOFF_JITTER = 0.1;
/** 2^20 × 5 ms is above every maximum. */
const DOUBLINGS_MAX = 20;

interface Group {
  waiting: string[];
  processing: number;
}

interface Delayed {
  dueMs: number;
  timer: Timer;
}

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #groupOf: (key: string) => string;
  /** Groups with waiting keys or workers, in the order of their turns. */
  #groups = new Map<string, Group>();
  #queuedSinceMs = new Map<string, number>();
  #processingSinceMs = new Map<string, number>();
  #dirty = new Set<string>();
  #abandoned = new Set<string>();
  #delayed = new Map<string, Delayed>();
  #failures = new Map<string, number>();
  #takers: ((key: string | undefined) => void)[] = [];
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#groupOf = options.groupOf ?? ((key) => (key.includes('/') ? key.slice(0, key.indexOf('/')) : ''));
  }

  /** Keys waiting to be handed out. */
  get length(): number {
    return this.#queuedSinceMs.size;
  }

  /** Keys that are due later. */
  get delayed(): number {
    return this.#delayed.size;
  }

  get processing(): number {
    return this.#processingSinceMs.size;
  }

  add(key: string): void {
    if (this.#closed || this.#queuedSinceMs.has(key)) return;
    if (this.#processingSinceMs.has(key)) {
      this.#dirty.add(key);
      return;
    }
    this.#options.metrics?.added?.();
    this.#queuedSinceMs.set(key, this.#options.clock.monotonicMs());
    this.#group(key).waiting.push(key);
    this.#handOut();
  }

  /** Adds the key after a while; the earliest of several delays counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return;
    if (delayMs <= 0) return this.add(key);
    const { clock } = this.#options;
    const dueMs = clock.monotonicMs() + delayMs;
    const existing = this.#delayed.get(key);
    if (existing && existing.dueMs <= dueMs) return;
    existing?.timer.cancel();
    const timer = clock.after(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { dueMs, timer });
  }

  /** Adds the key after a delay that doubles with every call until {@link forget}. Returns the delay. */
  addRateLimited(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#options.metrics?.retried?.();
    const { min, max } = this.#options.backoffMs;
    const delayMs = jitter(this.#options.random, Math.min(max, min * 2 ** Math.min(failures, DOUBLINGS_MAX)), BACKOFF_JITTER);
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** The key is fine: its next failure starts with the shortest delay. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, or `undefined` when the queue is shut down. Every key taken must be given to {@link done}. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#handOut();
    });
  }

  /** The key's worker went on without it: it no longer counts against its group, but stays taken until {@link done}. */
  abandon(key: string): void {
    if (!this.#processingSinceMs.has(key) || this.#abandoned.has(key)) return;
    this.#abandoned.add(key);
    this.#group(key).processing--;
    this.#handOut();
  }

  done(key: string): void {
    const sinceMs = this.#processingSinceMs.get(key);
    if (sinceMs === undefined) return;
    this.#options.metrics?.worked?.(this.#options.clock.monotonicMs() - sinceMs);
    this.#processingSinceMs.delete(key);
    if (!this.#abandoned.delete(key)) this.#group(key).processing--;
    this.#tidy(this.#groupOf(key));
    if (this.#dirty.delete(key)) this.add(key);
    this.#handOut();
  }

  /** Nothing is handed out any more; delayed and waiting keys are dropped. */
  shutDown(): void {
    this.#closed = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    this.#queuedSinceMs.clear();
    this.#groups.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #handOut(): void {
    while (this.#takers.length > 0) {
      const key = this.#next();
      if (key === undefined) break;
      this.#takers.shift()?.(key);
    }
    this.#options.metrics?.depth?.(this.#queuedSinceMs.size);
  }

  #next(): string | undefined {
    const { workers, clock, metrics } = this.#options;
    const shareMax = this.#groups.size > 1 ? Math.max(1, workers - Math.max(1, Math.floor(workers / 4))) : workers;
    for (const [name, group] of this.#groups) {
      if (group.waiting.length === 0 || group.processing >= shareMax) continue;
      const key = group.waiting.shift() as string;
      const nowMs = clock.monotonicMs();
      metrics?.waited?.(nowMs - (this.#queuedSinceMs.get(key) ?? nowMs));
      this.#queuedSinceMs.delete(key);
      this.#processingSinceMs.set(key, nowMs);
      this.#delayed.get(key)?.timer.cancel();
      this.#delayed.delete(key);
      group.processing++;
      // Its turn is over: to the end of the line of groups.
      this.#groups.delete(name);
      this.#groups.set(name, group);
      return key;
    }
    return undefined;
  }

  #group(key: string): Group {
    const name = this.#groupOf(key);
    let group = this.#groups.get(name);
    if (!group) {
      group = { waiting: [], processing: 0 };
      this.#groups.set(name, group);
    }
    return group;
  }

  #tidy(name: string): void {
    const group = this.#groups.get(name);
    if (group && group.waiting.length === 0 && group.processing <= 0) this.#groups.delete(name);
  }
}
