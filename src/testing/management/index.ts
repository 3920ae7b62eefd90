/**
 * The server side of reconcilers' tests: an embedded API server over memory with access control on, Fleet's
 * CRDs and roles, real informers and a term, all in the test's process and on a {@link FakeClock}.
 *
 * A test calls reconcilers itself, one key at a time ({@link ManagementServer.reconcile} waits for the caches
 * first), so that it decides what runs between two steps. Absent: controllers, scheduler and nodes (see
 * #testing/cluster); who deletes a namespace or an owner sees the object go, not what hung on it.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { customResourceDefinitions, namespaces, serviceAccounts } from '#api/builtin';
import { FLEET_GROUP, namespace as fleetNamespace } from '#api/fleet';
import { fleetCustomResourceDefinitions } from '#api/fleet/schema';
import type { KubeObject, ObjectKey, Unstructured } from '#apimachinery/meta';
import type { Resource } from '#apimachinery/resource';
import { silentLog } from '#base/log';
import { seededRandom } from '#base/random';
import { createApiServer, generateTokenKey } from '#embedded/apiserver';
import { inProcessTransport } from '#embedded/inprocess';
import { memoryStorage } from '#embedded/storage';
import { createInformer, type Informer, type InformerOptions } from '#kube/cache';
import { createClient, createRestMapper, type CallOptions, type Client } from '#kube/client';
import type { Outcome, ReconcileContext, Reconciler } from '#kube/controller';
import { createTerm, NotLeaderError, type ControlledTerm, type LeaderClient, type Term } from '#kube/leaderelection';
import { loadChart, renderChart, type Chart } from '#render/chart';
import { FakeClock, settle } from '#testing/clock';

const ADMIN = 'test-admin';
/** Turns of the event loop that {@link ManagementServer.eventually} waits for what needs no time to pass. */
const TURNS_MAX = 2_000;
/** Longer than any test's clock runs. */
const TERM_MS = 1e13;

export interface ManagementServer {
  clock: FakeClock;
  /** May do everything. */
  client: Client;
  /** The fleet-controller with its own rights (charts/fleet), behind a term that lasts until {@link newTerm}. */
  leader: LeaderClient;
  /** A client that shows this bearer token. */
  as(token: string): Client;
  /** A client whose writes count for {@link interrupting} too. */
  interruptible(client: Client): Client;
  /** A started informer; {@link reconcile} waits for it. */
  informer<T extends KubeObject>(options: InformerOptions<T>): Informer<T>;
  context<C extends string>(...names: C[]): ReconcileContext<C>;
  /** Waits until the caches show what the server has, then works on one key. */
  reconcile(reconciler: Reconciler<'upstream'>, key: ObjectKey): Promise<Outcome>;
  /**
   * Lets `act` run until `cut` says so before one of the leader's writes; then the term is over, as when the
   * process dies. True when it was cut; a new term has begun then.
   */
  interrupting(cut: () => boolean, act: () => Promise<unknown>): Promise<boolean>;
  /** Ends the term as a lost lease does and begins the next one. */
  newTerm(): void;
  /** Creates objects; of a kind with a subresource status, the status too. */
  put<T extends KubeObject>(resource: Resource<T>, object: T & { status?: unknown }): Promise<T>;
  /** Changes of the storage so far; equal before and after a step that wrote nothing. */
  revision(): number;
  /** Waits without letting time pass. */
  eventually<T>(what: string, probe: () => T | undefined | false | Promise<T | undefined | false>): Promise<T>;
  stop(): void;
}

export async function startManagementServer(): Promise<ManagementServer> {
  const clock = new FakeClock();
  const storage = memoryStorage();
  const random = seededRandom(11);
  const tokens = [{ token: ADMIN, user: 'admin', groups: ['system:masters'] }];
  const server = createApiServer({ storage, clock, random, log: silentLog, tokenKey: generateTokenKey(), tokens });
  await server.start();
  const stop = new AbortController();
  const transports: { close(): void }[] = [];
  const as = (token: string): Client => {
    const transport = inProcessTransport({ handle: (request) => server.handle(request), clock, headers: { authorization: `Bearer ${token}` } });
    transports.push(transport);
    return createClient(transport);
  };
  const client = as(ADMIN);
  const informers: Informer<KubeObject>[] = [];
  const leadership = new Leadership(clock);
  let controller = client;
  const guard = () => leadership.term.guard(leadership.interruptible(controller));
  const management: ManagementServer = {
    clock,
    client,
    get leader() {
      return guard();
    },
    as,
    interruptible: (other) => leadership.interruptible(other),
    informer(options) {
      const informer = createInformer(options, { reader: client, clock, random, log: silentLog });
      informers.push(informer as unknown as Informer<KubeObject>);
      informer.start(stop.signal);
      return informer;
    },
    context<C extends string>(...names: C[]) {
      const clients = Object.fromEntries(names.map((name) => [name, guard()])) as Record<C, LeaderClient>;
      return { clients, term: leadership.term, signal: leadership.term.signal, log: silentLog };
    },
    async reconcile(reconciler, key) {
      for (const informer of informers) await informer.barrier(stop.signal);
      return reconciler.reconcile(key, management.context('upstream'));
    },
    interrupting: (cut, act) => leadership.interrupting(cut, act),
    newTerm: () => leadership.next(),
    async put(resource, object) {
      const { status, ...rest } = object;
      const created = await client.create(resource, rest as unknown as typeof object);
      if (status === undefined || !resource.group) return created;
      return client.patch(resource, { ...created.metadata, name: created.metadata.name ?? '' }, { type: 'merge', body: { status } }, { subresource: 'status' });
    },
    revision: () => storage.revision,
    async eventually(what, probe) {
      for (let turn = 0; turn < TURNS_MAX; turn++) {
        const value = await probe();
        if (value) return value;
        await settle();
      }
      throw new Error(`${what}: did not happen without time passing; advance the clock if it has to`);
    },
    stop() {
      leadership.end('the test is over');
      stop.abort(new Error('the test is over'));
      for (const transport of transports) transport.close();
      server.stop();
    },
  };
  await install(management);
  controller = as(await tokenOf(client, { namespace: fleetNamespace.system, name: 'fleet-controller' }));
  return management;
}

