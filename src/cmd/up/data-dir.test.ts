/** One process at a time has the folder, whatever became of the one before; its files are old or new, never half. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { acquire, type DataDir, dataDir, DataDirError, lockHolder, processStartTime, readState, writeState } from './data-dir.ts';

let dir: DataDir;
beforeEach(() => {
  dir = dataDir(join(mkdtempSync(join(tmpdir(), 'fleet-ts-data-')), 'data'));
});
afterEach(() => rmSync(join(dir.root, '..'), { recursive: true, force: true }));

const lock = () => join(dir.root, 'lock');
const us = { pid: process.pid, startTime: processStartTime(process.pid) };
/** No process has this pid: it is above what Linux hands out. */
const NO_PID = 2 ** 22 + 1;

test('the folder is taken, is ours alone, and is given back', () => {
  const release = acquire(dir);
  assert.deepEqual(lockHolder(dir), us);
  assert.equal(statSync(dir.root).mode & 0o777, 0o700);
  assert.throws(() => acquire(dir), (error) => error instanceof DataDirError && error.message.includes(`in use by process ${process.pid}: run 'fleet down`));
  release();
  assert.equal(lockHolder(dir), undefined);
  assert.deepEqual(readdirSync(dir.root), [], 'nothing is left behind');
  acquire(dir)();
});

test('the lock of a dead process, of a pid that was given out again, and a broken one are taken over', () => {
  const check = (text: string) => {
    acquire(dir)();
    writeFileSync(lock(), text);
    assert.equal(lockHolder(dir), undefined, text);
    const release = acquire(dir);
    assert.deepEqual(JSON.parse(readFileSync(lock(), 'utf8')), us);
    release();
    assert.deepEqual(readdirSync(dir.root), []);
  };
  check(JSON.stringify({ pid: NO_PID, startTime: '1' }));
  check(JSON.stringify({ pid: process.pid, startTime: 'long ago' }));
  check('');
  check('{"pid":');
  check('{"pid": 0, "startTime": ""}');
});

test('a living process keeps the folder, also one that belongs to somebody else', () => {
  acquire(dir)();
  for (const pid of [process.ppid, 1].filter((pid) => pid > 0)) {
    writeFileSync(lock(), JSON.stringify({ pid, startTime: processStartTime(pid) }));
    assert.throws(() => acquire(dir), new RegExp(`in use by process ${pid}:`));
    assert.equal(lockHolder(dir)?.pid, pid);
  }
});

test('a lock that was taken over from us is not given back by us', () => {
  const release = acquire(dir);
  const other = JSON.stringify({ pid: process.ppid, startTime: processStartTime(process.ppid) });
  writeFileSync(lock(), other);
  release();
  assert.equal(readFileSync(lock(), 'utf8'), other);
});

test('state is replaced whole, kept to its owner, and a broken file is named', () => {
  acquire(dir);
  assert.equal(readState(dir, 'plan.json'), undefined);
  writeState(dir, 'plan.json', { clusters: 3 });
  const before = statSync(join(dir.root, 'plan.json')).ino;
  writeState(dir, 'plan.json', { clusters: 4 });
  assert.deepEqual(readState(dir, 'plan.json'), { clusters: 4 });
  assert.notEqual(statSync(join(dir.root, 'plan.json')).ino, before, 'another file has taken its place');
  assert.equal(statSync(join(dir.root, 'plan.json')).mode & 0o777, 0o600);
  assert.equal(existsSync(join(dir.root, 'plan.json.new')), false);
  writeFileSync(join(dir.root, 'plan.json'), '{');
  assert.throws(() => readState(dir, 'plan.json'), (error) => error instanceof DataDirError && /plan\.json: is not JSON; remove it/.test(error.message));
});

test('what lies where', () => {
  assert.equal(dir.kubeconfig('dev'), join(dir.root, 'clusters', 'dev', 'kubeconfig'));
  assert.equal(dataDir('relative').root, join(process.cwd(), 'relative'));
});
