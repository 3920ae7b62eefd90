/** Cluster → its namespace and the sum of its BundleDeployments; and the way out. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { namespaces } from '#api/builtin';
import { type BundleDeployment, bundleDeployments, type Cluster, clusters, FLEET_API_VERSION } from '#api/fleet';
import { findCondition } from '#apimachinery/meta';
import { isConflict, isNotFound } from '#apimachinery/status';
import type { Informer } from '#kube/cache';
import { type ManagementServer, startManagementServer } from '#testing/management';
import { checkStatusLaws } from '#testing/statuslaws';
import { clusterNamespaceName } from '../registration/index.ts';
import { ClusterReconciler } from './index.ts';

const FINALIZER = 'fleet.cattle.io/cluster-finalizer';

let server: ManagementServer;
let cache: Informer<Cluster>;
let reconciler: ClusterReconciler;
let count = 0;
let name = '';

before(async () => {
  server = await startManagementServer();
  cache = server.informer({ resource: clusters });
  reconciler = new ClusterReconciler({ clusters: cache, deployments: server.informer({ resource: bundleDeployments }), clock: server.clock });
});
after(() => server.stop());
beforeEach(() => {
  name = `c${++count}`;
});

const key = () => ({ namespace: 'fleet-default', name });
const home = () => clusterNamespaceName('fleet-default', name);
const create = () => server.put(clusters, { apiVersion: FLEET_API_VERSION, kind: 'Cluster', metadata: key(), spec: {} });
const run = () => server.reconcile(reconciler, key());
const settle = async () => {
  for (let round = 0; round < 2; round++) await run();
};
const live = () => server.client.get(clusters, key());
const deployment = (bundle: string, status: NonNullable<BundleDeployment['status']>) =>
  server.put(bundleDeployments, { apiVersion: FLEET_API_VERSION, kind: 'BundleDeployment', metadata: { namespace: home(), name: bundle }, spec: { deploymentID: 'a', stagedDeploymentID: 'a' }, status });

test('a new Cluster gets the finalizer, then a namespace that says whose it is', async () => {
  await create();
  await settle();
  const cluster = await live();
  assert.deepEqual([cluster.metadata.finalizers, cluster.status?.namespace], [[FINALIZER], home()]);
  const { metadata } = await server.client.get(namespaces, { name: home() });
  assert.deepEqual([metadata.labels?.['fleet.cattle.io/managed'], metadata.annotations], ['true', { 'fleet.cattle.io/cluster': name, 'fleet.cattle.io/cluster-namespace': 'fleet-default' }]);
  assert.deepEqual(checkStatusLaws([cluster]), []);
});

test('names of namespaces are valid, distinct and stable', () => {
  const long = clusterNamespaceName('n'.repeat(63), 'c'.repeat(63));
  assert.ok(long.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(long), long);
  assert.notEqual(clusterNamespaceName('a', 'b-c'), clusterNamespaceName('a-b', 'c'));
  assert.equal(clusterNamespaceName('a', 'b'), clusterNamespaceName('a', 'b'));
  assert.ok(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(clusterNamespaceName('a', 'name.with.dots')), 'a namespace has no dots');
});

test('status is the sum of the BundleDeployments, and nothing is written when nothing changes', async () => {
  await create();
  await settle();
  await deployment('web', { appliedDeploymentID: 'a', ready: true, nonModified: true });
  await deployment('shop', { appliedDeploymentID: 'a', ready: false, nonModified: true, nonReadyStatus: [{ kind: 'Deployment', apiVersion: 'apps/v1', namespace: 'shop', name: 'cart', summary: { state: 'in-progress' } } as never] });
  await run();
  const half = await live();
  assert.deepEqual([half.status?.display?.readyBundles, half.status?.summary?.ready, half.status?.summary?.desiredReady], ['1/2', 1, 2]);
  assert.equal(findCondition(half.status?.conditions, 'Ready')?.status, 'False');
  assert.match(findCondition(half.status?.conditions, 'Ready')?.message ?? '', /cart/);
  assert.deepEqual(checkStatusLaws([half]), []);

  const revision = server.revision();
  await run();
  assert.equal(server.revision(), revision);

  await server.client.patch(bundleDeployments, { namespace: home(), name: 'shop' }, { type: 'merge', body: { status: { ready: true, nonReadyStatus: null } } }, { subresource: 'status' });
  await run();
  const whole = await live();
  assert.equal(whole.status?.display?.readyBundles, '2/2');
  assert.equal(findCondition(whole.status?.conditions, 'Ready')?.status, 'True');
  assert.deepEqual(checkStatusLaws([whole]), []);
});

test("what others write into the status stays: the agent's check-in, the import's condition", async () => {
  await create();
  await settle();
  const imported = { type: 'Imported', status: 'True' as const, lastTransitionTime: '2026-01-01T00:00:00Z' };
  await server.client.patch(clusters, key(), { type: 'merge', body: { status: { agent: { lastSeen: '2026-01-01T00:00:00Z', namespace: 'x' }, conditions: [...((await live()).status?.conditions ?? []), imported] } } }, { subresource: 'status' });
  await deployment('web', { appliedDeploymentID: 'a', ready: true, nonModified: true });
  await run();
  const { status } = await live();
  assert.equal(status?.agent?.lastSeen, '2026-01-01T00:00:00Z');
  assert.equal(findCondition(status?.conditions, 'Imported')?.status, 'True');
});

test('a status computed from an old state is refused, not written over a newer one', async () => {
  await create();
  await settle();
  const before = await live();
  await server.client.patch(clusters, key(), { type: 'merge', body: { status: { display: { readyBundles: '9/9' } } } }, { subresource: 'status' });
  const stale = { ...cache, get: () => before } as unknown as typeof cache;
  const deployments = { list: () => [{ apiVersion: FLEET_API_VERSION, kind: 'BundleDeployment', metadata: { name: 'web', namespace: home() }, spec: {} }] } as never;
  await assert.rejects(new ClusterReconciler({ clusters: stale, deployments, clock: server.clock }).reconcile(key(), server.context('upstream')), isConflict);
  assert.equal((await live()).status?.display?.readyBundles, '9/9');
});

test('a deleted Cluster takes its namespace along, and is held until that was accepted', async () => {
  await create();
  await settle();
  await server.client.delete(clusters, key());
  assert.ok((await live()).metadata.deletionTimestamp);
  await server.interrupting(() => true, run);
  assert.deepEqual((await live()).metadata.finalizers, [FINALIZER], 'nothing was asked for yet, so it stays');
  await run();
  await assert.rejects(live(), isNotFound);
  assert.ok(await server.client.get(namespaces, { name: home() }).then(({ metadata }) => metadata.deletionTimestamp, isNotFound));
});

test('its namespace goes too when its name never reached the status, and a missing one is no error', async () => {
  await create();
  await run();
  let writes = 1;
  await server.interrupting(() => writes-- <= 0, run);
  await server.client.get(namespaces, { name: home() });
  assert.equal((await live()).status?.namespace, undefined);
  await server.client.delete(clusters, key());
  await run();
  assert.ok(await server.client.get(namespaces, { name: home() }).then(({ metadata }) => metadata.deletionTimestamp, isNotFound));
  await assert.rejects(live(), isNotFound);

  name = `${name}-bare`;
  await create();
  await run();
  await server.client.delete(clusters, key());
  await run();
  await assert.rejects(live(), isNotFound);
});
