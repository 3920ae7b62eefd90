import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#api/builtin';
import type { Informer } from '#kube/cache';
import { withCondition } from './conditions.ts';
import { Expectations } from './expectations.ts';
import { finishedAtMs, isActive, isTerminating, untilAvailableMs } from './podfacts.ts';

/** The part of an informer that expectations read. */
function cacheOf(pods: Map<string, Pod>, revision: () => string): Informer<Pod> {
  return { get: ({ name }: { name: string }) => pods.get(name), get resourceVersion() { return revision(); } } as Informer<Pod>;
}

const pod = (name: string, uid: string, resourceVersion: string, deleting = false): Pod => ({ metadata: { name, namespace: 'ns', uid, resourceVersion, ...(deleting ? { deletionTimestamp: 'x' } : {}) } });

test('a controller waits until its cache shows what it did', () => {
  const pods = new Map<string, Pod>();
  let revision = '5';
  const expectations = new Expectations(cacheOf(pods, () => revision));
  assert.ok(expectations.satisfied('owner'));
  expectations.created('owner', pod('a', '1', '7'));
  assert.ok(!expectations.satisfied('owner'));
  pods.set('a', pod('a', '1', '7'));
  assert.ok(expectations.satisfied('owner'), 'it is there');
  expectations.created('owner', pod('b', '2', '9'));
  revision = '10';
  assert.ok(expectations.satisfied('owner'), 'it came and went');
  expectations.deleted('owner', pod('a', '1', '7'));
  assert.ok(!expectations.satisfied('owner'));
  assert.ok(expectations.satisfied('another'));
  pods.set('a', pod('a', '1', '11', true));
  assert.ok(expectations.satisfied('owner'), 'it is going');
  expectations.deleted('owner', pod('a', '1', '11'));
  pods.set('a', pod('a', 'reborn', '12'));
  assert.ok(expectations.satisfied('owner'), 'another one has its name');
});

test('a condition keeps its time while its status lasts, and an equal one changes nothing', () => {
  const first = withCondition([], { type: 'Ready', status: 'True' }, 't1');
  assert.deepEqual(first, [{ type: 'Ready', status: 'True', lastTransitionTime: 't1' }]);
  assert.deepEqual(withCondition(first, { type: 'Ready', status: 'True' }, 't2'), first);
  assert.deepEqual(withCondition(first, { type: 'Ready', status: 'True', reason: 'R' }, 't2')[0]?.lastTransitionTime, 't1');
  assert.deepEqual(withCondition(first, { type: 'Ready', status: 'False' }, 't2')[0]?.lastTransitionTime, 't2');
});

test('a pod is active, terminating or finished, available after its time, and finished at its last container', () => {
  const facts = (phase: string, deleting = false): Pod => ({ metadata: deleting ? { deletionTimestamp: 'x' } : {}, status: { phase } });
  assert.deepEqual([facts('Running'), facts('Running', true), facts('Failed'), facts('Failed', true)].map((each) => [isActive(each), isTerminating(each)]), [[true, false], [false, true], [false, false], [false, false]]);
  const since = Date.parse('2026-01-01T00:00:00Z');
  const ready: Pod = { metadata: {}, status: { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }] } };
  assert.equal(untilAvailableMs(ready, 10, since + 4000), 6000);
  assert.equal(untilAvailableMs(ready, 10, since + 40_000), 0);
  assert.equal(untilAvailableMs(facts('Running'), 0, since), undefined);
  const ended = (finishedAt: string) => ({ name: 'c', image: '', imageID: '', ready: false, restartCount: 0, state: { terminated: { exitCode: 0, finishedAt } } });
  assert.equal(finishedAtMs({ metadata: {}, status: { containerStatuses: [ended('2026-01-01T00:00:01Z'), ended('2026-01-01T00:00:03Z')] } }), since + 3000);
});
