/** An agent gets its credentials from the manager, at whatever point it was interrupted before. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { configMaps, namespaces, type Secret, secrets } from '#api/builtin';
import { bundleDeployments, type ClusterRegistration, clusterRegistrations, clusterRegistrationTokens, clusters, FLEET_API_VERSION } from '#api/fleet';
import { isNotFound } from '#apimachinery/status';
import { silentLog } from '#base/log';
import type { Informer } from '#kube/cache';
import { ClusterReconciler } from '#controllers/cluster';
import { credentialSecretName, RegistrationReconciler, RegistrationTokenReconciler } from '#controllers/registration';
import { type ManagementServer, startManagementServer } from '#testing/management';
import { AGENT_CONFIG_MAP, AGENT_SECRET, BOOTSTRAP_SECRET, parseRegistration, register, type Registration } from './index.ts';
import { parseBootstrap } from './registration.ts';

const NAMESPACE = 'fleet-default';
const CREDENTIALS_LIMIT_MS = 30 * 60_000;

let server: ManagementServer;
let registrations: Informer<ClusterRegistration>;
/** What the manager would do if it were alive. */
let manage: () => Promise<void>;
/** Each test's agent lives in a namespace of its own of the one server, which is manager and downstream. */
let home = '';
let bearer = '';
let count = 0;
let drawn = 0;

before(async () => {
  server = await startManagementServer();
  const { clock } = server;
  registrations = server.informer({ resource: clusterRegistrations });
  const cache = server.informer({ resource: clusters });
  const clusterReconciler = new ClusterReconciler({ clusters: cache, deployments: server.informer({ resource: bundleDeployments }), clock });
  const registrar = new RegistrationReconciler({ registrations, clusters: cache, clock, ignoreLabels: () => false });
  manage = async () => {
    const asked = registrations.list(NAMESPACE).filter(({ spec }) => spec.clientRandom?.startsWith(`secret ${home} `));
    for (const { metadata, spec } of asked) {
      await server.reconcile(registrar, { namespace: NAMESPACE, name: metadata.name ?? '' });
      for (const cluster of cache.list(NAMESPACE)) if (cluster.spec.clientID === spec.clientID) await server.reconcile(clusterReconciler, { namespace: NAMESPACE, name: cluster.metadata.name ?? '' });
    }
  };
  await server.put(clusterRegistrationTokens, { apiVersion: FLEET_API_VERSION, kind: 'ClusterRegistrationToken', metadata: { namespace: NAMESPACE, name: 'token' }, spec: {} });
  const tokens = new RegistrationTokenReconciler({ tokens: server.informer({ resource: clusterRegistrationTokens }), clock, endpoint: () => ({ apiServerURL: 'https://manager', apiServerCA: 'CA' }), ttlRequired: false });
  await server.reconcile(tokens, { namespace: NAMESPACE, name: 'token' });
  const { data } = await server.client.get(secrets, { namespace: NAMESPACE, name: 'token' });
  bearer = (JSON.parse(Buffer.from(data?.values ?? '', 'base64').toString('utf8')) as { token: string }).token;
});
after(() => server.stop());
beforeEach(async () => {
  home = `agent-${++count}`;
  drawn = 0;
  await server.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: home } });
  await configure({ clientID: `client-${home}`, labels: { env: 'dev' } });
});

const encode = (data: Record<string, string>) => Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
const configure = (config: unknown) => server.client.apply(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: home, name: AGENT_CONFIG_MAP }, data: { config: typeof config === 'string' ? config : JSON.stringify(config) } }, { fieldManager: 'test' });
const bootstrapData = (change: Record<string, string> = {}) => ({ apiServerURL: 'https://manager', apiServerCA: 'CA', clusterNamespace: NAMESPACE, token: bearer, tokenName: 'token', ...change });
const leaveBootstrap = (change: Record<string, string> = {}) => server.put(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: home, name: BOOTSTRAP_SECRET }, data: encode(bootstrapData(change)) });
const read = (name: string): Promise<Secret | undefined> => server.client.get(secrets, { namespace: home, name }).catch((error: unknown) => (isNotFound(error) ? undefined : assert.fail(String(error))));

function start(): Promise<Registration> {
  return register({
    namespace: home,
    // Downstream an agent may do everything.
    downstream: server.context('upstream').term.guard(server.interruptible(server.client)),
    clock: server.clock,
    log: silentLog,
    signal: server.context('upstream').signal,
    secretText: () => `secret ${home} ${++drawn}`,
    connectUpstream: ({ token }) => server.interruptible(server.as(token)),
  });
}

/** Runs until the agent is content; the manager takes turns, and time passes between the agent's looks. */
async function complete(attempt: Promise<Registration>): Promise<Registration> {
  let settled = false;
  const finish = () => (settled = true);
  attempt.then(finish, finish);
  await server.eventually('the agent to be content', async () => {
    await manage();
    await server.clock.advance(2_000);
    return settled;
  });
  return attempt;
}

