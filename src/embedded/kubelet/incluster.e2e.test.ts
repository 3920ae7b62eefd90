/**
 * A pod's process reaches its API server as a pod does: by its service-account token, the cluster's CA and
 * the node's proxy; a cut cable silences it without an error; its death is known at once; its log is served
 * by the API.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemClock } from '#base/clock';
import { pods, type Pod } from '#api/builtin';
import { createClient, createTransport, parseKubeconfig, type Client } from '#kube/client';

const folder = mkdtempSync(join(tmpdir(), 'fleet-ts-incluster-'));
const pids = join(folder, 'pids');
let host: ChildProcess;
let client: Client;

async function until<T>(what: string, probe: () => Promise<T | undefined | false> | T | undefined | false, limitMs = 20_000): Promise<T> {
  for (const end = Date.now() + limitMs; Date.now() < end; ) {
    const value = await probe();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${what}: not within ${limitMs} ms`);
}

before(async () => {
  mkdirSync(pids);
  const script = new URL('../../testing/cluster/host.ts', import.meta.url).pathname;
  host = spawn(process.execPath, [script, join(folder, 'data'), pids], { stdio: ['pipe', 'pipe', 'inherit'] });
  await said('ready');
  const connection = parseKubeconfig(readFileSync(join(folder, 'data', 'kubeconfig'), 'utf8'));
  client = createClient(createTransport(connection, { clock: systemClock }));
  await until('the account exists', () => client.request({ method: 'GET', path: '/api/v1/namespaces/default/serviceaccounts/default' }).then(({ status }) => status === 200));
});
after(() => {
  client.close();
  host.kill('SIGTERM');
  host.on('exit', () => rmSync(folder, { recursive: true, force: true }));
});

function said(word: string): Promise<void> {
  return new Promise((resolve) => {
    const listen = (chunk: Buffer) => {
      if (!chunk.toString().includes(word)) return;
      host.stdout?.off('data', listen);
      resolve();
    };
    host.stdout?.on('data', listen);
  });
}

async function tell(verb: string): Promise<void> {
  const done = said(verb);
  host.stdin?.write(`${verb}\n`);
  await done;
}

async function run(name: string): Promise<void> {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'main', image: `ours/${name}` }], terminationGracePeriodSeconds: 1 } };
  await client.create(pods, pod as Pod);
}

async function log(name: string): Promise<{ status: number; text: string }> {
  const { status, body } = await client.request({ method: 'GET', path: `/api/v1/namespaces/default/pods/${name}/log` });
  return { status, text: Buffer.from(body).toString() };
}

const answers = (text: string) => text.split('\n').filter((line) => line === 'answer 200').length;

test('a process authenticates as its account, falls silent with its node, and goes on without an error', async () => {
  await run('reach');
  await until('it is answered', async () => answers((await log('reach')).text) > 3);
  await tell('cut');
  assert.match((await log('reach')).text, /does not answer/);
  await tell('start');
  const before = answers((await log('reach')).text);
  await until('it goes on', async () => answers((await log('reach')).text) > before + 3);
  assert.doesNotMatch((await log('reach')).text, /error/);
});

test('the death of a process is in the status of its pod at once', async () => {
  await run('idle');
  const file = await until('it runs', () => readdirSync(pids).find((name) => name.startsWith('idle.')));
  await until('it is reported', async () => (await client.get(pods, { namespace: 'default', name: 'idle' })).status?.phase === 'Running');
  const abort = new AbortController();
  const { metadata } = await client.list(pods, { namespace: 'default' });
  const seen = (async () => {
    for await (const event of client.watch(pods, { namespace: 'default', resourceVersion: metadata.resourceVersion ?? '', signal: abort.signal })) {
      if (event.type !== 'MODIFIED' || event.object.metadata.name !== 'idle') continue;
      const status = event.object.status?.containerStatuses?.[0];
      if (status?.lastState?.terminated?.exitCode === 137 || status?.state?.terminated) return Date.now();
    }
    throw new Error('the watch ended');
  })();
  const killedAt = Date.now();
  process.kill(Number(file.split('.')[1]), 'SIGKILL');
  const tookMs = (await seen) - killedAt;
  abort.abort();
  assert.ok(tookMs < 1000, `${tookMs} ms`);
});
