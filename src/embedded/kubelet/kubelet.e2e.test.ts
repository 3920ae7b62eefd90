/**
 * Pods as real processes on a simulated node: start, environment, logs, restarts, probes, orderly and
 * sudden ends, power loss, pause. Every wait is for a condition.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { systemClock } from '#base/clock';
import { silentLog } from '#base/log';
import { configMaps, pods, secrets, type Pod } from '#api/builtin';
import { isNotFound } from '#apimachinery/status';
import { startTestCluster, type TestCluster } from '#testing/cluster';
import { systemProcessRunner } from './process-runner.ts';

const PROGRAMS = {
  env: 'console.log(JSON.stringify({ env: process.env, cwd: process.cwd() })); setInterval(() => {}, 1000)',
  talk: 'let n = 0; setInterval(() => console.log("line " + n++), 20); process.on("SIGTERM", () => { console.log("bye"); process.exit(0); })',
  deaf: 'process.on("SIGTERM", () => {}); console.log("deaf"); setInterval(() => {}, 1000)',
  fail: 'console.log("failing"); process.exit(3)',
  once: 'console.log("done"); process.exit(0)',
  serve: 'const http = require("node:http"); let ok = true; http.createServer((q, s) => { if (q.url === "/break") ok = false; s.writeHead(ok ? 200 : 500); s.end(); }).listen(8081, process.env.POD_IP)',
  idle: 'setInterval(() => {}, 1000)',
};

const image = { command: [process.execPath], programs: Object.fromEntries(Object.entries(PROGRAMS).map(([name, code]) => [name, [process.execPath, '-e', code]])) };
let cluster: TestCluster;

before(async () => {
  cluster = await startTestCluster({ nodes: ['node-1'], images: { resolve: (name) => (name.startsWith('ours') ? image : undefined) }, node: { baseEnv: { PATH: '/usr/bin:/bin' } } });
});
after(() => cluster.stop());

async function until<T>(what: string, probe: () => Promise<T | undefined | false>, limitMs = 10_000): Promise<T> {
  for (const end = Date.now() + limitMs; Date.now() < end; ) {
    const value = await probe();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${what}: not within ${limitMs} ms`);
}

const key = (name: string) => ({ namespace: 'default', name });
const get = (name: string) => cluster.client.get(pods, key(name));
const status = (pod: Pod) => pod.status?.containerStatuses?.[0];
const isReady = (pod: Pod) => pod.status?.conditions?.find((each) => each.type === 'Ready')?.status === 'True';

async function run(name: string, program: string, more: { spec?: object; container?: object } = {}): Promise<void> {
  const container = { name: 'main', image: 'ours:1', command: [program], ...more.container };
  await cluster.client.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec: { containers: [container], terminationGracePeriodSeconds: 1, ...more.spec } } as Pod);
}

async function logsOf(name: string, options: object = {}): Promise<string> {
  const node = cluster.nodes.get('node-1');
  const chunks: Uint8Array[] = [];
  for await (const chunk of node!.logs(await get(name), options)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function remove(name: string, gracePeriodSeconds?: number): Promise<void> {
  await cluster.client.delete(pods, key(name), gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds });
  await until(`${name} is gone`, () => get(name).then(() => false, (error: unknown) => isNotFound(error)));
}

function alive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

test('a container gets its environment, its volumes and its address', async () => {
  await cluster.client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key', namespace: 'default' }, data: { password: Buffer.from('geheim').toString('base64') } });
  await cluster.client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'conf', namespace: 'default' }, data: { mode: 'fast', 'a.yaml': 'x: 1\n' } });
  await run('env', 'env', {
    container: {
      env: [
        { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'key', key: 'password' } } },
        { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
        { name: 'GREETING', value: 'hello $(NODE) $(UNKNOWN)' },
        { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
      ],
      envFrom: [{ configMapRef: { name: 'conf' }, prefix: 'C_' }],
      resources: { limits: { memory: '64Mi' } },
      volumeMounts: [{ name: 'conf', mountPath: '/etc/conf' }],
    },
    spec: { volumes: [{ name: 'conf', configMap: { name: 'conf', items: [{ key: 'a.yaml', path: 'sub/b.yaml' }] } }] },
  });
  const text = await until('the program printed', async () => (await logsOf('env').catch(() => '')) || undefined);
  const { env } = JSON.parse(text) as { env: Record<string, string> };
  const pod = await get('env');
  assert.equal(env['PASSWORD'], 'geheim');
  assert.equal(env['GREETING'], 'hello node-1 $(UNKNOWN)');
  assert.equal(env['C_mode'], 'fast');
  assert.equal(env['MEMORY'], '64');
  assert.equal(env['POD_IP'], pod.status?.podIP);
  assert.match(pod.status?.podIP ?? '', /^127\.77\.1\.\d+$/);
  assert.equal(readFileSync(`${env['FLEET_TS_ROOT']}/etc/conf/sub/b.yaml`, 'utf8'), 'x: 1\n');
  await remove('env');
});

test('a missing reference keeps the container waiting until it appears', async () => {
  await run('late', 'idle', { container: { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'later', key: 'x' } } }] } });
  const waiting = await until('it waits', async () => status(await get('late'))?.state?.waiting?.reason === 'CreateContainerConfigError' && (await get('late')));
  assert.equal(status(waiting)?.state?.waiting?.message, 'configmap "later" not found');
  await cluster.client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'later', namespace: 'default' }, data: { x: '1' } });
  await until('it runs', async () => status(await get('late'))?.state?.running);
  await remove('late');
});

test('a crash reaches the status at once, the container restarts at once, then backs off', async () => {
  await run('fail', 'fail');
  const backingOff = await until('it backs off', async () => {
    const pod = await get('fail');
    return status(pod)?.state?.waiting?.reason === 'CrashLoopBackOff' && pod;
  });
  assert.equal(status(backingOff)?.restartCount, 1);
  assert.equal(status(backingOff)?.lastState?.terminated?.exitCode, 3);
  assert.match(status(backingOff)?.state?.waiting?.message ?? '', /^back-off 10s restarting failed container=main pod=fail_default\(/);
  assert.equal(await logsOf('fail', { previous: true }), 'failing\n');
  await remove('fail');
});

test('a pod that may not restart ends as Succeeded or Failed', async () => {
  await run('once', 'once', { spec: { restartPolicy: 'Never' } });
  await run('broken', 'fail', { spec: { restartPolicy: 'Never' } });
  await until('once succeeded', async () => (await get('once')).status?.phase === 'Succeeded');
  await until('broken failed', async () => (await get('broken')).status?.phase === 'Failed');
  assert.equal(status(await get('once'))?.state?.terminated?.reason, 'Completed');
  assert.equal(status(await get('broken'))?.state?.terminated?.exitCode, 3);
  await remove('once');
  await remove('broken');
});

test('init containers run one after another before the main ones', async () => {
  await run('init', 'idle', { spec: { initContainers: [{ name: 'one', image: 'ours:1', command: ['once'] }, { name: 'two', image: 'ours:1', command: ['once'] }] } });
  const pod = await until('it is ready', async () => isReady(await get('init')) && (await get('init')));
  assert.deepEqual(pod.status?.initContainerStatuses?.map((each) => each.state?.terminated?.exitCode), [0, 0]);
  await remove('init');
});

test('logs can be followed, cut and dated', async () => {
  await run('talk', 'talk');
  await until('it talks', async () => (await logsOf('talk').catch(() => '')).includes('line 3'));
  assert.equal((await logsOf('talk', { tailLines: 2 })).split('\n').length, 3);
  assert.match(await logsOf('talk', { tailLines: 1, timestamps: true }), /^\d{4}-\d\d-\d\dT[\d:.]+Z line \d+\n$/);
  const following = logsOf('talk', { follow: true });
  const removed = remove('talk');
  assert.match(await following, /line 3\n[^]*bye\n$/);
  await removed;
});

test('a process that ignores SIGTERM is killed after its grace', async () => {
  await run('deaf', 'deaf');
  await until('it listens', async () => (await logsOf('deaf').catch(() => '')).includes('deaf'));
  const began = Date.now();
  await remove('deaf');
  const tookMs = Date.now() - began;
  assert.ok(tookMs >= 900 && tookMs < 4000, `took ${tookMs} ms`);
});

test('readiness follows the probe, and a failed liveness probe restarts the container', async () => {
  await run('serve', 'serve', { container: {
    ports: [{ name: 'health', containerPort: 8081 }],
    startupProbe: { httpGet: { path: '/', port: 'health' }, periodSeconds: 1, failureThreshold: 30 },
    readinessProbe: { httpGet: { path: '/', port: 'health' }, periodSeconds: 1, failureThreshold: 1 },
    livenessProbe: { httpGet: { path: '/', port: 8081 }, periodSeconds: 1, failureThreshold: 2 },
  } });
  const pod = await until('it is ready', async () => isReady(await get('serve')) && (await get('serve')));
  await fetch(`http://${pod.status?.podIP}:8081/break`);
  await until('it restarted', async () => status(await get('serve'))?.restartCount === 1 && isReady(await get('serve')), 15_000);
  await remove('serve');
});

test('power off ends every process without a word; after the return containers restart and deleted pods go', async () => {
  const node = cluster.nodes.get('node-1')!;
  await run('keep', 'env');
  await run('drop', 'idle');
  await until('both run', async () => isReady(await get('keep')) && isReady(await get('drop')));
  await node.stop();
  await cluster.client.delete(pods, key('drop'));
  assert.equal((await get('drop')).metadata.deletionTimestamp !== undefined, true);
  assert.equal(isReady(await get('keep')), true);
  await node.start();
  await until('the deleted pod is gone', () => get('drop').then(() => false, (error: unknown) => isNotFound(error)));
  await until('the other restarted', async () => status(await get('keep'))?.restartCount === 1 && isReady(await get('keep')));
  await remove('keep');
});

test('a paused node stops its processes and goes on where they were', async () => {
  const node = cluster.nodes.get('node-1')!;
  await run('paused', 'talk');
  await until('it talks', async () => (await logsOf('paused').catch(() => '')).includes('line 1'));
  await node.pause();
  await node.start();
  const before = (await logsOf('paused')).length;
  await until('it goes on', async () => (await logsOf('paused')).length > before);
  assert.equal(status(await get('paused'))?.restartCount, 0);
  await remove('paused');
});

test('a new life of the kubelet ends what the old one left', async () => {
  const runner = systemProcessRunner({ clock: systemClock, log: silentLog });
  let exited: (() => void) | undefined;
  const gone = new Promise<void>((resolve) => (exited = resolve));
  const child = runner.spawn({ argv: [process.execPath, '-e', PROGRAMS.deaf], env: {}, cwd: '/', onOutput() {}, onExit: () => exited?.() });
  await runner.killSurvivor({ pid: child.pid, startTime: 'another' });
  assert.equal(alive(child.pid), true, 'another process with the same pid is left alone');
  await runner.killSurvivor(child);
  await gone;
  assert.equal(alive(child.pid), false);
  runner.close();
});