/** The terms of one test, and where it cuts them off. */
class Leadership {
  readonly #clock: FakeClock;
  #epoch = 0;
  #current: ControlledTerm;
  #beforeWrite: (() => void) | undefined;

  constructor(clock: FakeClock) {
    this.#clock = clock;
    this.#current = this.#begin();
  }

  get term(): Term {
    return this.#current.term;
  }

  next(): void {
    this.end('the test says so');
    this.#current = this.#begin();
  }

  end(reason: string): void {
    this.#current.end(reason);
  }

  async interrupting(cut: () => boolean, act: () => Promise<unknown>): Promise<boolean> {
    this.#beforeWrite = () => {
      if (cut()) this.end('the test cuts it off here');
    };
    try {
      await act();
      return false;
    } catch (error) {
      if (!(error instanceof NotLeaderError)) throw error;
      this.next();
      return true;
    } finally {
      this.#beforeWrite = undefined;
    }
  }

  /** Asks before each write; the write then fails if the term has ended meanwhile. */
  interruptible(client: Client): Client {
    const asking = (options?: CallOptions): never => {
      this.#beforeWrite?.();
      options?.signal?.throwIfAborted();
      return options as never;
    };
    return {
      ...client,
      create: async (resource, object, options) => client.create(resource, object, asking(options)),
      update: async (resource, object, options) => client.update(resource, object, asking(options)),
      patch: async (resource, key, patch, options) => client.patch(resource, key, patch, asking(options)),
      apply: async (resource, object, options) => client.apply(resource, object, asking(options)),
      delete: async (resource, key, options) => client.delete(resource, key, asking(options)),
    };
  }

  #begin(): ControlledTerm {
    return createTerm({ holder: 'test', epoch: ++this.#epoch, evidence: 'first', remainingMs: () => TERM_MS, clock: this.#clock });
  }
}

/** A bearer token for a service account; valid longer than any test's clock runs. */
export async function tokenOf(client: Client, account: { namespace: string; name: string }): Promise<string> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 4e9 } };
  const answer = (await client.create(serviceAccounts, { ...body, metadata: account } as never, { subresource: 'token' })) as { status?: { token?: string } };
  return answer.status?.token ?? '';
}

/** What charts/fleet-crd and charts/fleet install, as far as reconcilers meet it: kinds, namespaces, accounts and rights. */
async function install({ client, eventually }: Pick<ManagementServer, 'client' | 'eventually'>): Promise<void> {
  const definitions = fleetCustomResourceDefinitions();
  await Promise.all(definitions.map((definition) => client.create(customResourceDefinitions, definition as never)));
  await eventually("Fleet's kinds to be served", async () => {
    const { status, body } = await client.request({ method: 'GET', path: `/apis/${FLEET_GROUP}/v1alpha1` });
    if (status !== 200) return false;
    const { resources } = JSON.parse(Buffer.from(body).toString('utf8')) as { resources: { name: string }[] };
    return resources.filter(({ name }) => !name.includes('/')).length >= definitions.length;
  });
  for (const name of [fleetNamespace.system, fleetNamespace.clustersSystem, fleetNamespace.default, fleetNamespace.local]) {
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  const mapper = createRestMapper(client, new FakeClock());
  for (const object of renderOwnChart('fleet', fleetNamespace.system, {})) {
    if (object.kind !== 'ServiceAccount' && !object.apiVersion?.startsWith('rbac.')) continue;
    const resource = await mapper.resourceFor({ apiVersion: object.apiVersion ?? '', kind: object.kind ?? '' });
    const metadata = { ...object.metadata, ...(resource.namespaced ? { namespace: fleetNamespace.system } : {}) };
    await client.create(resource, { ...object, metadata });
  }
}

/** The objects of one of the charts of this repository. */
export function renderOwnChart(name: 'fleet' | 'fleet-agent', namespace: string, values: Record<string, unknown>): Unstructured[] {
  const { manifests } = renderChart(ownChart(name), { release: { name, namespace }, values, random: seededRandom(1), nowMs: 0 });
  return manifests.map(({ object }) => object as Unstructured);
}

const charts = new Map<string, Chart>();

function ownChart(name: string): Chart {
  const folder = join(import.meta.dirname, '..', '..', '..', 'charts', name);
  const files = () => globSync('**/*.{yaml,tpl}', { cwd: folder }).map((path): [string, Uint8Array] => [path, readFileSync(join(folder, path))]);
  const chart = charts.get(name) ?? loadChart(new Map(files()));
  charts.set(name, chart);
  return chart;
}
