/**
 * Proof that the holder's process is gone, from what its kubelet wrote into the holder's Pod.
 *
 * Proof is one thing only: the status of the holder's container says that an instance of it terminated, and
 * that this happened after the holder started. Both times are taken by the holder's own node, the holder's
 * from its record. Kubernetes truncates `finishedAt` to whole seconds, so a death within the second of the
 * start is not recognised (the lease expires instead).
 *
 * Not proof, on purpose: a Pod that vanished (a forced deletion does not stop a process), a phase of Failed
 * that other controllers can write (pod garbage collection, an eviction that has only begun), a
 * deletionTimestamp, a NotReady node, a restart count alone (it may tell of the death before the holder).
 */
import type { KubeObject } from '#apimachinery/meta';
import type { HolderInfo } from './record.ts';

interface Terminated {
  finishedAt?: string;
}

interface ContainerStatus {
  name?: string;
  state?: { terminated?: Terminated };
  lastState?: { terminated?: Terminated };
}

/** The part of a Pod that matters here. */
export interface HolderPod extends KubeObject {
  status?: { containerStatuses?: ContainerStatus[] };
}

/** Whether the pod proves that this incarnation of the holder has ended. */
export function provesDeath(pod: HolderPod, holder: HolderInfo): boolean {
  if (!holder.podUid || pod.metadata.uid !== holder.podUid) return false;
  const statuses = pod.status?.containerStatuses ?? [];
  // A holder that does not know its container's name can be recognised only in a pod with a single one.
  const mine = holder.container === undefined ? (statuses.length === 1 ? statuses : []) : statuses.filter(({ name }) => name === holder.container);
  return mine.some(({ state, lastState }) => [state?.terminated, lastState?.terminated].some((terminated) => endedAfterStart(terminated, holder)));
}

function endedAfterStart(terminated: Terminated | undefined, holder: HolderInfo): boolean {
  const finishedMs = Date.parse(terminated?.finishedAt ?? '');
  return Number.isFinite(finishedMs) && finishedMs >= holder.startedAtMs;
}
