/**
 * What can go wrong at a failover elsewhere (facts on Fleet, §4.6, hazards 1–7), and that it does not here. Hazards
 * with a test of their own beside the code are only named:
 *
 *   1 a leader that could not start its work   src/kube/manager/manager.test.ts
 *   2 SIGTERM in the middle of an operation    src/kube/manager/manager.test.ts (drained), test/crashpoints (cut)
 *   3 two replicas of one identity             here
 *   4 no fencing                               test/crashpoints/delayed.test.ts
 *   5 upstream out of reach                    here
 *   6 upstream restored from an old backup     here, src/agent/bundledeployment/removal-guard.test.ts
 *   7 a cluster that fell silent               here
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BULK_REMOVAL_HOLD_MS, BundleDeploymentReconciler, BY_OWNER, ContentCache, ownerIndex, RemovalGuard } from '#agent/bundledeployment';
import { Monitor } from '#agent/monitor';
import { configMaps, secrets } from '#api/builtin';
import { type BundleDeployment, bundleDeployments, clusters, contents } from '#api/fleet';
import { findCondition, keyOf } from '#apimachinery/meta';
import { rfc3339 } from '#base/clock';
import { silentLog } from '#base/log';
import { seededRandom } from '#base/random';
import { ClusterReconciler } from '#controllers/cluster';
import { buildContent, contentName } from '#core/bundle';
import { createInformer, type InformerOptions } from '#kube/cache';
import { createRestMapper } from '#kube/client';
import type { KubeObject } from '#apimachinery/meta';
import type { Outcome, ReconcileContext } from '#kube/controller';
import { processIdentity } from '../src/cmd/adapters/process.ts';
import { setUp } from './crashpoints/gitops.ts';
import { type Replica, World } from './crashpoints/world.ts';

const CLUSTER = 'cluster-c0';
const AGENT = 'cattle-fleet-system';
const RESOURCES = [{ name: 'settings.yaml', content: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  value: right\n' }];

/** An agent over one world that is both clusters; its reconciler is called by hand. */
class Agent {
  readonly guard: RemovalGuard;
  readonly #world: World;
  readonly #life = new AbortController();
  readonly #informers: { barrier(signal: AbortSignal): Promise<void> }[] = [];
  readonly #reconciler: BundleDeploymentReconciler;

  constructor(world: World) {
    this.#world = world;
    this.guard = new RemovalGuard({ clock: world.clock, holdMs: BULK_REMOVAL_HOLD_MS });
    const informer = <T extends KubeObject>(options: InformerOptions<T>) => {
      const made = createInformer(options, { reader: world.admin, clock: world.clock, random: seededRandom(1), log: silentLog });
      this.#informers.push(made);
      made.start(this.#life.signal);
      return made;
    };
    const mapper = createRestMapper(world.admin, world.clock);
    this.#reconciler = new BundleDeploymentReconciler({
      deployments: informer({ resource: bundleDeployments, namespace: CLUSTER }),
      releaseSecrets: informer({ resource: secrets, labelSelector: 'owner=helm', indexers: { [BY_OWNER]: ownerIndex } }),
      monitor: new Monitor({ mapper, informer, clock: world.clock, log: silentLog }),
      mapper,
      contents: new ContentCache(world.admin),
      capabilities: async () => ({ kubeVersion: 'v1.36.0', apiVersions: ['v1'], isNamespaced: () => true }),
      agentNamespace: AGENT,
      clock: world.clock,
      random: seededRandom(2),
      guard: this.guard,
    });
  }

  async reconcile(name: string, upstream: Replica, downstream: Replica): Promise<Outcome> {
    await this.#world.run(Promise.all(this.#informers.map((made) => made.barrier(this.#life.signal))));
    const { term } = downstream.client;
    const ctx: ReconcileContext<'upstream' | 'downstream'> = { clients: { upstream: upstream.client, downstream: downstream.client }, term: term as ReconcileContext['term'], signal: downstream.signal, log: silentLog };
    return this.#world.run(this.#reconciler.reconcile({ namespace: CLUSTER, name }, ctx));
  }

  stop(): void {
    this.#life.abort(new Error('the agent ended'));
  }
}

function deployment(name: string, over: Partial<BundleDeployment['spec']> = {}): BundleDeployment {
  const spec = { deploymentID: `${contentName(RESOURCES)}:options`, options: { defaultNamespace: name }, ...over };
  return { apiVersion: 'fleet.cattle.io/v1alpha1', kind: 'BundleDeployment', metadata: { namespace: CLUSTER, name }, spec };
}

async function withAgent(names: readonly string[], over: Partial<BundleDeployment['spec']> = {}): Promise<{ world: World; agent: Agent; replica: Replica }> {
  const world = await World.start();
  await setUp(world, 1);
  await world.run(world.admin.create(contents, buildContent(RESOURCES, (bytes) => gzipSync(bytes))));
  const replica = world.replica('agent', 1);
  const agent = new Agent(world);
  for (const name of names) await world.run(world.admin.create(bundleDeployments, deployment(name, over)));
  for (const name of names) await agent.reconcile(name, replica, replica);
  for (const name of names) assert.equal(await valueOf(world, name), 'right');
  return { world, agent, replica };
}

async function valueOf(world: World, namespace: string): Promise<string | undefined> {
  const found = await world.run(world.admin.list(configMaps, { namespace }));
  return found.items.find(({ metadata }) => metadata.name === 'settings')?.data?.['value'];
}

