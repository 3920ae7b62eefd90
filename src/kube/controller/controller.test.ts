/** One switch for four outcomes, limits in time, and terms. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '#base/log';
import { seededRandom } from '#base/random';
import { keyText, type KubeObject } from '#apimachinery/meta';
import { defineResource } from '#apimachinery/resource';
import { createInformer } from '#kube/cache';
import { createClient } from '#kube/client';
import { createTerm } from '#kube/leaderelection';
import { FakeClock, settle } from '#testing/clock';
import { ApiStub } from '#testing/kube';
import { createController, done, requeueAfter, TerminalError, type ControllerOptions, type Outcome, type ReconcileContext } from './index.ts';

const pods = defineResource('', 'v1', 'Pod', 'pods');
const PODS = '/api/v1/namespaces/a/pods';
const pod = (name: string, labels?: Record<string, string>): KubeObject => ({ metadata: { namespace: 'a', name, ...(labels ? { labels } : {}) } });

async function setup(reconcile: (key: string, ctx: ReconcileContext) => Promise<Outcome>, more: Partial<ControllerOptions> = {}) {
  const stub = new ApiStub();
  const clock = new FakeClock();
  const client = createClient(stub);
  const informer = createInformer({ resource: pods }, { reader: client, clock, random: seededRandom(1), log: silentLog });
  const stop = new AbortController();
  informer.start(stop.signal);
  const results: string[] = [];
  const options: ControllerOptions = { name: 'test', sources: [{ informer }], backoffMs: { min: 100, max: 1000 }, ...more, reconciler: { reconcile: (key, ctx) => reconcile(keyText(key), ctx) } };
  const controller = createController(options, { clock, random: { next: () => 0 }, log: silentLog, metrics: { reconciled: (result) => results.push(result) } });
  const startTerm = (epoch = 1) => {
    const term = createTerm({ holder: 'me', epoch, evidence: 'first', remainingMs: () => 1e9, clock });
    const stopIntake = new AbortController();
    const finished = controller.run({ term: term.term, clients: { main: term.term.guard(client) }, stopIntake: stopIntake.signal });
    return { term, stopIntake, finished };
  };
  await settle();
  return { stub, clock, controller, results, startTerm, stop };
}

test('every outcome has its consequence', async () => {
  const seen: string[] = [];
  const plan: Record<string, (() => Outcome)[]> = {
    'a/done': [() => done],
    'a/later': [() => requeueAfter(500), () => done],
    'a/fails': [() => { throw new Error('x'); }, () => { throw new Error('x'); }, () => done],
    'a/terminal': [() => { throw new TerminalError('never'); }],
  };
  const { stub, clock, results, startTerm } = await setup((key) => {
    seen.push(`${key}@${clock.monotonicMs()}`);
    return Promise.resolve((plan[key]?.shift() ?? (() => done))());
  });
  for (const name of ['done', 'later', 'fails', 'terminal']) stub.put(PODS, pod(name));
  await settle();
  const { stopIntake, finished } = startTerm();
  await clock.advance(5000);
  assert.deepEqual(seen, ['a/done@0', 'a/later@0', 'a/fails@0', 'a/terminal@0', 'a/fails@100', 'a/fails@300', 'a/later@500']);
  assert.deepEqual(results.sort(), ['error', 'error', 'requeue_after', 'success', 'success', 'success', 'terminal']);
  stopIntake.abort();
  await finished;
});

test('changes between terms are seen at the start of the next, once', async () => {
  const seen: string[] = [];
  const { stub, clock, startTerm } = await setup((key, { term }) => (seen.push(`${key} in ${term.epoch}`), Promise.resolve(done)));
  const first = startTerm(1);
  stub.put(PODS, pod('x'));
  await settle();
  first.term.end('lost');
  await first.finished;
  stub.put(PODS, pod('x', { changed: 'twice' }));
  stub.put(PODS, pod('y'));
  await settle();
  const second = startTerm(2);
  await clock.advance(1);
  assert.deepEqual(seen, ['a/x in 1', 'a/x in 2', 'a/y in 2']);
  second.term.end('lost');
  await second.finished;
});

test('what an update no longer maps to is reconciled too; unchanged updates are not', async () => {
  const seen: string[] = [];
  const harness = await setup((key) => (seen.push(key), Promise.resolve(done)), {});
  const informer = createInformer({ resource: pods }, { reader: createClient(harness.stub), clock: harness.clock, random: seededRandom(1), log: silentLog });
  informer.start(harness.stop.signal);
  const owner = (object: KubeObject) => [{ namespace: 'a', name: object.metadata.labels?.['owner'] ?? 'none' }];
  const changed = (previous: KubeObject, current: KubeObject) => previous.metadata.labels?.['owner'] !== current.metadata.labels?.['owner'];
  const controller = createController({ name: 'mapped', sources: [{ informer, map: owner, changed }], reconciler: { reconcile: (key) => (seen.push(keyText(key)), Promise.resolve(done)) } }, { clock: harness.clock, random: seededRandom(1), log: silentLog });
  const term = createTerm({ holder: 'me', epoch: 1, evidence: 'first', remainingMs: () => 1e9, clock: harness.clock });
  const finished = controller.run({ term: term.term, clients: {}, stopIntake: harness.stop.signal });
  harness.stub.put(PODS, pod('x', { owner: 'one' }));
  await settle();
  harness.stub.put(PODS, pod('x', { owner: 'one', other: 'y' }));
  await settle();
  harness.stub.put(PODS, pod('x', { owner: 'two' }));
  await settle();
  assert.deepEqual(seen, ['a/one', 'a/one', 'a/two']);
  term.end('done');
  await finished;
});

test('a reconcile that takes too long is aborted and retried', async () => {
  let runs = 0;
  const { stub, clock, results, startTerm } = await setup(
    (_, { signal }) => new Promise((resolve, reject) => (++runs > 1 ? resolve(done) : signal.addEventListener('abort', () => reject(signal.reason as Error)))),
    { reconcileTimeoutMs: 1000 },
  );
  stub.put(PODS, pod('x'));
  await settle();
  const { term, finished } = startTerm();
  await clock.advance(2000);
  assert.deepEqual([runs, results], [2, ['error', 'success']]);
  term.end('over');
  await finished;
});

test('reconciles that ignore their abort cost health, then nothing more: other keys go on, theirs are not taken twice', async () => {
  const seen: string[] = [];
  let release = () => {};
  const hang = new Promise<void>((resolve) => (release = resolve));
  const { stub, clock, controller, startTerm } = await setup(
    async (key) => {
      seen.push(key);
      if (key === 'a/hangs') await hang;
      return done;
    },
    { reconcileTimeoutMs: 1000, concurrency: 1 },
  );
  stub.put(PODS, pod('hangs'));
  await settle();
  const { term, finished } = startTerm();
  await clock.advance(12_000);
  assert.equal(controller.healthy, false);
  stub.put(PODS, pod('hangs', { again: 'yes' }));
  stub.put(PODS, pod('other'));
  await clock.advance(1000);
  assert.deepEqual(seen, ['a/hangs', 'a/other']);
  release();
  await clock.advance(1000);
  assert.deepEqual([controller.healthy, seen.filter((key) => key === 'a/hangs').length], [true, 2]);
  term.end('over');
  await finished;
});

test('stopping intake lets running reconciles finish and begins no other', async () => {
  let finish = () => {};
  const seen: string[] = [];
  const { stub, startTerm } = await setup(async (key) => (seen.push(key), await new Promise<void>((resolve) => (finish = resolve)), done), { concurrency: 1 });
  stub.put(PODS, pod('one'));
  stub.put(PODS, pod('two'));
  await settle();
  const { stopIntake, finished } = startTerm();
  await settle();
  stopIntake.abort();
  let over = false;
  void finished.then(() => (over = true));
  await settle();
  assert.equal(over, false);
  finish();
  await finished;
  assert.deepEqual(seen, ['a/one']);
});

test('onTermStart runs before the first key, and its failure fails the run', async () => {
  const order: string[] = [];
  const { stub, startTerm } = await setup((key) => (order.push(key), Promise.resolve(done)), {
    onTermStart: ({ term }) => (order.push(`start ${term.epoch}`), term.epoch === 2 ? Promise.reject(new Error('no')) : Promise.resolve()),
  });
  stub.put(PODS, pod('x'));
  await settle();
  const { term, finished } = startTerm();
  await settle();
  assert.deepEqual(order, ['start 1', 'a/x']);
  term.end('over');
  await finished;
  await assert.rejects(startTerm(2).finished, /^Error: no$/);
});
