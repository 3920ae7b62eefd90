/**
 * One informer per resource, shared by all components of one cluster, so that each kind is watched and
 * parsed once. Informers are made on demand and started together.
 *
 * Absent: namespaced or filtered informers. Components index instead.
 */
import type { KubeObject } from '#apimachinery/meta';
import { groupResource, type Resource } from '#apimachinery/resource';
import type { Indexers, Informer } from '#kube/cache';

/** How the pool makes an informer; given by the composition so that tests can use another kind. */
export type CreateInformer = <T extends KubeObject>(options: { resource: Resource<T>; indexers: Indexers<T>; transform?: (object: T) => T }) => Informer<T>;

/** Indexers by resource name; each knows its own kind. */
// oxlint-disable-next-line typescript/no-explicit-any -- one table for all kinds
export type AnyIndexers = Readonly<Record<string, Indexers<any>>>;

export class InformerPool {
  readonly #create: CreateInformer;
  // oxlint-disable-next-line typescript/no-explicit-any -- one map for all kinds
  readonly #informers = new Map<string, Informer<any>>();
  readonly #indexers: AnyIndexers;
  #signal: AbortSignal | undefined;

  /** `indexers` are given by resource (`pods`, `replicasets.apps`) because an informer cannot gain one later. */
  constructor(create: CreateInformer, indexers: AnyIndexers = {}) {
    this.#create = create;
    this.#indexers = indexers;
  }

  /** The shared informer of a resource; starts at once when the pool is running. */
  of<T extends KubeObject>(resource: Resource<T>, transform?: (object: T) => T): Informer<T> {
    const name = groupResource(resource);
    let informer = this.#informers.get(name);
    if (!informer) {
      informer = this.#create({ resource, indexers: this.#indexers[name] ?? {}, ...(transform ? { transform } : {}) });
      this.#informers.set(name, informer);
      if (this.#signal) informer.start(this.#signal);
    }
    return informer as Informer<T>;
  }

  /** Whether some component already watches this resource in full. */
  has(resource: Resource<KubeObject>): boolean {
    return this.#informers.has(groupResource(resource));
  }

  /** Starts every informer made so far and all later ones. */
  start(signal: AbortSignal): void {
    this.#signal = signal;
    for (const informer of this.#informers.values()) informer.start(signal);
  }

  /** Resolves when all informers made so far have their first list. */
  async waitForSync(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.waitForSync(signal)));
  }
}
