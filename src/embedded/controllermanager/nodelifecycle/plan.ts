/**
 * What a silent node means for itself and its pods. Pure. Rule: "Nodes", "Taints and Tolerations / Taint
 * based Evictions":
 *
 *   no sign of life for the grace period → conditions Unknown, taint unreachable (NoSchedule, NoExecute),
 *   its pods not ready → after the pods' tolerationSeconds they are deleted → they stay Terminating until
 *   the node is back, because only its kubelet can say that they ended.
 *
 * When *no* node of the cluster gives a sign of life, the fault is probably on this side: nothing is
 * evicted then.
 */
import type { Node, NodeCondition, Pod, Taint, Toleration } from '#api/builtin';
import { podCondition } from '#embedded/controlloop';

export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';

/** Taints that mirror conditions (all with effect NoSchedule). */
const CONDITION_TAINTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: NOT_READY, Unknown: UNREACHABLE },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
};
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';
const MANAGED_NO_SCHEDULE = new Set([...Object.values(CONDITION_TAINTS).flatMap((each) => Object.values(each)), UNSCHEDULABLE]);

const REPORTED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

export function readyStatus(node: Node): 'True' | 'False' | 'Unknown' | undefined {
  return node.status?.conditions?.find((condition) => condition.type === 'Ready')?.status;
}

/** The conditions of a node that fell silent. */
export function silencedConditions(node: Node, now: string): NodeCondition[] {
  const conditions = [...(node.status?.conditions ?? [])];
  for (const type of REPORTED) {
    const index = conditions.findIndex((condition) => condition.type === type);
    const present = conditions[index];
    if (!present) {
      conditions.push({ type, status: 'Unknown', reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.', lastHeartbeatTime: node.metadata.creationTimestamp ?? now, lastTransitionTime: now });
    } else if (present.status !== 'Unknown') {
      conditions[index] = { ...present, status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.', lastTransitionTime: now };
    }
  }
  return conditions;
}

/** The NoSchedule taints a node should carry for its conditions, next to those that others put there. */
export function wantedNoScheduleTaints(node: Node, now: string): Taint[] {
  const wanted = new Set<string>();
  for (const { type, status } of node.status?.conditions ?? []) {
    const key = CONDITION_TAINTS[type]?.[status];
    if (key) wanted.add(key);
  }
  if (node.spec?.unschedulable) wanted.add(UNSCHEDULABLE);
  return replaced(node.spec?.taints, { effect: 'NoSchedule', managed: MANAGED_NO_SCHEDULE, wanted, now });
}

/** The NoExecute taint for readiness; none while `evict` is false (the whole cluster seems silent). */
export function wantedNoExecuteTaints(node: Node, evict: boolean, now: string): Taint[] {
  const ready = readyStatus(node);
  const wanted = new Set<string>();
  if (evict && ready === 'False') wanted.add(NOT_READY);
  if (evict && ready === 'Unknown') wanted.add(UNREACHABLE);
  return replaced(node.spec?.taints, { effect: 'NoExecute', managed: new Set([NOT_READY, UNREACHABLE]), wanted, now });
}

function replaced(taints: readonly Taint[] | undefined, { effect, managed, wanted, now }: { effect: string; managed: ReadonlySet<string>; wanted: ReadonlySet<string>; now: string }): Taint[] {
  const kept = (taints ?? []).filter((taint) => taint.effect !== effect || !managed.has(taint.key) || wanted.has(taint.key));
  const missing = [...wanted].filter((key) => !kept.some((taint) => taint.key === key && taint.effect === effect));
  return [...kept, ...missing.map((key) => ({ effect, key, timeAdded: now }))];
}

/** Every node is silent or not ready: evicting would only add to the damage. */
export function isFullDisruption(nodes: readonly Node[]): boolean {
  return nodes.length > 0 && nodes.every((node) => readyStatus(node) !== 'True');
}

/** When a pod must leave: never, at once, or this long after the taint was added. */
export type Eviction = { kind: 'stay' } | { kind: 'leave'; atMs: number };

export function evictionOf(pod: Pod, taints: readonly Taint[], taintedAtMs: (taint: Taint) => number): Eviction {
  const executing = taints.filter((taint) => taint.effect === 'NoExecute');
  if (executing.length === 0) return { kind: 'stay' };
  let atMs = Number.POSITIVE_INFINITY;
  for (const taint of executing) {
    const tolerations = (pod.spec?.tolerations ?? []).filter((toleration) => toleratesExecution(toleration, taint));
    if (tolerations.length === 0) return { kind: 'leave', atMs: taintedAtMs(taint) };
    for (const { tolerationSeconds } of tolerations) if (tolerationSeconds !== undefined) atMs = Math.min(atMs, taintedAtMs(taint) + Math.max(0, tolerationSeconds) * 1000);
  }
  return Number.isFinite(atMs) ? { kind: 'leave', atMs } : { kind: 'stay' };
}

function toleratesExecution({ key, operator = 'Equal', effect, value }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  return operator === 'Exists' || (key !== undefined && (value ?? '') === (taint.value ?? ''));
}

/** Pods that claim to be ready although their node cannot vouch for them. */
export function podsToSilence(pods: readonly Pod[]): Pod[] {
  return pods.filter((pod) => podCondition(pod, 'Ready')?.status === 'True' && !pod.metadata.deletionTimestamp);
}
