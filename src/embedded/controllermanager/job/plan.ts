/**
 * What a Job does next. Pure. Rule: "Jobs" of the Kubernetes documentation and KEP-2307 (tracking with
 * finalizers): a finished pod is first written down as uncounted, then loses its finalizer, then counts,
 * so that no pod is counted twice or forgotten whatever dies in between.
 */
import type { Job, JobCondition, JobStatus, Pod } from '#api/builtin';
import { finishedAtMs, isActive, isReady, isTerminated, isTerminating, timeMs, withCondition } from '#embedded/controlloop';
import { completedIndexes, formatIndexes, indexOf, missingIndexes } from './indexes.ts';

export const TRACKING = 'batch.kubernetes.io/job-tracking';

/** Retry delays after failures: 10 s, doubled with each, at most 10 minutes. */
const BACKOFF_MS = { first: 10_000, max: 600_000 };

export interface JobPlan {
  /** To be written first: newly finished pods as uncounted, counters of living pods, targets. */
  interim: JobStatus;
  /** Pods whose finalizer goes once `interim` is stored. */
  untrack: Pod[];
  /** To be written when the finalizers are gone. */
  final: JobStatus;
  /** Completion index for each pod to create; -1 for jobs without indexes. */
  create: number[];
  remove: Pod[];
  /** Look again after this long. */
  checkAfterMs?: number;
}

interface Tally {
  active: Pod[];
  terminating: Pod[];
  succeeded: number;
  failed: number;
  /** Finished pods that were not written down before. */
  newSucceeded: Pod[];
  newFailed: Pod[];
}

type Target = Pick<JobCondition, 'type' | 'reason' | 'message'>;

export function isFinished(job: Job): boolean {
  return conditionTrue(job, 'Complete') !== undefined || conditionTrue(job, 'Failed') !== undefined;
}

/** Plans a Job that is neither finished nor being deleted. */
export function planJob(job: Job, pods: readonly Pod[], at: { nowMs: number; now: string }): JobPlan {
  const tally = tallyPods(job, pods);
  const target = targetOf(job, tally, at.nowMs);
  const suspended = job.spec?.suspend === true && !target;
  const backoffMs = backoffLeftMs(pods, at.nowMs);
  const change = target || suspended ? { create: [], remove: tally.active } : wantedChange(job, pods, { tally, backoffMs });
  const interim = interimStatus(job, tally, { target, suspended, removed: change.remove, at });
  const waits = [change.waitMs, deadlineLeftMs(job, at.nowMs)].filter((ms) => ms !== undefined && ms > 0) as number[];
  return {
    interim,
    untrack: pods.filter((pod) => tracked(pod) && (isTerminated(pod) || (pod.metadata.deletionTimestamp !== undefined && countsWhenDeleting(job)))),
    final: finalStatus(job, interim, { target, at }),
    create: change.create,
    remove: change.remove,
    ...(waits.length > 0 ? { checkAfterMs: Math.min(...waits) } : {}),
  };
}

/** A pod on its way out counts as failed at once, unless the Job waits for its end before replacing it. */
function countsWhenDeleting(job: Job): boolean {
  return job.spec?.podReplacementPolicy !== 'Failed';
}

function tracked(pod: Pod): boolean {
  return pod.metadata.finalizers?.includes(TRACKING) === true;
}

function tallyPods(job: Job, pods: readonly Pod[]): Tally {
  const uncounted = job.status?.uncountedTerminatedPods ?? {};
  const written = new Set([...(uncounted.succeeded ?? []), ...(uncounted.failed ?? [])]);
  const fresh = pods.filter((pod) => tracked(pod) && !written.has(pod.metadata.uid ?? ''));
  const newSucceeded = fresh.filter((pod) => pod.status?.phase === 'Succeeded');
  const newFailed = fresh.filter((pod) => pod.status?.phase === 'Failed' || (isTerminating(pod) && countsWhenDeleting(job)));
  return {
    active: pods.filter(isActive),
    terminating: pods.filter(isTerminating),
    newSucceeded,
    newFailed,
    succeeded: (job.status?.succeeded ?? 0) + (uncounted.succeeded?.length ?? 0) + newSucceeded.length,
    failed: (job.status?.failed ?? 0) + (uncounted.failed?.length ?? 0) + newFailed.length,
  };
}

