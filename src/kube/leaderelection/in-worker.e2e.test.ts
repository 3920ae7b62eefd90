/** The elector in a real worker thread, over real HTTP: election, a busy main thread, a hanging one, a dying worker. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { processClock, sleep } from '#base/clock';
import { silentLog } from '#base/log';
import { systemRandom } from '#base/random';
import { createElector, profileTimings, type Term } from '#kube/leaderelection';

// In a thread of its own, because these tests block this one.
const server = new Worker(new URL('../../testing/kube/stub-server.ts', import.meta.url));
const port = await new Promise<number>((resolve) => server.once('message', resolve));
const url = `http://127.0.0.1:${port}`;
after(() => server.terminate());

function candidate(name: string, lock: string, watchdogMs = 60_000) {
  const elector = createElector({
    workerFile: new URL('./elector-worker.ts', import.meta.url),
    connection: { server: url, auth: { kind: 'none' } },
    identity: name,
    info: { bootId: name, startedAtMs: processClock.wallMs() },
    lock: { kind: 'leases', namespace: 'fleet', name: lock },
    timings: { ...profileTimings('fast').timings, watchdogMs },
    random: systemRandom,
    log: silentLog,
  });
  const terms: Term[] = [];
  const abort = new AbortController();
  const finished = (async () => {
    for await (const term of elector.campaign(abort.signal)) {
      terms.push(term);
      await new Promise<void>((resolve) => [term.signal, abort.signal].forEach((signal) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve()))));
    }
  })();
  return { elector, terms, stop: async () => (abort.abort(), await finished) };
}

async function until(met: () => boolean, limitMs = 20_000): Promise<void> {
  const startMs = processClock.monotonicMs();
  while (!met()) {
    assert.ok(processClock.monotonicMs() - startMs < limitMs, 'waited too long');
    await sleep(processClock, 5);
  }
}

function blockMainThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test('a release hands over to the standby\'s worker', async () => {
  const a = candidate('a', 'handover');
  await until(() => a.terms.length === 1);
  const b = candidate('b', 'handover');
  await until(() => b.elector.status().holder === 'a');
  await sleep(processClock, 300);
  await a.stop();
  await until(() => b.terms.length === 1);
  assert.deepEqual([b.terms[0]?.epoch, b.terms[0]?.evidence], [1, 'released']);
  await b.stop();
  assert.equal(a.elector.status().state, 'stopped');
});

test('a main thread that is busy longer than the lease does not lose it', async () => {
  const a = candidate('a', 'busy');
  await until(() => a.terms.length === 1);
  const term = a.terms[0] as Term;
  blockMainThread(4_000);
  assert.ok(term.remainingMs() > 0, 'renewed while the main thread was blocked');
  await sleep(processClock, 50);
  assert.equal(term.signal.aborted, false);
  await a.stop();
});

test('a main thread that hangs longer than the watchdog loses it, and leads again when it is back', async () => {
  const a = candidate('a', 'hang', 1_000);
  await until(() => a.terms.length === 1);
  const term = a.terms[0] as Term;
  blockMainThread(5_000);
  assert.ok(term.remainingMs() <= 0, 'refused synchronously, before any event was handled');
  const vouching = setInterval(() => a.elector.vouch(), 100);
  await until(() => a.terms.length === 2);
  clearInterval(vouching);
  assert.ok(term.signal.aborted);
  assert.equal(a.terms[1]?.epoch, 1);
  await a.stop();
});
