/** ClusterRegistrationToken → account, rights and the values with which an agent is installed. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { roles, secrets, serviceAccounts } from '#api/builtin';
import { type ClusterRegistrationToken, clusterRegistrations, clusterRegistrationTokens, clusters, FLEET_API_VERSION } from '#api/fleet';
import { isForbidden, isNotFound } from '#apimachinery/status';
import type { Informer } from '#kube/cache';
import { TerminalError } from '#kube/controller';
import { type ManagementServer, renderOwnChart, startManagementServer } from '#testing/management';
import { checkStatusLaws } from '#testing/statuslaws';
import { RegistrationTokenReconciler, type TokenDependencies } from './index.ts';

const HOUR_MS = 3600_000;
const NAMESPACE = 'fleet-default';
const ENDPOINT = { apiServerURL: 'https://manager.example:6443', apiServerCA: '-----BEGIN CERTIFICATE-----' };

let server: ManagementServer;
let tokens: Informer<ClusterRegistrationToken>;
let endpoint = ENDPOINT;
let count = 0;
let name = '';

before(async () => {
  server = await startManagementServer();
  tokens = server.informer({ resource: clusterRegistrationTokens });
});
after(() => server.stop());
beforeEach(() => {
  name = `token-${++count}`;
  endpoint = ENDPOINT;
});

const key = () => ({ namespace: NAMESPACE, name });
const create = (spec: ClusterRegistrationToken['spec'] = {}) => server.put(clusterRegistrationTokens, { apiVersion: FLEET_API_VERSION, kind: 'ClusterRegistrationToken', metadata: key(), spec });
const run = (options: Partial<TokenDependencies> = {}) => server.reconcile(new RegistrationTokenReconciler({ tokens, clock: server.clock, endpoint: () => endpoint, ttlRequired: false, ...options }), key());
const gone = async (read: Promise<unknown>) => assert.equal(await read.then(() => 'still there', (error: unknown) => isNotFound(error)), true);

async function values(): Promise<Record<string, unknown> & { token: string }> {
  const secret = await server.client.get(secrets, key());
  return JSON.parse(Buffer.from(secret.data?.values ?? '', 'base64').toString('utf8')) as Record<string, unknown> & { token: string };
}

test('the Secret holds what charts/fleet-agent needs, and its token can ask for registration and nothing else', async () => {
  await create();
  await run();
  const given = await values();
  const { token, ...rest } = given;
  assert.deepEqual(rest, { clusterNamespace: NAMESPACE, ...ENDPOINT, tokenName: name, systemRegistrationNamespace: 'cattle-fleet-clusters-system', internal: { systemNamespace: 'cattle-fleet-system' } });

  const bootstrap = renderOwnChart('fleet-agent', 'cattle-fleet-system', given).find(({ kind }) => kind === 'Secret') as unknown as { data: Record<string, string> };
  assert.equal(Buffer.from(bootstrap.data.token ?? '', 'base64').toString('utf8'), token);
  assert.equal(Buffer.from(bootstrap.data.apiServerURL ?? '', 'base64').toString('utf8'), ENDPOINT.apiServerURL);

  const agent = server.as(token);
  await agent.create(clusterRegistrations, { apiVersion: FLEET_API_VERSION, kind: 'ClusterRegistration', metadata: { name, namespace: NAMESPACE }, spec: { clientID: 'x', clientRandom: 'y' } });
  for (const refused of [agent.list(clusterRegistrations, { namespace: NAMESPACE }), agent.list(secrets, { namespace: NAMESPACE }), agent.get(secrets, key()), agent.list(clusters, { namespace: NAMESPACE }), agent.list(clusterRegistrationTokens)]) {
    await assert.rejects(refused, isForbidden);
  }
  const { items } = await server.client.list(secrets, { fieldSelector: 'type=fleet.cattle.io/cluster-registration-values' });
  assert.deepEqual(items.map(({ metadata }) => metadata.name), [name], 'found by its type, by which the manager watches it');
  const live = await server.client.get(clusterRegistrationTokens, key());
  assert.deepEqual(live.status, { secretName: name });
  assert.deepEqual(checkStatusLaws([live]), []);
});

test('doing it again writes nothing', async () => {
  await create({ ttl: '240h' });
  await run();
  const revision = server.revision();
  await run();
  assert.equal(server.revision(), revision);
});

test('a token with ttl shows its end, is looked at then, and is deleted', async () => {
  const { metadata } = await create({ ttl: '2h' });
  const endsMs = Date.parse(metadata.creationTimestamp ?? '') + 2 * HOUR_MS;
  await run();
  assert.equal(Date.parse((await server.client.get(clusterRegistrationTokens, key())).status?.expires ?? ''), endsMs);
  await server.clock.advance(2 * HOUR_MS - 60_000);
  const { token } = await values();
  const outcome = await run();
  assert.ok(outcome.kind === 'requeueAfter' && outcome.delayMs <= endsMs - server.clock.wallMs() + 1000);
  assert.equal((await values()).token, token, 'no new bearer token for the last minutes');
  await server.clock.advance(60_000);
  await run();
  await gone(server.client.get(clusterRegistrationTokens, key()));
});

test('everything made for a token goes with it', async () => {
  const { metadata } = await create();
  await run();
  const made = [await server.client.get(secrets, key()), await server.client.get(serviceAccounts, { ...key(), name: `${name}-registration` }), await server.client.get(roles, { ...key(), name: `${name}-registration` })];
  for (const { metadata: own } of made) assert.equal(own.ownerReferences?.[0]?.uid, metadata.uid);
});

test('the bearer token is renewed before it ends, and the old one still works then', async () => {
  await create();
  const first = await run();
  const { token } = await values();
  assert.ok(first.kind === 'requeueAfter' && first.delayMs < 24 * HOUR_MS);
  await server.clock.advance(first.delayMs + 1000);
  await run();
  const renewed = (await values()).token;
  assert.notEqual(renewed, token);
  for (const bearer of [token, renewed]) await assert.rejects(server.as(bearer).list(secrets), isForbidden);
});

test('a server that gives shorter tokens than asked for is believed', async () => {
  await create();
  const short = { ...server.leader };
  const { leader } = server;
  Object.assign(short, {
    create: async (...args: Parameters<typeof leader.create>) => {
      const answer = (await leader.create(...args)) as { status?: { expirationTimestamp?: string } };
      if (answer.status) answer.status.expirationTimestamp = new Date(server.clock.wallMs() + HOUR_MS).toISOString();
      return answer;
    },
  });
  await tokens.barrier(AbortSignal.timeout(5000));
  const reconciler = new RegistrationTokenReconciler({ tokens, clock: server.clock, endpoint: () => endpoint, ttlRequired: false });
  const outcome = await reconciler.reconcile(key(), { ...server.context('upstream'), clients: { upstream: short as typeof leader } });
  assert.ok(outcome.kind === 'requeueAfter' && outcome.delayMs < HOUR_MS, JSON.stringify(outcome));
});

test('what is missing, broken or of a predecessor is written anew', async () => {
  const check = async (what: string, harm: () => Promise<unknown>) => {
    const { token } = await values();
    await harm();
    await run();
    assert.notEqual((await values()).token, token, what);
  };
  const patch = (body: unknown) => server.client.patch(secrets, key(), { type: 'merge', body });
  await create();
  await run();
  await check('deleted', () => server.client.delete(secrets, key()));
  await check('another endpoint', async () => (endpoint = { ...ENDPOINT, apiServerURL: 'https://elsewhere.example' }));
  await patch({ data: { values: 'bm90IEpTT04=' } });
  await run();
  assert.equal((await values()).clusterNamespace, NAMESPACE);
  await check('of a deleted token with the same name', async () => {
    await server.client.delete(clusterRegistrationTokens, key());
    await create();
  });
});

test('an installation may require a ttl: a token without is deleted, with a reason', async () => {
  await create();
  await assert.rejects(run({ ttlRequired: true }), (error) => error instanceof TerminalError && error.message.includes(`${NAMESPACE}/${name}: deleted because it has no spec.ttl`));
  await gone(server.client.get(clusterRegistrationTokens, key()));
});

/** What the reconciler does when its cache shows this. */
const runOn = (token: ClusterRegistrationToken) =>
  new RegistrationTokenReconciler({ tokens: { ...tokens, get: () => token } as unknown as typeof tokens, clock: server.clock, endpoint: () => endpoint, ttlRequired: false }).reconcile(key(), server.context('upstream'));

test('a ttl that is no duration (kinds without our schema let it pass) is an error that names it, and is not tried again', async () => {
  const token = await create();
  await assert.rejects(runOn({ ...token, spec: { ttl: 'soon' } }), (error) => error instanceof TerminalError && /spec\.ttl "soon" is not a duration/.test(error.message));
});

test('expiry never hits a token that was made anew under the same name', async () => {
  await create({ ttl: '1s' });
  await run();
  await server.clock.advance(2000);
  const stale = tokens.get(key()) as ClusterRegistrationToken;
  await server.client.delete(clusterRegistrationTokens, key());
  await create();
  await runOn(stale);
  await server.client.get(clusterRegistrationTokens, key());
});
