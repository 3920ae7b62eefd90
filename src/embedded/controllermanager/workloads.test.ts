/** StatefulSets, DaemonSets, CronJobs, endpoints and aggregated roles, on a cluster in memory. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import {
  clusterRoles, configMaps, cronJobs, daemonSets, deployments, endpoints, endpointSlices, events, jobs, nodes, persistentVolumeClaims, persistentVolumes, pods, secrets, serviceAccounts, services, statefulSets, tokenReviews,
  type CronJob, type DaemonSet, type Pod, type Service, type StatefulSet, type TokenReview,
} from '#api/builtin';
import { isNotFound } from '#apimachinery/status';
import { startSimulatedCluster, type SimulatedCluster } from '#testing/cluster';

const NS = 'default';
let cluster: SimulatedCluster;
let until: SimulatedCluster['until'];
beforeEach(async () => {
  cluster = await startSimulatedCluster({ nodes: ['node-1', 'node-2', 'node-3'], node: { leaseRenewMs: 2000 }, settings: { loadBalancerAddress: '127.0.0.9', provisionVolumes: true } });
  ({ until } = cluster);
});
afterEach(() => cluster.stop());

const listPods = async () => (await cluster.client.list(pods, { namespace: NS })).items.sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
const isReady = (pod: Pod) => pod.status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') === true;
const template = (image = 'app:1') => ({ metadata: { labels: { app: 'db' } }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image, ports: [{ name: 'http', containerPort: 8080 }] }] } });
const key = (name: string) => ({ namespace: NS, name });

test('a StatefulSet makes its pods in order, updates from the top, and keeps names and claims', async () => {
  const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db', namespace: NS }, spec: { replicas: 3, serviceName: 'db', selector: { matchLabels: { app: 'db' } }, template: template(), volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }] } };
  await cluster.client.create(statefulSets, set as StatefulSet);
  await until('three ready pods', async () => {
    const all = await listPods();
    assert.deepEqual(all.map((pod) => pod.metadata.name), ['db-0', 'db-1', 'db-2'].slice(0, all.length));
    assert.ok(all.slice(0, -1).every(isReady), 'each waits for the one before it');
    return all.length === 3 && all.every(isReady);
  });
  assert.deepEqual((await cluster.client.list(persistentVolumeClaims, { namespace: NS })).items.map((claim) => claim.metadata.name ?? '').sort(), ['data-db-0', 'data-db-1', 'data-db-2']);
  const uids = new Map((await listPods()).map((pod) => [pod.metadata.name, pod.metadata.uid]));
  await cluster.client.patch(statefulSets, key('db'), { type: 'strategic', body: { spec: { template: { spec: { containers: [{ name: 'main', image: 'app:2' }] } } } } });
  const order: string[] = [];
  await until('all updated', async () => {
    const all = await listPods();
    for (const pod of all) if (uids.get(pod.metadata.name) !== pod.metadata.uid && !order.includes(pod.metadata.name ?? '')) order.push(pod.metadata.name ?? '');
    assert.ok(all.filter((pod) => !isReady(pod)).length <= 1);
    const { status } = await cluster.client.get(statefulSets, key('db'));
    return order.length === 3 && status?.updatedReplicas === 3 && status.readyReplicas === 3 && status.currentRevision === status.updateRevision;
  });
  assert.deepEqual(order, ['db-2', 'db-1', 'db-0']);
  await cluster.client.patch(statefulSets, key('db'), { type: 'merge', body: { spec: { replicas: 1 } } });
  await until('one is left', async () => (await listPods()).map((pod) => pod.metadata.name).join() === 'db-0');
});

test('a partition holds the lower ordinals back', async () => {
  const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db', namespace: NS }, spec: { replicas: 3, podManagementPolicy: 'Parallel', serviceName: 'db', updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } }, selector: { matchLabels: { app: 'db' } }, template: template() } };
  await cluster.client.create(statefulSets, set as StatefulSet);
  await until('ready', async () => (await listPods()).filter(isReady).length === 3);
  await cluster.client.patch(statefulSets, key('db'), { type: 'strategic', body: { spec: { template: { spec: { containers: [{ name: 'main', image: 'app:2' }] } } } } });
  await until('the top one is new', async () => (await listPods()).map((pod) => pod.spec?.containers[0]?.image).join() === 'app:1,app:1,app:2');
  await cluster.client.delete(pods, key('db-0'));
  await until('a held one comes back as it was', async () => {
    const all = await listPods();
    return all.length === 3 && all.every(isReady) && all[0]?.spec?.containers[0]?.image === 'app:1';
  });
});

test('a DaemonSet runs once on every node that admits it, also when nodes change', async () => {
  const set = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'agent', namespace: NS }, spec: { selector: { matchLabels: { app: 'db' } }, template: template() } };
  await cluster.client.create(daemonSets, set as DaemonSet);
  const places = async () => (await listPods()).map((pod) => pod.spec?.nodeName ?? '').sort().join();
  await until('everywhere', async () => (await places()) === 'node-1,node-2,node-3');
  await cluster.client.patch(daemonSets, key('agent'), { type: 'strategic', body: { spec: { template: { spec: { nodeSelector: { role: 'edge' } } } } } });
  await until('nowhere', async () => (await listPods()).length === 0);
  await cluster.client.patch(nodes, { name: 'node-2' }, { type: 'merge', body: { metadata: { labels: { role: 'edge' } } } });
  await until('on the labelled node', async () => (await places()) === 'node-2' && (await cluster.client.get(daemonSets, key('agent'))).status?.numberReady === 1);
});

test('a CronJob runs on its schedule and keeps its history short', async () => {
  const spec = { schedule: '*/1 * * * *', successfulJobsHistoryLimit: 1, jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'app:1' }] } } } } };
  await cluster.client.create(cronJobs, { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'tick', namespace: NS }, spec } as CronJob);
  await until('a run', async () => (await cluster.client.list(jobs, { namespace: NS })).items.length === 1, 62_000);
  await until('its success', async () => (await cluster.client.get(cronJobs, key('tick'))).status?.lastSuccessfulTime !== undefined);
  const first = (await cluster.client.list(jobs, { namespace: NS })).items[0]?.metadata.name;
  await until('the next run replaces it', async () => {
    const names = (await cluster.client.list(jobs, { namespace: NS })).items.map((job) => job.metadata.name);
    return names.length === 1 && names[0] !== first;
  }, 130_000);
});

