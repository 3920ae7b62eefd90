/**
 * A cluster in the test's process whose clients die on purpose: after the n-th write (which took effect while
 * its answer was lost), before it (it never left), or with it still on the wire (it arrives when the test says
 * so). Time stands still while a request is being answered and moves otherwise, so runs are repeatable.
 */
import { jobs } from '#api/builtin';
import type { Unstructured } from '#apimachinery/meta';
import type { Resource } from '#apimachinery/resource';
import { rfc3339 } from '#base/clock';
import { silentLog } from '#base/log';
import { seededRandom } from '#base/random';
import { createApiServer, generateTokenKey } from '#embedded/apiserver';
import { inProcessTransport } from '#embedded/inprocess';
import { memoryStorage } from '#embedded/storage';
import { type Client, createClient, type RawRequest, type RawResponse, type Transport } from '#kube/client';
import { createTerm, type LeaderClient } from '#kube/leaderelection';
import { FakeClock } from '#testing/clock';

const TOKEN_KEY = generateTokenKey();
const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
const STEP_MS = 50;
/** Longest simulated time of one run. */
const RUN_MS = 30 * 60_000;
/** A simulated Job takes so long. */
const JOB_MS = 400;

/** A kind whose objects are looked at without knowing their shape. */
export type Kind = Omit<Resource, 'objectType'>;

/** How the n-th write ends. */
export type Death = 'answer-lost' | 'not-sent' | 'delayed';

export interface Write {
  method: string;
  path: string;
  status: number;
  /** Name of the client that sent it. */
  by: string;
  object: Unstructured | undefined;
}

/** A replica's process: its client, until it dies. */
export interface Replica {
  client: LeaderClient;
  plain: Client;
  signal: AbortSignal;
  writes(): number;
  dead(): boolean;
}

export class DiedError extends Error {
  override name = 'DiedError';
}

export class World {
  readonly clock = new FakeClock();
  readonly writes: Write[] = [];
  /** Writes that are on the wire of dead replicas. */
  readonly delayed: (() => Promise<RawResponse>)[] = [];
  readonly admin: Client;
  /** Writes of agents, which never die here. */
  readonly agent: Client;
  readonly #transport: Transport;
  readonly #server;
  readonly #jobs: { dueMs: number; namespace: string; name: string; fails: boolean }[] = [];
  #inFlight = 0;