test('3: two processes with equal surroundings do not share an identity', () => {
  const env = { HOSTNAME: 'node-1' };
  assert.notEqual(processIdentity(env).holder, processIdentity(env).holder);
});

test('5: an upstream out of reach changes nothing downstream and is tried again', async () => {
  const { world, agent, replica } = await withAgent(['a']);
  const before = world.writes.filter(({ by }) => by === 'agent').length;
  await world.run(world.admin.patch(bundleDeployments, { namespace: CLUSTER, name: 'a' }, { type: 'merge', body: { spec: { options: { forceSyncGeneration: 1 } } } }));
  const cut = world.replica('cut', 1, { at: 1, how: 'not-sent' });
  await assert.rejects(agent.reconcile('a', cut, replica));
  assert.equal(await valueOf(world, 'a'), 'right');
  const downstream = world.writes.filter(({ by }) => by === 'agent').slice(before);
  assert.deepEqual(downstream.filter(({ method }) => method === 'DELETE'), []);
  agent.stop();
  world.stop();
});

describe('6: BundleDeployments that vanish', () => {
  const names = ['a', 'b', 'c', 'd'];
  const vanish = async (world: World) => {
    for (const name of names) await world.run(world.admin.delete(bundleDeployments, { namespace: CLUSTER, name }));
  };

  test('in bulk and unseen keep their workloads for the time of the hold', async () => {
    const { world, agent, replica } = await withAgent(names);
    await vanish(world);
    const outcome = await agent.reconcile('a', replica, replica);
    assert.equal(outcome.kind, 'requeueAfter');
    assert.equal(await valueOf(world, 'a'), 'right');
    await world.clock.advance(BULK_REMOVAL_HOLD_MS);
    await agent.reconcile('a', replica, replica);
    assert.equal(await valueOf(world, 'a'), undefined);
    agent.stop();
    world.stop();
  });

  test('before the eyes of the agent take their workloads along', async () => {
    const { world, agent, replica } = await withAgent(names);
    await vanish(world);
    for (const name of names) agent.guard.witnessed(name);
    for (const name of names) await agent.reconcile(name, replica, replica);
    for (const name of names) assert.equal(await valueOf(world, name), undefined);
    agent.stop();
    world.stop();
  });
});

test('7: a cluster that fell silent is offline until it reports again', async () => {
  const world = await World.start();
  await setUp(world, 1);
  const key = { namespace: 'fleet-default', name: 'c0' };
  const replica = world.replica('controller', 1);
  const life = new AbortController();
  const deps = { reader: world.admin, clock: world.clock, random: seededRandom(1), log: silentLog };
  const [known, deployments] = [createInformer({ resource: clusters }, deps), createInformer({ resource: bundleDeployments }, deps)];
  known.start(life.signal);
  deployments.start(life.signal);
  const reconciler = new ClusterReconciler({ clusters: known, deployments, clock: world.clock, checkinMs: () => 60_000 });
  const report = () => world.run(world.admin.patch(clusters, key, { type: 'merge', body: { status: { agent: { lastSeen: rfc3339(world.clock.wallMs()) } } } }, { subresource: 'status' }));
  const online = async () => {
    const ctx: ReconcileContext<'upstream'> = { clients: { upstream: replica.client }, term: replica.client.term as ReconcileContext['term'], signal: replica.signal, log: silentLog };
    for (let pass = 0; pass < 2; pass++) {
      await world.run(Promise.all([known.barrier(life.signal), deployments.barrier(life.signal)]));
      await world.run(reconciler.reconcile(key, ctx));
    }
    const { status } = await world.run(world.admin.get(clusters, key));
    return [findCondition(status?.conditions, 'Online')?.status, status?.display?.state];
  };
  await report();
  assert.deepEqual(await online(), ['True', undefined]);
  await world.clock.advance(181_000);
  assert.deepEqual(await online(), ['False', 'Offline']);
  await report();
  assert.deepEqual(await online(), ['True', undefined]);
  life.abort(new Error('the test is over'));
  world.stop();
});

test('drift is put back after a moment, and a fight with another controller slows down', async () => {
  const { world, agent, replica } = await withAgent(['a'], { correctDrift: { enabled: true } });
  const spoil = () => world.run(world.admin.patch(configMaps, { namespace: 'a', name: 'settings' }, { type: 'merge', body: { data: { value: 'wrong' } } }, { fieldManager: 'somebody' }));
  await agent.reconcile('a', replica, replica);
  const waits: number[] = [];
  for (let round = 0; round < 3; round++) {
    await spoil();
    const outcome = await agent.reconcile('a', replica, replica);
    assert.equal(outcome.kind, 'requeueAfter', 'it waits for the burst to end');
    if (outcome.kind === 'requeueAfter') waits.push(Math.round(outcome.delayMs / 1000));
    assert.equal(await valueOf(world, 'a'), 'wrong');
    if (outcome.kind === 'requeueAfter') await world.clock.advance(outcome.delayMs);
    await agent.reconcile('a', replica, replica);
    assert.equal(await valueOf(world, 'a'), 'right');
  }
  assert.deepEqual(waits, [1, 2, 4]);
  const { status } = await world.run(world.admin.get(bundleDeployments, keyOf(deployment('a'))));
  assert.equal(status?.nonModified, true);
  agent.stop();
  world.stop();
});