test('ready pods stand behind a Service, by address and resolved port', async () => {
  await cluster.client.create(services, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'db', namespace: NS }, spec: { selector: { app: 'db' }, ports: [{ name: 'web', port: 80, targetPort: 'http' }] } } as Service);
  await cluster.client.create(deployments, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'db', namespace: NS }, spec: { replicas: 2, selector: { matchLabels: { app: 'db' } }, template: template() } } as never);
  const slice = await until('both are there', async () => (await cluster.client.list(endpointSlices, { namespace: NS })).items.find((each) => each.metadata.labels?.['kubernetes.io/service-name'] === 'db' && each.endpoints?.filter((endpoint) => endpoint.conditions?.ready).length === 2));
  assert.deepEqual(slice.ports, [{ name: 'web', port: 8080, protocol: 'TCP' }]);
  const old = await cluster.client.get(endpoints, key('db'));
  assert.deepEqual(old.subsets?.[0]?.addresses?.map((address) => address.ip).sort(), (await listPods()).map((pod) => pod.status?.podIP ?? '').sort());
  await cluster.client.delete(services, key('db'));
  await until('the slice goes with its Service', async () => (await cluster.client.list(endpointSlices, { namespace: NS })).items.every((each) => each.metadata.labels?.['kubernetes.io/service-name'] !== 'db'));
});

test('an aggregating role has the rules of those it selects', async () => {
  const rule = (resource: string) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] });
  await cluster.client.create(clusterRoles, { metadata: { name: 'sum' }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'yes' } }] }, rules: [] });
  for (const name of ['pods', 'secrets']) await cluster.client.create(clusterRoles, { metadata: { name: `part-${name}`, labels: { part: 'yes' } }, rules: [rule(name)] });
  await until('both rules', async () => (await cluster.client.get(clusterRoles, { name: 'sum' })).rules?.length === 2);
});

