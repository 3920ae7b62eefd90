/**
 * Topology spread constraints: as a filter (DoNotSchedule) and as points (ScheduleAnyway, and the cluster
 * default for pods of one Service or ReplicaSet: by zone and by host). Pure. Rule: "Pod Topology Spread
 * Constraints": skew is the pods in a domain minus the global minimum over eligible domains.
 */
import { matchesSelector, type LabelSelector } from '#apimachinery/labels';
import type { Pod, TopologySpreadConstraint } from '#api/builtin';
import { matchesNode, untoleratedTaint } from '#embedded/controlloop';
import { raw, type NodeFilter, type NodeInfo, type Scores, type Snapshot } from './place.ts';

/** How pods of one group spread when they say nothing (kube-scheduler's defaults). */
const DEFAULTS = [
  { topologyKey: 'kubernetes.io/hostname', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5 },
];

export function spreadFilter(pod: Pod, snapshot: Snapshot): NodeFilter {
  const constraints = (pod.spec?.topologySpreadConstraints ?? []).filter((constraint) => constraint.whenUnsatisfiable !== 'ScheduleAnyway');
  const keys = constraints.map((constraint) => constraint.topologyKey);
  const counted = constraints.map((constraint) => ({ constraint, counts: countDomains(pod, constraint, { snapshot, keys }), self: selfMatch(pod, constraint) }));
  return ({ node }) => {
    for (const { constraint, counts, self } of counted) {
      const value = node.metadata.labels?.[constraint.topologyKey];
      if (value === undefined) return "node(s) didn't match pod topology spread constraints (missing required label)";
      const fewDomains = counts.size < (constraint.minDomains ?? 1);
      const minimum = fewDomains || counts.size === 0 ? 0 : Math.min(...counts.values());
      if ((counts.get(value) ?? 0) + self - minimum > constraint.maxSkew) return "node(s) didn't match pod topology spread constraints";
    }
    return undefined;
  };
}

/** Matching pods per value of the constraint's key, over the nodes that count. */
function countDomains(pod: Pod, constraint: TopologySpreadConstraint, { snapshot, keys }: { snapshot: Snapshot; keys: readonly string[] }): Map<string, number> {
  const counts = new Map<string, number>();
  for (const info of snapshot.nodes) {
    const labels = info.node.metadata.labels ?? {};
    if (keys.some((key) => labels[key] === undefined) || !eligible(pod, constraint, info)) continue;
    const value = labels[constraint.topologyKey] ?? '';
    counts.set(value, (counts.get(value) ?? 0) + matching(pod, effectiveSelector(pod, constraint), info));
  }
  return counts;
}

function eligible(pod: Pod, constraint: TopologySpreadConstraint, { node }: NodeInfo): boolean {
  if ((constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor' && !matchesNode(pod, node)) return false;
  return constraint.nodeTaintsPolicy !== 'Honor' || untoleratedTaint(pod, node) === undefined;
}

function effectiveSelector(pod: Pod, constraint: TopologySpreadConstraint): LabelSelector | undefined {
  if (!constraint.labelSelector) return undefined;
  const matchLabels = { ...constraint.labelSelector.matchLabels };
  for (const key of constraint.matchLabelKeys ?? []) {
    const value = pod.metadata.labels?.[key];
    if (value !== undefined) matchLabels[key] = value;
  }
  return { ...constraint.labelSelector, matchLabels };
}

function selfMatch(pod: Pod, constraint: TopologySpreadConstraint): number {
  return matchesSelector(effectiveSelector(pod, constraint), pod.metadata.labels) ? 1 : 0;
}

function matching(pod: Pod, selector: LabelSelector | undefined, { pods }: NodeInfo): number {
  return pods.filter((other) => other.metadata.namespace === pod.metadata.namespace && !other.metadata.deletionTimestamp && matchesSelector(selector, other.metadata.labels)).length;
}

export function spreadScores(pod: Pod, fit: readonly NodeInfo[], snapshot: Snapshot): Scores {
  const soft = softConstraints(pod, snapshot);
  if (soft.length === 0) return new Map();
  const total = new Map<NodeInfo, number>(fit.map((info) => [info, 0]));
  for (const { topologyKey, maxSkew, selector } of soft) {
    const perDomain = new Map<string, number>();
    for (const info of snapshot.nodes) {
      const value = info.node.metadata.labels?.[topologyKey];
      if (value !== undefined) perDomain.set(value, (perDomain.get(value) ?? 0) + matching(pod, selector, info));
    }
    // The logarithm keeps a constraint with many domains from drowning the others.
    const weight = Math.log(perDomain.size + 2);
    for (const info of fit) {
      const value = info.node.metadata.labels?.[topologyKey];
      if (value !== undefined) total.set(info, (total.get(info) ?? 0) + (perDomain.get(value) ?? 0) * weight + (maxSkew - 1));
    }
  }
  const low = Math.min(...total.values());
  const high = Math.max(...total.values());
  return raw(fit, (info) => (high === 0 ? 100 : Math.floor((100 * (high + low - (total.get(info) ?? 0))) / high)));
}

function softConstraints(pod: Pod, snapshot: Snapshot): { topologyKey: string; maxSkew: number; selector: LabelSelector | undefined }[] {
  const own = pod.spec?.topologySpreadConstraints ?? [];
  if (own.length > 0) {
    return own
      .filter((constraint) => constraint.whenUnsatisfiable === 'ScheduleAnyway')
      .map((constraint) => ({ topologyKey: constraint.topologyKey, maxSkew: constraint.maxSkew, selector: effectiveSelector(pod, constraint) }));
  }
  const group = snapshot.groupOf(pod);
  return group ? DEFAULTS.map((each) => ({ ...each, selector: { matchLabels: { ...group } } })) : [];
}
