/** What is left of a namespace that goes, as conditions, and when to look again. Pure. */
import type { NamespaceCondition } from '#api/builtin';
import { withCondition } from '#embedded/controlloop';

export interface Remains {
  /** API groups that did not answer discovery. */
  undiscovered: string[];
  /** Kinds that could not be deleted, with the reason. */
  failures: string[];
  /** Instances left, by `plural.group`. */
  counts: Map<string, number>;
  /** Finalizers that hold instances. */
  finalizers: Map<string, number>;
  /** The longest grace period of a pod that is still there. */
  podGraceMs: number;
}

/** Finalizers are the business of others; look again after this. */
const FINALIZER_RETRY_MS = 8000;
const FAILURE_RETRY_MS = 500;

/** `undefined`: nothing is left, the namespace may go. */
export function retryAfterMs(remains: Remains): number | undefined {
  if (remains.failures.length > 0 || remains.undiscovered.length > 0) return FAILURE_RETRY_MS;
  if (remains.counts.size === 0) return undefined;
  if (remains.finalizers.size === 0 && remains.podGraceMs > 0) return Math.min(remains.podGraceMs / 2 + FAILURE_RETRY_MS, FINALIZER_RETRY_MS);
  return remains.finalizers.size > 0 ? FINALIZER_RETRY_MS : FAILURE_RETRY_MS;
}

export function namespaceConditions(present: readonly NamespaceCondition[] | undefined, remains: Remains, now: string): NamespaceCondition[] {
  const podsLeft = remains.podGraceMs > 0;
  const failures = [...remains.failures, ...(podsLeft ? [`unexpected items still remain in namespace for gvr: /v1, Resource=pods`] : [])];
  let conditions: NamespaceCondition[] = [...(present ?? [])];
  const set = (type: string, problem: string | undefined, words: { bad: string; good: string; fine: string }) => {
    conditions = withCondition(conditions, problem === undefined ? { type, status: 'False', reason: words.good, message: words.fine } : { type, status: 'True', reason: words.bad, message: problem }, now);
  };
  set('NamespaceDeletionDiscoveryFailure', remains.undiscovered.length > 0 ? `Discovery failed for some groups, ${remains.undiscovered.length} failing: ${remains.undiscovered.join(', ')}` : undefined, { bad: 'DiscoveryFailed', good: 'ResourcesDiscovered', fine: 'All resources successfully discovered' });
  set('NamespaceDeletionGroupVersionParsingFailure', undefined, { bad: 'GroupVersionParsingFailed', good: 'ParsedGroupVersions', fine: 'All legacy kube types successfully parsed' });
  set('NamespaceDeletionContentFailure', failures.length > 0 ? `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(', ')}` : undefined, { bad: 'ContentDeletionFailed', good: 'ContentDeleted', fine: 'All content successfully deleted, may be waiting on finalization' });
  const counted = podsLeft ? [] : [...remains.counts].map(([name, count]) => `${name.includes('.') ? name : `${name}.`} has ${count} resource instances`);
  set('NamespaceContentRemaining', counted.length > 0 ? `Some resources are remaining: ${counted.join(', ')}` : undefined, { bad: 'SomeResourcesRemain', good: 'ContentRemoved', fine: 'All content successfully removed' });
  const held = podsLeft ? [] : [...remains.finalizers].map(([name, count]) => `${name} in ${count} resource instances`);
  set('NamespaceFinalizersRemaining', held.length > 0 ? `Some content in the namespace has finalizers remaining: ${held.join(', ')}` : undefined, { bad: 'SomeFinalizersRemain', good: 'ContentHasNoFinalizers', fine: 'All content-preserving finalizers finished' });
  return conditions;
}