test('a deleted root certificate comes back', async () => {
  await cluster.client.delete(configMaps, key('kube-root-ca.crt'));
  await until('it is back', () => cluster.client.get(configMaps, key('kube-root-ca.crt')).then((map) => map.data?.['ca.crt'] === 'test CA', () => false));
});

test('a Secret that asks for the token of an account gets one that works, and goes with the account', async () => {
  await cluster.client.create(serviceAccounts, { metadata: { name: 'robot', namespace: NS } });
  await cluster.client.create(secrets, { metadata: { name: 'robot-token', namespace: NS, annotations: { 'kubernetes.io/service-account.name': 'robot' } }, type: 'kubernetes.io/service-account-token' });
  const secret = await until('its token', async () => {
    const each = await cluster.client.get(secrets, key('robot-token'));
    return each.data?.['token'] ? each : undefined;
  });
  const text = (name: string) => Buffer.from(secret.data?.[name] ?? '', 'base64').toString();
  assert.deepEqual([text('namespace'), text('ca.crt')], [NS, 'test CA']);
  const review = await cluster.client.create(tokenReviews, { metadata: {}, spec: { token: text('token') } } as TokenReview);
  assert.equal(review.status?.user?.username, `system:serviceaccount:${NS}:robot`);
  await cluster.client.delete(serviceAccounts, key('robot'));
  await cluster.client.create(serviceAccounts, { metadata: { name: 'robot', namespace: NS } });
  await until('the old Secret goes', () => cluster.client.get(secrets, key('robot-token')).then(() => false, (error: unknown) => isNotFound(error)));
});

test('a simulated pod waits for a Secret that it needs, as a real one would', async () => {
  const spec = { containers: [{ name: 'main', image: 'app:1', env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'late', key: 'x' } } }] }] };
  await cluster.client.create(pods, { metadata: { name: 'needy', namespace: NS }, spec } as Pod);
  const waiting = await until('it waits', async () => {
    const state = (await cluster.client.get(pods, key('needy'))).status?.containerStatuses?.[0]?.state?.waiting;
    return state?.reason === 'CreateContainerConfigError' && state;
  });
  assert.equal(waiting.message, 'secret "late" not found');
  await cluster.client.create(secrets, { metadata: { name: 'late', namespace: NS }, data: { x: 'eA==' } });
  await until('it runs', async () => isReady(await cluster.client.get(pods, key('needy'))));
});

test('events tell what happened, once each with a count', async () => {
  await cluster.client.create(deployments, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'db', namespace: NS }, spec: { replicas: 1, selector: { matchLabels: { app: 'db' } }, template: template() } } as never);
  const reasons = async () => new Set((await cluster.client.list(events, { namespace: NS })).items.map((event) => event.reason));
  await until('the usual ones', async () => {
    const seen = await reasons();
    return ['ScalingReplicaSet', 'SuccessfulCreate', 'Scheduled', 'Started'].every((reason) => seen.has(reason));
  });
});

test('a claim gets a volume that goes with it, and a load balancer an address', async () => {
  await cluster.client.create(persistentVolumeClaims, { metadata: { name: 'data', namespace: NS }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } } });
  const claim = await until('bound', async () => {
    const each = await cluster.client.get(persistentVolumeClaims, key('data'));
    return each.status?.phase === 'Bound' && each;
  });
  assert.equal((await cluster.client.get(persistentVolumes, { name: claim.spec?.volumeName ?? '' })).status?.phase, 'Bound');
  await cluster.client.delete(persistentVolumeClaims, key('data'));
  await until('the volume goes', async () => (await cluster.client.list(persistentVolumes)).items.length === 0);
  await cluster.client.create(services, { metadata: { name: 'front', namespace: NS }, spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } } as Service);
  await until('an address', async () => (await cluster.client.get(services, key('front'))).status?.loadBalancer?.ingress?.[0]?.ip === '127.0.0.9');
});
