/** ClusterRegistration → Cluster, account, rights and credentials; what the issued token may do and what not. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { clusterRoleBindings, configMaps, namespaces, roleBindings, roles, secrets, serviceAccounts } from '#api/builtin';
import { bundleDeployments, bundles, type Cluster, type ClusterRegistration, clusterRegistrations, clusterRegistrationTokens, clusters, contents, FLEET_API_VERSION, label } from '#api/fleet';
import { isForbidden, isNotFound } from '#apimachinery/status';
import type { Informer } from '#kube/cache';
import type { Client } from '#kube/client';
import { type ManagementServer, startManagementServer, tokenOf } from '#testing/management';
import { checkStatusLaws } from '#testing/statuslaws';
import { ClusterReconciler } from '../cluster/index.ts';
import { credentialSecretName, RegistrationReconciler, RegistrationTokenReconciler } from './index.ts';

const NAMESPACE = 'fleet-default';
const CLUSTERS_SYSTEM = 'cattle-fleet-clusters-system';
const MINUTE_MS = 60_000;

let server: ManagementServer;
let registrations: Informer<ClusterRegistration>;
let cache: Informer<Cluster>;
let clusterReconciler: ClusterReconciler;
let tokenReconciler: RegistrationTokenReconciler;
let clientID = '';
let count = 0;

before(async () => {
  server = await startManagementServer();
  registrations = server.informer({ resource: clusterRegistrations });
  cache = server.informer({ resource: clusters });
  const { clock } = server;
  clusterReconciler = new ClusterReconciler({ clusters: cache, deployments: server.informer({ resource: bundleDeployments }), clock });
  tokenReconciler = new RegistrationTokenReconciler({ tokens: server.informer({ resource: clusterRegistrationTokens }), clock, endpoint: () => ({ apiServerURL: 'https://x', apiServerCA: '' }), ttlRequired: false });
});
after(() => server.stop());
beforeEach(() => {
  clientID = `client-${++count}`;
});

const inNamespace = (name: string) => ({ namespace: NAMESPACE, name });
const run = (name: string, ignoreLabels = false) => server.reconcile(new RegistrationReconciler({ registrations, clusters: cache, clock: server.clock, ignoreLabels: () => ignoreLabels }), inNamespace(name));
const decode = (data: Record<string, string> = {}) => Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]));
const ours = async () => (await server.client.list(clusters, { namespace: NAMESPACE })).items.filter(({ spec }) => spec.clientID === clientID);

function ask(name: string, { clientRandom = 'random', labels = {}, tokenName = '' } = {}): Promise<ClusterRegistration> {
  const metadata = { ...inNamespace(name), labels: tokenName ? { [label.registrationToken]: tokenName } : {} };
  return server.put(clusterRegistrations, { apiVersion: FLEET_API_VERSION, kind: 'ClusterRegistration', metadata, spec: { clientID, clientRandom, clusterLabels: labels } });
}

/** Both controllers take turns until the request is granted, as they do in the manager. */
async function grant(name: string, ignoreLabels = false): Promise<void> {
  await run(name, ignoreLabels);
  const [cluster] = await ours();
  for (let turn = 0; turn < 2; turn++) await server.reconcile(clusterReconciler, inNamespace(cluster?.metadata.name ?? ''));
  await run(name, ignoreLabels);
  const { status } = await server.client.get(clusterRegistrations, inNamespace(name));
  assert.deepEqual(status, { granted: true, clusterName: cluster?.metadata.name });
}

const credentials = async (clientRandom = 'random') => decode((await server.client.get(secrets, { namespace: CLUSTERS_SYSTEM, name: credentialSecretName(clientID, clientRandom) })).data);

async function bearer(tokenName: string): Promise<string> {
  await server.put(clusterRegistrationTokens, { apiVersion: FLEET_API_VERSION, kind: 'ClusterRegistrationToken', metadata: inNamespace(tokenName), spec: {} });
  await server.reconcile(tokenReconciler, inNamespace(tokenName));
  return tokenOf(server.client, { namespace: NAMESPACE, name: `${tokenName}-registration` });
}

test('an unknown client gets a Cluster with the labels it may choose', async () => {
  await ask('new', { labels: { env: 'dev', 'fleet.cattle.io/managed': 'true', 'management.cattle.io/cluster-name': 'x', [label.createdByAgentPod]: 'pod-1' } });
  await grant('new');
  const [cluster] = await ours();
  assert.match(cluster?.metadata.name ?? '', /^cluster-[0-9a-f]{12}$/);
  assert.deepEqual(cluster?.metadata.labels, { env: 'dev', [label.createdByAgentPod]: 'pod-1' });
  assert.deepEqual(checkStatusLaws(await ours()), []);
});

