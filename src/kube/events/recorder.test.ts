/** Events are written, counted, limited, and never in the way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '#base/log';
import { seededRandom } from '#base/random';
import type { Event } from '#api/builtin';
import { createClient } from '#kube/client';
import { FakeClock } from '#testing/clock';
import { ApiStub, status } from '#testing/kube';
import { createEventRecorder } from './index.ts';

const about = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'a', name: 'x', uid: 'u' } };

function setup() {
  const stub = new ApiStub();
  const clock = new FakeClock();
  const written: Event[] = [];
  const patched: unknown[] = [];
  stub.intercept = (request) => {
    if (request.method === 'POST') written.push(JSON.parse(String(request.body)) as Event);
    if (request.method === 'PATCH') patched.push(JSON.parse(String(request.body)));
    return undefined;
  };
  const recorder = createEventRecorder({ client: createClient(stub), component: 'fleet-agent', instance: 'pod-1', clock, random: seededRandom(1), log: silentLog });
  return { stub, clock, recorder, written, patched };
}

test('an event names its object, its source and its time; repetitions are counted on it', async () => {
  const { clock, recorder, written, patched } = setup();
  recorder.event(about, { type: 'Normal', reason: 'Deployed', message: 'all is well' });
  await recorder.flush();
  await clock.advance(5_000);
  recorder.event(about, { type: 'Normal', reason: 'Deployed', message: 'all is well' });
  recorder.event(about, { type: 'Warning', reason: 'Failed', message: 'not any more' });
  await recorder.flush();
  assert.deepEqual(written.map(({ reason, type, count }) => [reason, type, count]), [['Deployed', 'Normal', 1], ['Failed', 'Warning', 1]]);
  assert.deepEqual(patched, [{ count: 2, lastTimestamp: '2026-01-01T00:00:05Z' }]);
  assert.deepEqual([written[0]?.involvedObject, written[0]?.source, written[0]?.firstTimestamp], [{ kind: 'Pod', apiVersion: 'v1', name: 'x', namespace: 'a', uid: 'u' }, { component: 'fleet-agent' }, '2026-01-01T00:00:00Z']);
  assert.equal(written[0]?.metadata.namespace, 'a');
});

test('a noisy object is cut short, others are not, and it may speak again later', async () => {
  const { clock, recorder, written } = setup();
  for (let i = 0; i < 100; i++) recorder.event(about, { type: 'Warning', reason: 'Noise', message: `#${i}` });
  recorder.event({ ...about, metadata: { ...about.metadata, name: 'y', uid: 'v' } }, { type: 'Normal', reason: 'Quiet', message: 'x' });
  await recorder.flush();
  assert.equal(written.length, 26);
  await clock.advance(300_000);
  recorder.event(about, { type: 'Warning', reason: 'Noise', message: 'later' });
  await recorder.flush();
  assert.equal(written.length, 27);
});

test('a server that refuses harms nobody; long messages are cut', async () => {
  const { stub, recorder, written } = setup();
  const before = stub.intercept;
  stub.intercept = () => status(403, 'Forbidden', 'no');
  recorder.event(about, { type: 'Normal', reason: 'A', message: 'x' });
  await recorder.flush();
  stub.intercept = before;
  recorder.event(about, { type: 'Normal', reason: 'B', message: 'y'.repeat(5_000) });
  await recorder.flush();
  assert.deepEqual(written.map(({ reason, message }) => [reason, message?.length]), [['B', 1001]]);
});
