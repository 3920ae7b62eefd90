/** Which nodes a pod's selectors and tolerations admit. Rule: "Assigning Pods to Nodes", "Taints and Tolerations". */
import { matchesRequirement } from '#apimachinery/labels';
import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, Taint, Toleration } from '#api/builtin';

/** `nodeSelector` and required node affinity. */
export function matchesNode(pod: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  const selected = Object.entries(pod.spec?.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return selected && (!required || matchesNodeSelector(required, node));
}

/** Terms are alternatives; a term without requirements matches nothing. */
export function matchesNodeSelector(selector: NodeSelector, node: Node): boolean {
  return selector.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

export function matchesTerm(term: NodeSelectorTerm, node: Node): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length + fields.length === 0) return false;
  const fieldValues = { 'metadata.name': node.metadata.name ?? '' };
  return expressions.every((each) => holds(each, node.metadata.labels ?? {})) && fields.every((each) => holds(each, fieldValues));
}

function holds({ key, operator, values }: NodeSelectorRequirement, labels: Readonly<Record<string, string>>): boolean {
  return matchesRequirement({ key, operator: operator as 'In', values: values ?? [] }, labels);
}

export function tolerates(tolerations: readonly Toleration[] | undefined, taint: Taint): boolean {
  return (tolerations ?? []).some((toleration) => toleratesTaint(toleration, taint));
}

function toleratesTaint({ key, operator, effect, value }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  switch (operator ?? 'Equal') {
    case 'Exists':
      return true;
    case 'Lt':
      return Number(taint.value) < Number(value);
    case 'Gt':
      return Number(taint.value) > Number(value);
    default:
      return key !== undefined && (value ?? '') === (taint.value ?? '');
  }
}

/** The first taint that keeps the pod away (NoSchedule or NoExecute). */
export function untoleratedTaint(pod: Pod, node: Node): Taint | undefined {
  const taints = [...(node.spec?.taints ?? [])];
  return taints.find((taint) => taint.effect !== 'PreferNoSchedule' && !tolerates(pod.spec?.tolerations, taint));
}

/** Cordoned, and the pod does not tolerate that. */
export function isCordoned(pod: Pod, node: Node): boolean {
  return node.spec?.unschedulable === true && !tolerates(pod.spec?.tolerations, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' });
}
