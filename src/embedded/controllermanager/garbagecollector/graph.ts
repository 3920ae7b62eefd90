/**
 * Who depends on whom, by UID, and what to do about an object when its owners or its deletion change.
 * Pure. Rule: "Garbage Collection" and "Cascading deletion" of the Kubernetes documentation.
 *
 *   background   the owner goes first, dependents without a living owner follow
 *   foreground   `foregroundDeletion` holds the owner until dependents that block it are gone
 *   orphan       `orphan` holds the owner until its references are removed from dependents
 */
import type { KubeObject, ObjectKey, OwnerReference } from '#apimachinery/meta';
import { keyOf } from '#apimachinery/meta';
import type { ServedResource } from '../discovery.ts';

export const FOREGROUND = 'foregroundDeletion';
export const ORPHAN = 'orphan';

/** What the collector keeps of an object. */
export interface GraphNode {
  uid: string;
  resource: ServedResource;
  key: ObjectKey;
  owners: readonly OwnerReference[];
  finalizers: readonly string[];
  deleting: boolean;
}

export function graphNode(resource: ServedResource, object: KubeObject): GraphNode {
  const { uid = '', ownerReferences = [], finalizers = [], deletionTimestamp } = object.metadata;
  return { uid, resource, key: keyOf(object), owners: ownerReferences, finalizers, deleting: deletionTimestamp !== undefined };
}

export class DependencyGraph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  put(node: GraphNode): void {
    const before = this.#nodes.get(node.uid);
    for (const { uid } of before?.owners ?? []) this.#unlink(uid, node.uid);
    this.#nodes.set(node.uid, node);
    for (const { uid } of node.owners) this.#dependents.set(uid, (this.#dependents.get(uid) ?? new Set()).add(node.uid));
  }

  remove(uid: string): void {
    for (const owner of this.#nodes.get(uid)?.owners ?? []) this.#unlink(owner.uid, uid);
    this.#nodes.delete(uid);
  }

  dependents(uid: string): GraphNode[] {
    return [...(this.#dependents.get(uid) ?? [])].map((each) => this.#nodes.get(each)).filter((node) => node !== undefined);
  }

  #unlink(owner: string, dependent: string): void {
    const set = this.#dependents.get(owner);
    set?.delete(dependent);
    if (set?.size === 0) this.#dependents.delete(owner);
  }
}

/** What an owner reference amounts to: a living owner, one that waits for its dependents to go, or none. */
export type OwnerState = 'solid' | 'waiting' | 'absent';

export type Verdict =
  | { kind: 'keep' }
  /** References to these owners are to be removed; others still hold the object. */
  | { kind: 'release'; uids: string[] }
  | { kind: 'delete'; policy: 'Background' | 'Foreground' | 'Orphan' };

/** What happens to a dependent whose owners are in these states. */
export function judge(node: GraphNode, states: ReadonlyMap<string, OwnerState>, hasBlockingDependents: boolean): Verdict {
  const of = (state: OwnerState) => node.owners.filter((owner) => states.get(owner.uid) === state).map((owner) => owner.uid);
  const [solid, waiting, absent] = [of('solid'), of('waiting'), of('absent')];
  if (waiting.length + absent.length === 0) return { kind: 'keep' };
  if (solid.length > 0) return { kind: 'release', uids: [...absent, ...waiting] };
  if (waiting.length > 0 && hasBlockingDependents) return { kind: 'delete', policy: 'Foreground' };
  if (node.finalizers.includes(ORPHAN)) return { kind: 'delete', policy: 'Orphan' };
  return { kind: 'delete', policy: node.finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background' };
}

/** Dependents that keep `owner` in foreground deletion. */
export function blockingDependents(owner: GraphNode, dependents: readonly GraphNode[]): GraphNode[] {
  return dependents.filter((node) => node.owners.some((reference) => reference.uid === owner.uid && reference.blockOwnerDeletion === true));
}