  private constructor() {
    this.#server = createApiServer({ storage: memoryStorage(), clock: this.clock, random: seededRandom(7), log: silentLog, tokenKey: TOKEN_KEY, tokens: [{ token: 't', user: 'admin', groups: ['system:masters'] }] });
    this.#transport = inProcessTransport({ handle: (request) => this.#server.handle(request), clock: this.clock, headers: { authorization: 'Bearer t' } });
    this.admin = createClient(this.#transport);
    const request = (raw: RawRequest) => this.#send(raw, 'agent');
    this.agent = createClient({ server: this.#transport.server, request, stream: (raw) => this.#transport.stream(raw), close() {} });
  }

  static async start(): Promise<World> {
    const world = new World();
    await world.run(world.#server.start());
    return world;
  }

  stop(): void {
    this.#transport.close();
    this.#server.stop();
  }

  /** Moves time until the promise settles. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const end = () => void (settled = true);
    promise.then(end, end);
    const untilMs = this.clock.monotonicMs() + RUN_MS;
    for (let idle = 0; !settled; ) {
      await this.clock.advance(0);
      if (settled) break;
      idle = this.#inFlight > 0 ? 0 : idle + 1;
      if (idle < 4) continue;
      idle = 0;
      await this.clock.advance(STEP_MS);
      await this.#finishJobs();
      if (this.clock.monotonicMs() > untilMs) throw new Error(`not finished after ${RUN_MS} ms of simulated time`);
    }
    return promise;
  }

  /** A process that leads under this epoch and dies as told; without `dies` it lives. */
  replica(name: string, epoch: number, dies?: { at: number; how: Death }): Replica {
    const process = new AbortController();
    let writes = 0;
    const die = () => {
      if (!process.signal.aborted) process.abort(new DiedError(`${name} died`));
    };
    const request = async (raw: RawRequest): Promise<RawResponse> => {
      process.signal.throwIfAborted();
      raw.beforeSend?.();
      const { signal: _signal, beforeSend: _beforeSend, ...sent } = raw;
      if (READS.has(raw.method)) return this.#send(sent, name, process.signal);
      const last = ++writes === dies?.at ? dies.how : undefined;
      if (last === 'delayed') this.delayed.push(() => this.#send(sent, `${name} (delayed)`));
      if (last === 'delayed' || last === 'not-sent') die();
      process.signal.throwIfAborted();
      const response = await this.#send(sent, name);
      if (last === 'answer-lost') die();
      process.signal.throwIfAborted();
      return response;
    };
    const transport: Transport = { server: this.#transport.server, request, stream: (raw) => this.#transport.stream(raw), close() {} };
    const plain = createClient(transport, { fieldManager: 'test' });
    const { term } = createTerm({ holder: name, epoch, evidence: 'first', remainingMs: () => RUN_MS * 10, clock: this.clock });
    return { client: term.guard(plain), plain, signal: process.signal, writes: () => writes, dead: () => process.signal.aborted };
  }

  /** What was still on the wire arrives now, whatever comes of it. */
  async deliver(): Promise<void> {
    for (const arrive of this.delayed.splice(0)) await this.run(arrive());
  }

  /** Objects of these kinds, without what differs between equal runs. */
  async dump(resources: readonly Kind[]): Promise<Record<string, unknown>> {
    const dumped: Record<string, unknown> = {};
    for (const resource of resources) {
      for (const item of (await this.run(this.admin.list(resource))).items) {
        dumped[`${resource.kind} ${item.metadata.namespace ?? ''}/${item.metadata.name}`] = timeless(item);
      }
    }
    return dumped;
  }

  async #send(raw: RawRequest, by: string, signal?: AbortSignal): Promise<RawResponse> {
    this.#inFlight++;
    try {
      const response = await this.#transport.request({ ...raw, ...(signal ? { signal } : {}) });
      if (!READS.has(raw.method)) this.#record(raw, response, by);
      return response;
    } finally {
      this.#inFlight--;
    }
  }

  #record({ method, path }: RawRequest, { status, body }: RawResponse, by: string): void {
    const object = status < 300 ? (JSON.parse(new TextDecoder().decode(body)) as Unstructured) : undefined;
    this.writes.push({ method, path: path.split('?')[0] ?? '', status, by, object });
    const suspended = (object?.['spec'] as { suspend?: boolean } | undefined)?.suspend;
    if (object?.kind !== 'Job' || method === 'DELETE' || path.includes('/status') || suspended) return;
    const { namespace = '', name = '', annotations } = object.metadata;
    this.#jobs.push({ dueMs: this.clock.monotonicMs() + JOB_MS, namespace, name, fails: annotations?.['test/fails'] === 'true' });
  }

  /** The Job controller, as far as hooks need one. */
  async #finishJobs(): Promise<void> {
    const due = this.#jobs.filter(({ dueMs }) => dueMs <= this.clock.monotonicMs());
    for (const job of due) {
      this.#jobs.splice(this.#jobs.indexOf(job), 1);
      const now = rfc3339(this.clock.wallMs());
      const types = job.fails ? ['FailureTarget', 'Failed'] : ['SuccessCriteriaMet', 'Complete'];
      const conditions = types.map((type) => ({ type, status: 'True', lastProbeTime: now, lastTransitionTime: now }));
      const status = { conditions, startTime: now, ...(job.fails ? { failed: 1 } : { succeeded: 1, completionTime: now }) };
      const patched = this.admin.patch(jobs, { namespace: job.namespace, name: job.name }, { type: 'merge', body: { status } }, { subresource: 'status' }).catch(() => {});
      let done = false;
      void patched.then(() => (done = true));
      while (!done) await this.clock.advance(0);
    }
  }
}

const TIMES = new Set(['creationTimestamp', 'resourceVersion', 'uid', 'selfLink', 'time', 'lastTransitionTime', 'lastUpdateTime', 'lastProbeTime', 'startTime', 'completionTime', 'deletionTimestamp', 'controller-uid', 'batch.kubernetes.io/controller-uid', 'createdAt', 'modifiedAt']);

/** Without uids, versions and times, wherever they are. */
export function timeless(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(timeless);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !TIMES.has(key) && !TIMES.has(key.replace(/^f:/, '')))
      .map(([key, inner]) => [key, timeless(inner)])
      .sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)),
  );
}

/** Crash points to try: all with CRASHPOINTS=all (`npm run test:crashpoints`), else a few of them, by turns. */
export function crashPoints(total: number, deaths: readonly Death[] = ['answer-lost', 'not-sent'], every = 15): { at: number; how: Death }[] {
  const all = Array.from({ length: total }, (_, index) => deaths.map((how) => ({ at: index + 1, how }))).flat();
  return process.env['CRASHPOINTS'] === 'all' ? all : all.filter((_, index) => index % every === 7);
}
