/** The queue's promises: once at a time, nothing lost, fair between groups, patient with failures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '#base/random';
import { FakeClock, settle } from '#testing/clock';
import { WorkQueue } from './index.ts';

function setup(workers = 4) {
  const clock = new FakeClock();
  return { clock, queue: new WorkQueue({ clock, random: { next: () => 0 }, backoffMs: { min: 5, max: 60_000 }, workers }) };
}

test('a key waits once, is handed out once at a time, and comes again if asked for meanwhile', async () => {
  const { queue } = setup();
  queue.add('a/x');
  queue.add('a/x');
  assert.equal(queue.length, 1);
  assert.equal(await queue.take(), 'a/x');
  queue.add('a/x');
  queue.add('a/x');
  assert.equal(queue.length, 0);
  queue.done('a/x');
  assert.equal(await queue.take(), 'a/x');
  queue.done('a/x');
  assert.equal(queue.length, 0);
});

test('groups take turns: a flood in one delays a key of another by one turn at most', async () => {
  const { queue } = setup(1);
  for (let i = 0; i < 100; i++) queue.add(`noisy/${i}`);
  queue.add('quiet/x');
  const order: (string | undefined)[] = [];
  for (let i = 0; i < 3; i++) {
    const key = await queue.take();
    order.push(key);
    queue.done(key as string);
  }
  assert.ok(order.includes('quiet/x'), order.join(' '));
});

test('a group whose keys hang leaves a worker to the others', async () => {
  const { queue } = setup(4);
  queue.add('quiet/first');
  const first = await queue.take();
  for (let i = 0; i < 10; i++) queue.add(`hanging/${i}`);
  const taken = [await queue.take(), await queue.take(), await queue.take()];
  assert.ok(taken.every((key) => key?.startsWith('hanging/')));
  queue.done(first as string);
  queue.add('quiet/second');
  assert.equal(await queue.take(), 'quiet/second');
});

test('a single group may use all workers', async () => {
  const { queue } = setup(2);
  queue.add('a/1');
  queue.add('a/2');
  assert.deepEqual([await queue.take(), await queue.take()], ['a/1', 'a/2']);
});

test('delays: the earliest counts, and being handed out earlier drops them', async () => {
  const { queue, clock } = setup();
  queue.addAfter('a/x', 1000);
  queue.addAfter('a/x', 500);
  queue.addAfter('a/x', 2000);
  await clock.advance(499);
  assert.equal(queue.length, 0);
  await clock.advance(1);
  assert.equal(await queue.take(), 'a/x');
  queue.done('a/x');
  queue.addAfter('a/x', 1000);
  queue.add('a/x');
  await queue.take();
  queue.done('a/x');
  await clock.advance(5000);
  assert.deepEqual([queue.length, queue.delayed, clock.pending], [0, 0, 0]);
});

test('failures back off exponentially to the maximum, and forgetting starts anew', () => {
  const { queue } = setup();
  const delays = Array.from({ length: 20 }, () => queue.addRateLimited('a/x'));
  assert.deepEqual([delays[0], delays[1], delays[2], delays[19]], [5, 10, 20, 60_000]);
  assert.equal(queue.failures('a/x'), 20);
  queue.forget('a/x');
  assert.equal(queue.addRateLimited('a/x'), 5);
  queue.shutDown();
});

test('shutting down frees those who wait and drops what is pending', async () => {
  const { queue, clock } = setup();
  const waiting = queue.take();
  queue.addAfter('a/x', 10);
  queue.shutDown();
  assert.equal(await waiting, undefined);
  queue.add('a/y');
  assert.deepEqual([await queue.take(), clock.pending], [undefined, 0]);
});

test('whatever the order of adds and dones: never twice at once, and the last add is always served', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ key: fc.constantFrom('a/1', 'a/2', 'b/1', 'c/1'), delay: fc.nat(50), work: fc.nat(30) }), { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), async (adds, workers) => {
      const clock = new FakeClock();
      const queue = new WorkQueue({ clock, random: seededRandom(1), backoffMs: { min: 5, max: 100 }, workers });
      const active = new Set<string>();
      const startedMs = new Map<string, number>();
      const worker = async () => {
        for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
          assert.ok(!active.has(key), `${key} twice at once`);
          active.add(key);
          startedMs.set(key, clock.monotonicMs());
          await new Promise<void>((resolve) => clock.after(7, resolve));
          active.delete(key);
          queue.done(key);
        }
      };
      const workersDone = Promise.all(Array.from({ length: workers }, worker));
      const lastAddMs = new Map<string, number>();
      for (const { key, delay } of adds) {
        await clock.advance(delay % 5);
        queue.add(key);
        lastAddMs.set(key, clock.monotonicMs());
      }
      await clock.advance(2000);
      for (const [key, addedMs] of lastAddMs) assert.ok((startedMs.get(key) ?? -1) >= addedMs, `${key} was not served after its last add`);
      queue.shutDown();
      await settle();
      await workersDone;
    }),
    { numRuns: 30 },
  );
});
