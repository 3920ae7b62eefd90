/**
 * Inter-pod affinity and anti-affinity. Pure. Rule: "Inter-pod affinity and anti-affinity"; a required
 * anti-affinity term of a running pod binds the incoming one too, and a pod that matches its own affinity
 * term may start a new group when nobody matches yet.
 */
import { matchesSelector } from '#apimachinery/labels';
import type { Pod, PodAffinityTerm } from '#api/builtin';
import { raw, type NodeFilter, type NodeInfo, type Scores, type Snapshot } from './place.ts';

export function affinityFilter(pod: Pod, snapshot: Snapshot): NodeFilter {
  const own = pod.spec?.affinity;
  const affinity = own?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const anti = own?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const wanted = affinity.map((term) => ({ term, values: domains(term, pod, snapshot), startsGroup: termAccepts(term, pod, pod, snapshot) }));
  const unwanted = anti.map((term) => ({ term, values: domains(term, pod, snapshot) }));
  const foreign = foreignAntiDomains(pod, snapshot);
  return ({ node }) => {
    const labels = node.metadata.labels ?? {};
    for (const { term, values, startsGroup } of wanted) {
      const value = labels[term.topologyKey];
      const fits = value !== undefined && (values.has(value) || (values.size === 0 && startsGroup));
      if (!fits) return "node(s) didn't match pod affinity rules";
    }
    for (const { term, values } of unwanted) {
      const value = labels[term.topologyKey];
      if (value !== undefined && values.has(value)) return "node(s) didn't match pod anti-affinity rules";
    }
    for (const [key, values] of foreign) {
      const value = labels[key];
      if (value !== undefined && values.has(value)) return "node(s) didn't satisfy existing pods anti-affinity rules";
    }
    return undefined;
  };
}

/** Values of the term's topology key where some pod matches it. */
function domains(term: PodAffinityTerm, incoming: Pod, snapshot: Snapshot): Set<string> {
  const values = new Set<string>();
  for (const { node, pods } of snapshot.nodes) {
    const value = node.metadata.labels?.[term.topologyKey];
    if (value !== undefined && pods.some((pod) => termAccepts(term, incoming, pod, snapshot))) values.add(value);
  }
  return values;
}

/** Domains closed to the incoming pod by required anti-affinity of pods that run there. */
function foreignAntiDomains(incoming: Pod, snapshot: Snapshot): Map<string, Set<string>> {
  const closed = new Map<string, Set<string>>();
  for (const { node, pods } of snapshot.nodes) {
    for (const pod of pods) {
      for (const term of pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
        const value = node.metadata.labels?.[term.topologyKey];
        if (value === undefined || !termAccepts(term, pod, incoming, snapshot)) continue;
        closed.set(term.topologyKey, (closed.get(term.topologyKey) ?? new Set()).add(value));
      }
    }
  }
  return closed;
}

/** Whether a term written in `holder` accepts `candidate`. */
function termAccepts(term: PodAffinityTerm, holder: Pod, candidate: Pod, snapshot: Snapshot): boolean {
  if (!inNamespaces(term, holder, candidate, snapshot)) return false;
  const labels = holder.metadata.labels ?? {};
  const matchLabels = { ...term.labelSelector?.matchLabels };
  for (const key of term.matchLabelKeys ?? []) if (labels[key] !== undefined) matchLabels[key] = labels[key];
  const mismatched = (term.mismatchLabelKeys ?? []).some((key) => labels[key] !== undefined && candidate.metadata.labels?.[key] === labels[key]);
  if (mismatched || !term.labelSelector) return false;
  return matchesSelector({ ...term.labelSelector, matchLabels }, candidate.metadata.labels);
}

function inNamespaces(term: PodAffinityTerm, holder: Pod, candidate: Pod, snapshot: Snapshot): boolean {
  const namespace = candidate.metadata.namespace ?? '';
  if (!term.namespaces?.length && !term.namespaceSelector) return namespace === holder.metadata.namespace;
  if (term.namespaces?.includes(namespace)) return true;
  return term.namespaceSelector !== undefined && matchesSelector(term.namespaceSelector, snapshot.namespaces.get(namespace)?.metadata.labels);
}

/** Preferred terms of the incoming pod and of those that run, as points from 0 to 100. */
export function affinityScores(pod: Pod, fit: readonly NodeInfo[], snapshot: Snapshot): Scores {
  const points = new Map<string, number>();
  const add = (key: string, value: string | undefined, weight: number) => {
    if (value !== undefined) points.set(`${key}=${value}`, (points.get(`${key}=${value}`) ?? 0) + weight);
  };
  for (const { node, pods } of snapshot.nodes) {
    const labels = node.metadata.labels ?? {};
    for (const other of pods) {
      for (const { weight, term, holder, candidate } of preferences(pod, other)) {
        if (termAccepts(term, holder, candidate, snapshot)) add(term.topologyKey, labels[term.topologyKey], weight);
      }
    }
  }
  if (points.size === 0) return new Map();
  const sums = raw(fit, ({ node }) => Object.entries(node.metadata.labels ?? {}).reduce((total, [key, value]) => total + (points.get(`${key}=${value}`) ?? 0), 0));
  return spreadOut(sums);
}

interface Preference {
  weight: number;
  term: PodAffinityTerm;
  holder: Pod;
  candidate: Pod;
}

function preferences(incoming: Pod, other: Pod): Preference[] {
  const of = (holder: Pod, candidate: Pod): Preference[] => {
    const { podAffinity, podAntiAffinity } = holder.spec?.affinity ?? {};
    return [
      ...(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ weight, podAffinityTerm }) => ({ weight, term: podAffinityTerm, holder, candidate })),
      ...(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ weight, podAffinityTerm }) => ({ weight: -weight, term: podAffinityTerm, holder, candidate })),
    ];
  };
  // A required affinity of a running pod counts as a preference of weight 1 for its kin.
  const hard = (other.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => ({ weight: 1, term, holder: other, candidate: incoming }));
  return [...of(incoming, other), ...of(other, incoming), ...hard];
}

/** Lowest becomes 0, highest 100. */
function spreadOut(sums: ReadonlyMap<NodeInfo, number>): Map<NodeInfo, number> {
  const low = Math.min(...sums.values());
  const high = Math.max(...sums.values());
  return new Map([...sums].map(([info, value]) => [info, high === low ? 0 : Math.floor((100 * (value - low)) / (high - low))]));
}
