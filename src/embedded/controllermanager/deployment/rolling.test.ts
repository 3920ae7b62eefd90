import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Deployment, ReplicaSet } from '#api/builtin';
import { isSaturated, limitsOf, planNewSet, planOldSets, planScale } from './rolling.ts';
import { replicasOf } from './revision.ts';

function deployment(replicas: number, surge: number | string = '25%', unavailable: number | string = '25%', type = 'RollingUpdate'): Deployment {
  return { metadata: { name: 'web' }, spec: { replicas, selector: {}, template: {}, strategy: { type, ...(type === 'RollingUpdate' ? { rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } } : {}) } } };
}

function set(name: string, replicas: number, available = replicas, annotations: Record<string, string> = {}): ReplicaSet {
  return { metadata: { name, annotations, creationTimestamp: `2026-01-01T00:00:0${name.length}Z` }, spec: { replicas, selector: {} }, status: { replicas, availableReplicas: available } };
}

test('percentages round surge up and unavailability down, and never both to zero', () => {
  const check = (replicas: number, surge: number | string, unavailable: number | string, expected: [number, number]) => {
    const limits = limitsOf(deployment(replicas, surge, unavailable));
    assert.deepEqual([limits.surge, limits.unavailable], expected, `${replicas} ${surge} ${unavailable}`);
  };
  check(4, '25%', '25%', [1, 1]);
  check(3, '25%', '25%', [1, 0]);
  check(10, '25%', '25%', [3, 2]);
  check(1, '0%', '30%', [0, 1]);
  check(3, 0, 0, [0, 1]);
  check(3, 5, 9, [5, 3]);
});

test('the new set grows into the room that surge leaves', () => {
  const check = (d: Deployment, olds: number[], current: number, expected: number | undefined) => {
    const fresh = set('new', current);
    assert.equal(planNewSet(d, [...olds.map((n, i) => set('o'.repeat(i + 1), n)), fresh], fresh)?.replicas, expected);
  };
  check(deployment(3, 1, 0), [3], 0, 1);
  check(deployment(3, 1, 0), [3], 1, undefined);
  check(deployment(3, 1, 0), [2], 1, 2);
  check(deployment(3, 0, 1), [3], 0, undefined);
  check(deployment(3, 0, 1), [2], 0, 1);
  check(deployment(4, '25%', '25%'), [4], 0, 1);
  check(deployment(2, 1, 0), [], 5, 2);
  check(deployment(3, 1, 0, 'Recreate'), [0], 0, 3);
});

test('old sets give up what is unavailable first, then what the minimum allows, oldest first', () => {
  const check = (d: Deployment, olds: ReplicaSet[], fresh: ReplicaSet, expected: Record<string, number>) => {
    const plan = planOldSets(d, [...olds, fresh], olds, fresh);
    assert.deepEqual(Object.fromEntries(plan.map(({ set: each, replicas }) => [each.metadata.name, replicas])), expected);
  };
  check(deployment(3, 1, 0), [set('o', 3)], set('new', 1, 0), {});
  check(deployment(3, 1, 0), [set('o', 3)], set('new', 1, 1), { o: 2 });
  check(deployment(3, 0, 1), [set('o', 3)], set('new', 0, 0), { o: 2 });
  check(deployment(4, '25%', '25%'), [set('o', 4)], set('new', 1, 0), { o: 3 });
  check(deployment(3, 1, 0), [set('o', 3, 1)], set('new', 1, 1), { o: 2 });
  check(deployment(4, 2, 2), [set('o', 2), set('oo', 2)], set('new', 2, 2), { o: 0, oo: 0 });
});

test('a rollout never exceeds its limits whatever the order of events', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(4), fc.nat(4), fc.array(fc.boolean(), { maxLength: 200 }), (replicas, surge, unavailable, events) => {
    const d = deployment(replicas, surge, unavailable);
    const limits = limitsOf(d);
    let [old, fresh] = [{ size: replicas, available: replicas }, { size: 0, available: 0 }];
    for (const makeAvailable of events) {
      if (makeAvailable && fresh.available < fresh.size) fresh = { ...fresh, available: fresh.available + 1 };
      const [o, n] = [set('o', old.size, old.available), set('new', fresh.size, fresh.available)];
      const grow = planNewSet(d, [o, n], n);
      if (grow) fresh = { ...fresh, size: grow.replicas };
      else for (const { replicas: size } of planOldSets(d, [o, n], [o], n)) old = { size, available: Math.min(old.available, size) };
      assert.ok(old.size + fresh.size <= replicas + limits.surge, 'never more pods than surge allows');
      assert.ok(old.available + fresh.available >= replicas - limits.unavailable, 'never fewer available than promised');
    }
  }));
});

test('a change of scale goes to the one set in use, or is shared in proportion', () => {
  const known = { 'deployment.kubernetes.io/desired-replicas': '10', 'deployment.kubernetes.io/max-replicas': '13' };
  assert.deepEqual(planScale(deployment(5), [], set('new', 3)).map(({ replicas }) => replicas), [5]);
  const shared = planScale(deployment(20), [set('o', 8, 8, known)], set('new', 5, 3, known));
  const total = shared.reduce((sum, { replicas }) => sum + replicas, 0);
  assert.equal(total, 25);
  assert.ok(shared.every(({ set: each, replicas }) => replicas > replicasOf(each)));
});

test('a saturated new set leaves nothing to the old ones', () => {
  const fresh = set('new', 2, 2, { 'deployment.kubernetes.io/desired-replicas': '2' });
  assert.ok(isSaturated(deployment(2), fresh));
  assert.deepEqual(planScale(deployment(2), [set('o', 1)], fresh).map(({ replicas }) => replicas), [0]);
});
