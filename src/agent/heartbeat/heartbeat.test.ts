/** An agent says that it is alive: at once, every interval, and soon after a failure. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { clusters, FLEET_API_VERSION } from '#api/fleet';
import { rfc3339 } from '#base/clock';
import { silentLog } from '#base/log';
import { type ManagementServer, startManagementServer } from '#testing/management';
import { checkStatusLaws } from '#testing/statuslaws';
import { heartbeat } from './index.ts';

const KEY = { namespace: 'fleet-default', name: 'c' };
/** Turns of the event loop in which the server in this process has answered. */
const TURNS = 10;
const INTERVAL_MS = 15 * 60_000;

let server: ManagementServer;
before(async () => {
  server = await startManagementServer();
  await server.put(clusters, { apiVersion: FLEET_API_VERSION, kind: 'Cluster', metadata: KEY, spec: {}, status: { namespace: 'n', agent: { lastSeen: '2025-01-01T00:00:00Z', namespace: 'elsewhere' } } });
});
after(() => server.stop());

function start({ broken = false } = {}) {
  const { clock, leader } = server;
  const state = { broken, attemptsMs: [] as number[] };
  const stop = new AbortController();
  const startedMs = clock.monotonicMs();
  const upstream: typeof leader = {
    ...leader,
    patch: async (...args) => {
      state.attemptsMs.push(clock.monotonicMs() - startedMs);
      if (state.broken) throw new Error('no connection');
      return leader.patch(...args);
    },
  };
  const ended = heartbeat({ upstream, cluster: KEY, agentNamespace: 'cattle-fleet-system', intervalMs: INTERVAL_MS, clock, random: { next: () => 0.5 }, log: silentLog, signal: stop.signal });
  return { state, end: () => (stop.abort(new Error('the term is over')), ended) };
}

/** Lets time pass, and requests be answered before and after. */
async function pass(ms: number): Promise<void> {
  for (const step of [0, ms, 0]) {
    await server.clock.advance(step);
    for (let turn = 0; turn < TURNS; turn++) await server.clock.advance(0);
  }
}

test('the first report comes at once and says when and from where', async () => {
  const { end } = start();
  await pass(0);
  const cluster = await server.client.get(clusters, KEY);
  assert.deepEqual(cluster.status, { namespace: 'n', agent: { lastSeen: rfc3339(server.clock.wallMs()), namespace: 'cattle-fleet-system' } });
  assert.deepEqual(checkStatusLaws([cluster]), []);
  await end();
});

test('then one report per interval, give or take a tenth', async () => {
  const { state, end } = start();
  await pass(0);
  for (let round = 0; round < 3; round++) await pass(INTERVAL_MS * 1.1);
  assert.equal(state.attemptsMs.length, 4);
  await end();
});

test('a failed report is tried again after 5, 10, 20, 40, 60, 60 s, and the interval returns with success', async () => {
  const { state, end } = start({ broken: true });
  await pass(0);
  for (const seconds of [5, 10, 20, 40, 60, 60]) await pass(seconds * 1000);
  assert.deepEqual(state.attemptsMs.map((ms) => ms / 1000), [0, 5, 15, 35, 75, 135, 195]);
  state.broken = false;
  await pass(60_000);
  assert.equal(state.attemptsMs.length, 8);
  await pass(60_000);
  assert.equal(state.attemptsMs.length, 8);
  await end();
});

test('the end of the term ends it at once', async () => {
  const { state, end } = start();
  await pass(0);
  await end();
  await server.clock.advance(INTERVAL_MS * 2);
  assert.equal(state.attemptsMs.length, 1);
});
