/**
 * What a Deployment reports: counters, and the conditions Available, Progressing, ReplicaFailure. Pure.
 * Rule: "Deployment status" of the Kubernetes documentation; reasons and messages are what `kubectl
 * rollout status` and people's scripts read.
 */
import { findCondition, setCondition, type Condition } from '#apimachinery/meta';
import type { Deployment, DeploymentStatus, ReplicaSet } from '#api/builtin';
import { timeMs } from '#embedded/controlloop';
import { limitsOf } from './rolling.ts';
import { availableOf, replicasOf, sum } from './revision.ts';

/** `progressDeadlineSeconds` that stands for "no deadline". */
export const NO_DEADLINE_SECONDS = 2_147_483_647;

type Conditions = NonNullable<DeploymentStatus['conditions']>;

/** Counters and the Available condition; Progressing is kept as it is. */
export function deploymentStatus(deployment: Deployment, all: readonly ReplicaSet[], newSet: ReplicaSet | undefined, now: string): DeploymentStatus {
  const available = sum(all, availableOf);
  const total = sum(all, replicasOf);
  const replicas = sum(all, (set) => set.status?.replicas ?? 0);
  const ready = sum(all, (set) => set.status?.readyReplicas ?? 0);
  const updated = newSet?.status?.replicas ?? 0;
  const unavailable = Math.max(0, total - available);
  return {
    ...(available ? { availableReplicas: available } : {}),
    ...(deployment.status?.collisionCount ? { collisionCount: deployment.status.collisionCount } : {}),
    conditions: withAvailability(deployment, available, all, now),
    ...(deployment.metadata.generation === undefined ? {} : { observedGeneration: deployment.metadata.generation }),
    ...(ready ? { readyReplicas: ready } : {}),
    ...(replicas ? { replicas } : {}),
    terminatingReplicas: sum(all, (set) => set.status?.terminatingReplicas ?? 0),
    ...(unavailable ? { unavailableReplicas: unavailable } : {}),
    ...(updated ? { updatedReplicas: updated } : {}),
  };
}

function withAvailability(deployment: Deployment, available: number, all: readonly ReplicaSet[], now: string): Conditions {
  const { replicas, unavailable } = limitsOf(deployment);
  const enough = available >= replicas - unavailable;
  const wanted = enough
    ? ({ type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' } as const)
    : ({ type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable', message: 'Deployment does not have minimum availability.' } as const);
  const conditions = set(deployment.status?.conditions, wanted, now);
  const failure = all.map((child) => findCondition(child.status?.conditions as Condition[], 'ReplicaFailure')).find((condition) => condition !== undefined);
  if (!failure) return conditions.filter((condition) => condition.type !== 'ReplicaFailure');
  return set(conditions, { type: 'ReplicaFailure', status: failure.status, reason: failure.reason ?? '', message: failure.message ?? '' }, now);
}

/** Sets a condition; its update time moves only when something changes. */
export function set(conditions: Conditions | undefined, wanted: Omit<Condition, 'lastTransitionTime' | 'lastUpdateTime'>, now: string): Conditions {
  return setCondition(conditions as Condition[] | undefined, wanted, now) as Conditions;
}

/** All replicas are of the present template, available, and no old pod is left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const replicas = deployment.spec?.replicas ?? 1;
  return (
    (status.updatedReplicas ?? 0) === replicas &&
    (status.replicas ?? 0) === replicas &&
    (status.availableReplicas ?? 0) === replicas &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

/** Something moved towards the goal since the last status. */
export function isProgressing(deployment: Deployment, next: DeploymentStatus): boolean {
  const before = deployment.status ?? {};
  const old = (status: DeploymentStatus) => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (next.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(next) < old(before) ||
    (next.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (next.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

export interface ProgressResult {
  status: DeploymentStatus;
  /** Look again after this long: the deadline may have passed by then. */
  checkAfterMs?: number;
}

/** The status of a rollout with its Progressing condition. */
export function withProgress(deployment: Deployment, status: DeploymentStatus, newSet: ReplicaSet | undefined, at: { now: string; nowMs: number }): ProgressResult {
  if (!hasDeadline(deployment)) return { status: { ...status, conditions: (status.conditions ?? []).filter((condition) => condition.type !== 'Progressing') } };
  const current = status.conditions?.find((condition) => condition.type === 'Progressing');
  const finished = (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable';
  if (finished) return { status };
  const name = newSet ? `ReplicaSet "${newSet.metadata.name}"` : `Deployment "${deployment.metadata.name}"`;
  const progress = (state: 'True' | 'False', reason: string, message: string) => ({ ...status, conditions: set(status.conditions, { type: 'Progressing', status: state, reason, message: `${name} ${message}` }, at.now) });
  if (isComplete(deployment, status)) return { status: progress('True', 'NewReplicaSetAvailable', 'has successfully progressed.') };
  if (isProgressing(deployment, status)) {
    const next = progress('True', 'ReplicaSetUpdated', 'is progressing.');
    return { status: { ...next, conditions: touched(next.conditions ?? [], at.now) }, checkAfterMs: deadlineMs(deployment) + SLACK_MS };
  }
  const leftMs = deadlineLeftMs(deployment, current, at.nowMs);
  if (leftMs !== undefined && leftMs <= 0) return { status: progress('False', 'ProgressDeadlineExceeded', 'has timed out progressing.') };
  return { status, ...(leftMs === undefined ? {} : { checkAfterMs: leftMs + SLACK_MS }) };
}

// The deadline is measured with whole seconds on the wire, so look a little later than it says.
const SLACK_MS = 1000;

/** Progress restarts the deadline, which counts from the condition's last update. */
function touched(conditions: Conditions, now: string): Conditions {
  return conditions.map((condition) => (condition.type === 'Progressing' ? { ...condition, lastUpdateTime: now } : condition));
}

export function hasDeadline(deployment: Deployment): boolean {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  return seconds !== undefined && seconds !== NO_DEADLINE_SECONDS;
}

function deadlineMs(deployment: Deployment): number {
  return (deployment.spec?.progressDeadlineSeconds ?? 0) * 1000;
}

/** Milliseconds left until the deadline; `undefined` when nothing is under way. */
function deadlineLeftMs(deployment: Deployment, condition: Conditions[number] | undefined, nowMs: number): number | undefined {
  if (!condition || condition.reason === 'NewReplicaSetAvailable') return undefined;
  if (condition.reason === 'ProgressDeadlineExceeded') return 0;
  const since = timeMs(condition.lastUpdateTime) ?? nowMs;
  return since + deadlineMs(deployment) - nowMs;
}
