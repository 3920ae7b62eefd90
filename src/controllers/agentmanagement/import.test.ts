/** Cluster with a kubeconfig → its agent deployed there, once per change, and never two agents at once. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { deployments, namespaces, pods, secrets, serviceAccounts, statefulSets } from '#api/builtin';
import { type Cluster, clusterRegistrationTokens, clusters, FLEET_API_VERSION } from '#api/fleet';
import { findCondition } from '#apimachinery/meta';
import { isNotFound } from '#apimachinery/status';
import { createApplier } from '#kube/apply';
import type { Informer } from '#kube/cache';
import { createRestMapper, parseKubeconfig } from '#kube/client';
import { type Outcome, TerminalError } from '#kube/controller';
import { type ManagementServer, renderOwnChart, startManagementServer, tokenOf } from '#testing/management';
import { checkStatusLaws } from '#testing/statuslaws';
import { type ControllerConfig, parseControllerConfig } from '../config/index.ts';
import { RegistrationTokenReconciler } from '../registration/index.ts';
import { bootstrapLocalCluster, ClusterImportReconciler, kubeconfigText } from './index.ts';

const NAMESPACE = 'fleet-default';
const ENDPOINT = { apiServerURL: 'https://manager.example:6443', apiServerCA: '' };

let server: ManagementServer;
let cache: Informer<Cluster>;
let kubeconfig: string;
let config: ControllerConfig;
/** Namespaces to which the agent's objects were applied, in order. */
let applied: string[];
let count = 0;
let name = '';
/** Each test's agent lives in a namespace of its own: the test's server plays all clusters. */
let agentNamespace = '';

before(async () => {
  server = await startManagementServer();
  cache = server.informer({ resource: clusters });
  kubeconfig = kubeconfigText({ ...ENDPOINT, token: await tokenOf(server.client, { namespace: 'cattle-fleet-system', name: 'fleet-controller-bootstrap' }) });
  tokens = new RegistrationTokenReconciler({ tokens: server.informer({ resource: clusterRegistrationTokens }), clock: server.clock, endpoint: () => ENDPOINT, ttlRequired: false });
  importer = newImporter();
});
after(() => server.stop());
beforeEach(() => {
  name = `c${++count}`;
  agentNamespace = `agent-${name}`;
  config = parseControllerConfig(undefined);
  applied = [];
});

let tokens: RegistrationTokenReconciler;
let importer: ClusterImportReconciler;
const key = () => ({ namespace: NAMESPACE, name });

function newImporter(): ClusterImportReconciler {
  return new ClusterImportReconciler({
    clusters: cache,
    clock: server.clock,
    config: () => config,
    endpoint: () => ENDPOINT,
    connect(text) {
      const { auth } = parseKubeconfig(text);
      return server.interruptible(server.as((auth as { token: string }).token));
    },
    renderAgent: (namespace, values) => renderOwnChart('fleet-agent', namespace, values),
    async applyObjects(client, namespace, objects, signal) {
      const { clock } = server;
      const { changes } = await createApplier({ client, mapper: createRestMapper(client, clock), clock }).apply(objects, { fieldManager: 'fleet-controller', force: true, signal, defaultNamespace: namespace });
      const failed = changes.find(({ action }) => action === 'failed');
      if (failed) throw failed.error;
      applied.push(namespace);
    },
    random: { clientID: () => `client-${name}` },
  });
}

const putKubeconfig = (text = kubeconfig) => server.put(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: NAMESPACE, name: `${name}-kubeconfig` }, data: { value: Buffer.from(text).toString('base64') } });
const putCluster = (spec: Partial<Cluster['spec']> = {}) =>
  server.put(clusters, { apiVersion: FLEET_API_VERSION, kind: 'Cluster', metadata: key(), spec: { kubeConfigSecret: `${name}-kubeconfig`, agentNamespace, ...spec } });
const change = (spec: object) => server.client.patch(clusters, key(), { type: 'merge', body: { spec } });
const run = () => server.reconcile(importer, key());
const agent = (namespace = agentNamespace) => server.client.get(deployments, { namespace, name: 'fleet-agent' });
const absent = (read: Promise<unknown>) => assert.rejects(read, isNotFound);

/** Import and token controller take turns until the import is content, or for five rounds. */
async function settle(): Promise<Outcome> {
  for (let round = 0; round < 5; round++) {
    const outcome = await run();
    const wanted = await server.client.get(clusters, key());
    if (outcome.kind === 'done' && wanted.spec.clientID && (await run()).kind === 'done') return outcome;
    await server.reconcile(tokens, { ...key(), name: `import-token-${name}` });
  }
  return run();
}

async function imported(): Promise<{ status: string | undefined; message: string | undefined }> {
  const cluster = await server.client.get(clusters, key());
  assert.deepEqual(checkStatusLaws([cluster]), []);
  const condition = findCondition(cluster.status?.conditions, 'Imported');
  return { status: condition?.status, message: condition?.message };
}

