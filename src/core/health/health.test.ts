import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Unstructured } from '#apimachinery/meta';
import { assess } from './index.ts';

type Fields = Record<string, unknown>;
const object = (apiVersion: string, kind: string, fields: Fields, metadata: Fields = {}): Unstructured => ({ apiVersion, kind, metadata: { name: 'x', ...metadata }, ...fields });
const condition = (type: string, status: string, reason = '', message = '') => ({ type, status, reason, message });

/** `ready`, or the state and message an object is shown with. */
function check(title: string, subject: Unstructured, expected: string): void {
  it(`${title}: ${expected}`, () => {
    const { ready, summary } = assess(subject);
    assert.equal(ready ? 'ready' : `${summary.state}: ${summary.message.join(', ')}`, expected);
    assert.equal(summary.error, expected.startsWith('error'));
    assert.equal(summary.transitioning, !ready && !summary.error);
  });
}

describe('Deployment', () => {
  const good = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2, readyReplicas: 2, conditions: [condition('Available', 'True')] };
  const deployment = (status: Fields, spec: Fields = { replicas: 2 }) => object('apps/v1', 'Deployment', { spec, status }, { generation: 2 });
  check('complete', deployment(good), 'ready');
  check('not seen yet', deployment({ ...good, observedGeneration: 1 }), 'in-progress: generation is 2, observed is 1');
  check('new', deployment({}), 'in-progress: updated replicas: 0/2');
  check('rolling', deployment({ ...good, replicas: 3 }), 'in-progress: replicas to be stopped: 1');
  check('not available', deployment({ ...good, availableReplicas: 1 }), 'in-progress: available replicas: 1/2');
  check('stuck', deployment({ ...good, conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded', 'too late')] }), 'error: too late');
  check('refused', deployment({ ...good, conditions: [condition('ReplicaFailure', 'True', 'FailedCreate', 'quota')] }), 'error: quota');
  check('of no replicas', deployment({ observedGeneration: 2 }, { replicas: 0 }), 'ready');
  check('going', object('apps/v1', 'Deployment', { status: good }, { deletionTimestamp: 'now' }), 'removing: is being deleted');
});

describe('other workloads', () => {
  const set = (status: Fields, spec: Fields = {}) => object('apps/v1', 'StatefulSet', { spec: { replicas: 2, ...spec }, status });
  check('StatefulSet complete', set({ replicas: 2, readyReplicas: 2, currentRevision: 'a', updateRevision: 'a' }), 'ready');
  check('StatefulSet rolling', set({ replicas: 2, readyReplicas: 2, currentRevision: 'a', updateRevision: 'b', updatedReplicas: 1 }), 'in-progress: updated replicas: 1/2');
  check('StatefulSet with a partition', set({ replicas: 2, readyReplicas: 2, currentRevision: 'a', updateRevision: 'b', updatedReplicas: 1 }, { updateStrategy: { rollingUpdate: { partition: 1 } } }), 'ready');
  check('StatefulSet updated by hand', set({}, { updateStrategy: { type: 'OnDelete' } }), 'ready');
  const daemons = (status: Fields) => object('apps/v1', 'DaemonSet', { status: { observedGeneration: 1, ...status } });
  check('DaemonSet complete', daemons({ desiredNumberScheduled: 1, currentNumberScheduled: 1, updatedNumberScheduled: 1, numberAvailable: 1, numberReady: 1 }), 'ready');
  check('DaemonSet on no node', daemons({ desiredNumberScheduled: 0 }), 'ready');
  check('DaemonSet not ready', daemons({ desiredNumberScheduled: 1, currentNumberScheduled: 1, updatedNumberScheduled: 1, numberAvailable: 1 }), 'in-progress: ready pods: 0/1');
  check('DaemonSet new', object('apps/v1', 'DaemonSet', {}), 'in-progress: is not observed yet');
  check('ReplicaSet short', object('apps/v1', 'ReplicaSet', { spec: { replicas: 1 }, status: { replicas: 1, availableReplicas: 1 } }), 'in-progress: ready replicas: 0/1');
  check('Job running', object('batch/v1', 'Job', { status: { startTime: 'now', active: 1 } }), 'ready');
  check('Job waiting', object('batch/v1', 'Job', {}), 'in-progress: job has not started');
  check('Job failed', object('batch/v1', 'Job', { status: { conditions: [condition('Failed', 'True', 'BackoffLimitExceeded', 'gave up')] } }), 'error: gave up');
});

describe('Pod', () => {
  const pod = (status: Fields) => object('v1', 'Pod', { status });
  check('running and ready', pod({ phase: 'Running', conditions: [condition('Ready', 'True')] }), 'ready');
  check('done', pod({ phase: 'Succeeded' }), 'ready');
  check('failed', pod({ phase: 'Failed', reason: 'Evicted' }), 'error: Evicted');
  check('not schedulable', pod({ phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable', 'no node')] }), 'in-progress: no node');
  check('crashing', pod({ phase: 'Running', containerStatuses: [{ state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } } }] }), 'error: CrashLoopBackOff: back-off');
  check('starting', pod({ phase: 'Pending' }), 'in-progress: pod is Pending');
});

describe('everything else', () => {
  check('ConfigMap', object('v1', 'ConfigMap', {}), 'ready');
  check('bound claim', object('v1', 'PersistentVolumeClaim', { status: { phase: 'Bound' } }), 'ready');
  check('pending claim', object('v1', 'PersistentVolumeClaim', {}), 'in-progress: claim is Pending');
  check('Service', object('v1', 'Service', { spec: { type: 'ClusterIP' } }), 'ready');
  check('load balancer without address', object('v1', 'Service', { spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1' } }), 'ready');
  check('load balancer not seen', object('v1', 'Service', { spec: { type: 'LoadBalancer' } }), 'in-progress: has no cluster IP yet');
  check('established definition', object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { status: { conditions: [condition('Established', 'True')] } }), 'ready');
  check('definition with a taken name', object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { status: { conditions: [condition('NamesAccepted', 'False', 'Conflict', 'taken')] } }), 'error: taken');
  const custom = (...conditions: object[]) => object('example.com/v1', 'Thing', { status: { conditions } });
  check('a thing without conditions', object('example.com/v1', 'Thing', {}), 'ready');
  check('a ready thing', custom(condition('Ready', 'True')), 'ready');
  check('a thing not ready', custom(condition('Ready', 'False', 'Waiting', 'soon')), 'in-progress: soon');
  check('a thing in error', custom(condition('Ready', 'False', 'Error', 'broken')), 'error: broken');
  check('a thing that was not installed', custom(condition('Installed', 'False', '', 'refused')), 'error: refused');
  check('a thing being installed', custom(condition('Installed', 'Unknown', '', 'soon')), 'in-progress: soon');
  check('a thing that says so itself', object('fleet.cattle.io/v1alpha1', 'GitRepo', { status: { display: { error: true, message: 'no access' } } }), 'error: no access');
  check('a stalled thing', custom(condition('Ready', 'True'), condition('Stalled', 'True', 'X', 'stuck')), 'error: stuck');
  check('a thing that reconciles', custom(condition('Reconciling', 'True')), 'in-progress: is reconciling');
  check('an autoscaler that cannot scale', object('autoscaling/v2', 'HorizontalPodAutoscaler', { status: { conditions: [condition('AbleToScale', 'False', '', 'no metrics')] } }), 'error: no metrics');

  it('conditions to be ignored are not seen', () => {
    const thing = custom(condition('Ready', 'False', 'Waiting'), condition('Stalled', 'True'));
    assert.equal(assess(thing, [{ type: 'Ready', status: 'False' }, { type: 'Stalled' }]).ready, true);
    assert.equal(assess(thing, [{ type: 'Ready', status: 'Unknown' }, { type: 'Stalled' }]).ready, false);
    assert.equal(assess(thing, [{}]).ready, false);
  });
});
