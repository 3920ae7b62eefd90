/**
 * The main job on real processes: a commit reaches three clusters, and survives the death of an agent and
 * of everything. Each test goes on from the state the one before left; outcomes are read from the API servers.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { deployments, pods } from '#api/builtin';
import { bundles, clusterGroups, clusters } from '#api/fleet';
import { findCondition } from '#apimachinery/meta';
import { isNotFound } from '#apimachinery/status';
import type { Client } from '#kube/client';
import { type FleetUp, startFleet, waitFor } from './support/fleet.ts';
import { configMapValue, gitRepo, isDeployed, leader, pidOfPod, processesBelow, releases } from './support/observe.ts';

const ENVIRONMENTS = ['dev', 'test', 'prod'];
const LIMIT = { timeout: 180_000 };

let fleet: FleetUp;
let local: Client;
const downstream = new Map<string, Client>();

function connectAll(): void {
  local = fleet.client('local');
  for (const name of ENVIRONMENTS) downstream.set(name, fleet.client(name));
}

const cluster = (name: string): Client => downstream.get(name) as Client;
const example = (path: string): string => readFileSync(join(import.meta.dirname, '..', 'examples', path), 'utf8');

before(async () => {
  fleet = await startFleet();
  connectAll();
}, LIMIT);

after(async () => {
  await fleet.stop();
  assert.deepEqual(processesBelow(fleet.data), [], 'fleet down leaves no process behind');
});

async function replicas(name: string, namespace: string, deployment: string): Promise<number | undefined> {
  return (await cluster(name).get(deployments, { namespace, name: deployment })).status?.readyReplicas;
}

test('every cluster has what the examples say for it', LIMIT, async () => {
  assert.deepEqual(await Promise.all(ENVIRONMENTS.map((name) => replicas(name, 'guestbook', 'frontend'))), [1, 2, 3]);
  assert.deepEqual(await Promise.all(ENVIRONMENTS.map((name) => replicas(name, 'shop', 'cart'))), [1, 1, 2]);
  assert.deepEqual(await Promise.all(ENVIRONMENTS.map((name) => replicas(name, 'web', 'web'))), [1, 1, 3]);
  assert.deepEqual(await Promise.all(ENVIRONMENTS.map((name) => configMapValue(cluster(name), 'web', 'web-settings', 'theme'))), ['light', 'grey', 'dark']);
  assert.deepEqual(await Promise.all(ENVIRONMENTS.map((name) => configMapValue(cluster(name), 'web', 'web-settings', 'cluster'))), ENVIRONMENTS);
});

test('each downstream cluster has one deployed release per bundle', LIMIT, async () => {
  for (const name of ENVIRONMENTS) {
    assert.deepEqual(
      (await releases(cluster(name))).map(({ namespace, name: release, status }) => `${namespace}/${release} ${status}`),
      ['guestbook/examples-guestbook deployed', 'shop/examples-shop deployed', 'web/web deployed'],
    );
  }
});

test('replicas sit on different nodes and exactly one holds each lease', LIMIT, async () => {
  for (const [client, app, lease] of [[cluster('prod'), 'fleet-agent', 'fleet-agent'], [local, 'fleet-controller', 'fleet-controller-leader-election-shard'], [local, 'gitjob', 'fleet-gitops-leader-election-shard'], [local, 'helmops', 'fleet-helmops-leader-election-shard']] as const) {
    const { items } = await client.list(pods, { namespace: 'cattle-fleet-system', labelSelector: `app=${app}` });
    assert.equal(items.length, 2, app);
    assert.equal(new Set(items.map(({ spec }) => spec?.nodeName)).size, 2, `${app} on one node`);
    const { pod } = await leader(client, lease);
    assert.ok(items.some(({ metadata }) => metadata.name === pod), `${lease} is held by ${pod}`);
  }
});

test('status is rolled up to GitRepo, Cluster and ClusterGroup', LIMIT, async () => {
  const repo = await gitRepo(local);
  assert.equal(repo.status?.display?.readyBundleDeployments, '9/9');
  assert.equal(repo.status?.readyClusters, 3);
  await waitFor('clusters to show their bundles', async () => {
    const { items } = await local.list(clusters, { namespace: 'fleet-default' });
    return items.length === 3 && items.every(({ status }) => status?.display?.readyBundles === '3/3' && findCondition(status.conditions, 'Ready')?.status === 'True');
  });
  await waitFor('the group of the local cluster', async () => (await local.get(clusterGroups, { namespace: 'fleet-local', name: 'default' })).status?.clusterCount === 1);
});

test('a changed file: only what changed is deployed again', LIMIT, async () => {
  const before = new Map((await releases(cluster('prod'))).map(({ name, revision }) => [name, revision]));
  const commit = await fleet.commit({ 'guestbook/settings.yaml': example('guestbook/settings.yaml').replace('Hello', 'Good day') });
  await waitFor('the commit on every cluster', async () => {
    const values = await Promise.all(ENVIRONMENTS.map((name) => configMapValue(cluster(name), 'guestbook', 'guestbook', 'greeting')));
    return values.every((value) => value === 'Good day') && isDeployed(local, commit);
  });
  const after = new Map((await releases(cluster('prod'))).map(({ name, revision }) => [name, revision]));
  assert.equal(after.get('examples-guestbook'), (before.get('examples-guestbook') ?? 0) + 1);
  assert.equal(after.get('examples-shop'), before.get('examples-shop'));
  assert.equal(after.get('web'), before.get('web'));
});

test('bad input: a fault names file, line and reason; the rest keeps deploying; what was deployed stays', LIMIT, async () => {
  const commit = await fleet.commit({
    'shop/fleet.yaml': 'namespace: shop\nkustomize:\n  dirr: overlays/test\n',
    'web/fleet.yaml': 'helm:\n  values: [unclosed\n',
    'guestbook/settings.yaml': example('guestbook/settings.yaml').replace('Hello', 'Still here'),
  });
  const repo = await waitFor('the faults to be reported', async () => {
    const current = await gitRepo(local);
    return current.status?.commit === commit && findCondition(current.status.conditions, 'Stalled')?.status === 'True' ? current : undefined;
  });
  const message = findCondition(repo.status?.conditions, 'Stalled')?.message ?? '';
  assert.match(message, /shop\/fleet\.yaml:3: .*dirr/);
  assert.match(message, /web\/fleet\.yaml:\d+: /);
  await waitFor('the healthy bundle', async () => (await configMapValue(cluster('prod'), 'guestbook', 'guestbook', 'greeting')) === 'Still here');
  assert.equal(await replicas('prod', 'web', 'web'), 3);
  assert.equal(await replicas('prod', 'shop', 'cart'), 2);

  const impossible = await fleet.commit({
    'shop/fleet.yaml': example('shop/fleet.yaml'),
    'web/fleet.yaml': `${example('web/fleet.yaml')}- name: nowhere\n  clusterSelector:\n    matchExpressions:\n    - key: env\n      operator: Within\n`,
  });
  await waitFor('the impossible target to be reported', async () => {
    const current = await gitRepo(local);
    return current.status?.commit === impossible && /web\/fleet\.yaml:\d+: .*Within/.test(findCondition(current.status.conditions, 'Stalled')?.message ?? '');
  });
  const mended = await fleet.commit({ 'web/fleet.yaml': example('web/fleet.yaml') });
  await waitFor('the mended repository', () => isDeployed(local, mended));
});

test('the leading agent is killed while a commit rolls out: the other replica finishes it', LIMIT, async () => {
  const old = await leader(cluster('prod'), 'fleet-agent');
  const commit = await fleet.commit({
    'guestbook/settings.yaml': example('guestbook/settings.yaml').replace('Hello', 'Survived'),
    'web/values.yaml': example('web/values.yaml').replace('theme: light', 'theme: light\n  survived: "yes"'),
  });
  await waitFor('the rollout to begin', async () => (await local.list(bundles, { namespace: 'fleet-default' })).items.some(({ metadata }) => metadata.labels?.['fleet.cattle.io/commit'] === commit));
  process.kill(pidOfPod(old.pod), 'SIGKILL');
  await waitFor('the commit on every cluster', () => isDeployed(local, commit));
  assert.equal(await configMapValue(cluster('prod'), 'guestbook', 'guestbook', 'greeting'), 'Survived');
  assert.equal(await configMapValue(cluster('prod'), 'web', 'web-settings', 'survived'), 'yes');
  const { pod, epoch } = await leader(cluster('prod'), 'fleet-agent');
  assert.ok(epoch > old.epoch, 'the epoch has grown');
  assert.notEqual(pod, old.pod, 'the warm standby leads');
  assert.ok((await releases(cluster('prod'))).every(({ status }) => status === 'deployed'), 'no release is left half done');
});

test('fleet up is killed in mid-rollout and started again: it goes on, nothing is lost or runs twice', LIMIT, async () => {
  const commit = await fleet.commit({ 'guestbook/settings.yaml': example('guestbook/settings.yaml').replace('Hello', 'Back again') });
  await waitFor('the rollout to begin', async () => (await gitRepo(local)).status?.pollingCommit === commit);
  const orphans = processesBelow(fleet.data);
  assert.ok(orphans.length >= 14);
  await fleet.kill();
  await waitFor('the pods to die with it', () => processesBelow(fleet.data).length === 0);
  await fleet.restart();
  connectAll();
  await waitFor('the commit on every cluster', () => isDeployed(local, commit));
  assert.equal(await configMapValue(cluster('prod'), 'guestbook', 'guestbook', 'greeting'), 'Back again');
  const counts = new Map<string, number>();
  for (const pid of processesBelow(fleet.data)) {
    const name = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').find((variable) => variable.startsWith('POD_UID=')) ?? '';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  assert.ok([...counts.values()].every((count) => count === 1), 'no pod runs twice');
});

test('a deleted directory: its workloads go', LIMIT, async () => {
  const commit = await fleet.commit({ shop: null });
  await waitFor('the release to go', async () => (await releases(cluster('prod'))).every(({ name }) => name !== 'examples-shop') && isDeployed(local, commit));
  await waitFor('the workload to go', () =>
    cluster('prod')
      .get(deployments, { namespace: 'shop', name: 'cart' })
      .then(() => false, (error: unknown) => isNotFound(error)),
  );
  assert.equal(await replicas('prod', 'guestbook', 'frontend'), 3);
});
