/**
 * Where a pod goes: filters drop nodes with a reason, scores order the rest. Pure; ties are broken by the
 * `Random` that is passed in. Rule: "Scheduling Framework" and the default plugins with their weights.
 *
 * Absent: preemption, volumes, extended resources beyond plain counting, image locality.
 */
import type { Random } from '#base/random';
import { pick } from '#base/random';
import type { Namespace, Node, Pod } from '#api/builtin';
import { affinityFilter, affinityScores } from './affinity.ts';
import { isCordoned, matchesNode, matchesTerm, tolerates, untoleratedTaint } from '#embedded/controlloop';
import { allocatable, hostPorts, podRequests, scoredRequests, sumRequests } from './resources.ts';
import { spreadFilter, spreadScores } from './spread.ts';

/** One node with the pods that are bound to it (finished ones left out). */
export interface NodeInfo {
  node: Node;
  pods: readonly Pod[];
}

export interface Snapshot {
  nodes: readonly NodeInfo[];
  namespaces: ReadonlyMap<string, Namespace>;
  /** Selectors of the Services, ReplicaSets and StatefulSets the pod belongs to, for default spreading. */
  groupOf(pod: Pod): Readonly<Record<string, string>> | undefined;
}

export type Placement = { kind: 'node'; name: string } | { kind: 'unschedulable'; message: string };

/** A reason per node, or nothing when the node is fit. */
export type NodeFilter = (info: NodeInfo) => string | undefined;
/** Points per node from 0 to 100. */
export type Scores = ReadonlyMap<NodeInfo, number>;

/** Weights of the default profile. */
const WEIGHT = { taints: 3, nodeAffinity: 2, affinity: 2, spread: 2, least: 1, balanced: 1 };

export function placePod(pod: Pod, snapshot: Snapshot, random: Random): Placement {
  const reasons = new Map<string, number>();
  const filters = [nodeFilter(pod), resourceFilter(pod), spreadFilter(pod, snapshot), affinityFilter(pod, snapshot)];
  const fit: NodeInfo[] = [];
  for (const info of snapshot.nodes) {
    const reason = firstReason(filters, info);
    if (reason === undefined) fit.push(info);
    else for (const text of reason.split('|')) reasons.set(text, (reasons.get(text) ?? 0) + 1);
  }
  if (fit.length === 0) return { kind: 'unschedulable', message: explain(snapshot.nodes.length, reasons) };
  const best = bestOf(pod, fit, snapshot);
  return { kind: 'node', name: pick(random, best).node.metadata.name ?? '' };
}

function firstReason(filters: readonly NodeFilter[], info: NodeInfo): string | undefined {
  for (const filter of filters) {
    const reason = filter(info);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** The sentence of the PodScheduled condition. Its second half is what a scheduler without preemption candidates says. */
function explain(nodes: number, reasons: ReadonlyMap<string, number>): string {
  if (nodes === 0) return 'no nodes available to schedule pods';
  const parts = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
  const preempt = `preemption: 0/${nodes} nodes are available: ${nodes} No preemption victims found for incoming pod.`;
  return `0/${nodes} nodes are available: ${parts.join(', ')}. no new claims to deallocate, ${preempt}`;
}

function nodeFilter(pod: Pod): NodeFilter {
  return ({ node }) => {
    if (isCordoned(pod, node)) return 'node(s) were unschedulable';
    const taint = untoleratedTaint(pod, node);
    if (taint) return `node(s) had untolerated taint(s)`;
    if (!matchesNode(pod, node)) return "node(s) didn't match Pod's node affinity/selector";
    return undefined;
  };
}

function resourceFilter(pod: Pod): NodeFilter {
  const wanted = podRequests(pod);
  const ports = hostPorts(pod);
  return ({ node, pods }) => {
    const taken = pods.flatMap(hostPorts);
    const clash = ports.some((port) => taken.some((other) => other.protocol === port.protocol && other.port === port.port && (other.ip === port.ip || other.ip === '0.0.0.0' || port.ip === '0.0.0.0')));
    if (clash) return "node(s) didn't have free ports for the requested pod ports";
    const capacity = allocatable(node);
    if (capacity['pods'] && pods.length + 1 > capacity['pods']) return 'Too many pods';
    const used = sumRequests(pods);
    const short = Object.entries(wanted).filter(([name, amount]) => amount > 0 && (used[name] ?? 0) + amount > (capacity[name] ?? 0) + 1e-9);
    return short.length > 0 ? short.map(([name]) => `Insufficient ${name}`).join('|') : undefined;
  };
}

function bestOf(pod: Pod, fit: readonly NodeInfo[], snapshot: Snapshot): NodeInfo[] {
  const totals = new Map<NodeInfo, number>(fit.map((info) => [info, 0]));
  const add = (weight: number, scores: Scores) => {
    for (const info of fit) totals.set(info, (totals.get(info) ?? 0) + weight * (scores.get(info) ?? 0));
  };
  add(WEIGHT.taints, inverted(raw(fit, ({ node }) => (node.spec?.taints ?? []).filter((taint) => taint.effect === 'PreferNoSchedule' && !tolerates(pod.spec?.tolerations, taint)).length)));
  add(WEIGHT.nodeAffinity, normalized(raw(fit, ({ node }) => preferredNodePoints(pod, node))));
  add(WEIGHT.affinity, affinityScores(pod, fit, snapshot));
  add(WEIGHT.spread, spreadScores(pod, fit, snapshot));
  add(WEIGHT.least, raw(fit, (info) => leastAllocated(pod, info)));
  add(WEIGHT.balanced, raw(fit, (info) => balancedAllocation(pod, info)));
  const top = Math.max(...totals.values());
  return fit.filter((info) => (totals.get(info) ?? 0) >= top - 1e-9);
}

function preferredNodePoints(pod: Pod, node: Node): number {
  const terms = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms.reduce((points, { weight, preference }) => points + (matchesTerm(preference, node) ? weight : 0), 0);
}

function fractions(pod: Pod, { node, pods }: NodeInfo): number[] {
  const capacity = allocatable(node);
  const used = sumRequests([...pods, pod], scoredRequests);
  return ['cpu', 'memory'].map((name) => Math.min(1, (used[name] ?? 0) / (capacity[name] || Number.POSITIVE_INFINITY)));
}

function leastAllocated(pod: Pod, info: NodeInfo): number {
  const used = fractions(pod, info);
  return Math.floor((used.reduce((total, fraction) => total + (1 - fraction), 0) / used.length) * 100);
}

function balancedAllocation(pod: Pod, info: NodeInfo): number {
  const [cpu = 0, memory = 0] = fractions(pod, info);
  return Math.floor((1 - Math.abs(cpu - memory) / 2) * 100);
}

export function raw(fit: readonly NodeInfo[], points: (info: NodeInfo) => number): Map<NodeInfo, number> {
  return new Map(fit.map((info) => [info, points(info)]));
}

/** Scaled so that the highest becomes 100. */
export function normalized(points: ReadonlyMap<NodeInfo, number>): Map<NodeInfo, number> {
  const top = Math.max(0, ...points.values());
  return new Map([...points].map(([info, value]) => [info, top === 0 ? 0 : Math.floor((value * 100) / top)]));
}

function inverted(points: ReadonlyMap<NodeInfo, number>): Map<NodeInfo, number> {
  return new Map([...normalized(points)].map(([info, value]) => [info, 100 - value]));
}
