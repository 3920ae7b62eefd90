import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, ReplicaSet } from '#api/builtin';
import { nextAvailabilityMs, planReplicaSet, rankForDeletion, replicaSetStatus } from './plan.ts';

const NOW = Date.parse('2026-01-02T00:00:00Z');

interface Facts {
  node?: string;
  phase?: string;
  readySince?: string;
  cost?: string;
  restarts?: number;
  created?: string;
  deleting?: boolean;
}

function pod(name: string, { node = 'a', phase = 'Running', readySince = '2026-01-01T00:00:00Z', cost, restarts = 0, created = '2026-01-01T00:00:00Z', deleting }: Facts = {}): Pod {
  return {
    metadata: { name, uid: name, creationTimestamp: created, labels: { app: 'x' }, ...(cost ? { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } } : {}), ...(deleting ? { deletionTimestamp: created } : {}) },
    spec: { containers: [], ...(node ? { nodeName: node } : {}) },
    status: { phase, conditions: readySince ? [{ type: 'Ready', status: 'True', lastTransitionTime: readySince }] : [], containerStatuses: [{ name: 'm', image: '', imageID: '', ready: true, restartCount: restarts }] },
  };
}

test('pods leave in the documented order, the first difference deciding', () => {
  const check = (first: Facts, second: Facts, extra: Pod[] = []) => {
    const pods = [pod('zz-first', first), pod('aa-second', second)];
    assert.equal(rankForDeletion(pods, [...pods, ...extra], NOW)[0]?.metadata.name, 'zz-first');
    assert.equal(rankForDeletion(pods.reverse(), [...pods, ...extra], NOW)[0]?.metadata.name, 'zz-first');
  };
  check({ node: '' }, { cost: '-5' });
  check({ phase: 'Pending' }, { phase: 'Unknown' });
  check({ phase: 'Unknown' }, { phase: 'Running' });
  check({ readySince: '' }, { cost: '-5' });
  check({ cost: '-10' }, { cost: '5', node: 'b' }, [pod('other', { node: 'b' })]);
  check({ node: 'b' }, { node: 'a', restarts: 9 }, [pod('other', { node: 'b' })]);
  check({ readySince: '2026-01-01T23:00:00Z' }, { readySince: '2026-01-01T00:00:00Z', restarts: 3 });
  check({ restarts: 2 }, { restarts: 1 });
  check({ created: '2026-01-01T23:00:00Z', readySince: '2026-01-01T23:30:00Z' }, { created: '2026-01-01T01:00:00Z', readySince: '2026-01-01T23:30:00Z' });
});

test('a set makes what is missing and deletes what is too much', () => {
  const set = (replicas: number): ReplicaSet => ({ metadata: { name: 's' }, spec: { replicas, selector: {} } });
  const pods = [pod('a'), pod('b'), pod('gone', { deleting: true }), pod('done', { phase: 'Succeeded' })];
  assert.deepEqual(planReplicaSet(set(3), pods, pods, NOW), { create: 1, remove: [] });
  assert.equal(planReplicaSet(set(1), pods, pods, NOW).remove.length, 1);
  assert.deepEqual(planReplicaSet({ ...set(9), metadata: { deletionTimestamp: 'x' } }, pods, pods, NOW), { create: 0, remove: [] });
});

test('the status counts living pods and, apart, those on their way out', () => {
  const set: ReplicaSet = { metadata: { generation: 3 }, spec: { replicas: 3, minReadySeconds: 60, selector: {}, template: { metadata: { labels: { app: 'x' } } } } };
  const young = pod('young', { readySince: '2026-01-01T23:59:30Z' });
  const pods = [pod('a'), young, pod('unready', { readySince: '' }), pod('gone', { deleting: true })];
  assert.deepEqual(replicaSetStatus(set, pods, { nowMs: NOW, now: '' }), { availableReplicas: 1, fullyLabeledReplicas: 3, observedGeneration: 3, readyReplicas: 2, replicas: 3, terminatingReplicas: 1 });
  assert.equal(nextAvailabilityMs(set, pods, NOW), 30_000);
});

test('a failure to create is a condition until it succeeds', () => {
  const set: ReplicaSet = { metadata: {}, spec: { selector: {} } };
  const failed = replicaSetStatus(set, [], { nowMs: NOW, now: 'now', failure: { reason: 'FailedCreate', message: 'quota' } });
  assert.equal(failed.conditions?.[0]?.reason, 'FailedCreate');
  assert.equal(replicaSetStatus({ ...set, status: failed }, [], { nowMs: NOW, now: 'later' }).conditions, undefined);
});