function conditionTrue(job: Job, type: string): JobCondition | undefined {
  return job.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
}

/** How the Job is going to end, when that is decided. A decision once written stands. */
function targetOf(job: Job, tally: Tally, nowMs: number): Target | undefined {
  const decided = conditionTrue(job, 'FailureTarget') ?? conditionTrue(job, 'SuccessCriteriaMet');
  if (decided) return decided;
  const { backoffLimit = 6, completions } = job.spec ?? {};
  const failed = tally.failed + restartsOf(job, tally.active);
  if (failed > backoffLimit) return { type: 'FailureTarget', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
  const leftMs = deadlineLeftMs(job, nowMs);
  if (leftMs !== undefined && leftMs <= 0) return { type: 'FailureTarget', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
  const done = completions === undefined ? tally.succeeded > 0 && tally.active.length === 0 : tally.succeeded >= completions;
  return done ? { type: 'SuccessCriteriaMet', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' } : undefined;
}

/** With restartPolicy OnFailure the restarts of containers count against the limit. */
function restartsOf(job: Job, active: readonly Pod[]): number {
  if (job.spec?.template.spec?.restartPolicy !== 'OnFailure') return 0;
  return active.reduce((total, pod) => total + (pod.status?.containerStatuses ?? []).reduce((sum, status) => sum + status.restartCount, 0), 0);
}

function deadlineLeftMs(job: Job, nowMs: number): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds;
  const startedMs = timeMs(job.status?.startTime);
  return seconds === undefined || startedMs === undefined || job.spec?.suspend ? undefined : startedMs + seconds * 1000 - nowMs;
}

interface Change {
  create: number[];
  remove: Pod[];
  waitMs?: number;
}

function wantedChange(job: Job, pods: readonly Pod[], { tally, backoffMs }: { tally: Tally; backoffMs: number }): Change {
  const { parallelism = 1, completions } = job.spec ?? {};
  const { active, terminating, succeeded } = tally;
  const wanted = completions === undefined ? (succeeded > 0 ? active.length : parallelism) : Math.min(parallelism, Math.max(0, completions - succeeded));
  if (active.length > wanted) return { create: [], remove: leastAdvanced(active).slice(0, active.length - wanted) };
  const occupied = countsWhenDeleting(job) ? active.length : active.length + terminating.length;
  const missing = Math.max(0, wanted - occupied);
  if (missing > 0 && backoffMs > 0) return { create: [], remove: [], waitMs: backoffMs };
  const indexed = job.spec?.completionMode === 'Indexed';
  return { create: indexed ? missingIndexes(job, pods, missing) : Array.from({ length: missing }, () => -1), remove: [] };
}

/** Unscheduled and unready pods first: they lose least. */
function leastAdvanced(pods: readonly Pod[]): Pod[] {
  const rank = (pod: Pod) => (pod.spec?.nodeName ? 1 : 0) + (pod.status?.phase === 'Running' ? 1 : 0) + (isReady(pod) ? 1 : 0);
  return [...pods].sort((a, b) => rank(a) - rank(b));
}

/** Milliseconds to wait before the next pod: the delay grows with failures since the last success. */
export function backoffLeftMs(pods: readonly Pod[], nowMs: number): number {
  const ended = (phase: string) => pods.filter((pod) => pod.status?.phase === phase).map((pod) => finishedAtMs(pod) ?? 0);
  const lastSuccess = Math.max(0, ...ended('Succeeded'));
  const failures = ended('Failed').filter((ms) => ms > lastSuccess);
  if (failures.length === 0) return 0;
  const delayMs = Math.min(BACKOFF_MS.max, BACKOFF_MS.first * 2 ** (failures.length - 1));
  return Math.max(0, Math.max(...failures) + delayMs - nowMs);
}

interface StatusFacts {
  target: Target | undefined;
  suspended: boolean;
  removed: readonly Pod[];
  at: { nowMs: number; now: string };
}

function interimStatus(job: Job, tally: Tally, { target, suspended, removed, at }: StatusFacts): JobStatus {
  const before = job.status ?? {};
  const uncounted = before.uncountedTerminatedPods ?? {};
  const uids = (pods: readonly Pod[]) => pods.map((pod) => pod.metadata.uid ?? '');
  const failedNow = countsWhenDeleting(job) ? [...tally.newFailed, ...removed] : tally.newFailed;
  const succeeded = [...(uncounted.succeeded ?? []), ...uids(tally.newSucceeded)];
  const failed = [...new Set([...(uncounted.failed ?? []), ...uids(failedNow)])];
  const active = tally.active.length - removed.length;
  const ready = tally.active.filter((pod) => isReady(pod) && !removed.includes(pod)).length;
  const terminating = tally.terminating.length + removed.length;
  const { active: _a, ready: _r, terminating: _t, ...kept } = before;
  return {
    ...kept,
    ...(active > 0 ? { active } : {}),
    ready,
    terminating,
    ...(before.startTime || suspended ? {} : { startTime: at.now }),
    uncountedTerminatedPods: { ...(succeeded.length > 0 ? { succeeded } : {}), ...(failed.length > 0 ? { failed } : {}) },
    ...conditionsWith(job, { target, suspended, now: at.now }),
  };
}

function conditionsWith(job: Job, { target, suspended, now }: { target: Target | undefined; suspended: boolean; now: string }): Pick<JobStatus, 'conditions'> {
  let conditions = [...(job.status?.conditions ?? [])];
  const set = (condition: JobCondition) => {
    conditions = withCondition(conditions, { ...condition, lastProbeTime: now }, now);
  };
  const wasSuspended = conditions.find((condition) => condition.type === 'Suspended')?.status;
  if (suspended && wasSuspended !== 'True') set({ type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' });
  if (!suspended && wasSuspended === 'True') set({ type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' });
  if (target && !conditions.some((condition) => condition.type === target.type && condition.status === 'True')) set({ ...target, status: 'True' });
  return conditions.length > 0 ? { conditions } : {};
}

/** Uncounted pods become counted; the end is declared once nothing runs any more. */
function finalStatus(job: Job, interim: JobStatus, { target, at }: { target: Target | undefined; at: { now: string } }): JobStatus {
  const { succeeded = [], failed = [] } = interim.uncountedTerminatedPods ?? {};
  const counts = { succeeded: (interim.succeeded ?? 0) + succeeded.length, failed: (interim.failed ?? 0) + failed.length };
  const status: JobStatus = {
    ...interim,
    ...(counts.succeeded > 0 ? { succeeded: counts.succeeded } : {}),
    ...(counts.failed > 0 ? { failed: counts.failed } : {}),
    uncountedTerminatedPods: {},
  };
  const over = target && (interim.active ?? 0) === 0 && (interim.terminating ?? 0) === 0;
  if (!over) return status;
  const failing = target.type === 'FailureTarget';
  const { active: _active, ...ended } = status;
  return {
    ...ended,
    ready: 0,
    ...(failing ? {} : { completionTime: at.now }),
    conditions: withCondition(status.conditions, { ...target, type: failing ? 'Failed' : 'Complete', status: 'True', lastProbeTime: at.now, lastTransitionTime: at.now }, at.now),
  };
}

/** The `completedIndexes` of an indexed Job; absent for others. */
export function withCompletedIndexes(job: Job, status: JobStatus, pods: readonly Pod[]): JobStatus {
  if (job.spec?.completionMode !== 'Indexed') return status;
  const done = completedIndexes(job, pods);
  const text = formatIndexes(done);
  return { ...status, ...(text ? { completedIndexes: text } : {}), ...(done.size > 0 ? { succeeded: done.size } : {}) };
}

/** Milliseconds until a finished Job is deleted; `undefined` when it stays. */
export function ttlLeftMs(job: Job, nowMs: number): number | undefined {
  const seconds = job.spec?.ttlSecondsAfterFinished;
  const end = conditionTrue(job, 'Complete') ?? conditionTrue(job, 'Failed');
  const endMs = timeMs(end?.lastTransitionTime);
  return seconds === undefined || endMs === undefined ? undefined : Math.max(0, endMs + seconds * 1000 - nowMs);
}

export { indexOf };