test('labels are ignored where the configuration says so', async () => {
  await ask('plain', { labels: { env: 'dev' } });
  await grant('plain', true);
  assert.equal((await ours())[0]?.metadata.labels, undefined);
});

test('a Cluster that expects this client is found, not made again, and keeps its labels', async () => {
  await server.put(clusters, { apiVersion: FLEET_API_VERSION, kind: 'Cluster', metadata: { ...inNamespace('expected'), labels: { env: 'prod' } }, spec: { clientID } });
  await ask('known', { labels: { env: 'dev' } });
  await grant('known');
  const found = await ours();
  assert.deepEqual(found.map(({ metadata }) => [metadata.name, metadata.labels]), [['expected', { env: 'prod' }]]);
  assert.equal((await credentials()).clusterName, 'expected');
});

test('a Cluster of this client that is being deleted is waited for', async () => {
  await server.put(clusters, { apiVersion: FLEET_API_VERSION, kind: 'Cluster', metadata: { ...inNamespace('leaving'), finalizers: ['fleet.cattle.io/cluster-finalizer'] }, spec: { clientID }, status: { namespace: 'cluster-leaving' } });
  await server.client.delete(clusters, inNamespace('leaving'));
  await ask('again');
  assert.equal((await run('again')).kind, 'requeueAfter');
  await assert.rejects(credentials(), isNotFound);
});

test("an agent's credentials open what was promised, and nothing else", async () => {
  await ask('rights');
  await grant('rights');
  const { token = '', deploymentNamespace = '', clusterNamespace, clusterName = '', accountName = '' } = await credentials();
  assert.equal(clusterNamespace, NAMESPACE);
  const deployment = { namespace: deploymentNamespace, name: 'web' };
  await server.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'cluster-other' } }).catch(() => undefined);
  const spec = { deploymentID: 's-1:x', stagedDeploymentID: 's-1:x' };
  for (const namespace of [deploymentNamespace, 'cluster-other']) await server.put(bundleDeployments, { apiVersion: FLEET_API_VERSION, kind: 'BundleDeployment', metadata: { namespace, name: 'web' }, spec });
  await server.put(contents, { apiVersion: FLEET_API_VERSION, kind: 'Content', metadata: { name: `s-${count}` }, content: '' });
  await server.put(clusters, { apiVersion: FLEET_API_VERSION, kind: 'Cluster', metadata: inNamespace('neighbour'), spec: {} });

  const agent = server.as(token);
  const status = (body: unknown) => ({ type: 'merge' as const, body: { status: body } });
  const may: Record<string, () => Promise<unknown>> = {
    'list its BundleDeployments': () => agent.list(bundleDeployments, { namespace: deploymentNamespace }),
    'report on them': () => agent.patch(bundleDeployments, deployment, status({ ready: true }), { subresource: 'status' }),
    'read the Secrets of its namespace': () => agent.list(secrets, { namespace: deploymentNamespace }),
    'read a Content': () => agent.get(contents, { name: `s-${count}` }),
    'say that it is alive': () => agent.patch(clusters, inNamespace(clusterName), status({ agent: { lastSeen: '2026-01-01T00:00:00Z' } }), { subresource: 'status' }),
    'read its Cluster': () => agent.get(clusters, inNamespace(clusterName)),
    'renew its token': () => tokenOf(agent, { namespace: deploymentNamespace, name: accountName }),
  };
  for (const [what, act] of Object.entries(may)) await assert.doesNotReject(act, what);

  const mayNot: Record<string, () => Promise<unknown>> = {
    'change what is to be deployed': () => agent.patch(bundleDeployments, deployment, { type: 'merge', body: { spec: { paused: true } } }),
    'create BundleDeployments': () => agent.create(bundleDeployments, { apiVersion: FLEET_API_VERSION, kind: 'BundleDeployment', metadata: { ...deployment, name: 'mine' }, spec }),
    'delete BundleDeployments': () => agent.delete(bundleDeployments, deployment),
    "read others' BundleDeployments": () => agent.list(bundleDeployments, { namespace: 'cluster-other' }),
    "report on others'": () => agent.patch(bundleDeployments, { namespace: 'cluster-other', name: 'web' }, status({ ready: true }), { subresource: 'status' }),
    'list all BundleDeployments': () => agent.list(bundleDeployments),
    'list Contents': () => agent.list(contents),
    'write Contents': () => agent.create(contents, { apiVersion: FLEET_API_VERSION, kind: 'Content', metadata: { name: 'evil' }, content: '' }),
    "read others' Clusters": () => agent.get(clusters, inNamespace('neighbour')),
    'list Clusters': () => agent.list(clusters, { namespace: NAMESPACE }),
    "report on others' Clusters": () => agent.patch(clusters, inNamespace('neighbour'), status({ agent: {} }), { subresource: 'status' }),
    'label its own Cluster': () => agent.patch(clusters, inNamespace(clusterName), { type: 'merge', body: { metadata: { labels: { env: 'prod' } } } }),
    'read Bundles': () => agent.list(bundles, { namespace: NAMESPACE }),
    'read Secrets elsewhere': () => agent.list(secrets, { namespace: NAMESPACE }),
    'read credentials': () => agent.list(secrets, { namespace: CLUSTERS_SYSTEM }),
    'write Secrets of its namespace': () => agent.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: deploymentNamespace, name: 'x' } }),
    'read the configuration of the manager': () => agent.list(configMaps, { namespace: 'cattle-fleet-system' }),
    "ask for others' tokens": () => tokenOf(agent, { namespace: 'cattle-fleet-system', name: 'fleet-controller' }),
    'register others': () => agent.create(clusterRegistrations, { apiVersion: FLEET_API_VERSION, kind: 'ClusterRegistration', metadata: inNamespace('x'), spec: { clientID: 'x', clientRandom: 'x' } }),
    'see its rights': () => agent.list(roles, { namespace: NAMESPACE }),
  };
  for (const [what, act] of Object.entries(mayNot)) await assert.rejects(act, isForbidden, what);
});

