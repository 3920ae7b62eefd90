/**
 * A whole embedded cluster in the test's process: API server over memory, controllers, scheduler and nodes
 * with simulated images, on a clock of the test's choice. No socket is opened except the nodes' proxies.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type Clock } from '#base/clock';
import { silentLog, type Log } from '#base/log';
import { seededRandom } from '#base/random';
import { serviceAccounts } from '#api/builtin';
import { FakeClock } from '#testing/clock';
import { createInformer } from '#kube/cache';
import { createClient, type Client } from '#kube/client';
import { createApiServer, generateTokenKey } from '#embedded/apiserver';
import { InformerPool, type ControlPlane } from '#embedded/controlloop';
import { CONTROLLER_DEFAULTS, SHARED_INDEXERS, startControllers, type ControllerSettings } from '#embedded/controllermanager';
import { inProcessTransport } from '#embedded/inprocess';
import { Kubelet, systemProcessRunner, type ImageRuntime, type NodeOptions, type ProcessRunner } from '#embedded/kubelet';
import { SchedulerController } from '#embedded/scheduler';
import { memoryStorage } from '#embedded/storage';

const TOKEN = 'test-admin';

export interface TestClusterOptions {
  nodes?: readonly string[];
  clock?: Clock;
  log?: Log;
  images?: ImageRuntime;
  runner?: ProcessRunner;
  node?: Partial<NodeOptions>;
  settings?: Partial<ControllerSettings>;
}

export interface TestCluster {
  client: Client;
  plane: ControlPlane;
  nodes: ReadonlyMap<string, Kubelet>;
  stop(): Promise<void>;
}

/** Starts everything; `stop` ends everything and removes the nodes' folders. */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const { clock = systemClock, log = silentLog } = options;
  const random = seededRandom(7);
  const server = createApiServer({ storage: memoryStorage(), clock, random, log, tokenKey: generateTokenKey(), tokens: [{ token: TOKEN, user: 'admin', groups: ['system:masters'] }] });
  await server.start();
  const abort = new AbortController();
  const transport = inProcessTransport({ handle: (request) => server.handle(request), clock, headers: { authorization: `Bearer ${TOKEN}` } });
  const client = createClient(transport);
  const deps = { reader: client, clock, random, log };
  const informers = new InformerPool((informer) => createInformer(informer, deps), SHARED_INDEXERS);
  const plane: ControlPlane = { client, informers, clock, random, log };
  const folder = mkdtempSync(join(tmpdir(), 'fleet-ts-cluster-'));
  const runner = options.runner ?? systemProcessRunner({ clock, log });
  const scheduler = new SchedulerController(plane);
  const nodes = new Map((options.nodes ?? ['node-1', 'node-2']).map((name, index) => [name, newNode(plane, { name, index, folder, runner, options })]));
  const watchMetadata: ControllerSettings['watchMetadata'] = (resource, signal) => {
    const informer = createInformer({ resource, transform: (object) => ({ apiVersion: object.apiVersion ?? '', kind: object.kind ?? '', metadata: object.metadata }) }, deps);
    informer.start(signal);
    return informer;
  };
  await startControllers(plane, { ...CONTROLLER_DEFAULTS, caPem: 'test CA', watchMetadata, ...options.settings }, abort.signal);
  await scheduler.start(abort.signal);
  await Promise.all([...nodes.values()].map((node) => node.run(abort.signal)));
  return {
    client,
    plane,
    nodes,
    async stop() {
      abort.abort(new Error('the test is over'));
      runner.close();
      transport.close();
      server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function newNode(plane: ControlPlane, { name, index, folder, runner, options }: { name: string; index: number; folder: string; runner: ProcessRunner; options: TestClusterOptions }): Kubelet {
  return new Kubelet(plane, {
    name,
    folder: join(folder, name),
    images: options.images ?? { resolve: () => undefined },
    runner,
    apiServer: { host: '127.0.0.1', port: 1 },
    subnet: `127.77.${index + 1}`,
    ...options.node,
  });
}

/** A cluster on a clock that the test moves. */
export interface SimulatedCluster extends TestCluster {
  clock: FakeClock;
  /** Moves the clock until the condition holds; fails after `limitMs` (default one minute) of its time. */
  until: <T>(what: string, probe: () => Promise<T | undefined | false> | T | undefined | false, limitMs?: number) => Promise<T>;
  elapsed: (ms: number) => Promise<void>;
}

const STEP_MS = 20;

/** Starts a cluster on a {@link FakeClock} and waits for the account `default`, without which no pod is admitted. */
export async function startSimulatedCluster(options: Omit<TestClusterOptions, 'clock'> = {}): Promise<SimulatedCluster> {
  const clock = new FakeClock();
  let cluster: TestCluster | undefined;
  const starting = startTestCluster({ ...options, clock }).then((started) => (cluster = started));
  while (!cluster) await clock.advance(1);
  const { client } = await starting;
  const until: SimulatedCluster['until'] = async (what, probe, limitMs = 60_000) => {
    for (let spentMs = 0; spentMs <= limitMs; spentMs += STEP_MS) {
      const value = await probe();
      if (value) return value;
      await clock.advance(STEP_MS);
    }
    throw new Error(`${what}: not within ${limitMs} ms of the test's clock`);
  };
  await until('the default account', () => client.get(serviceAccounts, { namespace: 'default', name: 'default' }).then(() => true, () => false));
  return {
    ...cluster,
    clock,
    until,
    async elapsed(ms) {
      for (let spentMs = 0; spentMs < ms; spentMs += STEP_MS) await clock.advance(STEP_MS);
    },
  };
}
