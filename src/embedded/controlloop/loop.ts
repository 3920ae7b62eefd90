/**
 * The loop of one controller of the embedded cluster: changes of informers become keys, keys are
 * reconciled one at a time each, failures come back with growing delays.
 *
 * It differs from `#kube/controller` in one thing: there is no leadership, since the process that holds
 * the store is the only one that can run these controllers. Nothing here polls; an idle loop costs nothing.
 */
import { errorText } from '#base/log';
import { keyOf, keyText, parseKey, type KubeObject, type ObjectKey } from '#apimachinery/meta';
import { isConflict, isForbidden, isNotFound, StatusError } from '#apimachinery/status';
import type { Informer } from '#kube/cache';
import { WorkQueue } from '#kube/workqueue';
import type { ControlPlane } from './types.ts';

/** Turns changes of one informer's objects into keys. */
// oxlint-disable-next-line typescript/no-explicit-any -- a loop mixes sources of different kinds
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
  plane: Pick<ControlPlane, 'clock' | 'random' | 'log'>;
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
  readonly #queue: WorkQueue;
  #signal: AbortSignal | undefined;

  constructor(options: ControlLoopOptions) {
    this.#options = options;
    const { clock, random } = options.plane;
    this.#queue = new WorkQueue({ clock, random, backoffMs: options.backoffMs ?? BACKOFF_MS, workers: this.#workers });
    for (const source of options.sources) this.#connect(source);
  }

  /** Begins to reconcile once the informers are synced; ends when the signal aborts. */
  async start(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#options.sources.map(({ informer }) => informer.waitForSync(signal)));
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#queue.shutDown(), { once: true });
    for (let worker = 0; worker < this.#workers; worker++) void this.#work(signal);
  }

  /** Makes a key due now or after a delay; the earlier of two delays counts. */
  add(key: ObjectKey | string, delayMs = 0): void {
    this.#queue.addAfter(typeof key === 'string' ? key : keyText(key), delayMs);
  }

  get #workers(): number {
    return this.#options.concurrency ?? CONCURRENCY_DEFAULT;
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

  async #work(signal: AbortSignal): Promise<void> {
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      try {
        const delayMs = await this.#options.reconcile(parseKey(key), signal);
        this.#queue.forget(key);
        if (delayMs !== undefined) this.#queue.addAfter(key, Math.max(1, delayMs));
      } catch (error) {
        this.#failed(key, error);
      }
      this.#queue.done(key);
    }
  }

  #failed(key: string, error: unknown): void {
    const { name, plane } = this.#options;
    // What a dying namespace refuses, it will always refuse.
    if (this.#signal?.aborted || isNamespaceTerminating(error)) return;
    this.#queue.addRateLimited(key);
    if (!isConflict(error) && !isNotFound(error)) plane.log.warn('reconcile failed', { controller: name, key, failures: this.#queue.failures(key), error: errorText(error) });
  }
}

/** The server refused a creation because the namespace is being deleted. */
export function isNamespaceTerminating(error: unknown): boolean {
  return isForbidden(error) && error instanceof StatusError && error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') === true;
}
