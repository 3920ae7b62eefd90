/**
 * Runs one reconciler during one term: sources' changes become keys, workers take keys, and each reconcile
 * ends in one of four outcomes. Outside a term a controller keeps nothing: at the start of the next one
 * every object of its sources is looked at once.
 *
 * Limits: a reconcile that exceeds its time is aborted through its signal; one that does not even listen to
 * that is given up on after {@link ABANDON_MS}: its worker goes on with other keys, while its own key stays
 * taken until it settles, because one key must never be worked on twice at once.
 */
import { TimeoutError } from '#base/async';
import type { Clock } from '#base/clock';
import { assertNever } from '#base/assert';
import { errorText, type Log } from '#base/log';
import type { Random } from '#base/random';
import { keyOf, keyText, parseKey, type KubeObject } from '#apimachinery/meta';
import { isConflict } from '#apimachinery/status';
import { WorkQueue, type QueueMetrics } from '#kube/workqueue';
import { NotLeaderError, OutrankedError, type Term } from '../leaderelection/index.ts';
import { TerminalError, type ControllerOptions, type LeaderClients, type Outcome, type ReconcileContext, type Source } from './types.ts';

const CONCURRENCY = 4;
const RECONCILE_TIMEOUT_MS = 120_000;
/** Fleet's FailureRateLimiter. */
const BACKOFF_MS = { min: 5, max: 60_000 };
/** How long an aborted reconcile may take to notice. */
const ABANDON_MS = 10_000;

export type ReconcileResult = 'success' | 'requeue_after' | 'error' | 'terminal';

export interface ControllerMetrics extends QueueMetrics {
  reconciled?(result: ReconcileResult, ms: number): void;
  /** Reconciles that were given up on and still run. */
  abandoned?(count: number): void;
}

export interface ControllerDependencies {
  clock: Clock;
  random: Random;
  log: Log;
  metrics?: ControllerMetrics;
}

/** What one run needs: the term, its clients, and how it is asked to stop taking keys before the term ends. */
export interface ControllerRun<C extends string> {
  term: Term;
  clients: LeaderClients<C>;
  /** Aborts when no further key may be begun; running ones go on until `term.signal` or `cancel` aborts. */
  stopIntake: AbortSignal;
  /** Aborts running reconciles before the term ends; default: only the term does. */
  cancel?: AbortSignal;
  /** Told of an epoch above the term's, met on an object. */
  outranked?: (epoch: number) => void;
}

export interface Controller<C extends string = string> {
  readonly name: string;
  /** False while every worker is held by a reconcile that exceeded its limit: the process should not vouch for itself. */
  readonly healthy: boolean;
  /** Runs until intake stops or the term ends, and running reconciles have settled (or were abandoned). */
  run(run: ControllerRun<C>): Promise<void>;
}

export function createController<C extends string>(options: ControllerOptions<C>, dependencies: ControllerDependencies): Controller<C> {
  return new QueueController(options, dependencies);
}

class QueueController<C extends string> implements Controller<C> {
  readonly name: string;
  readonly #options: ControllerOptions<C>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #metrics: ControllerMetrics;
  #queue: WorkQueue | undefined;
  #abandoned = 0;

