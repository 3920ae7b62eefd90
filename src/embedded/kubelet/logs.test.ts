import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { FakeClock } from '#testing/clock';
import { ContainerLog } from './logs.ts';
import type { LogOptions } from './types.ts';

let folder: string;
let clock: FakeClock;
let log: ContainerLog;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-ts-logs-'));
  clock = new FakeClock();
  log = new ContainerLog(folder, clock);
  log.begin(0);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (text: string, stream: 'stdout' | 'stderr' = 'stdout') => log.write(stream, Buffer.from(text));

async function read(options: LogOptions = {}, running = false): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of log.read(options, running)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('lines are whole, whatever the chunks, and both streams are kept apart while incomplete', async () => {
  write('one\ntw');
  write('err', 'stderr');
  write('o\n');
  write('or\n', 'stderr');
  write('unfinished');
  log.end();
  assert.equal(await read(), 'one\ntwo\nerror\nunfinished\n');
});

test('a reader may ask for the end, for what is new, for dates and for so many bytes', async () => {
  write('old\n');
  await clock.advance(60_000);
  write('a F b\nnew\n');
  assert.equal(await read({ tailLines: 1 }), 'new\n');
  assert.equal(await read({ tailLines: 0 }), '');
  assert.equal(await read({ sinceSeconds: 30 }), 'a F b\nnew\n');
  assert.equal(await read({ sinceTime: '2026-01-01T00:00:30Z' }), 'a F b\nnew\n');
  assert.equal(await read({ tailLines: 1, timestamps: true }), '2026-01-01T00:01:00.000000Z new\n');
  assert.equal(await read({ limitBytes: 6 }), 'old\na ');
});

test('a new run has a new log, and the one before can still be read', async () => {
  write('first\n');
  log.end();
  log.begin(1);
  write('second\n');
  log.end();
  log.begin(2);
  write('third\n');
  assert.equal(await read(), 'third\n');
  assert.equal(await read({ previous: true }), 'second\n');
  assert.deepEqual(readdirSync(folder).sort(), ['1.log', '2.log']);
});

test('a follower gets what comes, until the run ends or it goes', async () => {
  write('before\n');
  const followed = read({ follow: true }, true);
  write('during\n');
  log.end();
  assert.equal(await followed, 'before\nduring\n');
  const abort = new AbortController();
  const left = read({ follow: true, tailLines: 0, signal: abort.signal }, true);
  abort.abort();
  assert.equal(await left, '');
});

test('a large log is rotated and read as one, and never grows without bound', async () => {
  const line = `${'x'.repeat(1023)}\n`;
  for (let written = 0; written < 9 * 1024; written++) write(line);
  write('last\n');
  const text = await read();
  assert.ok(text.length > 4 * 2 ** 20 && text.length < 9 * 2 ** 20);
  assert.ok(text.endsWith('last\n'));
});
