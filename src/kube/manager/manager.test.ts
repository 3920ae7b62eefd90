/** Order of a process's life: endpoints, caches, terms, shutdown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from '@prometheus-io/client';
import { systemClock } from '#base/clock';
import { silentLog } from '#base/log';
import { seededRandom } from '#base/random';
import { keyText } from '#apimachinery/meta';
import { defineResource } from '#apimachinery/resource';
import { createClient } from '#kube/client';
import { done, type Outcome } from '#kube/controller';
import { createTerm, type ControlledTerm, type Elector, type Term } from '#kube/leaderelection';
import { FakeClock, settle } from '#testing/clock';
import { ApiStub, status } from '#testing/kube';
import { createManager, httpListener, type ManagerOptions } from './index.ts';

const pods = defineResource('', 'v1', 'Pod', 'pods');
const PODS = '/api/v1/namespaces/a/pods';

/** An elector whose terms the test grants. */
class ScriptedElector implements Elector {
  readonly identity = 'me';
  readonly events: string[] = [];
  vouched = 0;
  #grant: ((term: ControlledTerm | undefined) => void) | undefined;
  #clock: FakeClock;
  constructor(clock: FakeClock) {
    this.#clock = clock;
  }
  grant(epoch: number): ControlledTerm {
    const term = createTerm({ holder: 'me', epoch, evidence: 'first', remainingMs: () => 1e8, clock: this.#clock });
    this.#grant?.(term);
    return term;
  }
  async *campaign(signal: AbortSignal): AsyncIterable<Term> {
    while (!signal.aborted) {
      this.events.push('campaign');
      const won = await new Promise<ControlledTerm | undefined>((resolve) => {
        this.#grant = resolve;
        if (signal.aborted) resolve(undefined);
        signal.addEventListener('abort', () => resolve(undefined));
      });
      if (!won) return;
      try {
        yield won.term;
      } finally {
        this.events.push(won.term.signal.aborted ? 'lost' : 'released');
        won.end('over');
      }
    }
  }
  vouch(): void {
    this.vouched++;
  }
  outranked(): void {}
  holdOff(ms: number): void {
    this.events.push(`holdOff ${ms}`);
  }
  status() {
    return { state: 'standby', identity: 'me', holder: '', epoch: 0 } as const;
  }
}

function setup(more: Partial<ManagerOptions<'main'>> = {}) {
  const stub = new ApiStub();
  const clock = new FakeClock();
  const elector = new ScriptedElector(clock);
  const client = createClient(stub);
  const manager = createManager<'main'>({ name: 'test', clients: { main: client }, elector, clock, random: seededRandom(1), log: silentLog, registry: new Registry(), ...more });
  const informer = manager.informer('main', { resource: pods });
  const shutdown = new AbortController();
  const seen: string[] = [];
  const control = (reconcile: (key: string, signal: AbortSignal) => Promise<Outcome>) =>
    manager.controller({ name: 'pods', sources: [{ informer }], reconciler: { reconcile: (key, { signal }) => (seen.push(keyText(key)), reconcile(keyText(key), signal)) } });
  const get = async (path: string) => (await manager.endpoints(path))?.status;
  return { stub, clock, elector, manager, informer, shutdown, seen, control, get };
}

test('a standby is ready: caches run, endpoints answer, nothing is reconciled', async () => {
  const { stub, manager, shutdown, seen, control, get, informer, elector, clock } = setup();
  control(() => Promise.resolve(done));
  stub.put(PODS, { metadata: { namespace: 'a', name: 'x' } });
  assert.equal(await get('/readyz'), 503);
  const finished = manager.start(shutdown.signal);
  await settle();
  assert.deepEqual([informer.list().length, seen, await get('/readyz'), await get('/healthz'), await get('/nope')], [1, [], 200, 200, undefined]);
  await clock.advance(2000);
  assert.ok(elector.vouched >= 4);
  assert.match((await manager.endpoints('/metrics'))?.body ?? '', /leader_election_master_status\{name="test"\} 0/);
  shutdown.abort();
  await finished;
  assert.deepEqual(elector.events, ['campaign']);
});

test('a term begins with fresh caches: what the predecessor wrote last is seen first', async () => {
  const { stub, manager, shutdown, seen, control, elector, informer, clock } = setup();
  const staleness: number[] = [];
  control(() => (staleness.push(informer.list().length), Promise.resolve(done)));
  const finished = manager.start(shutdown.signal);
  await settle();
  // The watch is deaf from here on; only the barrier can tell.
  stub.breakWatches(new Error('reset'));
  stub.put(PODS, { metadata: { namespace: 'a', name: 'written-last' } });
  const term = elector.grant(1);
  await clock.advance(1);
  assert.deepEqual([seen, staleness], [['a/written-last'], [1]]);
  term.end('lost');
  await settle();
  assert.deepEqual(elector.events, ['campaign', 'lost', 'campaign']);
  shutdown.abort();
  await finished;
});

test('shutdown finishes what runs, begins nothing, then releases', async () => {
  const { stub, manager, shutdown, seen, control, elector, get } = setup();
  let finish = () => {};
  control(async () => (await new Promise<void>((resolve) => (finish = resolve)), done));
  const taskEnds: string[] = [];
  manager.onTerm('loop', async (term) => {
    await new Promise<void>((resolve) => term.signal.addEventListener('abort', () => resolve()));
    taskEnds.push('loop ended');
  });
  stub.put(PODS, { metadata: { namespace: 'a', name: 'x' } });
  const finished = manager.start(shutdown.signal);
  await settle();
  elector.grant(1);
  await settle();
  await settle();
  assert.deepEqual(seen, ['a/x']);
  shutdown.abort();
  await settle();
  assert.deepEqual([elector.events, taskEnds, await get('/readyz')], [['campaign'], ['loop ended'], 503]);
  finish();
  await finished;
  assert.deepEqual(elector.events, ['campaign', 'released']);
});

test('work that does not finish in its budget is cancelled', async () => {
  const { stub, manager, shutdown, control, elector, clock } = setup({ drainBudgetMs: 5000 });
  let cancelled = false;
  control((_, signal) => new Promise((resolve) => signal.addEventListener('abort', () => ((cancelled = true), resolve(done)))));
  stub.put(PODS, { metadata: { namespace: 'a', name: 'x' } });
  const finished = manager.start(shutdown.signal);
  await settle();
  elector.grant(1);
  await settle();
  await settle();
  shutdown.abort();
  await clock.advance(4900);
  assert.equal(cancelled, false);
  await clock.advance(200);
  assert.equal(cancelled, true);
  await clock.advance(100);
  await finished;
});

test('a leader that cannot begin lets others try', async () => {
  const { manager, shutdown, elector, clock } = setup();
  manager.controller({ name: 'broken', sources: [], reconciler: { reconcile: () => Promise.resolve(done) }, onTermStart: () => Promise.reject(new Error('cannot')) });
  const finished = manager.start(shutdown.signal);
  await settle();
  elector.grant(1);
  await clock.advance(10);
  elector.grant(2);
  await clock.advance(10);
  assert.deepEqual(elector.events, ['campaign', 'holdOff 1000', 'released', 'campaign', 'holdOff 2000', 'released', 'campaign']);
  shutdown.abort();
  await finished;
});

test('a failing task runs again in the same term; one before the barrier does not wait for caches', async () => {
  const { stub, manager, shutdown, elector, clock } = setup();
  const runs: string[] = [];
  manager.onTerm('register', () => (runs.push('early'), Promise.resolve()), { beforeBarrier: true });
  manager.onTerm('late', () => (runs.push('late'), runs.length < 4 ? Promise.reject(new Error('x')) : Promise.resolve()));
  const finished = manager.start(shutdown.signal);
  await settle();
  stub.intercept = (request) => (request.method === 'GET' ? status(503, 'ServiceUnavailable', '') : undefined);
  const term = elector.grant(1);
  await clock.advance(1000);
  assert.deepEqual(runs, ['early']);
  stub.intercept = undefined;
  await clock.advance(5000);
  assert.deepEqual(runs, ['early', 'late', 'late', 'late']);
  term.end('lost');
  shutdown.abort();
  await finished;
});

test('equal selections share an informer; different ones do not', () => {
  const { manager, informer } = setup();
  assert.equal(manager.informer('main', { resource: pods }), informer);
  assert.notEqual(manager.informer('main', { resource: pods, namespace: 'a' }), informer);
});

test('the endpoints are served over HTTP', async () => {
  let port = 0;
  const { manager, shutdown } = setup({ listeners: [httpListener('127.0.0.1', 0, (chosen) => (port = chosen))] });
  const finished = manager.start(shutdown.signal);
  while (port === 0) await new Promise<void>((resolve) => systemClock.after(1, resolve));
  const response = await fetch(`http://127.0.0.1:${port}/healthz?verbose`);
  assert.deepEqual([response.status, await response.text(), (await fetch(`http://127.0.0.1:${port}/x`)).status], [200, 'ok\n', 404]);
  shutdown.abort();
  await finished;
});
