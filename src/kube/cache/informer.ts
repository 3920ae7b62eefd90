/** The informer: drives the reflector's state machine against an API server and feeds the store. */
import { sleep, type Clock } from '#base/clock';
import { errorText, type Log } from '#base/log';
import type { Random } from '#base/random';
import type { KubeObject, ObjectKey } from '#apimachinery/meta';
import { groupResource, type Resource } from '#apimachinery/resource';
import { isExpired } from '#apimachinery/status';
import type { ListOptions, Reader } from '#kube/client';
import { nextReflectorState, REFLECTOR_START, WATCH_SECONDS_MAX, WATCH_SECONDS_MIN, type ReflectorEvent, type ReflectorState } from './reflector.ts';
import { compareRevisions } from '#kube/client/revision';
import { Store } from './store.ts';
import type { EventHandler, Informer, InformerOptions } from './types.ts';

/** Objects per page of a list. */
const PAGE_SIZE = 500;
/** How long a barrier lets the watch catch up before it reads the rest of a large list itself. */
const BARRIER_CATCH_UP_MS = 300;
/** A failed consistent read of a barrier is repeated after this time. */
const BARRIER_RETRY_MS = 250;
const LIST_TIMEOUT_MS = 60_000;

export interface InformerDependencies {
  reader: Reader;
  clock: Clock;
  random: Random;
  log: Log;
}

/** Starts nothing; see {@link Informer.start}. */
export function createInformer<T extends KubeObject>(options: InformerOptions<T>, dependencies: InformerDependencies): Informer<T> {
  return new ReflectorInformer(options, dependencies);
}

class ReflectorInformer<T extends KubeObject> implements Informer<T> {
  readonly resource: Resource<T>;
  readonly #options: InformerOptions<T>;
  readonly #reader: Reader;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #store: Store<T>;
  readonly #handlers: EventHandler<T>[] = [];
  #waiters = new Set<() => void>();
  #synced = false;
  #started = false;

