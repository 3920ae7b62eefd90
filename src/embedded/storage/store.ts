/**
 * The store that both backends share: state and history in memory, writes through a log when there is one.
 *
 * A write is judged and numbered at once, against the head. With a log, accepted writes gather until the
 * event loop comes round (group commit), go to disk in one transaction, and only then become visible to
 * readers and watchers, in order. When the transaction fails, every write of the batch (and every write that
 * was judged on top of it) is refused, and their revisions were never seen by anybody, so they are reused.
 */
import { Collection } from './collection.ts';
import { GuardError, StorageFailure, type Change, type Entry, type ListRange, type Log, type LogRow, type Storage, type Write } from './types.ts';

/** One commit takes at most this many writes, so that the wait of the first stays short. */
export const COMMIT_WRITES_MAX = 200;
/** Rows to remove ride along with commits in portions of this size. */
const OBSOLETE_ROWS_MIN = 500;

interface Pending {
  change: Change;
  resolve: (entry: Entry) => void;
  reject: (error: Error) => void;
}

export class Store implements Storage {
  readonly #collections = new Map<string, Collection>();
  readonly #log: Log | undefined;
  /** Accepted, not committed: collection/key → newest entry, or undefined for a delete. */
  readonly #heads = new Map<string, { entry: Entry | undefined; revision: number }>();
  #pending: Pending[] = [];
  #flushScheduled = false;
  #revision = 0;
  #nextRevision = 1;
  #floor = 0;
  #obsolete: number[] = [];
  #closed = false;
  #waiters: (() => void)[] = [];

  constructor(log?: Log) {
    this.#log = log;
    if (log) this.#restore(log);
  }

  get revision(): number {
    return this.#revision;
  }

  get(collection: string, key: string): Entry | undefined {
    return this.#collections.get(collection)?.get(key);
  }

  head(collection: string, key: string): Entry | undefined {
    const head = this.#heads.get(`${collection} ${key}`);
    return head ? head.entry : this.get(collection, key);
  }

  list(collection: string, range: ListRange = {}): Entry[] {
    return this.#collection(collection).list(range);
  }

  count(collection: string, prefix = ''): number {
    return this.#collections.get(collection)?.count(prefix) ?? 0;
  }

  collections(): string[] {
    return [...this.#collections].filter(([, collection]) => collection.size > 0).map(([name]) => name);
  }

  write(write: Write): Promise<Entry> {
    if (this.#closed) return Promise.reject(new StorageFailure('the storage is closed'));
    const current = this.head(write.collection, write.key);
    if ((current?.revision ?? 0) !== write.expected) return Promise.reject(new GuardError(write.collection, write.key, current));
    const revision = this.#nextRevision++;
    let value: Uint8Array;
    try {
      value = write.encode(revision);
    } catch (error) {
      this.#nextRevision--;
      return Promise.reject(error as Error);
    }
    const entry: Entry = {
      collection: write.collection,
      key: write.key,
      value,
      createRevision: current?.createRevision ?? revision,
      revision,
      memo: write.memo,
    };
    const change: Change = { type: write.type, entry, previous: current, memo: undefined };
    this.#heads.set(`${write.collection} ${write.key}`, { entry: write.type === 'put' ? entry : undefined, revision });
    return new Promise((resolve, reject) => {
      this.#pending.push({ change, resolve, reject });
      if (!this.#log) this.#flush();
      else if (!this.#flushScheduled) this.#schedule();
    });
  }

  settled(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  changesSince(collection: string, revision: number): readonly Change[] {
    return this.#collection(collection).changesSince(revision);
  }

  subscribe(collection: string, listener: (change: Change) => void): () => void {
    return this.#collection(collection).subscribe(listener);
  }

  compact(): void {
    for (const collection of this.#collections.values()) this.#forget(collection.compact(this.#revision));
    this.#floor = this.#revision;
    if (this.#log && this.#pending.length === 0 && !this.#closed) this.#commitLog([]);
  }

  async close(): Promise<void> {
    while (this.#pending.length > 0) await this.settled();
    if (this.#closed) return;
    this.#closed = true;
    this.#log?.close();
  }

  #schedule(): void {
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
      if (this.#pending.length > 0) this.#schedule();
    });
  }

  #flush(): void {
    const batch = this.#pending.splice(0, COMMIT_WRITES_MAX);
    try {
      if (this.#log) this.#commitLog(batch.map(({ change }) => rowOf(change)));
    } catch (error) {
      this.#refuse([...batch, ...this.#pending.splice(0)], error);
      return;
    }
    for (const { change, resolve } of batch) {
      this.#publish(change);
      resolve(change.entry);
    }
    if (this.#pending.length === 0) this.#wake();
  }

  #publish(change: Change): void {
    const { entry } = change;
    this.#revision = entry.revision;
    const headKey = `${entry.collection} ${entry.key}`;
    if (this.#heads.get(headKey)?.revision === entry.revision) this.#heads.delete(headKey);
    this.#forget(this.#collection(entry.collection).apply(change));
  }

  #refuse(batch: readonly Pending[], cause: unknown): void {
    this.#heads.clear();
    this.#nextRevision = this.#revision + 1;
    for (const { reject } of batch) reject(new StorageFailure('the write could not be kept', { cause }));
    this.#wake();
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  /** Rows that no reader can need any more: superseded values and tombstones that left the history. */
  #forget(evicted: readonly Change[]): void {
    if (!this.#log) return;
    for (const { type, entry, previous } of evicted) {
      if (previous) this.#obsolete.push(previous.revision);
      if (type === 'delete') this.#obsolete.push(entry.revision);
      this.#floor = Math.max(this.#floor, entry.revision);
    }
  }

  #commitLog(rows: readonly LogRow[]): void {
    const remove = this.#obsolete.length >= OBSOLETE_ROWS_MIN || rows.length === 0 ? this.#obsolete : [];
    const revision = rows.at(-1)?.revision ?? this.#revision;
    this.#log?.commit({ rows, obsolete: remove, floor: this.#floor, revision });
    if (remove.length > 0) this.#obsolete = [];
  }

  #collection(name: string): Collection {
    let collection = this.#collections.get(name);
    if (!collection) {
      collection = new Collection(this.#floor);
      this.#collections.set(name, collection);
    }
    return collection;
  }

  #restore(log: Log): void {
    const { rows, floor, revision } = log.load();
    this.#floor = floor;
    let sorted = false;
    const sort = () => {
      for (const collection of this.#collections.values()) collection.sortKeys();
      sorted = true;
    };
    for (const row of rows) {
      const { deleted, ...rest } = row;
      const entry: Entry = { ...rest, memo: undefined };
      const collection = this.#collection(row.collection);
      if (row.revision <= floor) collection.restore(entry, deleted);
      else {
        if (!sorted) sort();
        this.#forget(collection.apply({ type: deleted ? 'delete' : 'put', entry, previous: collection.get(row.key), memo: undefined }));
      }
      this.#revision = row.revision;
    }
    if (!sorted) sort();
    this.#revision = Math.max(this.#revision, revision);
    this.#nextRevision = this.#revision + 1;
  }
}

function rowOf({ type, entry }: Change): LogRow {
  return {
    revision: entry.revision,
    collection: entry.collection,
    key: entry.key,
    createRevision: entry.createRevision,
    deleted: type === 'delete',
    value: entry.value,
  };
}
