/**
 * One collection in memory: its entries, their keys in order, and a bounded history of changes.
 *
 * Invariant: `keys` is sorted and holds exactly the keys of `entries`. `history` holds every change after
 * `floor`, oldest first; undoing it from the newest change gives the state at any revision from `floor` on.
 */
import { CompactedError, type Change, type Entry, type ListRange } from './types.ts';

/** The history of one collection keeps at most this many changes, and at most this many bytes of values. */
export const HISTORY_LIMITS = { changes: 10_000, bytes: 4 * 1024 * 1024, changesMin: 64 };

export class Collection {
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<(change: Change) => void>();
  #keys: string[] = [];
  #history: Change[] = [];
  #start = 0;
  #bytes = 0;
  #floor: number;

  constructor(floor: number) {
    this.#floor = floor;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** Restores the current state without history; keys must arrive in any order, `sortKeys` follows. */
  restore(entry: Entry, deleted: boolean): void {
    if (deleted) this.#entries.delete(entry.key);
    else this.#entries.set(entry.key, entry);
  }

  sortKeys(): void {
    this.#keys = [...this.#entries.keys()].sort();
  }

  /** Applies a committed change and tells the listeners. Returns the changes that fell out of the history. */
  apply(change: Change): Change[] {
    this.#index(change);
    this.#history.push(change);
    this.#bytes += change.entry.value.byteLength;
    const evicted = this.#evict();
    for (const listener of this.#listeners) listener(change);
    return evicted;
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  list({ prefix = '', after, revision }: ListRange): Entry[] {
    if (revision !== undefined && revision < this.#floor) throw new CompactedError(this.#floor);
    if (revision !== undefined && revision < this.#newest()) return this.#listAt(revision, prefix, after);
    const found: Entry[] = [];
    for (let i = this.#firstIndex(prefix, after); i < this.#keys.length; i++) {
      const key = this.#keys[i] as string;
      if (!key.startsWith(prefix)) break;
      found.push(this.#entries.get(key) as Entry);
    }
    return found;
  }

  count(prefix: string): number {
    if (!prefix) return this.#keys.length;
    return lowerBound(this.#keys, `${prefix}\uffff`) - lowerBound(this.#keys, prefix);
  }

  changesSince(revision: number): readonly Change[] {
    if (revision < this.#floor) throw new CompactedError(this.#floor);
    let low = this.#start;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#history[middle] as Change).entry.revision > revision) high = middle;
      else low = middle + 1;
    }
    return this.#history.slice(low);
  }

  /** Forgets the history; returns what was forgotten. */
  compact(floor: number): Change[] {
    const evicted = this.#history.slice(this.#start);
    this.#history = [];
    this.#start = 0;
    this.#bytes = 0;
    this.#floor = Math.max(this.#floor, floor);
    return evicted;
  }

  #newest(): number {
    return this.#history.length > this.#start ? (this.#history[this.#history.length - 1] as Change).entry.revision : 0;
  }

  #firstIndex(prefix: string, after: string | undefined): number {
    if (after === undefined || after < prefix) return lowerBound(this.#keys, prefix);
    const index = lowerBound(this.#keys, after);
    return this.#keys[index] === after ? index + 1 : index;
  }

  #listAt(revision: number, prefix: string, after: string | undefined): Entry[] {
    const state = new Map(this.list({ prefix, ...(after === undefined ? {} : { after }) }).map((entry) => [entry.key, entry]));
    for (let i = this.#history.length - 1; i >= this.#start; i--) {
      const { entry, previous } = this.#history[i] as Change;
      if (entry.revision <= revision) break;
      if (!entry.key.startsWith(prefix) || (after !== undefined && entry.key <= after)) continue;
      if (previous) state.set(entry.key, previous);
      else state.delete(entry.key);
    }
    return [...state.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  #index({ type, entry }: Change): void {
    const known = this.#entries.has(entry.key);
    if (type === 'delete') {
      this.#entries.delete(entry.key);
      if (known) this.#keys.splice(lowerBound(this.#keys, entry.key), 1);
      return;
    }
    this.#entries.set(entry.key, entry);
    if (!known) this.#keys.splice(lowerBound(this.#keys, entry.key), 0, entry.key);
  }

  #evict(): Change[] {
    const evicted: Change[] = [];
    let kept = this.#history.length - this.#start;
    while (kept > HISTORY_LIMITS.changesMin && (kept > HISTORY_LIMITS.changes || this.#bytes > HISTORY_LIMITS.bytes)) {
      const change = this.#history[this.#start++] as Change;
      this.#bytes -= change.entry.value.byteLength;
      this.#floor = change.entry.revision;
      evicted.push(change);
      kept--;
    }
    // Slots before `start` still hold references; drop them before they are worth more than the rest.
    if (this.#start > 256 && this.#start > kept) {
      this.#history = this.#history.slice(this.#start);
      this.#start = 0;
    }
    return evicted;
  }
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
