/**
 * The storage contract: a revisioned key-value store of byte strings, grouped in collections.
 *
 * Invariants. Every successful write gets the next revision, one number for the whole store. What a reader
 * sees (`get`, `list`, `changesSince`, listeners) is committed: a backend that keeps data on disk has it on
 * disk by then. `head` alone shows writes that were accepted but are still on their way to the disk, so that
 * several updates of one object can share one commit. Revisions never go back, not even after a crash.
 *
 * Values are opaque here; `memo` is a slot in which the layer above keeps what it computed from an entry.
 * Absent: selectors, objects, time. Expiry of events is the business of the registry.
 */

/** One value at one revision. Immutable but for `memo`. */
export interface Entry {
  readonly collection: string;
  /** `namespace/name`, or `name`. */
  readonly key: string;
  readonly value: Uint8Array;
  /** Revision at which the key came into being. */
  readonly createRevision: number;
  /** Revision of this value. */
  readonly revision: number;
  /** Owned by the layer above; never stored. */
  memo?: unknown;
}

/** What happened at one revision. */
export interface Change {
  readonly type: 'put' | 'delete';
  /** The new entry; of a delete, the last state as its writer wanted it remembered. */
  readonly entry: Entry;
  /** The entry that was replaced or deleted. */
  readonly previous: Entry | undefined;
  /** Owned by the layer above: serialised forms shared by all watchers. */
  memo?: unknown;
}

export interface Write {
  readonly type: 'put' | 'delete';
  readonly collection: string;
  readonly key: string;
  /** Revision the head must have: 0 means the key must not exist. */
  readonly expected: number;
  /** Makes the bytes once the revision is known; called synchronously, once. */
  readonly encode: (revision: number) => Uint8Array;
  /** Becomes the `memo` of the entry. */
  readonly memo?: unknown;
}

/** The guard of a write did not hold; `current` is the head, if there is one. */
export class GuardError extends Error {
  override name = 'GuardError';
  readonly current: Entry | undefined;

  constructor(collection: string, key: string, current: Entry | undefined) {
    super(`${collection}/${key}: the guard of the write does not hold`);
    this.current = current;
  }
}

/** The revision asked for is older than the history that was kept. */
export class CompactedError extends Error {
  override name = 'CompactedError';
  /** Changes after this revision are known. */
  readonly floor: number;

  constructor(floor: number) {
    super(`the history before revision ${floor} was compacted`);
    this.floor = floor;
  }
}

/** The backend could not keep a write (disk full, I/O error); nothing of it is visible. */
export class StorageFailure extends Error {
  override name = 'StorageFailure';
}

export interface ListRange {
  /** Only keys that begin with this. */
  prefix?: string;
  /** Only keys after this one. */
  after?: string;
  /** The state at this revision; absent: now. */
  revision?: number;
}

export interface Storage {
  /** The newest committed revision. */
  readonly revision: number;
  get(collection: string, key: string): Entry | undefined;
  /** Like `get`, but including accepted writes that are not committed yet. */
  head(collection: string, key: string): Entry | undefined;
  /** Entries in the order of their keys' code units. Throws {@link CompactedError}. */
  list(collection: string, range?: ListRange): Entry[];
  /** How many keys a collection has now. */
  count(collection: string, prefix?: string): number;
  /** Names of collections that hold at least one key. */
  collections(): string[];
  /** Resolves when committed. Rejects with {@link GuardError} or {@link StorageFailure}. */
  write(write: Write): Promise<Entry>;
  /** Resolves when everything accepted so far is committed or refused. */
  settled(): Promise<void>;
  /** Committed changes after a revision, oldest first. Throws {@link CompactedError}. */
  changesSince(collection: string, revision: number): readonly Change[];
  /** Calls `listener` with every later change, in order, in the tick of its commit. Returns the way to stop. */
  subscribe(collection: string, listener: (change: Change) => void): () => void;
  /** Forgets the history up to the newest revision. */
  compact(): void;
  close(): Promise<void>;
}

/** A row of the log that a durable backend keeps; `value` of a tombstone is the last state. */
export interface LogRow {
  readonly revision: number;
  readonly collection: string;
  readonly key: string;
  readonly createRevision: number;
  readonly deleted: boolean;
  readonly value: Uint8Array;
}

export interface LogState {
  readonly rows: Iterable<LogRow>;
  /** Changes up to here may be missing from the rows. */
  readonly floor: number;
  /** The newest revision ever given out. */
  readonly revision: number;
}

/** What a durable backend provides: an append-only log with removal of superseded rows. */
export interface Log {
  load(): LogState;
  /** All or nothing: appends rows, removes the rows of `obsolete` revisions, records floor and revision. */
  commit(batch: { rows: readonly LogRow[]; obsolete: readonly number[]; floor: number; revision: number }): void;
  close(): void;
}
