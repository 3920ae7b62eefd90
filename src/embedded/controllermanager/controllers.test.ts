/**
 * The controllers, scheduler and simulated nodes together, over an API server in memory and a clock that
 * the test moves: what the recorded traces of a real cluster show must hold here too.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { KubeObject, Unstructured } from '#apimachinery/meta';
import type { Resource } from '#apimachinery/resource';
import { isNotFound, isTooManyRequests } from '#apimachinery/status';
import { configMaps, deployments, jobs, namespaces, nodes, podDisruptionBudgets, pods, replicaSets, serviceAccounts, type Deployment, type Job, type Node, type Pod, type ReplicaSet } from '#api/builtin';
import type { FakeClock } from '#testing/clock';
import { startSimulatedCluster, type SimulatedCluster } from '#testing/cluster';

const NS = 'default';
let clock: FakeClock;
let cluster: SimulatedCluster;
let until: SimulatedCluster['until'];
let elapsed: SimulatedCluster['elapsed'];

beforeEach(async () => {
  cluster = await startSimulatedCluster({
    nodes: ['node-1', 'node-2', 'node-3', 'node-4'],
    node: { leaseRenewMs: 2000, simulation: { completeAfterMs: undefined } },
    settings: { nodeMonitorGraceMs: 10_000 },
  });
  ({ clock, until, elapsed } = cluster);
});
afterEach(() => cluster.stop());

const list = async <T extends KubeObject>(resource: Resource<T>): Promise<T[]> => (await cluster.client.list(resource, { namespace: NS })).items;
const livePods = async () => (await list(pods)).filter((pod) => !pod.metadata.deletionTimestamp);
const get = <T extends KubeObject>(resource: Resource<T>, name: string): Promise<T> => cluster.client.get(resource, { namespace: NS, name });
const gone = (resource: Resource<Unstructured>, name: string) => get(resource, name).then(() => false, (error: unknown) => isNotFound(error));
const isReady = (pod: Pod) => pod.status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') === true;
const reason = (object: { status?: { conditions?: { type: string; status: string; reason?: string }[] } }, type: string) => {
  const condition = object.status?.conditions?.find((each) => each.type === type);
  return condition && `${condition.status}:${condition.reason ?? ''}`;
};

function deployment(replicas: number, spec: object = {}, podSpec: object = {}): Deployment {
  const template = { metadata: { labels: { app: 'web' } }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image: 'app:1' }], ...podSpec } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: NS }, spec: { replicas, selector: { matchLabels: { app: 'web' } }, template, ...spec } };
}

async function steady(replicas: number): Promise<void> {
  await until(`${replicas} replicas`, async () => {
    const { metadata, status } = await get(deployments, 'web');
    return status?.observedGeneration === metadata.generation && status?.updatedReplicas === replicas && status.replicas === replicas && status.availableReplicas === replicas;
  });
}

const setImage = (image: string) => cluster.client.patch(deployments, { namespace: NS, name: 'web' }, { type: 'strategic', body: { spec: { template: { spec: { containers: [{ name: 'main', image }] } } } } });

test('a rolling update keeps to its limits, pod by pod', async () => {
  await cluster.client.create(deployments, deployment(3, { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }));
  await steady(3);
  await setImage('app:2');
  await until('the rollout ends', async () => {
    const alive = await livePods();
    assert.ok(alive.length <= 4, 'never more than 4 pods');
    assert.ok(alive.filter(isReady).length >= 3, 'never fewer than 3 available');
    const { status, metadata } = await get(deployments, 'web');
    return status?.observedGeneration === metadata.generation && status?.updatedReplicas === 3 && status.replicas === 3;
  });
  const web = await until('it is complete', async () => {
    const each = await get(deployments, 'web');
    return reason(each, 'Progressing') === 'True:NewReplicaSetAvailable' && each;
  });
  assert.equal(web.metadata.annotations?.['deployment.kubernetes.io/revision'], '2');
});

test('Recreate makes no new pod before the last old one is gone', async () => {
  await cluster.client.create(deployments, deployment(2, { strategy: { type: 'Recreate' } }));
  await steady(2);
  const old = new Set((await list(pods)).map((pod) => pod.metadata.uid));
  await setImage('app:2');
  await until('new pods run', async () => {
    const all = await list(pods);
    const [before, after] = [all.filter((pod) => old.has(pod.metadata.uid)), all.filter((pod) => !old.has(pod.metadata.uid))];
    assert.ok(before.length === 0 || after.length === 0);
    return after.length === 2 && after.every(isReady);
  });
});

test('a rollout that does not progress says so, and going back reuses the old set under a new revision', async () => {
  await cluster.client.create(deployments, deployment(2, { progressDeadlineSeconds: 5, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }));
  await steady(2);
  const setScheduler = (schedulerName: string) => cluster.client.patch(deployments, { namespace: NS, name: 'web' }, { type: 'strategic', body: { spec: { template: { spec: { schedulerName } } } } });
  await setScheduler('none');
  await until('the deadline', async () => reason(await get(deployments, 'web'), 'Progressing') === 'False:ProgressDeadlineExceeded', 10_000);
  await setScheduler('default-scheduler');
  await steady(2);
  const sets = await list(replicaSets);
  assert.equal(sets.length, 2);
  assert.deepEqual(sets.map((set) => `${set.spec?.replicas} of revision ${set.metadata.annotations?.['deployment.kubernetes.io/revision']}`).sort(), ['0 of revision 2', '2 of revision 3']);
});

test('a matching orphan is adopted, and a pod whose label changes is released and replaced', async () => {
  const template = { metadata: { labels: { app: 'set' } }, spec: { containers: [{ name: 'main', image: 'app:1' }] } };
  await cluster.client.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'free', namespace: NS, labels: { app: 'set' } }, spec: template.spec } as Pod);
  await cluster.client.create(replicaSets, { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'set', namespace: NS }, spec: { replicas: 2, selector: { matchLabels: { app: 'set' } }, template } } as ReplicaSet);
  await until('two pods', async () => (await get(replicaSets, 'set')).status?.readyReplicas === 2);
  assert.equal((await list(pods)).length, 2);
  assert.equal((await get(pods, 'free')).metadata.ownerReferences?.[0]?.name, 'set');
  await cluster.client.patch(pods, { namespace: NS, name: 'free' }, { type: 'merge', body: { metadata: { labels: { app: 'other' } } } });
  await until('released and replaced', async () => (await list(pods)).length === 3 && (await get(pods, 'free')).metadata.ownerReferences === undefined);
});

test('a silent node is marked, tainted and emptied; its pod stays Terminating until it is back', async () => {
  const tolerations = ['not-ready', 'unreachable'].map((key) => ({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }));
  const topologySpreadConstraints = [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } } }];
  await cluster.client.create(deployments, deployment(2, {}, { tolerations, topologySpreadConstraints }));
  await steady(2);
  const victim = (await list(pods))[0] as Pod;
  const name = victim.spec?.nodeName ?? '';
  const node = (): Promise<Node> => cluster.client.get(nodes, { name });
  await cluster.nodes.get(name)?.cut();
  const cutMs = clock.monotonicMs();
  await until('Unknown', async () => reason(await node(), 'Ready') === 'Unknown:NodeStatusUnknown');
  const silentForMs = clock.monotonicMs() - cutMs;
  assert.ok(silentForMs >= 8000 && silentForMs <= 10_500, `${silentForMs} ms`);
  await until('both taints', async () => ((await node()).spec?.taints ?? []).filter((taint) => taint.key === 'node.kubernetes.io/unreachable').length === 2, 500);
  assert.equal(isReady(await get(pods, victim.metadata.name ?? '')), false);
  await until('the replacement', async () => (await livePods()).filter(isReady).length === 2, 10_000);
  await elapsed(20_000);
  const stuck = await get(pods, victim.metadata.name ?? '');
  assert.ok(stuck.metadata.deletionTimestamp, 'only its kubelet may finish it');
  assert.equal(reason(stuck, 'DisruptionTarget'), 'True:DeletionByTaintManager');
  await cluster.nodes.get(name)?.start();
  await until('it is gone', () => gone(pods as Resource<Unstructured>, victim.metadata.name ?? ''), 2000);
  await until('the node is fine', async () => reason(await node(), 'Ready') === 'True:KubeletReady' && !(await node()).spec?.taints?.length, 2000);
});

test('when every node is silent nothing is evicted', async () => {
  await cluster.client.create(deployments, deployment(2));
  await steady(2);
  for (const node of cluster.nodes.values()) await node.cut();
  await until('all Unknown', async () => (await cluster.client.list(nodes)).items.every((node) => reason(node, 'Ready') === 'Unknown:NodeStatusUnknown'));
  await elapsed(1000);
  const taints = (await cluster.client.list(nodes)).items.flatMap((node) => node.spec?.taints ?? []);
  assert.deepEqual([...new Set(taints.map((taint) => taint.effect))], ['NoSchedule']);
});

test('an eviction uses the budget up until the replacement is ready', async () => {
  await cluster.client.create(deployments, deployment(3));
  await cluster.client.create(podDisruptionBudgets, { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'pdb', namespace: NS }, spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } } } });
  await steady(3);
  await until('the budget', async () => (await get(podDisruptionBudgets, 'pdb')).status?.disruptionsAllowed === 1);
  const [first, second] = await list(pods);
  const evict = (pod: Pod | undefined) => cluster.client.create(pods, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod?.metadata.name ?? '', namespace: NS } } as Pod, { subresource: 'eviction' });
  await evict(first);
  assert.equal(reason(await get(pods, first?.metadata.name ?? ''), 'DisruptionTarget'), 'True:EvictionByEvictionAPI');
  await assert.rejects(evict(second), (error) => isTooManyRequests(error));
  await until('the replacement is ready', async () => (await get(podDisruptionBudgets, 'pdb')).status?.disruptionsAllowed === 1);
  await evict(second);
});

for (const policy of ['Background', 'Foreground', 'Orphan'] as const) {
  test(`deletion of a Deployment, ${policy}`, async () => {
    await cluster.client.create(deployments, deployment(2));
    await steady(2);
    await cluster.client.delete(deployments, { namespace: NS, name: 'web' }, { propagationPolicy: policy });
    if (policy === 'Orphan') {
      await until('it is gone', () => gone(deployments as Resource<Unstructured>, 'web'));
      await elapsed(1000);
      assert.equal((await list(replicaSets))[0]?.metadata.ownerReferences, undefined);
      assert.equal((await list(pods)).length, 2);
      return;
    }
    await until('all are gone', async () => {
      const remaining = await list(pods);
      if (policy === 'Foreground' && remaining.length > 0) assert.ok(!(await gone(deployments as Resource<Unstructured>, 'web')), 'the owner goes last');
      return remaining.length === 0 && (await list(replicaSets)).length === 0 && (await gone(deployments as Resource<Unstructured>, 'web'));
    });
  });
}

test('a namespace goes with its content, and its conditions tell what holds it', async () => {
  const namespace = 'doomed';
  await cluster.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await until('its account', () => cluster.client.get(serviceAccounts, { namespace, name: 'default' }).then(() => true, () => false));
  await cluster.client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', namespace, finalizers: ['example.com/hold'] } });
  await cluster.client.create(deployments, { ...deployment(2), metadata: { name: 'web', namespace } });
  await until('its pods', async () => (await cluster.client.list(pods, { namespace })).items.filter(isReady).length === 2);
  await cluster.client.delete(namespaces, { name: namespace });
  const space = await until('it is held', async () => {
    const each = await cluster.client.get(namespaces, { name: namespace });
    return reason(each, 'NamespaceFinalizersRemaining') === 'True:SomeFinalizersRemain' && each;
  });
  assert.equal(reason(space, 'NamespaceContentRemaining'), 'True:SomeResourcesRemain');
  assert.equal((await cluster.client.list(pods, { namespace })).items.length, 0);
  await cluster.client.patch(configMaps, { namespace, name: 'held' }, { type: 'merge', body: { metadata: { finalizers: null } } });
  await until('it is gone', () => cluster.client.get(namespaces, { name: namespace }).then(() => false, (error: unknown) => isNotFound(error)));
});

const job = (spec: object): Job => ({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'job', namespace: NS }, spec: { template: { spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image: 'app:1' }] } }, ...spec } }) as Job;

async function finish(phase: 'Succeeded' | 'Failed'): Promise<void> {
  const pod = await until('a running pod', async () => (await list(pods)).find((each) => each.status?.phase === 'Running'));
  await cluster.client.patch(pods, { namespace: NS, name: pod.metadata.name ?? '' }, { type: 'strategic', body: { status: { phase, containerStatuses: [{ name: 'main', image: 'app:1', imageID: 'x', ready: false, restartCount: 0, state: { terminated: { exitCode: phase === 'Failed' ? 1 : 0 } } }] } } }, { subresource: 'status' });
}

test('a Job counts each pod once and completes', async () => {
  await cluster.client.create(jobs, job({ completions: 3, parallelism: 2 }));
  for (let count = 1; count <= 3; count++) {
    await finish('Succeeded');
    await until(`${count} succeeded`, async () => (await get(jobs, 'job')).status?.succeeded === count);
  }
  await until('complete', async () => reason(await get(jobs, 'job'), 'Complete') === 'True:CompletionsReached');
  assert.ok((await list(pods)).every((pod) => !pod.metadata.finalizers?.length));
});

test('a Job retries after 10 s and 20 s, then fails', async () => {
  await cluster.client.create(jobs, job({ backoffLimit: 2 }));
  const made: number[] = [];
  for (let count = 1; count <= 3; count++) {
    await until(`pod ${count}`, async () => (await list(pods)).length === count);
    made.push(clock.monotonicMs());
    await finish('Failed');
  }
  const gaps = made.slice(1).map((ms, index) => (ms - (made[index] ?? 0)) / 1000);
  assert.ok((gaps[0] ?? 0) > 8 && (gaps[0] ?? 0) < 12 && (gaps[1] ?? 0) > 18 && (gaps[1] ?? 0) < 22, String(gaps));
  await until('failed', async () => reason(await get(jobs, 'job'), 'Failed') === 'True:BackoffLimitExceeded');
  assert.equal((await get(jobs, 'job')).status?.failed, 3);
});

test('pods of a deleted Job are not held by its finalizer', async () => {
  await cluster.client.create(jobs, job({}));
  await until('its pod', async () => (await list(pods)).length === 1);
  await cluster.client.delete(jobs, { namespace: NS, name: 'job' }, { propagationPolicy: 'Background' });
  await until('all gone', async () => (await list(pods)).length === 0);
});
