/**
 * A controller reads from a cache that lags behind its own writes. Before it decides again how many
 * children to make or delete, the cache must show what it did last time; otherwise it would do it twice.
 *
 * An expectation is dropped when the cache shows the written object (or a later revision without it), or
 * shows the deleted one as deleting or gone. Nothing expires by time: the shared informer never goes back
 * and never gives up, so each expectation is met at last.
 */
import type { KubeObject } from '#apimachinery/meta';
import { keyOf } from '#apimachinery/meta';
import type { Informer } from '#kube/cache';

interface Expected<T extends KubeObject> {
  object: T;
  deleted: boolean;
}

export class Expectations<T extends KubeObject> {
  readonly #informer: Informer<T>;
  readonly #byOwner = new Map<string, Map<string, Expected<T>>>();

  constructor(informer: Informer<T>) {
    this.#informer = informer;
  }

  /** Records an object that `owner` (any stable text) has just created, as the server returned it. */
  created(owner: string, object: T): void {
    this.#record(owner, { object, deleted: false });
  }

  /** Records a child that `owner` has just deleted. */
  deleted(owner: string, object: T): void {
    this.#record(owner, { object, deleted: true });
  }

  /** Whether the cache shows everything `owner` did. */
  satisfied(owner: string): boolean {
    const expected = this.#byOwner.get(owner);
    if (!expected) return true;
    for (const [uid, entry] of expected) if (this.#met(entry)) expected.delete(uid);
    if (expected.size > 0) return false;
    this.#byOwner.delete(owner);
    return true;
  }

  forget(owner: string): void {
    this.#byOwner.delete(owner);
  }

  #record(owner: string, entry: Expected<T>): void {
    const map = this.#byOwner.get(owner) ?? new Map<string, Expected<T>>();
    map.set(entry.object.metadata.uid ?? '', entry);
    this.#byOwner.set(owner, map);
  }

  #met({ object, deleted }: Expected<T>): boolean {
    const cached = this.#informer.get(keyOf(object));
    const same = cached?.metadata.uid === object.metadata.uid;
    if (deleted) return !same || cached?.metadata.deletionTimestamp !== undefined;
    return same || Number(this.#informer.resourceVersion) >= Number(object.metadata.resourceVersion);
  }
}