test('only the account that asked can read the credentials', async () => {
  const [asking, other] = [await bearer('asking'), await bearer('other')].map((token) => server.as(token)) as [Client, Client];
  await ask('private', { tokenName: 'asking' });
  await grant('private');
  const secret = { namespace: CLUSTERS_SYSTEM, name: credentialSecretName(clientID, 'random') };
  const { type } = await asking.get(secrets, secret);
  assert.equal(type, 'fleet.cattle.io/agent-credential');
  await assert.rejects(other.get(secrets, secret), isForbidden);
  await assert.rejects(asking.list(secrets, { namespace: CLUSTERS_SYSTEM }), isForbidden);
});

test('a granted request that comes up again changes nothing', async () => {
  await ask('once');
  await grant('once');
  const revision = server.revision();
  assert.equal((await run('once')).kind, 'requeueAfter');
  assert.equal(server.revision(), revision);
});

test('a manager that died in the middle of granting leaves what the next one completes', async () => {
  for (let writes = 0; ; writes++) {
    clientID = `client-cut-${writes}`;
    const name = `cut-${writes}`;
    await ask(name);
    let left = writes;
    const cut = await server.interrupting(() => left-- <= 0, () => grant(name));
    const finished = !cut;
    if (cut) await grant(name);
    const { token = '', deploymentNamespace = '' } = await credentials();
    await server.as(token).list(bundleDeployments, { namespace: deploymentNamespace });
    assert.equal((await ours()).length, 1, name);
    assert.deepEqual((await server.client.list(serviceAccounts, { namespace: deploymentNamespace })).items.length, 1, name);
    if (finished) break;
  }
});

test('40 minutes later the request and the credentials are collected; the rights stay', async () => {
  await ask('old', { tokenName: 'asking' });
  await grant('old');
  const { token = '', deploymentNamespace = '' } = await credentials();
  await server.clock.advance(39 * MINUTE_MS);
  const outcome = await run('old');
  assert.ok(outcome.kind === 'requeueAfter' && outcome.delayMs <= MINUTE_MS);
  await server.clock.advance(MINUTE_MS);
  await run('old');
  await assert.rejects(server.client.get(clusterRegistrations, inNamespace('old')), isNotFound);
  const key = { namespace: CLUSTERS_SYSTEM, name: credentialSecretName(clientID, 'random') };
  for (const resource of [secrets, roles, roleBindings] as (typeof secrets)[]) await assert.rejects(server.client.get(resource, key), isNotFound);
  await server.as(token).list(bundleDeployments, { namespace: deploymentNamespace });
});

test('rights go with the Cluster: in its namespace, in the deployments\' and cluster wide', async () => {
  await ask('owned');
  await grant('owned');
  const [cluster] = await ours();
  const { accountName = '', deploymentNamespace = '' } = await credentials();
  const namespace = await server.client.get(namespaces, { name: deploymentNamespace });
  const check = (owners: readonly { uid: string }[] | undefined, uid: string | undefined) => assert.deepEqual(owners?.map((owner) => owner.uid), [uid]);
  check((await server.client.get(roles, inNamespace(accountName))).metadata.ownerReferences, cluster?.metadata.uid);
  check((await server.client.get(roleBindings, inNamespace(accountName))).metadata.ownerReferences, cluster?.metadata.uid);
  check((await server.client.get(clusterRoleBindings, { name: `${deploymentNamespace}-${accountName}-content` })).metadata.ownerReferences, namespace.metadata.uid);
});
