/**
 * The storage contract as tests: every backend must pass all of them. `restart` reopens a durable backend on
 * the same data; a backend that forgets leaves it out, and the tests that need it say so.
 */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { seededRandom, intBelow } from '#base/random';
import { CompactedError, GuardError, type Change, type Storage } from '#embedded/storage';

export interface StorageHarness {
  open(): Storage;
  /** Closes a storage and opens another one on its data. */
  restart?: (storage: Storage) => Promise<Storage>;
  cleanup?(): void;
}

const bytes = (text: string) => Buffer.from(text);
const textOf = (value: Uint8Array) => Buffer.from(value).toString('utf8');
const put = (storage: Storage, key: string, text: string, expected = storage.head('c', key)?.revision ?? 0) =>
  storage.write({ type: 'put', collection: 'c', key, expected, encode: () => bytes(text) });
const remove = (storage: Storage, key: string) =>
  storage.write({ type: 'delete', collection: 'c', key, expected: storage.head('c', key)?.revision ?? 0, encode: () => bytes('gone') });
const keys = (storage: Storage, range = {}) => storage.list('c', range).map(({ key }) => key);

/** Registers the suite under a name. */
export function runStorageConformance(name: string, harness: StorageHarness): void {
  describe(`storage: ${name}`, () => {
    const opened: Storage[] = [];
    const open = () => {
      const storage = harness.open();
      opened.push(storage);
      return storage;
    };
    after(async () => {
      await Promise.all(opened.map((storage) => storage.close()));
      harness.cleanup?.();
    });
    writes(open);
    reads(open);
    watches(open);
    if (harness.restart) restarts(open, harness.restart);
    else it('survives a restart', { skip: 'keeps nothing by design' }, () => {});
  });
}

function writes(open: () => Storage): void {
  it('gives every write the next revision and remembers when a key began', async () => {
    const storage = open();
    const first = await put(storage, 'a', '1');
    const second = await put(storage, 'a', '2');
    const other = await put(storage, 'b', '1');
    assert.deepEqual([second.revision, other.revision], [first.revision + 1, first.revision + 2]);
    assert.equal(second.createRevision, first.revision);
    assert.equal(storage.revision, other.revision);
  });
  it('refuses a write whose guard does not hold, and shows the head', async () => {
    const storage = open();
    const entry = await put(storage, 'a', '1');
    await assert.rejects(put(storage, 'a', '2', 0), (error: unknown) => error instanceof GuardError && error.current?.revision === entry.revision);
    await assert.rejects(put(storage, 'b', '2', 7), GuardError);
    assert.equal(textOf(storage.get('c', 'a')?.value ?? bytes('')), '1');
  });
  it('lets one of many writers of the same guard win', async () => {
    const storage = open();
    const results = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => put(storage, 'a', String(i), 0)));
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  });
  it('chains updates on the head before any of them is committed', async () => {
    const storage = open();
    await Promise.all(Array.from({ length: 300 }, (_, i) => put(storage, 'a', String(i))));
    assert.equal(textOf(storage.get('c', 'a')?.value ?? bytes('')), '299');
    assert.equal(storage.changesSince('c', 0).length, 300);
  });
  it('a deleted key can be created again, and begins anew', async () => {
    const storage = open();
    await put(storage, 'a', '1');
    const gone = await remove(storage, 'a');
    assert.equal(storage.get('c', 'a'), undefined);
    const again = await put(storage, 'a', '2', 0);
    assert.ok(again.revision > gone.revision);
    assert.equal(again.createRevision, again.revision);
  });
  it('an encoder that throws costs no revision', async () => {
    const storage = open();
    const before = await put(storage, 'a', '1');
    await assert.rejects(storage.write({ type: 'put', collection: 'c', key: 'b', expected: 0, encode: () => { throw new Error('no'); } }), /no/);
    assert.equal((await put(storage, 'c', '1')).revision, before.revision + 1);
  });
}

