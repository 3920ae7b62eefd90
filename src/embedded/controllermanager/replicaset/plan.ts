/**
 * What a ReplicaSet does next: how many pods to make, which to delete, what status to report. Pure.
 *
 * Deletion order, first difference decides (API reference of ReplicaSet "Scaling down"): unscheduled,
 * Pending before Unknown before Running, not ready, lower deletion cost, more siblings on the same node,
 * ready for a shorter time (in powers of two), more restarts, younger (in powers of two), smaller UID.
 */
import { matchesSelector } from '#apimachinery/labels';
import type { Pod, ReplicaSet, ReplicaSetStatus } from '#api/builtin';
import { isActive, isAvailable, isReady, isTerminating, maxRestarts, readySinceMs, timeMs, untilAvailableMs, withCondition } from '#embedded/controlloop';

/** More creations or deletions than this are left to the next round (upstream's burst). */
export const BURST_MAX = 500;

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

export interface ReplicaSetPlan {
  create: number;
  remove: Pod[];
}

/** `siblings` are the active pods of all ReplicaSets with the same owner; they count how crowded a node is. */
export function planReplicaSet(set: ReplicaSet, owned: readonly Pod[], siblings: readonly Pod[], nowMs: number): ReplicaSetPlan {
  if (set.metadata.deletionTimestamp) return { create: 0, remove: [] };
  const active = owned.filter(isActive);
  const wanted = set.spec?.replicas ?? 1;
  const missing = wanted - active.length;
  if (missing >= 0) return { create: Math.min(missing, BURST_MAX), remove: [] };
  return { create: 0, remove: rankForDeletion(active, siblings, nowMs).slice(0, Math.min(-missing, BURST_MAX)) };
}

/** The pods in the order in which they should go. */
export function rankForDeletion(pods: readonly Pod[], siblings: readonly Pod[], nowMs: number): Pod[] {
  const perNode = new Map<string, number>();
  for (const pod of siblings) {
    const node = pod.spec?.nodeName ?? '';
    if (isActive(pod)) perNode.set(node, (perNode.get(node) ?? 0) + 1);
  }
  const ranked = pods.map((pod) => ({ pod, keys: deletionKeys(pod, perNode, nowMs) }));
  ranked.sort((a, b) => {
    const at = a.keys.findIndex((key, index) => key !== b.keys[index]);
    if (at < 0) return (a.pod.metadata.uid ?? '') < (b.pod.metadata.uid ?? '') ? -1 : 1;
    return (a.keys[at] ?? 0) - (b.keys[at] ?? 0);
  });
  return ranked.map(({ pod }) => pod);
}

const PHASE_RANK: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** Numbers to compare from left to right; the smaller goes first. */
function deletionKeys(pod: Pod, perNode: ReadonlyMap<string, number>, nowMs: number): number[] {
  const node = pod.spec?.nodeName ?? '';
  const ready = isReady(pod);
  return [
    node ? 1 : 0,
    PHASE_RANK[pod.status?.phase ?? 'Pending'] ?? 1,
    ready ? 1 : 0,
    Number.parseInt(pod.metadata.annotations?.[DELETION_COST] ?? '0', 10) || 0,
    -(perNode.get(node) ?? 0),
    ready ? ageBucket(readySinceMs(pod), nowMs) : 0,
    -maxRestarts(pod),
    ageBucket(timeMs(pod.metadata.creationTimestamp), nowMs),
  ];
}

/** Ages in powers of two of a nanosecond, as upstream has them: pods of like age count as equal, so that not always the youngest goes. */
function ageBucket(sinceMs: number | undefined, nowMs: number): number {
  if (sinceMs === undefined) return -1;
  return Math.floor(Math.log2(Math.max(1, (nowMs - sinceMs) * 1e6)));
}

/** The status that the pods amount to. `failure` is the error of the last creation or deletion. */
export function replicaSetStatus(set: ReplicaSet, owned: readonly Pod[], at: { nowMs: number; now: string; failure?: { reason: string; message: string } | undefined }): ReplicaSetStatus {
  const active = owned.filter(isActive);
  const labels = { matchLabels: set.spec?.template?.metadata?.labels ?? {} };
  const ready = active.filter(isReady).length;
  const available = active.filter((pod) => isAvailable(pod, set.spec?.minReadySeconds ?? 0, at.nowMs)).length;
  const fullyLabeled = active.filter((pod) => matchesSelector(labels, pod.metadata.labels)).length;
  const conditions = failureConditions(set, at);
  return {
    ...(available ? { availableReplicas: available } : {}),
    ...(conditions?.length ? { conditions } : {}),
    ...(fullyLabeled ? { fullyLabeledReplicas: fullyLabeled } : {}),
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    ...(ready ? { readyReplicas: ready } : {}),
    replicas: active.length,
    terminatingReplicas: owned.filter(isTerminating).length,
  };
}

function failureConditions(set: ReplicaSet, { failure, now }: { failure?: { reason: string; message: string } | undefined; now: string }) {
  const conditions = set.status?.conditions;
  if (!failure) return conditions?.filter((condition) => condition.type !== 'ReplicaFailure');
  return withCondition(conditions, { type: 'ReplicaFailure', status: 'True', ...failure }, now);
}

/** Milliseconds until the next ready pod becomes available, when some still has to wait. */
export function nextAvailabilityMs(set: ReplicaSet, owned: readonly Pod[], nowMs: number): number | undefined {
  const waits = owned.filter(isActive).map((pod) => untilAvailableMs(pod, set.spec?.minReadySeconds ?? 0, nowMs) ?? 0).filter((ms) => ms > 0);
  return waits.length > 0 ? Math.min(...waits) : undefined;
}
