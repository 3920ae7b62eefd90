/** The informer against a server that breaks in every way a server can. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentLog } from '#base/log';
import { seededRandom } from '#base/random';
import type { KubeObject } from '#apimachinery/meta';
import { defineResource } from '#apimachinery/resource';
import { StatusError } from '#apimachinery/status';
import { createClient } from '#kube/client';
import { FakeClock, settle } from '#testing/clock';
import { ApiStub, status } from '#testing/kube';
import { createInformer, type InformerOptions } from './index.ts';
import { BACKOFF_MAX_MS, nextReflectorState, REFLECTOR_START, type ReflectorEvent } from './reflector.ts';

interface Pod extends KubeObject {
  spec?: { nodeName?: string };
}
const pods = defineResource<Pod>('', 'v1', 'Pod', 'pods');
const PODS = '/api/v1/namespaces/a/pods';
const pod = (name: string, nodeName = 'n1'): Pod => ({ metadata: { namespace: 'a', name, managedFields: [{}] }, spec: { nodeName } });

function setup(options: Partial<InformerOptions<Pod>> = {}) {
  const stub = new ApiStub();
  const clock = new FakeClock();
  const informer = createInformer({ resource: pods, indexers: { node: ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []) }, ...options }, { reader: createClient(stub), clock, random: seededRandom(1), log: silentLog });
  const events: string[] = [];
  informer.addHandler({
    onAdd: (object, initial) => events.push(`${initial ? 'initial' : 'add'} ${object.metadata.name}`),
    onUpdate: (_, object) => events.push(`update ${object.metadata.name}`),
    onDelete: (object) => events.push(`delete ${object.metadata.name}`),
  });
  const abort = new AbortController();
  const count = (kind: 'GET' | 'WATCH') => stub.requests.filter((line) => line.startsWith(kind)).length;
  return { stub, clock, informer, events, abort, count, start: async () => (informer.start(abort.signal), clock.advance(0)) };
}

test('lists, then watches; events and indexes follow', async () => {
  const { stub, informer, events, start, abort } = setup();
  stub.put(PODS, pod('one'));
  await start();
  await informer.waitForSync(abort.signal);
  stub.put(PODS, pod('two', 'n2'));
  stub.put(PODS, pod('one', 'n2'));
  stub.remove(PODS, 'two');
  await settle();
  assert.deepEqual(events, ['initial one', 'add two', 'update one', 'delete two']);
  assert.deepEqual(informer.byIndex('node', 'n2').map((object) => object.metadata.name), ['one']);
  assert.deepEqual(informer.byIndex('node', 'n1'), []);
  assert.equal(informer.get({ namespace: 'a', name: 'one' })?.metadata.managedFields, undefined);
  assert.equal(informer.list('b').length, 0);
  assert.throws(() => informer.byIndex('nope', ''), /no indexer "nope"/);
  abort.abort();
});

test('a large list comes in pages', async () => {
  const { stub, informer, start, count, abort } = setup();
  for (let i = 0; i < 1100; i++) stub.put(PODS, pod(`p${i}`));
  await start();
  assert.equal(informer.list().length, 1100);
  assert.equal(count('GET'), 3);
  abort.abort();
});

describe('what breaks a watch does not end it', () => {
  const check = (name: string, harm: (stub: ApiStub) => void, expected: { lists: number }) =>
    test(name, async () => {
      const { stub, clock, informer, start, count, abort } = setup();
      stub.put(PODS, pod('one'));
      await start();
      harm(stub);
      await clock.advance(30_000);
      stub.intercept = undefined;
      stub.put(PODS, pod('two'));
      await clock.advance(30_000);
      assert.deepEqual(informer.list().map((object) => object.metadata.name).sort((a = '', b = '') => a.localeCompare(b)), ['one', 'two']);
      assert.equal(count('GET'), expected.lists);
      abort.abort();
    });
  check('a clean end', (stub) => stub.breakWatches(), { lists: 1 });
  check('a reset connection', (stub) => stub.breakWatches(new Error('ECONNRESET')), { lists: 1 });
  check('a server that answers 500 for a while', (stub) => {
    stub.intercept = () => status(500, 'InternalError', 'etcd is away');
    stub.breakWatches(new Error('ECONNRESET'));
  }, { lists: 1 });
  check('history that was compacted', (stub) => {
    stub.skipRevisions(10);
    stub.compactedRevision = stub.revision;
    stub.breakWatches();
  }, { lists: 2 });
});

test('what happened while no watch was open is told as events after the relist', async () => {
  const { stub, clock, events, start, abort } = setup();
  stub.put(PODS, pod('kept'));
  stub.put(PODS, pod('gone'));
  stub.put(PODS, pod('reborn'));
  await start();
  events.length = 0;
  stub.intercept = () => status(503, 'ServiceUnavailable', 'down');
  stub.breakWatches(new Error('reset'));
  stub.remove(PODS, 'gone');
  stub.remove(PODS, 'reborn');
  stub.put(PODS, pod('reborn'));
  stub.put(PODS, pod('new'));
  stub.compactedRevision = stub.revision;
  stub.intercept = undefined;
  await clock.advance(60_000);
  assert.deepEqual(events.sort(), ['add new', 'add reborn', 'delete gone', 'delete reborn']);
  abort.abort();
});

test('a server restored from a backup is believed', async () => {
  const { stub, clock, informer, start, abort } = setup();
  stub.put(PODS, pod('one'));
  stub.put(PODS, pod('lost'));
  await start();
  stub.remove(PODS, 'lost');
  stub.skipRevisions(-50);
  stub.compactedRevision = 1000;
  stub.breakWatches();
  await clock.advance(5_000);
  assert.deepEqual([informer.list().length, informer.resourceVersion], [1, String(stub.revision)]);
  abort.abort();
});

test('an idle watch is not opened again, and asks for five to ten minutes', async () => {
  const { stub, clock, start, count, abort } = setup();
  await start();
  await clock.advance(290_000);
  assert.equal(count('WATCH'), 1);
  const seconds = Number(/timeoutSeconds=(\d+)/.exec(stub.requests.at(-1) ?? '')?.[1]);
  assert.ok(seconds >= 300 && seconds <= 600, String(seconds));
  assert.match(stub.requests.at(-1) ?? '', /allowWatchBookmarks=true/);
  abort.abort();
});

test('a server that is always broken is asked ever more rarely', async () => {
  const { stub, clock, start, count, abort } = setup();
  stub.intercept = () => status(410, 'Expired', 'always');
  await start();
  await clock.advance(600_000);
  assert.ok(count('GET') < 200 && count('GET') > 50, `${count('GET')} lists in ten minutes`);
  abort.abort();
});

test('back-off grows to its limit, honours Retry-After, and starts anew after a healthy watch', () => {
  const random = { next: () => 1 };
  const after = (...events: ReflectorEvent[]) => events.reduce((state, event) => nextReflectorState(state, event, random), REFLECTOR_START);
  const failed: ReflectorEvent = { kind: 'listFailed', error: new Error('x') };
  assert.deepEqual([1, 2, 3, 20].map((n) => after(...Array<ReflectorEvent>(n).fill(failed)).delayMs), [200, 400, 800, BACKOFF_MAX_MS]);
  assert.equal(after({ kind: 'listFailed', error: new StatusError(429, 'TooManyRequests', '', { retryAfterSeconds: 7 }) }).delayMs, 7000);
  const broken = (livedMs: number): ReflectorEvent => ({ kind: 'watchEnded', livedMs, error: new Error('reset') });
  assert.deepEqual(after(failed, failed, broken(20_000)), { phase: 'watch', failures: 1, delayMs: 200 });
  assert.deepEqual(after({ kind: 'listed' }, { kind: 'watchEnded', livedMs: 400_000 }), { phase: 'watch', failures: 0, delayMs: 0 });
  assert.equal(after({ kind: 'listed' }, { kind: 'watchEnded', livedMs: 5, error: new StatusError(404, 'NotFound', '') }).phase, 'list');
});

describe('barrier', () => {
  test('sees what was written before it began though the watch is silent, with one request', async () => {
    const { stub, informer, start, count, abort } = setup();
    stub.put(PODS, pod('one'));
    await start();
    stub.breakWatches(new Error('reset'));
    stub.put(PODS, pod('two'));
    stub.remove(PODS, 'one');
    const before = count('GET');
    await informer.barrier(abort.signal);
    assert.deepEqual(informer.list().map((object) => object.metadata.name), ['two']);
    assert.equal(count('GET') - before, 1);
    abort.abort();
  });

  test('older events of the watch do not undo what the barrier read', async () => {
    const { stub, clock, informer, events, start, abort } = setup();
    stub.put(PODS, pod('one'));
    await start();
    stub.intercept = (request) => (request.path.includes('watch=true') ? status(500, 'InternalError', '') : undefined);
    stub.breakWatches(new Error('reset'));
    stub.put(PODS, pod('one', 'n2'));
    stub.remove(PODS, 'one');
    await clock.advance(0);
    await informer.barrier(abort.signal);
    stub.intercept = undefined;
    events.length = 0;
    await clock.advance(30_000);
    assert.deepEqual([events, informer.list()], [[], []]);
    abort.abort();
  });

  test('of a large list is reached by the watch, or else by reading the rest', async () => {
    const { stub, clock, informer, start, count, abort } = setup();
    for (let i = 0; i < 1100; i++) stub.put(PODS, pod(`p${i}`));
    await start();
    stub.skipRevisions(1);
    let before = count('GET');
    const byBookmark = informer.barrier(abort.signal);
    await settle();
    stub.bookmark();
    await byBookmark;
    assert.equal(count('GET') - before, 1);
    stub.skipRevisions(1);
    before = count('GET');
    const byList = informer.barrier(abort.signal);
    await clock.advance(1000);
    await byList;
    assert.equal(count('GET') - before, 3);
    abort.abort();
  });

  test('tries again when the read fails, and ends with the signal', async () => {
    const { stub, clock, informer, start } = setup();
    await start();
    stub.intercept = () => status(503, 'ServiceUnavailable', '');
    const abort = new AbortController();
    const pending = informer.barrier(abort.signal);
    await clock.advance(400);
    const failed = assert.rejects(pending, /term over/);
    abort.abort(new Error('term over'));
    await failed;
  });
});

test('a failing handler harms neither the others nor the informer', async () => {
  const { stub, informer, events, start, abort } = setup();
  await start();
  informer.addHandler({ onAdd: () => { throw new Error('broken handler'); } });
  stub.put(PODS, pod('one'));
  await settle();
  stub.put(PODS, pod('one', 'n3'));
  await settle();
  assert.deepEqual(events, ['add one', 'update one']);
  abort.abort();
});
