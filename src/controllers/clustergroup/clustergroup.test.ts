/** ClusterGroup → the sum of the clusters it chooses, in its own namespace only. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Cluster, type ClusterGroup, clusterGroups, clusters, FLEET_API_VERSION } from '#api/fleet';
import { findCondition } from '#apimachinery/meta';
import { type ManagementServer, startManagementServer } from '#testing/management';
import { checkStatusLaws } from '#testing/statuslaws';
import { ClusterGroupReconciler } from './index.ts';

const NAMESPACE = 'fleet-default';

let server: ManagementServer;
let reconciler: ClusterGroupReconciler;

before(async () => {
  server = await startManagementServer();
  reconciler = new ClusterGroupReconciler({ groups: server.informer({ resource: clusterGroups }), clusters: server.informer({ resource: clusters }), clock: server.clock });
  await cluster('dev', { env: 'dev' }, 1);
  await cluster('prod-1', { env: 'prod' }, 1);
  await cluster('prod-2', { env: 'prod' }, 0);
  await cluster('elsewhere', { env: 'prod' }, 1, 'fleet-local');
});
after(() => server.stop());

function cluster(name: string, labels: Record<string, string>, ready: number, namespace = NAMESPACE): Promise<Cluster> {
  const summary = { desiredReady: 1, ready, notReady: 1 - ready };
  const conditions = [{ type: 'Ready', status: ready ? ('True' as const) : ('False' as const), lastTransitionTime: '2026-01-01T00:00:00Z' }];
  return server.put(clusters, { apiVersion: FLEET_API_VERSION, kind: 'Cluster', metadata: { namespace, name, labels }, spec: {}, status: { summary, conditions } });
}

const group = (name: string, spec: ClusterGroup['spec']) => server.put(clusterGroups, { apiVersion: FLEET_API_VERSION, kind: 'ClusterGroup', metadata: { namespace: NAMESPACE, name }, spec });

async function statusOf(name: string): Promise<NonNullable<ClusterGroup['status']>> {
  await server.reconcile(reconciler, { namespace: NAMESPACE, name });
  const live = await server.client.get(clusterGroups, { namespace: NAMESPACE, name });
  assert.deepEqual(checkStatusLaws([live]), []);
  return live.status ?? {};
}

test('a group counts the clusters of its namespace that its selector chooses', async () => {
  const check = async (name: string, spec: ClusterGroup['spec'], counts: [number | undefined, number | undefined]) => {
    await group(name, spec);
    const { clusterCount, nonReadyClusterCount } = await statusOf(name);
    assert.deepEqual([clusterCount, nonReadyClusterCount], counts, name);
  };
  await check('prod', { selector: { matchLabels: { env: 'prod' } } }, [2, 1]);
  await check('dev', { selector: { matchLabels: { env: 'dev' } } }, [1, 0]);
  await check('not-dev', { selector: { matchExpressions: [{ key: 'env', operator: 'NotIn', values: ['dev'] }] } }, [2, 1]);
  await check('none', { selector: { matchLabels: { env: 'qa' } } }, [0, 0]);
  const { nonReadyClusters, conditions } = await statusOf('prod');
  assert.deepEqual(nonReadyClusters, ['prod-2']);
  assert.equal(findCondition(conditions, 'Ready')?.status, 'False');
});

test('clusters that come, recover and go change the count; nothing else is written', async () => {
  await group('later', { selector: { matchLabels: { env: 'later' } } });
  assert.equal((await statusOf('later')).clusterCount, 0);
  await cluster('later-1', { env: 'later' }, 0);
  assert.deepEqual((await statusOf('later')).nonReadyClusterCount, 1);
  const revision = server.revision();
  await statusOf('later');
  assert.equal(server.revision(), revision);
  await server.client.delete(clusters, { namespace: NAMESPACE, name: 'later-1' });
  const { clusterCount, nonReadyClusterCount, nonReadyClusters = [] } = await statusOf('later');
  assert.deepEqual([clusterCount, nonReadyClusterCount, nonReadyClusters], [0, 0, []]);
});

test('a group that is gone is nobody\'s business', async () => {
  assert.equal((await server.reconcile(reconciler, { namespace: NAMESPACE, name: 'missing' })).kind, 'done');
});
