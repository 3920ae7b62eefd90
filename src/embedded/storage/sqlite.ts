/**
 * The durable log: one SQLite table in write-ahead mode, synced to disk on every commit.
 *
 * One row per change; the current state is the newest row of each key. A commit is one transaction, so that
 * after a crash a batch is there as a whole or not at all. The file is opened exclusively: a second server on
 * the same directory is refused. Page size and friends follow docs/dependencies.md §5.
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { StorageFailure, type Log, type LogRow, type LogState } from './types.ts';

/** The write-ahead log is folded into the file after this many pages of 8 KiB. */
const CHECKPOINT_PAGES = 1000;
const CACHE_KIB = 2048;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS log (
    revision INTEGER PRIMARY KEY,
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    create_revision INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    value BLOB NOT NULL
  );
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
`;

/** Opens or creates the file. Throws {@link StorageFailure} when another process has it. */
export function openSqliteLog(path: string): Log {
  let db: DatabaseSync;
  try {
    // SQLite would create the file for everybody to read; there are Secrets in it. Its log inherits the mode.
    closeSync(openSync(path, 'a', 0o600));
    db = new DatabaseSync(path);
    db.exec(`PRAGMA page_size=8192; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
      PRAGMA wal_autocheckpoint=${CHECKPOINT_PAGES}; PRAGMA cache_size=-${CACHE_KIB};`);
    db.exec(SCHEMA);
  } catch (cause) {
    throw new StorageFailure(`${path}: cannot be opened as the storage of a cluster (is another server using it?)`, { cause });
  }
  return new SqliteLog(db);
}

class SqliteLog implements Log {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  readonly #setMeta: StatementSync;
  #floor = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#insert = db.prepare('INSERT INTO log (revision, collection, key, create_revision, deleted, value) VALUES (?, ?, ?, ?, ?, ?)');
    this.#remove = db.prepare('DELETE FROM log WHERE revision = ?');
    this.#setMeta = db.prepare('INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value');
  }

  load(): LogState {
    const meta = new Map(this.#db.prepare('SELECT name, value FROM meta').all().map((row) => [String(row['name']), Number(row['value'])]));
    this.#floor = meta.get('floor') ?? 0;
    return { rows: this.#rows(), floor: this.#floor, revision: meta.get('revision') ?? 0 };
  }

  commit({ rows, obsolete, floor, revision }: Parameters<Log['commit']>[0]): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      for (const row of rows) this.#insert.run(row.revision, row.collection, row.key, row.createRevision, row.deleted ? 1 : 0, row.value);
      // Floor and newest revision only need recording when rows go: otherwise the rows themselves tell.
      if (obsolete.length > 0 || rows.length === 0) {
        for (const row of obsolete) this.#remove.run(row);
        this.#setMeta.run('floor', floor);
        this.#setMeta.run('revision', revision);
      }
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#db.close();
  }

  *#rows(): Iterable<LogRow> {
    for (const row of this.#db.prepare('SELECT revision, collection, key, create_revision, deleted, value FROM log ORDER BY revision').iterate()) {
      yield {
        revision: Number(row['revision']),
        collection: String(row['collection']),
        key: String(row['key']),
        createRevision: Number(row['create_revision']),
        deleted: row['deleted'] === 1,
        value: row['value'] as Uint8Array,
      };
    }
  }
}