function reads(open: () => Storage): void {
  it('lists in the order of keys, by prefix and after a key', async () => {
    const storage = open();
    for (const key of ['n/b', 'n/a', 'n-a/x', 'm/z', 'n/a0', 'n/a-b', 'n/a.b']) await put(storage, key, key);
    assert.deepEqual(keys(storage), ['m/z', 'n-a/x', 'n/a', 'n/a-b', 'n/a.b', 'n/a0', 'n/b']);
    assert.deepEqual(keys(storage, { prefix: 'n/', after: 'n/a-b' }), ['n/a.b', 'n/a0', 'n/b']);
    assert.equal(storage.count('c', 'n/'), 5);
  });
  it('shows the state at an old revision', async () => {
    const storage = open();
    await put(storage, 'a', '1');
    const { revision } = await put(storage, 'b', '1');
    await remove(storage, 'a');
    await put(storage, 'b', '2');
    await put(storage, 'c', '1');
    assert.deepEqual(storage.list('c', { revision }).map(({ key, value }) => `${key}=${textOf(value)}`), ['a=1', 'b=1']);
    assert.deepEqual(keys(storage, { revision, after: 'a' }), ['b']);
  });
  it('refuses states from before a compaction', async () => {
    const storage = open();
    const { revision } = await put(storage, 'a', '1');
    await put(storage, 'a', '2');
    storage.compact();
    assert.throws(() => storage.list('c', { revision }), CompactedError);
    assert.throws(() => storage.changesSince('c', revision), CompactedError);
    assert.deepEqual(storage.changesSince('c', storage.revision), []);
    assert.deepEqual(keys(storage), ['a']);
  });
}

function watches(open: () => Storage): void {
  it('tells listeners every committed change once and in order', async () => {
    const storage = open();
    const seen: Change[] = [];
    const stop = storage.subscribe('c', (change) => seen.push(change));
    await Promise.all([put(storage, 'a', '1'), put(storage, 'a', '2'), put(storage, 'b', '1')]);
    await remove(storage, 'a');
    stop();
    await put(storage, 'z', '1');
    assert.deepEqual(seen.map(({ type, entry, previous }) => `${type} ${entry.key} ${textOf(entry.value)} ${previous ? textOf(previous.value) : '-'}`), ['put a 1 -', 'put a 2 1', 'put b 1 -', 'delete a gone 2']);
    assert.deepEqual(storage.changesSince('c', seen[1]?.entry.revision ?? 0).map(({ entry }) => entry.key), ['b', 'a', 'z']);
  });
  it('agrees with a model over random operations', async () => {
    const storage = open();
    const random = seededRandom(7);
    const model = new Map<string, string>();
    const snapshots: { revision: number; state: string }[] = [];
    for (let i = 0; i < 400; i++) {
      const key = `k${intBelow(random, 20)}`;
      if (model.has(key) && random.next() < 0.3) {
        await remove(storage, key);
        model.delete(key);
      } else {
        await put(storage, key, String(i));
        model.set(key, String(i));
      }
      snapshots.push({ revision: storage.revision, state: JSON.stringify([...model].sort(([a], [b]) => (a < b ? -1 : 1))) });
    }
    const stateAt = (revision: number) => JSON.stringify(storage.list('c', { revision }).map(({ key, value }) => [key, textOf(value)]));
    for (const { revision, state } of snapshots) assert.equal(stateAt(revision), state);
  });
}

function restarts(open: () => Storage, restart: (storage: Storage) => Promise<Storage>): void {
  it('survives a restart with its state, history and revision', async () => {
    const storage = open();
    const { revision } = await put(storage, 'a', '1');
    await put(storage, 'b', '1');
    await remove(storage, 'b');
    await put(storage, 'a', '2');
    const newest = storage.revision;
    const again = await restart(storage);
    assert.equal(again.revision, newest);
    assert.deepEqual(keys(again), ['a']);
    assert.deepEqual(again.changesSince('c', revision).map(({ type, entry }) => `${type} ${entry.key}`), ['put b', 'delete b', 'put a']);
    assert.equal((await put(again, 'c', '1')).revision, newest + 1);
    await again.close();
  });
  it('never goes back behind a compacted revision, and refuses what was forgotten', async () => {
    const storage = open();
    const { revision } = await put(storage, 'a', '1');
    await remove(storage, 'a');
    storage.compact();
    const newest = storage.revision;
    const again = await restart(storage);
    assert.equal(again.revision, newest);
    assert.throws(() => again.changesSince('c', revision), CompactedError);
    assert.ok((await put(again, 'a', '2')).revision > newest);
    await again.close();
  });
}