test('a good kubeconfig: the objects of charts/fleet-agent are there, with a token that lets the agent register', async () => {
  await putKubeconfig();
  await putCluster({ agentEnvVars: [{ name: 'HTTPS_PROXY', value: 'http://proxy' }] });
  await settle();
  assert.deepEqual(await imported(), { status: 'True', message: '' });
  const { spec } = await agent();
  assert.ok(spec?.template?.spec?.containers?.[0]?.env?.some((variable) => variable.name === 'HTTPS_PROXY'));
  const { data } = await server.client.get(secrets, { namespace: agentNamespace, name: 'fleet-agent-bootstrap' });
  const text = (field: string) => Buffer.from(data?.[field] ?? '', 'base64').toString('utf8');
  assert.deepEqual([text('apiServerURL'), text('clusterNamespace'), text('tokenName')], [ENDPOINT.apiServerURL, NAMESPACE, `import-token-${name}`]);
  assert.equal((await server.client.get(clusters, key())).spec.clientID, `client-${name}`);
  assert.deepEqual(applied, [agentNamespace]);
});

test('nothing is done again while nothing changes, not even when the cache is behind', async () => {
  await putKubeconfig();
  await putCluster();
  await run();
  await server.reconcile(importer, key());
  const stale = cache.get(key()) as Cluster;
  await settle();
  const revision = server.revision();
  await run();
  const behind = new ClusterImportReconciler({ ...importerOn(stale) });
  assert.equal((await behind.reconcile(key(), server.context('upstream'))).kind, 'done');
  assert.equal(server.revision(), revision);
  assert.deepEqual(applied, [agentNamespace]);
});

/** The dependencies of an importer whose cache shows only this. */
function importerOn(cluster: Cluster): ConstructorParameters<typeof ClusterImportReconciler>[0] {
  const refuse = () => assert.fail('must not be asked');
  const clustersThen = { ...cache, get: () => cluster } as unknown as typeof cache;
  return { clusters: clustersThen, clock: server.clock, config: () => config, endpoint: () => ENDPOINT, connect: refuse, renderAgent: refuse, applyObjects: refuse, random: { clientID: refuse } };
}

test('a change of what the agent is made of is one new import', async () => {
  await putKubeconfig();
  await putCluster();
  await settle();
  const check = async (what: string, act: () => unknown) => {
    applied = [];
    await act();
    await settle();
    await run();
    assert.deepEqual(applied, [agentNamespace], what);
  };
  await check('environment', () => change({ agentEnvVars: [{ name: 'A', value: 'b' }] }));
  await check('tolerations', () => change({ agentTolerations: [{ key: 'x', operator: 'Exists' }] }));
  await check('redeployAgentGeneration', () => change({ redeployAgentGeneration: 1 }));
  await check('replicas', () => (config = { ...config, agentReplicas: 3 }));
  await check('leader election', () => (config = { ...config, agentLeaderElection: { profile: 'fast' } }));
  assert.equal((await agent()).spec?.replicas, 3);
  applied = [];
  await server.client.patch(clusters, key(), { type: 'merge', body: { metadata: { labels: { env: 'prod' } } } });
  await settle();
  assert.deepEqual(applied, [], 'labels are no reason');
});

test('what is wrong with the kubeconfig is said in the condition, and mended without a change of the Cluster', async () => {
  const check = async (message: RegExp) => {
    const outcome = await settle();
    assert.ok(outcome.kind === 'requeueAfter', 'it is tried again');
    const condition = await imported();
    assert.equal(condition.status, 'False');
    assert.match(condition.message ?? '', message);
  };
  const secret = { namespace: NAMESPACE, name: `${name}-kubeconfig` };
  const value = (data: Record<string, string>) => server.client.patch(secrets, secret, { type: 'merge', body: { data } });
  await putCluster();
  await check(new RegExp(`Secret/${NAMESPACE}/${name}-kubeconfig: not found`));
  await server.put(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: secret, data: {} });
  await check(/has no key "value" with a kubeconfig/);
  await value({ value: Buffer.from('clusters: [').toString('base64') });
  await check(new RegExp(`Secret/${NAMESPACE}/${name}-kubeconfig: key "value" is no kubeconfig`));
  await value({ value: Buffer.from(kubeconfig).toString('base64') });
  await settle();
  assert.equal((await imported()).status, 'True');
});

test('a failure that goes on is written once', async () => {
  await putCluster();
  await settle();
  const revision = server.revision();
  await server.clock.advance(60_000);
  await run();
  assert.equal(server.revision(), revision);
});

