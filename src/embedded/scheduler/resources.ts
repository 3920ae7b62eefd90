/** What pods ask for and what nodes have left. Rule: "Resource Management for Pods and Containers". */
import type { Container, Node, Pod } from '#api/builtin';
import { quantity } from './quantity.ts';

export type Amounts = Readonly<Record<string, number>>;

/** Requests that stand in for pods which ask for nothing, for scoring only (100m CPU, 200 MB). */
const NOMINAL: Amounts = { cpu: 0.1, memory: 200 * 2 ** 20 };

/**
 * A pod's effective requests: the larger of what its containers need together and what any init container
 * needs by itself, plus overhead. Init containers that keep running (sidecars) count with the containers.
 */
export function podRequests(pod: Pod): Record<string, number> {
  const total: Record<string, number> = {};
  for (const container of pod.spec?.containers ?? []) addTo(total, requestsOf(container));
  const sidecars: Record<string, number> = {};
  const peak: Record<string, number> = {};
  for (const container of pod.spec?.initContainers ?? []) {
    const own = requestsOf(container);
    if (container.restartPolicy === 'Always') addTo(sidecars, own);
    else raiseTo(peak, plus(own, sidecars));
  }
  const result = plus(total, sidecars);
  raiseTo(result, peak);
  addTo(result, numbers(pod.spec?.overhead));
  return result;
}

/** The same with nominal values where nothing was asked, so that such pods spread too. */
export function scoredRequests(pod: Pod): Record<string, number> {
  const requests = podRequests(pod);
  return { ...requests, cpu: requests['cpu'] || (NOMINAL['cpu'] ?? 0), memory: requests['memory'] || (NOMINAL['memory'] ?? 0) };
}

export function allocatable(node: Node): Record<string, number> {
  return numbers(node.status?.allocatable ?? node.status?.capacity);
}

export function sumRequests(pods: readonly Pod[], of: (pod: Pod) => Record<string, number> = podRequests): Record<string, number> {
  const total: Record<string, number> = {};
  for (const pod of pods) addTo(total, of(pod));
  return total;
}

/** Host ports as `protocol/ip/port`. */
export function hostPorts(pod: Pod): { protocol: string; ip: string; port: number }[] {
  return (pod.spec?.containers ?? []).flatMap((container) =>
    (container.ports ?? []).filter((port) => port.hostPort).map((port) => ({ protocol: port.protocol ?? 'TCP', ip: port.hostIP || '0.0.0.0', port: port.hostPort ?? 0 })),
  );
}

function requestsOf(container: Container): Record<string, number> {
  return numbers({ ...container.resources?.limits, ...container.resources?.requests });
}

function numbers(amounts: Readonly<Record<string, string>> | undefined): Record<string, number> {
  return Object.fromEntries(Object.entries(amounts ?? {}).map(([name, text]) => [name, quantity(text)]));
}

function addTo(total: Record<string, number>, amounts: Amounts): void {
  for (const [name, amount] of Object.entries(amounts)) total[name] = (total[name] ?? 0) + amount;
}

function raiseTo(total: Record<string, number>, amounts: Amounts): void {
  for (const [name, amount] of Object.entries(amounts)) total[name] = Math.max(total[name] ?? 0, amount);
}

function plus(a: Amounts, b: Amounts): Record<string, number> {
  const total = { ...a };
  addTo(total, b);
  return total;
}
