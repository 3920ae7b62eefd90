/**
 * Pods of ours that stay Terminating because their node is gone; pure. The API server keeps such a pod
 * until its kubelet confirms the end, which a dead node never does. It does not hinder a takeover (the lease
 * decides), but it hides how many replicas there are, and an anti-affinity may wait for it.
 *
 * Removing it by force says "nobody runs under this name any more", which only holds when the node is truly
 * gone. So it is removed only when all of this is true: the option allows it · the node has been
 * unreachable for longer than configured · the pod does not hold the lease · a replacement is Ready.
 */
import type { Node, Pod } from '#api/builtin';
import { podOfHolder } from '../components.ts';

export type ForceDelete = 'Never' | 'UnreachableNode';

export interface StuckPolicy {
  forceDelete: ForceDelete;
  /** How long its node must have been unreachable. */
  unreachableAfterMs: number;
}

export interface StuckPod {
  pod: Pod;
  /** How long its node has been unreachable; Infinity when the node object is gone. */
  unreachableMs: number;
  /** Why it stays; absent when it may be removed. */
  kept?: string;
}

/** A pod is looked at once it is overdue by this much: kubelets need a moment for the last words. */
export const OVERDUE_MS = 5_000;

export interface StuckFacts {
  /** All pods of the component. */
  pods: readonly Pod[];
  nodes: readonly Node[];
  /** `holderIdentity` of the component's lease. */
  holder: string;
  /** Wall time. */
  nowMs: number;
}

/** Pods that are Terminating on unreachable nodes, each with the verdict of the safe rule. */
export function findStuckPods({ pods, nodes, holder, nowMs }: StuckFacts, policy: StuckPolicy): StuckPod[] {
  const byName = new Map(nodes.map((node) => [node.metadata.name, node]));
  return pods.flatMap((pod): StuckPod[] => {
    const { deletionTimestamp } = pod.metadata;
    const nodeName = pod.spec?.nodeName;
    if (!deletionTimestamp || !nodeName || nowMs - Date.parse(deletionTimestamp) < OVERDUE_MS) return [];
    const unreachableMs = nodeUnreachableMs(byName.get(nodeName), nowMs);
    if (unreachableMs === undefined) return [];
    const kept = reasonToKeep(pod, { pods, holder, unreachableMs }, policy);
    return [{ pod, unreachableMs, ...(kept ? { kept } : {}) }];
  });
}

function reasonToKeep(pod: Pod, { pods, holder, unreachableMs }: { pods: readonly Pod[]; holder: string; unreachableMs: number }, policy: StuckPolicy): string | undefined {
  if (policy.forceDelete !== 'UnreachableNode') return 'forceDeleteTerminatingPods is Never';
  if (unreachableMs < policy.unreachableAfterMs) return `its node has been unreachable for ${Math.round(unreachableMs / 1000)} s, less than the ${policy.unreachableAfterMs / 1000} s that are configured`;
  if (holder !== '' && podOfHolder(holder) === pod.metadata.name) return 'it holds the lease';
  if (!pods.some((other) => other.metadata.uid !== pod.metadata.uid && !other.metadata.deletionTimestamp && isReplacement(other, pod))) return 'no replacement is Ready';
  return undefined;
}

/** Ready, and made by the same owner or at least of the same app. */
function isReplacement(other: Pod, { metadata }: Pod): boolean {
  const ready = other.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
  return ready && other.metadata.labels?.app === metadata.labels?.app;
}

/**
 * How long a node has been unreachable; `undefined` when it is not. `Ready=Unknown` is the node lifecycle
 * controller's word for "its kubelet has gone silent"; a node that says `Ready=False` itself is reachable.
 */
export function nodeUnreachableMs(node: Node | undefined, nowMs: number): number | undefined {
  if (!node) return Number.POSITIVE_INFINITY;
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'Unknown') return undefined;
  return Math.max(0, nowMs - Date.parse(ready.lastTransitionTime ?? ''));
}

/**
 * From the environment (FLEET_FORCE_DELETE_TERMINATING_PODS; the duration is parsed by the caller). Throws
 * an `Error` that names the two values there are.
 */
export function parseForceDelete(text: string | undefined): ForceDelete {
  if (text === undefined || text === '' || text === 'Never') return 'Never';
  if (text === 'UnreachableNode') return text;
  throw new Error(`forceDeleteTerminatingPods: ${JSON.stringify(text)} is unknown: use Never or UnreachableNode`);
}
