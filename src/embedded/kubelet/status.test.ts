import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerStatus, Pod } from '#api/builtin';
import { podStatus, qosClassOf } from './status.ts';

const state = {
  waiting: { waiting: { reason: 'ContainerCreating' } },
  running: { running: { startedAt: 't' } },
  ok: { terminated: { exitCode: 0 } },
  failed: { terminated: { exitCode: 1 } },
};

function container(name: string, now: keyof typeof state, ready = now === 'running', restarts = 0): ContainerStatus {
  return { name, image: '', imageID: '', ready, started: ready, restartCount: restarts, state: state[now], lastState: restarts > 0 ? state.failed : {} };
}

function status(pod: Partial<Pod['spec']>, main: ContainerStatus[], init: ContainerStatus[] = [], metadata: Pod['metadata'] = {}) {
  return podStatus({ metadata, spec: { containers: [], ...pod } }, { hostIP: 'h', podIP: 'p', startTime: 's', now: 'n', init, main });
}

const text = (result: ReturnType<typeof status>) => [result.phase, ...(result.conditions ?? []).map((each) => `${each.type}=${each.status}${each.reason ? `:${each.reason}` : ''}`)].join(' ');

test('phase and conditions follow the containers', () => {
  const check = (result: ReturnType<typeof status>, expected: string) => assert.equal(text(result), expected);
  check(status({}, [container('a', 'waiting')]), 'Pending Initialized=True ContainersReady=False:ContainersNotReady Ready=False:ContainersNotReady');
  check(status({}, [container('a', 'running'), container('b', 'running')]), 'Running Initialized=True ContainersReady=True Ready=True');
  check(status({}, [container('a', 'running'), container('b', 'running', false)]), 'Running Initialized=True ContainersReady=False:ContainersNotReady Ready=False:ContainersNotReady');
  check(status({}, [container('a', 'waiting', false, 2)]), 'Running Initialized=True ContainersReady=False:ContainersNotReady Ready=False:ContainersNotReady');
  check(status({ restartPolicy: 'Never' }, [container('a', 'ok')]), 'Succeeded Initialized=True:PodCompleted ContainersReady=False:PodCompleted Ready=False:PodCompleted');
  check(status({ restartPolicy: 'Never' }, [container('a', 'ok'), container('b', 'failed')]), 'Failed Initialized=True ContainersReady=False:PodFailed Ready=False:PodFailed');
  check(status({ restartPolicy: 'OnFailure' }, [container('a', 'failed')]), 'Running Initialized=True ContainersReady=False:ContainersNotReady Ready=False:ContainersNotReady');
});

test('init containers hold the pod back, and fail it when they may not run again', () => {
  const init = { initContainers: [{ name: 'i' }] };
  assert.match(text(status(init, [container('a', 'waiting')], [container('i', 'running', false)])), /^Pending Initialized=False:ContainersNotInitialized/);
  assert.equal(status({ ...init, restartPolicy: 'Never' }, [container('a', 'waiting')], [container('i', 'failed')]).phase, 'Failed');
  const sidecar = { initContainers: [{ name: 'i', restartPolicy: 'Always' }] };
  assert.match(text(status(sidecar, [container('a', 'running')], [container('i', 'running')])), /^Running Initialized=True/);
});

test('a readiness gate must be met by its own condition', () => {
  const gated: Pod = { metadata: {}, spec: { containers: [], readinessGates: [{ conditionType: 'x/ok' }] } };
  const facts = { hostIP: '', podIP: '', startTime: '', now: '', init: [], main: [container('a', 'running')] };
  assert.equal(podStatus(gated, facts).conditions?.find((each) => each.type === 'Ready')?.reason, 'ReadinessGatesNotReady');
  const met = { ...gated, status: { conditions: [{ type: 'x/ok', status: 'True' as const }] } };
  assert.equal(podStatus(met, facts).conditions?.find((each) => each.type === 'Ready')?.status, 'True');
});

test('quality of service is told from requests and limits', () => {
  const check = (resources: object[], expected: string) => assert.equal(qosClassOf({ metadata: {}, spec: { containers: resources.map((each, index) => ({ name: `c${index}`, resources: each })) } }), expected);
  check([{}], 'BestEffort');
  check([{ requests: { cpu: '1' } }, {}], 'Burstable');
  check([{ limits: { cpu: '1', memory: '1Gi' } }], 'Guaranteed');
  check([{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }], 'Burstable');
});
