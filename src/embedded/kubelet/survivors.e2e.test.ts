/** `kill -9` of the whole embedded process: no pod process is left behind, and after the restart none runs twice. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '#base/clock';
import { pods, type Pod } from '#api/builtin';
import { createClient, createTransport, parseKubeconfig, type Client } from '#kube/client';

const HOST = new URL('../../testing/cluster/host.ts', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'fleet-ts-survivors-'));
const pids = join(folder, 'pids');
mkdirSync(pids);
const started: ChildProcess[] = [];
after(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function until<T>(what: string, probe: () => Promise<T | undefined | false> | T | undefined | false, limitMs = 20_000): Promise<T> {
  for (const end = Date.now() + limitMs; Date.now() < end; ) {
    const value = await probe();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${what}: not within ${limitMs} ms`);
}

async function startHost(): Promise<{ host: ChildProcess; client: Client }> {
  const host = spawn(process.execPath, [HOST, join(folder, 'data'), pids], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(host);
  await new Promise<void>((resolve) => host.stdout?.once('data', () => resolve()));
  const connection = parseKubeconfig(readFileSync(join(folder, 'data', 'kubeconfig'), 'utf8'));
  return { host, client: createClient(createTransport(connection, { clock: systemClock })) };
}

/** Living processes of a pod, or of all. */
function living(name = ''): number[] {
  return readdirSync(pids).filter((file) => file.startsWith(name)).map((file) => Number(file.slice(file.lastIndexOf('.') + 1))).filter(isAlive);
}

function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3));
  } catch {
    return false;
  }
}

const PROGRAMS = { idle: 1, deaf: 1, blocked: 1, parent: 2 };

test('nothing is left behind and nothing runs twice', async () => {
  const first = await startHost();
  await until('the account exists', () => first.client.request({ method: 'GET', path: '/api/v1/namespaces/default/serviceaccounts/default' }).then(({ status }) => status === 200));
  for (const name of Object.keys(PROGRAMS)) {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'main', image: `ours/${name}` }], terminationGracePeriodSeconds: 1 } };
    await first.client.create(pods, pod as Pod);
  }
  await until('all run', () => Object.entries(PROGRAMS).every(([name, count]) => living(name).length === count));
  await until('all are reported', async () => (await first.client.list(pods, { namespace: 'default' })).items.every((pod) => pod.status?.phase === 'Running'));
  const [stopped] = living('idle');
  process.kill(stopped ?? 0, 'SIGSTOP');
  first.host.kill('SIGKILL');
  const killedAt = Date.now();
  await until('every process is gone', () => living().length === 0, 5000);
  assert.ok(Date.now() - killedAt < 2000, 'gone promptly');

  const second = await startHost();
  await until('all restarted', async () => (await second.client.list(pods, { namespace: 'default' })).items.every((pod) => pod.status?.containerStatuses?.[0]?.restartCount === 1 && pod.status.containerStatuses[0].state?.running));
  await until('each runs', () => Object.entries(PROGRAMS).every(([name, count]) => living(name).length === count));
  assert.equal(living().length, 5, 'once each');

  second.host.kill('SIGTERM');
  await until('an orderly end leaves nothing either', () => living().length === 0 && second.host.exitCode !== null, 10_000);
});
