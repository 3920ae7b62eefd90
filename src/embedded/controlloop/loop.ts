/**
 * The loop of one controller of the embedded cluster: changes of informers become keys, keys are
 * reconciled one at a time each, failures come back with growing delays.
 *
 * It differs from `#kube/controller` in one thing: there is no leadership, since the process that holds
 * the store is the only one that can run these controllers. Nothing here polls; an idle loop costs nothing.
 */
import { type Clock, type Timer } from '#base/clock';
import { errorText, type Log } from '#base/log';
import { keyOf, keyText, parseKey, type KubeObject, type ObjectKey } from '#apimachinery/meta';
import { isConflict, isForbidden, isNotFound, StatusError } from '#apimachinery/status';
import type { Informer } from '#kube/cache';

/** Turns changes of one informer's objects into keys. */
export interface LoopSource<T extends KubeObject = any> {
  informer: Informer<T>;
  /** Default: the object's own key. */
  map?: (object: T) => readonly ObjectKey[];
  /** Which updates count; default: all. Creations and deletions always count. */
  changed?: (previous: T, current: T) => boolean;
  /** Delay before the mapped keys are due, to gather bursts; default 0. */
  delayMs?: number;
}

export interface ControlLoopOptions {
  name: string;
  clock: Clock;
  log: Log;
  sources: readonly LoopSource[];
  /** Returns milliseconds after which to look again, or nothing. */
  reconcile: (key: ObjectKey, signal: AbortSignal) => Promise<number | undefined | void>;
  /** Keys worked on at once; one key is never worked on twice at once. Default 4. */
  concurrency?: number;
  backoffMs?: { min: number; max: number };
}

const CONCURRENCY_DEFAULT = 4;
const BACKOFF_MS = { min: 5, max: 30_000 };

export class ControlLoop {
  readonly #options: ControlLoopOptions;
  readonly #ready = new Set<string>();
  readonly #working = new Set<string>();
  readonly #again = new Set<string>();
  readonly #timers = new Map<string, { timer: Timer; dueMs: number }>();
  readonly #failures = new Map<string, number>();
  #signal: AbortSignal | undefined;

  constructor(options: ControlLoopOptions) {
    this.#options = options;
    for (const source of options.sources) this.#connect(source);
  }

  /** Begins to reconcile once the informers are synced; ends when the signal aborts. */
  async start(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#options.sources.map(({ informer }) => informer.waitForSync(signal)));
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#stop(), { once: true });
    this.#dispatch();
  }

  /** Makes a key due now or after a delay; the earlier of two delays counts. */
  add(key: ObjectKey | string, delayMs = 0): void {
    const text = typeof key === 'string' ? key : keyText(key);
    if (this.#signal?.aborted) return;
    if (delayMs > 0) return this.#addLater(text, delayMs);
    this.#timers.get(text)?.timer.cancel();
    this.#timers.delete(text);
    if (this.#working.has(text)) this.#again.add(text);
    else this.#ready.add(text);
    this.#dispatch();
  }

  #addLater(text: string, delayMs: number): void {
    const { clock } = this.#options;
    const dueMs = clock.monotonicMs() + delayMs;
    const pending = this.#timers.get(text);
    if (pending && pending.dueMs <= dueMs) return;
    pending?.timer.cancel();
    this.#timers.set(text, { dueMs, timer: clock.after(delayMs, () => this.add(text)) });
  }

  #connect({ informer, map, changed, delayMs = 0 }: LoopSource): void {
    const enqueue = (object: KubeObject) => {
      for (const key of map ? map(object) : [keyOf(object)]) this.add(key, delayMs);
    };
    informer.addHandler({
      onAdd: (object) => enqueue(object),
      onUpdate: (previous, current) => {
        if (changed && !changed(previous, current)) return;
        enqueue(previous);
        enqueue(current);
      },
      onDelete: (object) => enqueue(object),
    });
  }

  #dispatch(): void {
    const signal = this.#signal;
    if (!signal || signal.aborted) return;
    for (const text of this.#ready) {
      if (this.#working.size >= (this.#options.concurrency ?? CONCURRENCY_DEFAULT)) return;
      this.#ready.delete(text);
      this.#working.add(text);
      void this.#work(text, signal);
    }
  }

  async #work(text: string, signal: AbortSignal): Promise<void> {
    let delayMs: number | undefined;
    try {
      delayMs = (await this.#options.reconcile(parseKey(text), signal)) ?? undefined;
      this.#failures.delete(text);
    } catch (error) {
      delayMs = this.#failed(text, error);
    }
    this.#working.delete(text);
    if (signal.aborted) return;
    if (this.#again.delete(text)) this.add(text);
    else if (delayMs !== undefined) this.add(text, Math.max(1, delayMs));
    this.#dispatch();
  }

  #failed(text: string, error: unknown): number | undefined {
    // What a dying namespace refuses, it will always refuse.
    if (isNamespaceTerminating(error)) return undefined;
    const { name, log, backoffMs = BACKOFF_MS } = this.#options;
    const failures = (this.#failures.get(text) ?? 0) + 1;
    this.#failures.set(text, failures);
    if (!isConflict(error) && !isNotFound(error) && !this.#signal?.aborted) {
      log.warn('reconcile failed', { controller: name, key: text, failures, error: errorText(error) });
    }
    return Math.min(backoffMs.max, backoffMs.min * 2 ** (failures - 1));
  }

  #stop(): void {
    for (const { timer } of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#ready.clear();
  }
}

/** The server refused a creation because the namespace is being deleted. */
export function isNamespaceTerminating(error: unknown): boolean {
  return isForbidden(error) && error instanceof StatusError && error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') === true;
}
