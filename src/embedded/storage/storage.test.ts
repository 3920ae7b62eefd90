import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { runStorageConformance } from '#testing/conformance';
import { durableStorage, memoryStorage, Store, StorageFailure, type Log, type LogRow, type Storage } from '#embedded/storage';

runStorageConformance('memory', { open: memoryStorage });

const directory = mkdtempSync(join(tmpdir(), 'storage-test-'));
const paths = new Map<Storage, string>();
let files = 0;
const openAt = (path: string) => {
  const storage = durableStorage(path);
  paths.set(storage, path);
  return storage;
};
runStorageConformance('durable', {
  open: () => openAt(join(directory, `${files++}.db`)),
  async restart(storage) {
    const path = paths.get(storage) ?? '';
    await storage.close();
    return openAt(path);
  },
  cleanup: () => rmSync(directory, { recursive: true, force: true }),
});

const write = (storage: Storage, key: string, text: string) =>
  storage.write({ type: 'put', collection: 'c', key, expected: storage.head('c', key)?.revision ?? 0, encode: () => Buffer.from(text) });

describe('storage: the durable file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'storage-file-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('belongs to one server at a time', async () => {
    const path = join(folder, 'one.db');
    const storage = durableStorage(path);
    await write(storage, 'a', '1');
    assert.throws(() => durableStorage(path), StorageFailure);
    await storage.close();
  });

  it('stays bounded while one object changes for ever', async () => {
    const path = join(folder, 'bounded.db');
    const storage = durableStorage(path);
    const value = 'x'.repeat(4000);
    for (let round = 0; round < 12; round++) await Promise.all(Array.from({ length: 500 }, () => write(storage, 'a', value)));
    storage.compact();
    const size = statSync(path).size;
    await storage.close();
    assert.ok(size < 24e6 * 0.6, `${size} bytes for one object of 4000 bytes, written 6000 times`);
  });
});

describe('storage: a log that fails', () => {
  /** A log whose disk is full while `full` is set. */
  const failing = () => {
    const kept: LogRow[] = [];
    const state = { full: false };
    const log: Log = {
      load: () => ({ rows: kept, floor: 0, revision: 0 }),
      commit({ rows }) {
        if (state.full) throw new Error('database or disk is full');
        kept.push(...rows);
      },
      close() {},
    };
    return { log, state, kept };
  };

  it('refuses the writes, shows nothing of them, and goes on when there is room', async () => {
    const { log, state, kept } = failing();
    const storage = new Store(log);
    const first = await write(storage, 'a', '1');
    state.full = true;
    const results = await Promise.allSettled([write(storage, 'a', '2'), write(storage, 'a', '3'), write(storage, 'b', '1')]);
    assert.ok(results.every((result) => result.status === 'rejected' && result.reason instanceof StorageFailure));
    assert.equal(storage.head('c', 'a')?.revision, first.revision);
    state.full = false;
    assert.equal((await write(storage, 'a', '4')).revision, first.revision + 1);
    assert.deepEqual(kept.map(({ revision }) => revision), [first.revision, first.revision + 1]);
    await storage.close();
  });
});
