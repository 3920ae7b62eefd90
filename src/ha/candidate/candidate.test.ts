/** Two candidates, one lock, one counter. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '#base/log';
import { seededRandom } from '#base/random';
import type { ConfigMap } from '#api/builtin';
import { createClient } from '#kube/client';
import { createInThreadElector, DEFAULT_TIMINGS } from '#kube/leaderelection';
import { FakeClock } from '#testing/clock';
import { ApiStub } from '#testing/kube';
import { runCandidate, type CandidateLine } from './index.ts';

const MAPS = '/api/v1/namespaces/fleet/configmaps';

function setup() {
  const stub = new ApiStub();
  const clock = new FakeClock();
  const start = (identity: string) => {
    const lines: CandidateLine[] = [];
    const abort = new AbortController();
    const finished = runCandidate(
      {
        createElector: (onTransition) =>
          createInThreadElector({ transport: stub, identity, info: { bootId: identity, startedAtMs: 0 }, lock: { kind: 'leases', namespace: 'fleet', name: 'test' }, timings: DEFAULT_TIMINGS, clock, random: seededRandom(1), log: silentLog, onTransition }),
        emit: (line) => lines.push(line),
        clock,
        log: silentLog,
        write: { client: createClient(stub), key: { namespace: 'fleet', name: 'counter' } },
      },
      abort.signal,
    );
    return { lines, stop: async () => (abort.abort(), await clock.advance(100), await finished) };
  };
  return { stub, clock, start, data: () => (stub.read(MAPS, 'counter') as ConfigMap | undefined)?.data };
}

test('writes while it leads, about twenty times a second, and the next epoch goes on where it ended', async () => {
  const { clock, start, data } = setup();
  const a = start('a');
  await clock.advance(1000);
  const count = Number(data()?.['counter']);
  assert.ok(count >= 18 && count <= 21, `${count} writes in a second`);
  const b = start('b');
  await clock.advance(1000);
  assert.equal(data()?.['holder'], 'a');
  await a.stop();
  const before = Number(data()?.['counter']);
  await clock.advance(1000);
  assert.deepEqual([data()?.['holder'], data()?.['epoch']], ['b', '1']);
  assert.ok(Number(data()?.['counter']) > before + 15);
  await b.stop();
  assert.deepEqual(a.lines.map(({ state, epoch }) => `${state} ${epoch}`), ['leading 0', 'standby 0', 'stopped 0']);
  assert.deepEqual(Object.keys(b.lines[0] ?? {}).sort(), ['epoch', 'evidence', 'gapMs', 'holder', 'state', 'time']);
  assert.match(b.lines[0]?.time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('a counter of a higher epoch than the lock knows is not overwritten: the next term is above it', async () => {
  const { stub, clock, start, data } = setup();
  stub.put(MAPS, { metadata: { namespace: 'fleet', name: 'counter' }, data: { counter: '5', epoch: '41', holder: 'former' } } as ConfigMap);
  const a = start('a');
  await clock.advance(3000);
  assert.deepEqual([data()?.['epoch'], data()?.['holder'], a.lines.map(({ epoch }) => epoch)], ['42', 'a', [0, 0, 42]]);
  await a.stop();
});