test("a kubeconfig in somebody else's namespace is refused", async () => {
  await putKubeconfig();
  await putCluster({ kubeConfigSecretNamespace: 'kube-system' });
  await assert.rejects(async () => {
    for (let round = 0; round < 5; round++) {
      await run();
      await server.reconcile(tokens, { ...key(), name: `import-token-${name}` });
    }
  }, (error) => error instanceof TerminalError && /kubeConfigSecretNamespace "kube-system" is not allowed/.test(error.message));
  assert.match((await imported()).message ?? '', /is not allowed/);
  assert.deepEqual(applied, []);
});

const podOf = (namespace: string, owner: { kind: string; name: string; uid: string }) =>
  server.put(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: `${owner.name}-0`, labels: { app: 'fleet-agent' }, ownerReferences: [{ apiVersion: 'apps/v1', ...owner }] },
    spec: { containers: [{ name: 'agent', image: 'agent' }], automountServiceAccountToken: false },
  });
const removePod = (namespace: string) => server.client.delete(pods, { namespace, name: 'fleet-agent-0' }, { gracePeriodSeconds: 0 });
/** A namespace in which pods may be created. */
async function agentRoom(namespace: string): Promise<void> {
  await server.client.apply(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { fieldManager: 'test' });
  await server.put(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'default' } });
}
/** What the garbage collector does once the dependents are gone. */
const collect = (resource: typeof deployments | typeof statefulSets, namespace: string) => server.client.patch(resource as typeof deployments, { namespace, name: 'fleet-agent' }, { type: 'merge', body: { metadata: { finalizers: null } } });

test("an older installation's StatefulSet goes first, and the new agent waits for its last pod", async () => {
  await agentRoom(agentNamespace);
  const labels = { app: 'fleet-agent' };
  const old = await server.put(statefulSets, {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { namespace: agentNamespace, name: 'fleet-agent' },
    spec: { serviceName: 'fleet-agent', selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'agent', image: 'agent' }] } } },
  });
  await podOf(agentNamespace, { kind: 'StatefulSet', name: 'fleet-agent', uid: old.metadata.uid ?? '' });
  await putKubeconfig();
  await putCluster();
  assert.equal((await settle()).kind, 'requeueAfter');
  assert.ok((await server.client.get(statefulSets, { namespace: agentNamespace, name: 'fleet-agent' })).metadata.deletionTimestamp, 'its removal has begun');
  await absent(agent());
  await collect(statefulSets, agentNamespace);
  assert.equal((await settle()).kind, 'requeueAfter', 'its pod is still there');
  await absent(agent());
  await removePod(agentNamespace);
  await settle();
  assert.equal((await imported()).status, 'True');
  await agent();
});

test('an agent that moves to another namespace is gone from the old one before it acts in the new one', async () => {
  await putKubeconfig();
  await putCluster();
  await settle();
  const old = await agent();
  await agentRoom(agentNamespace);
  await podOf(agentNamespace, { kind: 'ReplicaSet', name: 'fleet-agent', uid: old.metadata.uid ?? '' });
  const next = `${agentNamespace}-next`;
  await change({ agentNamespace: next });
  assert.equal((await settle()).kind, 'requeueAfter');
  await absent(agent(next));
  await collect(deployments, agentNamespace);
  assert.equal((await settle()).kind, 'requeueAfter', 'its pod is still there');
  await absent(agent(next));
  await removePod(agentNamespace);
  await settle();
  await agent(next);
  await absent(agent());
});

test('an import that was cut off anywhere ends the same when it is entered again', async () => {
  for (let writes = 0; ; writes++) {
    name = `cut${writes}`;
    agentNamespace = `agent-${name}`;
    await putKubeconfig();
    await putCluster();
    let left = writes;
    const cut = await server.interrupting(() => left-- <= 0, settle);
    importer = newImporter();
    await settle();
    assert.deepEqual(await imported(), { status: 'True', message: '' }, name);
    const { items } = await server.client.list(deployments, { namespace: agentNamespace });
    assert.deepEqual(items.map(({ metadata }) => [metadata.name, metadata.generation]), [['fleet-agent', 1]], name);
    if (!cut) break;
    assert.ok(writes < 100);
  }
});

test('the local cluster is a cluster like any other: bootstrapping twice changes nothing but its token', async () => {
  await bootstrapLocalCluster(server.leader, config, ENDPOINT);
  await bootstrapLocalCluster(server.leader, config, ENDPOINT);
  const local = await server.client.get(clusters, { namespace: 'fleet-local', name: 'local' });
  assert.deepEqual([local.metadata.generation, local.metadata.labels, local.spec.kubeConfigSecret], [1, { name: 'local' }, 'local-cluster']);
  const { data } = await server.client.get(secrets, { namespace: 'fleet-local', name: 'local-cluster' });
  const { auth } = parseKubeconfig(Buffer.from(data?.value ?? '', 'base64').toString('utf8'));
  await server.as((auth as { token: string }).token).list(namespaces);
});
