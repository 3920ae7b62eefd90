/**
 * What a DaemonSet does next: one pod on each node that admits it. Pure. Rule: "DaemonSet": its pods
 * tolerate the taints of ill nodes, are pinned to their node by affinity and bound by the scheduler.
 */
import { deepClone } from '#base/json';
import { daemonSets, type DaemonSet, type DaemonSetStatus, type Node, type Pod, type PodTemplateSpec, type Toleration } from '#api/builtin';
import { isActive, isAvailable, isReady, isTerminated, matchesNode, tolerates } from '#embedded/controlloop';
import { scaledValue } from '../workload/intorpercent.ts';
import { podFromTemplate } from '../workload/pods.ts';
import { REVISION_HASH_LABEL } from '../workload/revisions.ts';

const TOLERATED: readonly Toleration[] = [
  ...['not-ready', 'unreachable'].map((key) => ({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect: 'NoExecute' })),
  ...['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'].map((key) => ({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect: 'NoSchedule' })),
];

export interface DaemonSetPlan {
  /** Nodes that need a pod. */
  create: string[];
  remove: Pod[];
}

/** The node a daemon pod is meant for, bound or not. */
export function targetNode(pod: Pod): string | undefined {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return terms.flatMap((term) => term.matchFields ?? []).find((field) => field.key === 'metadata.name')?.values?.[0];
}

/** Whether a pod of the set should run on the node, and whether one that is there may stay. */
export function nodeAdmits(set: DaemonSet, node: Node): { run: boolean; keep: boolean } {
  const template: Pod = { metadata: { labels: set.spec?.template.metadata?.labels ?? {} }, spec: withTolerations(set.spec?.template.spec ?? { containers: [] }) };
  if (!matchesNode(template, node)) return { run: false, keep: false };
  const repelling = (node.spec?.taints ?? []).filter((taint) => taint.effect !== 'PreferNoSchedule' && !tolerates(template.spec?.tolerations, taint));
  return { run: repelling.length === 0, keep: !repelling.some((taint) => taint.effect === 'NoExecute') };
}

function withTolerations(spec: NonNullable<Pod['spec']>): NonNullable<Pod['spec']> {
  return { ...spec, tolerations: [...(spec.tolerations ?? []), ...TOLERATED] };
}

/** `hash` is that of the present template. */
export function planDaemonSet(set: DaemonSet, owned: readonly Pod[], nodes: readonly Node[], { hash, nowMs }: { hash: string; nowMs: number }): DaemonSetPlan {
  const plan: DaemonSetPlan = { create: [], remove: [] };
  if (set.metadata.deletionTimestamp) return plan;
  const byNode = Map.groupBy(owned, (pod) => targetNode(pod) ?? '');
  for (const node of nodes) {
    const name = node.metadata.name ?? '';
    const here = byNode.get(name) ?? [];
    const { run, keep } = nodeAdmits(set, node);
    const running = here.filter(isActive);
    plan.remove.push(...here.filter((pod) => isTerminated(pod) && !pod.metadata.deletionTimestamp));
    if (!keep) plan.remove.push(...running);
    else if (run && here.length === 0) plan.create.push(name);
    else plan.remove.push(...surplus(running, hash));
  }
  const known = new Set(nodes.map((node) => node.metadata.name));
  for (const [name, here] of byNode) if (!known.has(name)) plan.remove.push(...here.filter(isActive));
  return { create: plan.create, remove: [...plan.remove, ...outdated(set, owned, nodes, { hash, nowMs, going: plan.remove })] };
}

/** All but the best of several pods on one node. */
function surplus(running: readonly Pod[], hash: string): Pod[] {
  const rank = (pod: Pod) => (isReady(pod) ? 0 : 2) + (pod.metadata.labels?.[REVISION_HASH_LABEL] === hash ? 0 : 1);
  return [...running].sort((a, b) => rank(a) - rank(b)).slice(1);
}

/** Pods of an old template that may go now: unavailable ones at once, others as far as maxUnavailable allows. */
function outdated(set: DaemonSet, owned: readonly Pod[], nodes: readonly Node[], { hash, nowMs, going }: { hash: string; nowMs: number; going: readonly Pod[] }): Pod[] {
  if (set.spec?.updateStrategy?.type === 'OnDelete') return [];
  const wanted = nodes.filter((node) => nodeAdmits(set, node).run).length;
  const limit = Math.max(1, scaledValue(set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, wanted, 'up'));
  const available = (pod: Pod) => isActive(pod) && isAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs);
  const old = owned.filter((pod) => isActive(pod) && !going.includes(pod) && pod.metadata.labels?.[REVISION_HASH_LABEL] !== hash);
  const unavailable = wanted - owned.filter((pod) => available(pod) && !going.includes(pod)).length;
  const broken = old.filter((pod) => !available(pod));
  return [...broken, ...old.filter(available).slice(0, Math.max(0, limit - unavailable))];
}

export function daemonPod(set: DaemonSet, node: string, template: PodTemplateSpec, hash: string): Pod {
  const pod = podFromTemplate(template, set, daemonSets);
  const spec = withTolerations(deepClone(pod.spec ?? { containers: [] }));
  const affinity = { ...spec.affinity, nodeAffinity: { ...spec.affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }] } } };
  return { ...pod, metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, [REVISION_HASH_LABEL]: hash } }, spec: { ...spec, affinity } };
}

export function daemonSetStatus(set: DaemonSet, owned: readonly Pod[], nodes: readonly Node[], { hash, nowMs }: { hash: string; nowMs: number }): DaemonSetStatus {
  const byNode = Map.groupBy(owned, (pod) => targetNode(pod) ?? '');
  const count = { desired: 0, current: 0, ready: 0, available: 0, updated: 0, misscheduled: 0 };
  for (const node of nodes) {
    const here = (byNode.get(node.metadata.name ?? '') ?? []).filter((pod) => !isTerminated(pod));
    const best = here.find(isReady) ?? here[0];
    if (!nodeAdmits(set, node).run) {
      if (best) count.misscheduled++;
      continue;
    }
    count.desired++;
    if (!best) continue;
    count.current++;
    if (isReady(best)) count.ready++;
    if (isAvailable(best, set.spec?.minReadySeconds ?? 0, nowMs)) count.available++;
    if (best.metadata.labels?.[REVISION_HASH_LABEL] === hash) count.updated++;
  }
  return {
    currentNumberScheduled: count.current,
    desiredNumberScheduled: count.desired,
    ...(count.available > 0 ? { numberAvailable: count.available } : {}),
    numberMisscheduled: count.misscheduled,
    numberReady: count.ready,
    ...(count.desired > count.available ? { numberUnavailable: count.desired - count.available } : {}),
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    ...(count.updated > 0 ? { updatedNumberScheduled: count.updated } : {}),
  };
}
