/**
 * Where the embedded Kubernetes keeps its objects: the contract ({@link Storage}) and its two backends.
 * Both pass the suite in `#testing/conformance`. Absent: anything that knows what an object is.
 */
import { Store } from './store.ts';
import { openSqliteLog } from './sqlite.ts';
import type { Storage } from './types.ts';

export { CompactedError, GuardError, StorageFailure } from './types.ts';
export type { Change, Entry, ListRange, Log, LogRow, LogState, Storage, Write } from './types.ts';
export { Store } from './store.ts';

/** Everything in memory; gone with the process. */
export function memoryStorage(): Storage {
  return new Store();
}

/** Everything in one SQLite file (created when missing); an acknowledged write survives `kill -9` and power loss. */
export function durableStorage(path: string): Storage {
  return new Store(openSqliteLog(path));
}