  constructor(options: ControllerOptions<C>, { clock, random, log, metrics = {} }: ControllerDependencies) {
    this.name = options.name;
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#log = log.with({ controller: options.name });
    this.#metrics = metrics;
    for (const source of options.sources) this.#listen(source);
    for (const trigger of options.triggers ?? []) trigger((key, delayMs) => this.#queue?.addAfter(keyText(key), delayMs));
  }

  get healthy(): boolean {
    return this.#abandoned < (this.#options.concurrency ?? CONCURRENCY);
  }

  async run(run: ControllerRun<C>): Promise<void> {
    const { term, stopIntake } = run;
    const workers = this.#options.concurrency ?? CONCURRENCY;
    const queue = new WorkQueue({ clock: this.#clock, random: this.#random, backoffMs: this.#options.backoffMs ?? BACKOFF_MS, workers, metrics: this.#metrics });
    const stop = () => queue.shutDown();
    for (const signal of [term.signal, stopIntake]) signal.addEventListener('abort', stop, { once: true });
    if (term.signal.aborted || stopIntake.aborted) return;
    try {
      await this.#options.onTermStart?.(this.#context(run, term.signal, this.#log));
      this.#queue = queue;
      for (const source of this.#options.sources) for (const object of source.informer.list()) this.#enqueue(source, object);
      await Promise.all(Array.from({ length: workers }, () => this.#work(queue, run)));
    } finally {
      this.#queue = undefined;
      queue.shutDown();
      for (const signal of [term.signal, stopIntake]) signal.removeEventListener('abort', stop);
    }
  }

  #listen<T extends KubeObject>(source: Source<T>): void {
    const { changed } = source;
    source.informer.addHandler({
      onAdd: (object) => this.#enqueue(source, object),
      onUpdate: (previous, current) => {
        if (changed && !changed(previous, current)) return;
        // What the object pointed at before may need to notice that it no longer does.
        this.#enqueue(source, previous);
        this.#enqueue(source, current);
      },
      onDelete: (last) => this.#enqueue(source, last),
    });
  }

  #enqueue<T extends KubeObject>(source: Source<T>, object: T): void {
    if (!this.#queue) return;
    for (const key of source.map ? source.map(object) : [keyOf(object)]) this.#queue.addAfter(keyText(key), source.delayMs ?? 0);
  }

  async #work(queue: WorkQueue, run: ControllerRun<C>): Promise<void> {
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      await this.#reconcile(queue, key, run);
    }
  }

  /** Resolves when the worker is free again, which is before the key is when a reconcile had to be abandoned. */
  async #reconcile(queue: WorkQueue, key: string, run: ControllerRun<C>): Promise<void> {
    const startMs = this.#clock.monotonicMs();
    const limitMs = this.#options.reconcileTimeoutMs ?? RECONCILE_TIMEOUT_MS;
    const limit = new AbortController();
    const log = this.#log.with({ key });
    const timer = this.#clock.after(limitMs, () => limit.abort(new TimeoutError(`reconcile of ${key}: not done after ${limitMs} ms`)));
    const signal = AbortSignal.any([run.term.signal, limit.signal, ...(run.cancel ? [run.cancel] : [])]);
    const settled = this.#call(key, run, this.#context(run, signal, log)).then((settle) => {
      timer.cancel();
      settle(queue, this.#clock.monotonicMs() - startMs);
      queue.done(key);
    });
    await this.#whicheverFirst(settled, signal, () => {
      this.#log.error('reconcile ignores its abort, going on without it', { key });
      queue.abandon(key);
    });
  }

  async #call(key: string, run: ControllerRun<C>, ctx: ReconcileContext<C>): Promise<(queue: WorkQueue, ms: number) => void> {
    const { signal } = ctx;
    try {
      const outcome = await this.#options.reconciler.reconcile(parseKey(key), ctx);
      // A reconcile that swallowed its abort has not done its work.
      if (signal.aborted && signal.reason instanceof TimeoutError) throw signal.reason;
      return (queue, ms) => this.#succeeded({ queue, key, outcome, ms });
    } catch (error) {
      if (error instanceof OutrankedError) run.outranked?.(error.epoch);
      return (queue, ms) => this.#failed({ queue, key, ms, error: signal.aborted ? (signal.reason as unknown) : error, log: ctx.log });
    }
  }

  #succeeded({ queue, key, outcome, ms }: { queue: WorkQueue; key: string; outcome: Outcome; ms: number }): void {
    queue.forget(key);
    switch (outcome.kind) {
      case 'done':
        return this.#metrics.reconciled?.('success', ms);
      case 'requeueAfter':
        this.#metrics.reconciled?.('requeue_after', ms);
        return queue.addAfter(key, outcome.delayMs);
      default:
        return assertNever(outcome);
    }
  }

  #failed({ queue, key, ms, error, log }: { queue: WorkQueue; key: string; ms: number; error: unknown; log: Log }): void {
    // The term is over: the next leader looks at every key anyway.
    if (error instanceof NotLeaderError) return log.debug('reconcile stopped with the term');
    if (error instanceof TerminalError) {
      this.#metrics.reconciled?.('terminal', ms);
      queue.forget(key);
      return log.error('reconcile failed for good', { error: errorText(error) });
    }
    this.#metrics.reconciled?.('error', ms);
    const delayMs = queue.addRateLimited(key);
    // Somebody else wrote first: routine, the retry reads what they wrote.
    const fields = { error: errorText(error), delayMs: Math.round(delayMs), failures: queue.failures(key) };
    if (isConflict(error)) log.debug('reconcile failed, will retry', fields);
    else log.warn('reconcile failed, will retry', fields);
  }

  #whicheverFirst(settled: Promise<void>, signal: AbortSignal, abandon: () => void): Promise<void> {
    return new Promise((resolve) => {
      let over = false;
      let left = false;
      const onAbort = () => {
        this.#clock.after(ABANDON_MS, () => {
          if (over) return;
          left = true;
          this.#countAbandoned(+1);
          abandon();
          resolve();
        });
      };
      signal.addEventListener('abort', onAbort, { once: true });
      void settled.finally(() => {
        over = true;
        signal.removeEventListener('abort', onAbort);
        if (left) this.#countAbandoned(-1);
        resolve();
      });
    });
  }

  #countAbandoned(change: 1 | -1): void {
    this.#abandoned += change;
    this.#metrics.abandoned?.(this.#abandoned);
  }

  #context(run: ControllerRun<C>, signal: AbortSignal, log: Log): ReconcileContext<C> {
    return { clients: run.clients, term: run.term, signal, log };
  }
}
