/**
 * The contract of informers: a local copy of one resource, kept fresh by list and watch, and an event for
 * every change. What is read from it may be stale but never goes back in time.
 */
import type { KubeObject, ObjectKey } from '#apimachinery/meta';
import type { Resource } from '#apimachinery/resource';

/** Lookups by a computed value, e.g. all pods of a node. */
export type Indexers<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

export interface InformerOptions<T extends KubeObject> {
  resource: Resource<T>;
  /** Absent: all namespaces. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  indexers?: Indexers<T>;
  /** Drops what decisions do not need before it is kept (managedFields go in any case). */
  transform?: (object: T) => T;
}

export interface EventHandler<T> {
  /** `initial` is true for objects that were there when the handler was added or the first list ran. */
  onAdd?(object: T, initial: boolean): void;
  onUpdate?(previous: T, current: T): void;
  /** `witnessed`: a watch told of the deletion; false when the object was merely missing from a later list. */
  onDelete?(last: T, witnessed: boolean): void;
}

export interface Informer<T extends KubeObject> {
  readonly resource: Resource<T>;
  /** Objects are shared and must not be mutated: clone first. */
  get(key: ObjectKey): T | undefined;
  list(namespace?: string): T[];
  byIndex(indexer: string, value: string): T[];
  /** True once the first list has been delivered to the store. */
  readonly synced: boolean;
  /** The newest revision known to be covered by the store. */
  readonly resourceVersion: string;
  /** Resolves when synced; rejects when the signal aborts. */
  waitForSync(signal: AbortSignal): Promise<void>;
  /**
   * Resolves once the store is at least as fresh as a consistent read made after this call began: the
   * barrier between winning an election and the first write (kubernetes/kubernetes#137308).
   */
  barrier(signal: AbortSignal): Promise<void>;
  addHandler(handler: EventHandler<T>): void;
  /** Runs until the signal aborts; reconnects with back-off, never gives up. */
  start(signal: AbortSignal): void;
}
