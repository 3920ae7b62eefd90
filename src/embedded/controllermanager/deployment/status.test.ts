import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment, DeploymentStatus, ReplicaSet } from '#api/builtin';
import { deploymentStatus, isComplete, withProgress } from './status.ts';

const NOW = '2026-01-01T00:01:00Z';
const at = { now: NOW, nowMs: Date.parse(NOW) };

function deployment(status: DeploymentStatus = {}): Deployment {
  return { metadata: { name: 'web', generation: 2 }, spec: { replicas: 2, selector: {}, template: {}, progressDeadlineSeconds: 5, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }, status };
}

function set(replicas: number, available: number): ReplicaSet {
  return { metadata: { name: 'web-1' }, spec: { replicas, selector: {} }, status: { replicas, readyReplicas: available, availableReplicas: available } };
}

const progressing = (reason: string, updated: string, status: 'True' | 'False' = 'True') => ({ conditions: [{ type: 'Progressing', status, reason, lastUpdateTime: updated, lastTransitionTime: updated }] });
const reasonOf = (status: DeploymentStatus, type: string) => {
  const condition = status.conditions?.find((each) => each.type === type);
  return condition && `${condition.status}:${condition.reason}`;
};

test('the Available condition follows the promised minimum', () => {
  assert.equal(reasonOf(deploymentStatus(deployment(), [set(2, 2)], set(2, 2), NOW), 'Available'), 'True:MinimumReplicasAvailable');
  assert.equal(reasonOf(deploymentStatus(deployment(), [set(2, 1)], set(2, 1), NOW), 'Available'), 'False:MinimumReplicasUnavailable');
});

test('progress, completion and the deadline are told apart', () => {
  const check = (before: DeploymentStatus, available: number, expected: string, waits: boolean) => {
    const d = deployment(before);
    const fresh = set(2, available);
    const result = withProgress(d, deploymentStatus(d, [fresh], fresh, NOW), fresh, at);
    assert.equal(reasonOf(result.status, 'Progressing'), expected);
    assert.equal(result.checkAfterMs !== undefined, waits);
  };
  check({ ...progressing('NewReplicaSetCreated', '2026-01-01T00:00:59Z') }, 1, 'True:ReplicaSetUpdated', true);
  check({ ...progressing('ReplicaSetUpdated', '2026-01-01T00:00:59Z'), replicas: 2, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1 }, 2, 'True:NewReplicaSetAvailable', false);
  check({ ...progressing('ReplicaSetUpdated', '2026-01-01T00:00:58Z'), replicas: 2, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1 }, 1, 'True:ReplicaSetUpdated', true);
  check({ ...progressing('ReplicaSetUpdated', '2026-01-01T00:00:54Z'), replicas: 2, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1 }, 1, 'False:ProgressDeadlineExceeded', false);
  check({ ...progressing('NewReplicaSetAvailable', '2026-01-01T00:00:00Z'), replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 }, 1, 'True:NewReplicaSetAvailable', false);
});

test('a Deployment is complete only for the generation it has seen', () => {
  const status = { replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
  assert.ok(isComplete(deployment(), { ...status, observedGeneration: 2 }));
  assert.ok(!isComplete(deployment(), { ...status, observedGeneration: 1 }));
  assert.ok(!isComplete(deployment(), { ...status, replicas: 3, observedGeneration: 2 }));
});
