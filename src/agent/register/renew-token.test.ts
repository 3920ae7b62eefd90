/** Bound tokens are replaced when two thirds of their life are over, by the leader, in the shared Secret. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { namespaces, secrets, serviceAccounts } from '#api/builtin';
import { silentLog } from '#base/log';
import { type ManagementServer, startManagementServer } from '#testing/management';
import { AGENT_SECRET, parseRegistration, type Registration, renewTokens } from './index.ts';
import { registrationSecret } from './registration.ts';
import { renewalDueMs } from './renew-token.ts';

const DAY_MS = 24 * 3600_000;
const LIFE_SECONDS = 30 * 24 * 3600;
const ACCOUNT = { namespace: 'deployments', name: 'request-1' };

let server: ManagementServer;
before(async () => {
  server = await startManagementServer();
  for (const name of ['deployments', 'agent']) await server.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await server.client.create(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: ACCOUNT });
});
after(() => server.stop());

async function registration(): Promise<Registration> {
  const { clock, client } = server;
  await clock.advance(0);
  const answer = (await client.create(serviceAccounts, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: ACCOUNT, spec: { expirationSeconds: LIFE_SECONDS } } as never, { subresource: 'token' })) as { status?: { token?: string } };
  const made = { apiServerURL: 'https://x', apiServerCA: '', token: answer.status?.token ?? '', deploymentNamespace: ACCOUNT.namespace, clusterNamespace: 'n', clusterName: 'c', accountName: ACCOUNT.name };
  await client.apply(secrets, registrationSecret('agent', made), { fieldManager: 'test', force: true });
  return made;
}

const kept = async () => parseRegistration(await server.client.get(secrets, { namespace: 'agent', name: AGENT_SECRET }))?.token ?? '';

/** Starts the renewal; what it does upstream is counted, and fails while `broken`. */
function start(first: Registration, { follow = true } = {}) {
  const { clock, client } = server;
  const state = { asked: 0, broken: false, current: first };
  const stop = new AbortController();
  const full = server.context('upstream').term.guard(client);
  const upstream: typeof full = {
    ...full,
    create: async (...args) => {
      state.asked++;
      if (state.broken) throw new Error('no connection');
      return full.create(...args);
    },
  };
  const downstream: typeof full = {
    ...full,
    patch: async (...args) => {
      const secret = await full.patch(...args);
      if (follow) state.current = parseRegistration(secret) ?? state.current;
      return secret;
    },
  };
  const ended = renewTokens({ namespace: 'agent', registration: () => state.current, upstream, downstream, clock, log: silentLog, signal: stop.signal }).catch(() => 'ended');
  const end = async () => {
    stop.abort(new Error('the term is over'));
    assert.equal(await ended, 'ended');
  };
  return { state, end };
}

/** Time passes in steps in which an agent's waits end. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= DAY_MS) await server.clock.advance(Math.min(left, DAY_MS));
  await server.eventually('the loop to rest', () => server.clock.pending > 0);
}

test('a token of thirty days is renewed after twenty, once', async () => {
  const first = await registration();
  const { state, end } = start(first);
  await pass(20 * DAY_MS - 60_000);
  assert.equal(state.asked, 0);
  await pass(120_000);
  await server.eventually('the new token', async () => (await kept()) !== first.token);
  assert.equal(state.asked, 1);
  await pass(10 * DAY_MS);
  assert.equal(state.asked, 1);
  await pass(11 * DAY_MS);
  await server.eventually('the next one', () => state.asked === 2);
  await server.as(await kept()).request({ method: 'GET', path: '/version' });
  await end();
});

test('a failed renewal is tried again every minute', async () => {
  const { state, end } = start(await registration());
  state.broken = true;
  await pass(20 * DAY_MS + 1000);
  assert.equal(state.asked, 1);
  await server.clock.advance(60_000);
  assert.equal(state.asked, 2);
  state.broken = false;
  await server.clock.advance(60_000);
  await server.eventually('the new token', async () => (await kept()) === state.current.token && state.asked === 3);
  await end();
});

test('while the new token is not seen yet, the old one is not renewed over and over', async () => {
  const { state, end } = start(await registration(), { follow: false });
  await pass(20 * DAY_MS + 1000);
  await server.eventually('the renewal', () => state.asked > 0);
  for (let turn = 0; turn < 50; turn++) await server.clock.advance(0);
  assert.equal(state.asked, 1);
  await end();
});

test('a token without an end, or one nobody can read, is left alone', async () => {
  const check = (token: string, dueMs: number) => assert.equal(renewalDueMs(token), dueMs);
  const jwt = (claims: object) => `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
  check(jwt({ iat: 100, exp: 400 }), 300_000);
  check(jwt({ iat: 100 }), Number.POSITIVE_INFINITY);
  check('', Number.POSITIVE_INFINITY);
  check('kubeconfig-user.abc.def', Number.POSITIVE_INFINITY);
  const { state, end } = start({ ...(await registration()), accountName: '' });
  await pass(25 * DAY_MS);
  assert.equal(state.asked, 0, 'an older manager did not say whose token it is');
  await end();
});
