import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job, JobSpec, JobStatus, Pod } from '#api/builtin';
import { backoffLeftMs, planJob, ttlLeftMs, TRACKING } from './plan.ts';
import { formatIndexes, parseIndexes } from './indexes.ts';

const NOW = Date.parse('2026-01-01T00:10:00Z');
const at = { nowMs: NOW, now: '2026-01-01T00:10:00Z' };

function job(spec: Partial<JobSpec>, status: JobStatus = { startTime: '2026-01-01T00:09:00Z' }): Job {
  return { metadata: { name: 'job' }, spec: { template: {}, ...spec }, status };
}

function pod(name: string, phase = 'Running', more: { tracked?: boolean; deleting?: boolean; ended?: string; index?: number } = {}): Pod {
  const { tracked = true, deleting = false, ended = '2026-01-01T00:09:58Z', index } = more;
  return {
    metadata: { name, uid: name, ...(tracked ? { finalizers: [TRACKING] } : {}), ...(deleting ? { deletionTimestamp: ended } : {}), ...(index === undefined ? {} : { annotations: { 'batch.kubernetes.io/job-completion-index': String(index) } }) },
    status: { phase, conditions: phase === 'Running' ? [{ type: 'Ready', status: 'True' }] : [], ...(phase === 'Running' ? {} : { containerStatuses: [{ name: 'm', image: '', imageID: '', ready: false, restartCount: 0, state: { terminated: { exitCode: 0, finishedAt: ended } } }] }) },
  };
}

const names = (pods: Pod[]) => pods.map((each) => each.metadata.name);
const conditions = (status: JobStatus) => (status.conditions ?? []).map((each) => `${each.type}:${each.reason}`);

test('parallelism and completions decide how many pods run', () => {
  const check = (spec: Partial<JobSpec>, pods: Pod[], expected: number) => assert.equal(planJob(job(spec), pods, at).create.length, expected);
  check({ completions: 3, parallelism: 2 }, [], 2);
  check({ completions: 3, parallelism: 2 }, [pod('a'), pod('b', 'Succeeded')], 1);
  check({ completions: 3, parallelism: 2 }, [pod('a', 'Succeeded'), pod('b', 'Succeeded')], 1);
  check({ parallelism: 2 }, [pod('a', 'Succeeded'), pod('b')], 0);
  check({ completions: 1, parallelism: 1, suspend: true }, [], 0);
});

test('a finished pod is written down, released and only then counted', () => {
  const plan = planJob(job({ completions: 2, parallelism: 2 }), [pod('a', 'Succeeded'), pod('b')], at);
  assert.deepEqual(plan.interim.uncountedTerminatedPods, { succeeded: ['a'] });
  assert.equal(plan.interim.succeeded, undefined);
  assert.deepEqual(names(plan.untrack), ['a']);
  assert.equal(plan.final.succeeded, 1);
  const resumed = planJob(job({ completions: 2, parallelism: 2 }, { ...plan.interim }), [pod('a', 'Succeeded'), pod('b')], at);
  assert.equal(resumed.final.succeeded, 1, 'a pod written down before is not counted twice');
});

test('a Job completes in two steps', () => {
  const plan = planJob(job({ completions: 1, parallelism: 1 }), [pod('a', 'Succeeded')], at);
  assert.deepEqual(conditions(plan.interim), ['SuccessCriteriaMet:CompletionsReached']);
  assert.deepEqual(conditions(plan.final), ['SuccessCriteriaMet:CompletionsReached', 'Complete:CompletionsReached']);
  assert.equal(plan.final.completionTime, at.now);
});

test('failures beyond the limit fail the Job', () => {
  const plan = planJob(job({ backoffLimit: 1, completions: 1 }, { startTime: at.now, failed: 1 }), [pod('b', 'Failed')], at);
  assert.deepEqual(conditions(plan.final), ['FailureTarget:BackoffLimitExceeded', 'Failed:BackoffLimitExceeded']);
  assert.equal(plan.final.failed, 2);
});

test('a Job past its deadline removes its pods and fails when they are gone', () => {
  const late = job({ activeDeadlineSeconds: 30, completions: 1, parallelism: 1 });
  const plan = planJob(late, [pod('a')], at);
  assert.deepEqual(names(plan.remove), ['a']);
  assert.deepEqual([plan.interim.active, plan.interim.terminating], [undefined, 1]);
  assert.deepEqual(conditions(plan.final), ['FailureTarget:DeadlineExceeded']);
  const after = planJob({ ...late, status: plan.final }, [], at);
  assert.deepEqual(conditions(after.final), ['FailureTarget:DeadlineExceeded', 'Failed:DeadlineExceeded']);
  assert.equal(after.final.failed, 1);
});

test('retries wait 10 s, 20 s, 40 s after the last failure, and a success forgives', () => {
  const failed = (ended: string) => pod(ended, 'Failed', { ended });
  const check = (pods: Pod[], expected: number) => assert.equal(backoffLeftMs(pods, NOW), expected);
  check([], 0);
  check([failed('2026-01-01T00:09:58Z')], 8000);
  check([failed('2026-01-01T00:09:40Z'), failed('2026-01-01T00:09:58Z')], 18_000);
  check([failed('2026-01-01T00:09:40Z'), pod('ok', 'Succeeded', { ended: '2026-01-01T00:09:50Z' }), failed('2026-01-01T00:09:58Z')], 8000);
  check([failed('2026-01-01T00:00:00Z')], 0);
});

test('an indexed Job makes the lowest missing indexes', () => {
  const plan = planJob(job({ completionMode: 'Indexed', completions: 4, parallelism: 3 }), [pod('a', 'Succeeded', { index: 0 }), pod('b', 'Running', { index: 2 })], at);
  assert.deepEqual(plan.create, [1, 3]);
  assert.equal(formatIndexes(new Set([5, 1, 2, 3, 7, 8])), '1-3,5,7,8');
  assert.deepEqual([...parseIndexes('1-3,5')], [1, 2, 3, 5]);
});

test('a finished Job lives for its ttl', () => {
  const done = (ttl?: number) => job(ttl === undefined ? {} : { ttlSecondsAfterFinished: ttl }, { conditions: [{ type: 'Complete', status: 'True', lastTransitionTime: '2026-01-01T00:09:30Z' }] });
  assert.equal(ttlLeftMs(done(60), NOW), 30_000);
  assert.equal(ttlLeftMs(done(10), NOW), 0);
  assert.equal(ttlLeftMs(done(), NOW), undefined);
});
