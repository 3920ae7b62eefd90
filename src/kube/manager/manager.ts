/** The {@link Manager}: composes informers, controllers and an elector into one process's life. */
import type { Registry } from '@prometheus-io/client';
import { sleep, type Clock } from '#base/clock';
import { canonicalJson } from '#base/json';
import { errorText, type Log } from '#base/log';
import type { Random } from '#base/random';
import type { KubeObject } from '#apimachinery/meta';
import { groupResource } from '#apimachinery/resource';
import { createInformer, type Informer, type InformerOptions } from '../cache/index.ts';
import type { Client, Reader } from '../client/index.ts';
import { createController, type Controller, type ControllerOptions } from '../controller/index.ts';
import type { Elector, LeaderClient, Term } from '../leaderelection/index.ts';
import type { Listener } from './http.ts';
import { createManagerMetrics, type ManagerMetrics } from './metrics.ts';
import { runTerm, type TermTask, type TermWork } from './term.ts';
import type { EndpointHandler, Manager, OnTermOptions } from './types.ts';

/** How often the main thread vouches for its progress; well below every watchdog. */
const VOUCH_INTERVAL_MS = 500;
/** Below the usual terminationGracePeriodSeconds of 30 s, leaving time to release the lease. */
const DRAIN_BUDGET_MS = 20_000;
/** A term that could not start is followed by a pause, so that another candidate may try; it doubles up to the maximum. */
const TERM_RETRY_MS = { min: 1_000, max: 30_000 };

export interface ManagerOptions<C extends string> {
  /** Names the component in metrics and logs. */
  name: string;
  clients: Readonly<Record<C, Client>>;
  elector: Elector;
  clock: Clock;
  random: Random;
  log: Log;
  registry: Registry;
  /** Serve `/healthz`, `/readyz`, `/metrics`; made with {@link httpListener}. */
  listeners?: readonly Listener[];
  /** Time for running work at shutdown before it is cancelled; default 20 s. */
  drainBudgetMs?: number;
}

export function createManager<C extends string>(options: ManagerOptions<C>): Manager<C> {
  return new ElectedManager(options);
}

class ElectedManager<C extends string> implements Manager<C> {
  readonly #options: ManagerOptions<C>;
  readonly #metrics: ManagerMetrics;
  readonly #log: Log;
  readonly #informers = new Map<string, { client: C; informer: Informer<KubeObject> }>();
  readonly #controllers: Controller<C>[] = [];
  readonly #tasks: TermTask<C>[] = [];
  readonly #life = new AbortController();
  #phase: 'new' | 'running' | 'stopping' = 'new';

  constructor(options: ManagerOptions<C>) {
    this.#options = options;
    this.#log = options.log;
    this.#metrics = createManagerMetrics(options.name, options.registry, () => options.elector.status());
  }

  informer<T extends KubeObject>(client: C, options: InformerOptions<T>): Informer<T> {
    const { indexers = {}, transform, ...rest } = options;
    // Functions have no value to compare: informers with equal selections are shared when these are the same too.
    const identity = `${client} ${canonicalJson({ ...rest, indexers: Object.keys(indexers).sort(), transform: transform ? functionId(transform) : 0 })}`;
    const existing = this.#informers.get(identity);
    if (existing) return existing.informer as unknown as Informer<T>;
    const { clients, clock, random, log } = this.#options;
    const informer = createInformer(options, { reader: clients[client], clock, random, log: log.with({ client }) });
    this.#informers.set(identity, { client, informer: informer as unknown as Informer<KubeObject> });
    if (this.#phase !== 'new') informer.start(this.#life.signal);
    return informer;
  }

  reader(client: C): Reader {
    return this.#options.clients[client];
  }

  controller(options: ControllerOptions<C>): void {
    if (this.#phase !== 'new') throw new Error(`manager ${this.#options.name}: controller ${options.name} was added after start`);
    const { clock, random, log } = this.#options;
    this.#controllers.push(createController(options, { clock, random, log, metrics: this.#metrics.forController(options.name) }));
  }

  onTerm(name: string, run: (term: Term, clients: Readonly<Record<C, LeaderClient>>) => Promise<void>, options: OnTermOptions = {}): void {
    this.#tasks.push({ name, run, beforeBarrier: options.beforeBarrier === true });
  }

  readonly endpoints: EndpointHandler = async (path) => {
    switch (path) {
      case '/healthz':
        return this.#report(this.#controllers.filter(({ healthy }) => !healthy).map(({ name }) => `controller ${name} makes no progress`));
      case '/readyz':
        return this.#report(this.#phase === 'stopping' ? ['shutting down'] : this.#unsynced().map((name) => `cache of ${name} is not synced`));
      case '/metrics':
        return { status: 200, contentType: this.#metrics.registry.contentType, body: await this.#metrics.registry.metrics() };
      default:
        return undefined;
    }
  };

  async start(signal: AbortSignal): Promise<void> {
    if (this.#phase !== 'new') throw new Error(`manager ${this.#options.name}: started twice`);
    const servers = await Promise.all((this.#options.listeners ?? []).map((listen) => listen(this.endpoints)));
    this.#phase = 'running';
    for (const { informer } of this.#informers.values()) informer.start(this.#life.signal);
    this.#vouch();
    const onStop = () => {
      this.#phase = 'stopping';
    };
    signal.addEventListener('abort', onStop, { once: true });
    try {
      await this.#lead(signal);
    } finally {
      this.#life.abort(new Error('the manager stopped'));
      await Promise.all(servers.map((server) => server.close()));
    }
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const { elector } = this.#options;
    let retryMs = TERM_RETRY_MS.min;
    for await (const term of elector.campaign(signal)) {
      this.#metrics.termStarted(term, elector.status().gapMs ?? 0);
      try {
        await runTerm(this.#termWork(), term, signal);
        retryMs = TERM_RETRY_MS.min;
      } catch (error) {
        this.#log.error('term could not start, letting others try', { epoch: term.epoch, error: errorText(error), pauseMs: retryMs });
        elector.holdOff(retryMs);
        retryMs = Math.min(TERM_RETRY_MS.max, retryMs * 2);
      }
    }
  }

  #termWork(): TermWork<C> {
    const { clients, clock, log, drainBudgetMs = DRAIN_BUDGET_MS } = this.#options;
    const informers = [...this.#informers.values()].map(({ informer }) => informer);
    return { clients, clock, log, drainBudgetMs, informers, controllers: this.#controllers, tasks: this.#tasks, outranked: (epoch) => this.#options.elector.outranked(epoch) };
  }

  /** Runs on the main thread's event loop, which is what it vouches for; stops when a controller is stuck. */
  #vouch(): void {
    const beat = async () => {
      for (;;) {
        if (this.#controllers.every(({ healthy }) => healthy)) this.#options.elector.vouch();
        await sleep(this.#options.clock, VOUCH_INTERVAL_MS, this.#life.signal);
      }
    };
    beat().catch(() => {});
  }

  #unsynced(): string[] {
    return [...this.#informers.values()].filter(({ informer }) => !informer.synced).map(({ client, informer }) => `${client} ${groupResource(informer.resource)}`);
  }

  #report(problems: readonly string[]): { status: number; contentType: string; body: string } {
    return { status: problems.length === 0 ? 200 : 503, contentType: 'text/plain; charset=utf-8', body: problems.length === 0 ? 'ok\n' : `${problems.join('\n')}\n` };
  }
}

const functionIds = new WeakMap<object, number>();
let functionCount = 0;

function functionId(fn: object): number {
  const id = functionIds.get(fn) ?? ++functionCount;
  functionIds.set(fn, id);
  return id;
}