test('the agent asks, waits for the manager, keeps what it gets and drops what it came with', async () => {
  await leaveBootstrap();
  const registration = await complete(start());
  assert.deepEqual([registration.apiServerURL, registration.apiServerCA, registration.clusterNamespace], ['https://manager', 'CA', NAMESPACE]);
  assert.deepEqual(parseRegistration(await read(AGENT_SECRET)), registration);
  assert.equal(await read(BOOTSTRAP_SECRET), undefined);
  const cluster = await server.client.get(clusters, { namespace: NAMESPACE, name: registration.clusterName });
  assert.deepEqual([cluster.spec.clientID, cluster.metadata.labels], [`client-${home}`, { env: 'dev' }]);
  await server.as(registration.token).list(bundleDeployments, { namespace: registration.deploymentNamespace });
});

test('an agent without a name of its own is known by the UID of kube-system', async () => {
  await configure({});
  await leaveBootstrap();
  const { clusterName } = await complete(start());
  const { metadata } = await server.client.get(namespaces, { name: 'kube-system' });
  assert.equal((await server.client.get(clusters, { namespace: NAMESPACE, name: clusterName })).spec.clientID, metadata.uid);
});

test('an agent that was cut off anywhere registers once: the random part is drawn once and kept', async () => {
  for (let writes = 0; ; writes++) {
    home = `cut-${writes}`;
    drawn = 0;
    await server.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: home } });
    await configure({ clientID: `client-${home}` });
    await leaveBootstrap();
    let left = writes;
    // Agent and manager share the test's term: either may be the one that dies.
    const cut = await server.interrupting(() => left-- <= 0, () => complete(start()));
    if (cut && (await read(BOOTSTRAP_SECRET))) await complete(start());
    const registration = parseRegistration(await read(AGENT_SECRET));
    assert.ok(registration, home);
    assert.equal(await read(BOOTSTRAP_SECRET), undefined);
    const requests = (await server.client.list(clusterRegistrations, { namespace: NAMESPACE })).items.filter(({ spec }) => spec.clientID === `client-${home}`);
    assert.equal(new Set(requests.map(({ spec }) => spec.clientRandom)).size, 1, home);
    if (!cut) break;
    assert.ok(writes < 50);
  }
});

test('a bootstrap Secret that lacks something says which Secret and key', async () => {
  const check = (key: string) =>
    assert.throws(() => parseBootstrap({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace: home, name: BOOTSTRAP_SECRET }, data: encode(bootstrapData({ [key]: '' })) }), new RegExp(`Secret/${home}/${BOOTSTRAP_SECRET}: key ${key} is missing`));
  for (const key of ['apiServerURL', 'clusterNamespace', 'token']) check(key);
  await assert.rejects(start(), new RegExp(`Secret/${home}/${BOOTSTRAP_SECRET}: not found and this agent is not registered`));
});

test('a token the manager no longer accepts, and a broken ConfigMap, are said to be so', async () => {
  await leaveBootstrap({ token: 'expired' });
  await assert.rejects(start(), new RegExp(`Secret/${home}/${BOOTSTRAP_SECRET}: https://manager does not accept its token any more`));
  await configure('{');
  await assert.rejects(start(), new RegExp(`ConfigMap/${home}/${AGENT_CONFIG_MAP}: key "config" is not JSON`));
});

test('a manager that never answers is given up after half an hour, and the request stays for the next attempt', async () => {
  await leaveBootstrap();
  const attempt = start();
  const refused = assert.rejects(attempt, /no credentials after 30 min; see ClusterRegistrations in namespace fleet-default/);
  await server.eventually('the request', async () => (await server.client.list(clusterRegistrations, { namespace: NAMESPACE })).items.some(({ spec }) => spec.clientID === `client-${home}`));
  await server.clock.advance(CREDENTIALS_LIMIT_MS + 5_000);
  await refused;
  const registration = await complete(start());
  assert.equal(drawn, 1);
  assert.ok(registration.token);
  await server.client.get(secrets, { namespace: 'cattle-fleet-clusters-system', name: credentialSecretName(`client-${home}`, `secret ${home} 1`) });
});

test('a registration is complete or it is none', () => {
  const whole = { apiServerURL: 'https://x', apiServerCA: '', token: 't', deploymentNamespace: 'd', clusterNamespace: 'n', clusterName: 'c', accountName: '' };
  const secretOf = (data: Record<string, string>): Secret => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: AGENT_SECRET }, data: encode(data) });
  assert.deepEqual(parseRegistration(secretOf(whole)), whole);
  for (const key of ['apiServerURL', 'token', 'deploymentNamespace', 'clusterName']) assert.equal(parseRegistration(secretOf({ ...whole, [key]: '' })), undefined, key);
  assert.equal(parseRegistration(undefined), undefined);
});
