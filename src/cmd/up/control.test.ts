/** Requests to a running `fleet up` over its socket: answers, errors, and messages nobody should send. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { askControl, type ControlHandler, serveControl } from './control.ts';
import { type DataDir, dataDir } from './data-dir.ts';

let dir: DataDir;
let server: Server | undefined;
beforeEach(() => {
  dir = dataDir(mkdtempSync(join(tmpdir(), 'fleet-ts-control-')));
});
afterEach(async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  if (server) server.close(() => resolve());
  else resolve();
  server?.closeAllConnections();
  await closed;
  server = undefined;
  rmSync(dir.root, { recursive: true, force: true });
});

const serve = async (handler: ControlHandler = async (verb, body) => ({ verb, body })) => (server = await serveControl(dir, handler));

/** Sends these bytes and returns status and text. */
function send(body: string): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: dir.controlSocket, path: '/status', method: 'POST' }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => resolve({ status: incoming.statusCode, text }));
    });
    outgoing.on('error', reject).end(body);
  });
}

test('a verb and a body arrive, and the answer comes back', async () => {
  await serve();
  assert.deepEqual(await askControl(dir, 'node', { node: 'dev/node-1' }), { verb: 'node', body: { node: 'dev/node-1' } });
  assert.deepEqual(await askControl(dir, 'down'), { verb: 'down', body: {} });
  assert.equal(statSync(dir.controlSocket).mode & 0o777, 0o600, 'only the owner may ask');
});

test('what the handler throws is what the caller reads, thrown now or later', async () => {
  await serve((verb) => {
    if (verb === 'now') throw new Error('no node of that name');
    return Promise.reject(new Error('it did not stop'));
  });
  await assert.rejects(askControl(dir, 'now'), /^Error: no node of that name$/);
  await assert.rejects(askControl(dir, 'later'), /^Error: it did not stop$/);
});

test('a message that is no JSON, or too long, is refused and harms nobody', async () => {
  await serve();
  const broken = await send('{');
  assert.deepEqual([broken.status, JSON.parse(broken.text)], [422, { error: 'the message is not JSON' }]);
  assert.equal((await send(`"${'x'.repeat(70_000)}"`)).status, 413);
  assert.equal((await send('')).status, 200);
});

test('where no fleet runs, the message says how to start one', async () => {
  const hint = /no fleet runs with .*: start one with 'fleet up'/;
  await assert.rejects(askControl(dir, 'status'), hint);
  writeFileSync(dir.controlSocket, '');
  await assert.rejects(askControl(dir, 'status'), hint);
  await serve();
  assert.deepEqual(await askControl(dir, 'status'), { verb: 'status', body: {} }, 'what a dead one left is replaced');
});

test('a folder too deep for a socket is said to be so', async () => {
  const deep = dataDir(join(dir.root, 'x'.repeat(120)));
  mkdirSync(deep.root);
  await assert.rejects(serveControl(deep, async () => undefined), /control\.sock: cannot be opened .*choose a shorter folder with --data/);
});