  constructor(options: InformerOptions<T>, { reader, clock, random, log }: InformerDependencies) {
    this.resource = options.resource;
    this.#options = options;
    this.#reader = reader;
    this.#clock = clock;
    this.#random = random;
    this.#log = log.with({ informer: groupResource(options.resource), ...(options.namespace ? { namespace: options.namespace } : {}) });
    this.#store = new Store<T>(options.indexers ?? {}, options.transform ?? ((object) => object), {
      onAdd: (object, initial) => this.#dispatch((handler) => handler.onAdd?.(object, initial)),
      onUpdate: (previous, current) => this.#dispatch((handler) => handler.onUpdate?.(previous, current)),
      onDelete: (last, witnessed) => this.#dispatch((handler) => handler.onDelete?.(last, witnessed)),
    });
  }

  get synced(): boolean {
    return this.#synced;
  }

  get resourceVersion(): string {
    return this.#store.revision;
  }

  get(key: ObjectKey): T | undefined {
    return this.#store.get(key);
  }

  list(namespace?: string): T[] {
    return this.#store.list(namespace);
  }

  byIndex(indexer: string, value: string): T[] {
    return this.#store.byIndex(indexer, value);
  }

  addHandler(handler: EventHandler<T>): void {
    this.#handlers.push(handler);
    for (const object of this.#store.list()) handler.onAdd?.(object, true);
  }

  start(signal: AbortSignal): void {
    if (this.#started) return;
    this.#started = true;
    this.#run(signal).catch((error: unknown) => {
      if (!signal.aborted) this.#log.error('informer stopped by a defect of its own', { error: errorText(error) });
    });
  }

  waitForSync(signal: AbortSignal): Promise<void> {
    return this.#until(() => this.#synced, signal);
  }

  /**
   * One consistent page. If it is the whole list, it becomes the store's state and we are done with one
   * request; else its revision is what the watch has to reach, and if it does not soon (a bookmark comes
   * once a minute for idle kinds), the remaining pages are read.
   */
  async barrier(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      try {
        return await this.#barrierOnce(signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#log.warn('consistent read for the barrier failed, trying again', { error: errorText(error) });
        await sleep(this.#clock, BARRIER_RETRY_MS, signal);
      }
    }
  }

  async #barrierOnce(signal: AbortSignal): Promise<void> {
    const coveredBefore = this.#store.revision;
    const first = await this.#reader.list(this.resource, this.#listOptions({ limit: PAGE_SIZE, signal }));
    const revision = first.metadata.resourceVersion ?? '';
    const reached = () => this.#synced && compareRevisions(this.#store.revision, revision) >= 0;
    if (reached()) return;
    if (!first.metadata.continue) return this.#deliver(first.items, revision, coveredBefore);
    const caughtUp = new AbortController();
    const timer = this.#clock.after(BARRIER_CATCH_UP_MS, () => caughtUp.abort(new Error('the watch did not catch up')));
    try {
      await this.#until(reached, AbortSignal.any([signal, caughtUp.signal]));
    } catch {
      signal.throwIfAborted();
      const rest = await this.#pages(first.metadata.continue, signal);
      this.#deliver([...first.items, ...rest.items], revision, coveredBefore);
    } finally {
      timer.cancel();
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    let state: ReflectorState = REFLECTOR_START;
    while (!signal.aborted) {
      if (state.delayMs > 0) await sleep(this.#clock, state.delayMs, signal);
      const event = state.phase === 'list' ? await this.#listOnce(signal) : await this.#watchOnce(signal);
      if (signal.aborted) return;
      state = nextReflectorState(state, event, this.#random);
      const error = 'error' in event ? event.error : undefined;
      // One failure is routine (a server restarts); a series is news, told when its wait has grown long.
      if (error !== undefined) {
        const fields = { phase: state.phase, delayMs: Math.round(state.delayMs), failures: state.failures, error: errorText(error) };
        if (state.failures > 3) this.#log.warn('informer will try again', fields);
        else this.#log.debug('informer will try again', fields);
      }
    }
  }

  async #listOnce(signal: AbortSignal): Promise<ReflectorEvent> {
    try {
      const coveredBefore = this.#store.revision;
      const { items, revision } = await this.#pages(undefined, signal);
      this.#deliver(items, revision, coveredBefore);
      return { kind: 'listed' };
    } catch (error) {
      return { kind: 'listFailed', error };
    }
  }

  async #watchOnce(signal: AbortSignal): Promise<ReflectorEvent> {
    const startMs = this.#clock.monotonicMs();
    const timeoutSeconds = Math.round(WATCH_SECONDS_MIN + this.#random.next() * (WATCH_SECONDS_MAX - WATCH_SECONDS_MIN));
    const livedMs = () => this.#clock.monotonicMs() - startMs;
    try {
      const { namespace, labelSelector, fieldSelector } = this.#options;
      const selection = { ...(namespace ? { namespace } : {}), ...(labelSelector ? { labelSelector } : {}), ...(fieldSelector ? { fieldSelector } : {}) };
      const watch = this.#reader.watch(this.resource, { ...selection, resourceVersion: this.#store.revision, allowBookmarks: true, timeoutSeconds, signal });
      for await (const event of watch) {
        if (event.type === 'BOOKMARK') this.#store.cover(event.object.metadata.resourceVersion ?? '');
        else this.#store.applyEvent(event.type, event.object);
        this.#wake();
      }
      return { kind: 'watchEnded', livedMs: livedMs() };
    } catch (error) {
      return { kind: 'watchEnded', livedMs: livedMs(), error };
    }
  }

  /** All pages from a continue token on; a token that expired on the way makes the list start over, unpaged. */
  async #pages(from: string | undefined, signal: AbortSignal): Promise<{ items: T[]; revision: string }> {
    const items: T[] = [];
    let token = from;
    try {
      for (;;) {
        const page = await this.#reader.list(this.resource, this.#listOptions({ limit: PAGE_SIZE, signal, ...(token ? { continue: token } : {}) }));
        items.push(...page.items);
        token = page.metadata.continue;
        if (!token) return { items, revision: page.metadata.resourceVersion ?? '' };
      }
    } catch (error) {
      if (!isExpired(error) || from) throw error;
      const whole = await this.#reader.list(this.resource, this.#listOptions({ signal }));
      return { items: whole.items, revision: whole.metadata.resourceVersion ?? '' };
    }
  }

  #listOptions(more: ListOptions): ListOptions {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    return { ...more, timeoutMs: LIST_TIMEOUT_MS, ...(namespace ? { namespace } : {}), ...(labelSelector ? { labelSelector } : {}), ...(fieldSelector ? { fieldSelector } : {}) };
  }

  #deliver(items: readonly T[], revision: string, coveredBefore: string): void {
    this.#store.replace(items, { revision, coveredBefore, initial: !this.#synced });
    this.#synced = true;
    this.#wake();
  }

  #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (condition()) finish(resolve);
      };
      const onAbort = () => finish(() => reject(signal.reason as Error));
      const finish = (settle: () => void) => {
        this.#waiters.delete(check);
        signal.removeEventListener('abort', onAbort);
        settle();
      };
      if (condition()) return resolve();
      if (signal.aborted) return reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(check);
    });
  }

  #wake(): void {
    for (const check of Array.from(this.#waiters)) check();
  }

  #dispatch(call: (handler: EventHandler<T>) => void): void {
    for (const handler of this.#handlers) {
      try {
        call(handler);
      } catch (error) {
        this.#log.error('event handler failed', { error: errorText(error) });
      }
    }
  }
}
