/**
 * The objects of one informer, by key, by namespace and by the caller's indexers, and the revision they
 * are known to cover.
 *
 * Invariant: the store never goes back in time: an event or a list older than what is covered changes
 * nothing. Lists may run ahead of the watch (a barrier does that), so the watch later repeats what is
 * already there.
 */
import { keyText, type KubeObject, type ObjectKey } from '#apimachinery/meta';
import { compareRevisions } from '#kube/client/revision';
import type { EventHandler, Indexers } from './types.ts';

export class Store<T extends KubeObject> {
  readonly #indexers: Indexers<T>;
  readonly #transform: (object: T) => T;
  readonly #notify: EventHandler<T>;
  #objects = new Map<string, T>();
  #byNamespace = new Map<string, Set<string>>();
  #byIndex = new Map<string, Map<string, Set<string>>>();
  /** Everything up to and including this revision is in the store. */
  revision = '';

  constructor(indexers: Indexers<T>, transform: (object: T) => T, notify: EventHandler<T>) {
    this.#indexers = indexers;
    this.#transform = transform;
    this.#notify = notify;
    for (const name of Object.keys(indexers)) this.#byIndex.set(name, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(keyText(key));
  }

  list(namespace?: string): T[] {
    return namespace === undefined ? [...this.#objects.values()] : this.#pick(this.#byNamespace.get(namespace));
  }

  byIndex(indexer: string, value: string): T[] {
    const index = this.#byIndex.get(indexer);
    if (!index) throw new Error(`informer: no indexer ${JSON.stringify(indexer)}: declare it in the informer's options`);
    return this.#pick(index.get(value));
  }

  /**
   * The whole state as of `revision`; differences go to the handlers. Ignored when older than what is
   * covered, unless it is older than what was covered when it was asked for (`coveredBefore`): a consistent
   * read can only do that when the server was restored from a backup, and then its state is the truth.
   */
  replace(objects: readonly T[], { revision, coveredBefore, initial }: { revision: string; coveredBefore: string; initial: boolean }): void {
    const restored = compareRevisions(revision, coveredBefore) < 0;
    if (!restored && compareRevisions(revision, this.revision) < 0) return;
    const gone = new Set(this.#objects.keys());
    for (const object of objects) {
      gone.delete(keyOfObject(object));
      this.#set(object, initial);
    }
    for (const key of gone) this.#delete(key);
    this.revision = revision;
  }

  applyEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void {
    const revision = object.metadata.resourceVersion ?? '';
    if (compareRevisions(revision, this.revision) <= 0) return;
    if (type === 'DELETED') this.#delete(keyOfObject(object), object);
    else this.#set(object, false);
    this.revision = revision;
  }

  /** A bookmark: nothing happened up to here that was not told. */
  cover(revision: string): void {
    if (compareRevisions(revision, this.revision) > 0) this.revision = revision;
  }

  #set(incoming: T, initial: boolean): void {
    const key = keyOfObject(incoming);
    const previous = this.#objects.get(key);
    if (previous && previous.metadata.resourceVersion === incoming.metadata.resourceVersion) return;
    delete incoming.metadata.managedFields;
    const current = this.#transform(incoming);
    // Deleted and created again under the same name: two lives, two events.
    const reborn = previous && previous.metadata.uid !== current.metadata.uid;
    if (reborn) this.#delete(key);
    else if (previous) this.#unindex(key, previous);
    this.#objects.set(key, current);
    this.#index(key, current);
    if (previous && !reborn) this.#notify.onUpdate?.(previous, current);
    else this.#notify.onAdd?.(current, initial);
  }

  #delete(key: string, final?: T): void {
    const previous = this.#objects.get(key);
    if (!previous) return;
    this.#objects.delete(key);
    this.#unindex(key, previous);
    this.#notify.onDelete?.(final ? this.#transform(final) : previous, final !== undefined);
  }

  #pick(keys: Set<string> | undefined): T[] {
    return keys ? Array.from(keys, (key) => this.#objects.get(key) as T) : [];
  }

  #index(key: string, object: T): void {
    addTo(this.#byNamespace, object.metadata.namespace ?? '', key);
    for (const [name, values] of Object.entries(this.#indexers)) {
      for (const value of values(object)) addTo(this.#byIndex.get(name) as Map<string, Set<string>>, value, key);
    }
  }

  #unindex(key: string, object: T): void {
    removeFrom(this.#byNamespace, object.metadata.namespace ?? '', key);
    for (const [name, values] of Object.entries(this.#indexers)) {
      for (const value of values(object)) removeFrom(this.#byIndex.get(name) as Map<string, Set<string>>, value, key);
    }
  }
}

function keyOfObject({ metadata }: KubeObject): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : (metadata.name ?? '');
}

function addTo(index: Map<string, Set<string>>, value: string, key: string): void {
  const keys = index.get(value);
  if (keys) keys.add(key);
  else index.set(value, new Set([key]));
}

function removeFrom(index: Map<string, Set<string>>, value: string, key: string): void {
  const keys = index.get(value);
  keys?.delete(key);
  if (keys?.size === 0) index.delete(value);
}
