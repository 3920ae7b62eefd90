import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod, Taint, Toleration } from '#api/builtin';
import { evictionOf, isFullDisruption, NOT_READY, silencedConditions, UNREACHABLE, wantedNoExecuteTaints, wantedNoScheduleTaints } from './plan.ts';

const NOW = '2026-01-01T00:00:00Z';

function node(ready: 'True' | 'False' | 'Unknown', taints: Taint[] = [], unschedulable = false): Node {
  return { metadata: { name: 'n' }, spec: { taints, unschedulable }, status: { conditions: [{ type: 'Ready', status: ready, reason: 'KubeletReady' }] } };
}

const text = (taints: Taint[]) => taints.map((taint) => `${taint.key.split('/')[1]}:${taint.effect}`);

test('a silent node loses all its conditions to Unknown, and those never posted say so', () => {
  const conditions = silencedConditions(node('True'), NOW);
  assert.deepEqual(conditions.map((each) => [each.type, each.status, each.reason]), [
    ['Ready', 'Unknown', 'NodeStatusUnknown'],
    ['MemoryPressure', 'Unknown', 'NodeStatusNeverUpdated'],
    ['DiskPressure', 'Unknown', 'NodeStatusNeverUpdated'],
    ['PIDPressure', 'Unknown', 'NodeStatusNeverUpdated'],
  ]);
  assert.deepEqual(silencedConditions({ ...node('True'), status: { conditions } }, 'later'), conditions, 'saying it twice changes nothing');
});

test('taints mirror conditions and leave foreign taints alone', () => {
  const foreign: Taint = { key: 'example.com/mine', effect: 'NoSchedule' };
  assert.deepEqual(text(wantedNoScheduleTaints(node('Unknown', [foreign]), NOW)), ['mine:NoSchedule', 'unreachable:NoSchedule']);
  assert.deepEqual(text(wantedNoScheduleTaints(node('False', [{ key: UNREACHABLE, effect: 'NoSchedule' }]), NOW)), ['not-ready:NoSchedule']);
  assert.deepEqual(text(wantedNoScheduleTaints(node('True', [{ key: NOT_READY, effect: 'NoSchedule' }], true), NOW)), ['unschedulable:NoSchedule']);
  assert.deepEqual(text(wantedNoExecuteTaints(node('Unknown'), true, NOW)), ['unreachable:NoExecute']);
  assert.deepEqual(text(wantedNoExecuteTaints(node('Unknown', [{ key: UNREACHABLE, effect: 'NoExecute' }]), false, NOW)), []);
});

test('nothing is evicted when every node is silent', () => {
  assert.ok(isFullDisruption([node('Unknown'), node('False')]));
  assert.ok(!isFullDisruption([node('Unknown'), node('True')]));
  assert.ok(!isFullDisruption([]));
});

test('tolerations decide whether and when a pod leaves', () => {
  const taint: Taint = { key: UNREACHABLE, effect: 'NoExecute', timeAdded: NOW };
  const check = (tolerations: Toleration[], expected: number | 'stays') => {
    const pod: Pod = { metadata: {}, spec: { containers: [], tolerations } };
    const eviction = evictionOf(pod, [taint, { key: 'x', effect: 'NoSchedule' }], () => 1000);
    assert.equal(eviction.kind === 'stay' ? 'stays' : eviction.atMs, expected);
  };
  check([], 1000);
  check([{ key: UNREACHABLE, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }], 6000);
  check([{ key: UNREACHABLE, operator: 'Exists', tolerationSeconds: 5 }, { operator: 'Exists', tolerationSeconds: 2 }], 3000);
  check([{ key: UNREACHABLE, operator: 'Exists' }], 'stays');
  check([{ key: UNREACHABLE, operator: 'Exists', effect: 'NoSchedule' }], 1000);
  check([{ key: UNREACHABLE, operator: 'Exists', tolerationSeconds: -3 }], 1000);
});
