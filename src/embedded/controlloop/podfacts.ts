/**
 * What controllers ask about a pod. Pure; times are wall-clock milliseconds because they are compared with
 * what other machines wrote. Rule: "Pod Lifecycle" of the Kubernetes documentation and the API reference
 * of `minReadySeconds`.
 */
import type { Pod, PodCondition } from '#api/builtin';

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export function isReady(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True';
}

/** Finished for good: no container of it will run again. */
export function isTerminated(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Deletion was requested but the pod has not finished. */
export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined && !isTerminated(pod);
}

/** Counts as a replica: neither finished nor on its way out. */
export function isActive(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && !isTerminated(pod);
}

export function activePods(pods: readonly Pod[]): Pod[] {
  return pods.filter(isActive);
}

/** Milliseconds until a ready pod has been ready for `minReadySeconds`; 0 when it has, `undefined` when it is not ready. */
export function untilAvailableMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  if (!isReady(pod)) return undefined;
  if (minReadySeconds === 0) return 0;
  return Math.max(0, (readySinceMs(pod) ?? nowMs) + minReadySeconds * 1000 - nowMs);
}

export function isAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  return untilAvailableMs(pod, minReadySeconds, nowMs) === 0;
}

export function readySinceMs(pod: Pod): number | undefined {
  const ready = podCondition(pod, 'Ready');
  return ready?.status === 'True' ? timeMs(ready.lastTransitionTime) : undefined;
}

/** The largest restart count of any container. */
export function maxRestarts(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount));
}

/** When a finished pod finished: its last container's end, else when it stopped being ready, else its creation. */
export function finishedAtMs(pod: Pod): number | undefined {
  const ends = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
    .map((status) => timeMs(status.state?.terminated?.finishedAt))
    .filter((ms) => ms !== undefined);
  if (ends.length > 0) return Math.max(...ends);
  const ready = podCondition(pod, 'Ready');
  if (ready?.status === 'False' && ready.lastTransitionTime) return timeMs(ready.lastTransitionTime);
  return timeMs(pod.metadata.deletionTimestamp) ?? timeMs(pod.metadata.creationTimestamp);
}

/** Milliseconds since the epoch of an RFC 3339 text; `undefined` for an absent or unreadable one. */
export function timeMs(text: string | undefined): number | undefined {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
