/**
 * Speed and size of the embedded API server: a process of its own, durable storage, TLS, HTTP/2, loaded from this
 * process. With `KUBEBUILDER_ASSETS` set the same load goes to a real kube-apiserver and etcd in the same run, and the
 * ratio of work per second of the servers' processor time is printed (above 1: the embedded one does more). Keeps its
 * figures in `bench/results/embedded.json`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assetsProblem, startRealKube } from '../test/support/real-kube.ts';
import { type Figures, Load, quantiles, residentMB, type Target } from './embedded-client.ts';

const root = join(import.meta.dirname, '..');
const CREATES = 5000;
const MORE_CREATES = 10_000;
const LANES = 32;
const WATCHERS = 500;
const WATCH_SESSIONS = 10;
const FAN_OUT_WRITES = 20;
const FAN_OUT_LIMIT_MS = 30_000;
const MERGE = 'application/merge-patch+json';
const TOKEN = 'bench-admin';

interface Results extends Record<string, unknown> {
  create2KB: Figures;
  guardedUpdate: Figures;
  get: Figures;
  list5000: Figures;
}

const folder = mkdtempSync(join(tmpdir(), 'bench-embedded-'));
const assets = process.env['KUBEBUILDER_ASSETS'];
try {
  const embedded = await benchEmbedded();
  const fourClusters = JSON.parse(await output('bench/embedded-rest.ts')) as unknown;
  const real = assets && !assetsProblem(assets) ? await benchReal(assets) : undefined;
  const ratios = real ? { realKube: real, ratioPerServerCpuSecond: ratio(embedded, real) } : {};
  const text = `${JSON.stringify({ ...embedded, fourClusters, ...ratios }, null, 2)}\n`;
  writeFileSync(join(import.meta.dirname, 'results', 'embedded.json'), text);
  process.stdout.write(text);
  if (!real) process.stdout.write(`no ratio to the real server: ${assetsProblem(assets)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

async function benchEmbedded(): Promise<Results> {
  const data = join(folder, 'embedded');
  const began = performance.now();
  const child = spawn(process.execPath, [join(root, 'src/cmd/apiserver.ts'), '--port', '0', '--admin-token', TOKEN, '--data', data, '--no-controllers'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const url = await ready(child);
    const startMs = Math.round(performance.now() - began);
    const ca = readFileSync(join(data, 'ca.crt'), 'utf8');
    return { processStartToReadyMs: startMs, ...(await bench({ url, token: TOKEN, ca, pids: [child.pid ?? 0] })) };
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
}

function ready(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('exit', (code) => reject(new Error(`the embedded server ended with ${code}`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const url = /^(https:\/\/\S+)/m.exec(text)?.[1];
      if (url && /^ready$/m.test(text)) resolve(url);
    });
  });
}

async function benchReal(from: string): Promise<Results> {
  const began = performance.now();
  const kube = await startRealKube(from, join(folder, 'real'));
  try {
    const startMs = Math.round(performance.now() - began);
    const { 'kube-apiserver': apiserver = 0, etcd = 0 } = kube.pids;
    return { processStartToReadyMs: startMs, ...(await bench({ url: kube.url, token: kube.token, ca: readFileSync(kube.caFile, 'utf8'), pids: [apiserver, etcd] })) };
  } finally {
    await kube.stop();
  }
}

async function bench(target: Target): Promise<Results> {
  const load = new Load(target);
  const namespace = 'bench-load';
  const base = `/api/v1/namespaces/${namespace}/configmaps`;
  const create = (path: string) => (i: number) => load.send('POST', path, { metadata: { name: `c${i}` }, data: { blob: 'x'.repeat(2000) } });
  await load.send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  await load.send('POST', '/api/v1/namespaces', { metadata: { name: `${namespace}-more` } });
  const rssAtStartMB = residentMB(target.pids);
  const results: Results = {
    rssAtStartMB,
    create2KB: await load.measure(CREATES, LANES, create(base)),
    guardedUpdate: await load.measure(CREATES, LANES, async (i) => {
      const object = JSON.parse(await load.send('GET', `${base}/c${i}`)) as { data: Record<string, string> };
      object.data['n'] = String(i);
      await load.send('PUT', `${base}/c${i}`, object);
    }),
    mergePatch: await load.measure(CREATES, LANES, (i) => load.send('PATCH', `${base}/c${i}`, { data: { n: `p${i}` } }, MERGE)),
    get: await load.measure(CREATES * 2, LANES, (i) => load.send('GET', `${base}/c${i % CREATES}`)),
    list5000: await load.measure(20, 2, () => load.send('GET', base)),
    sequentialPatch: await load.measure(500, 1, (i) => load.send('PATCH', `${base}/c1`, { data: { n: String(i) } }, MERGE)),
    fanOut500: await fanOut(target, load, base),
  };
  const rssBeforeMB = residentMB(target.pids);
  await load.measure(MORE_CREATES, LANES, create(`/api/v1/namespaces/${namespace}-more/configmaps`));
  const rssAfterMB = residentMB(target.pids);
  load.close();
  return { ...results, memory: { rssBeforeMB, rssAfter10000MoreMB: rssAfterMB, per10000ObjectsMB: rssAfterMB - rssBeforeMB } };
}

/** From a write until the last of 500 watchers has its event. */
async function fanOut(target: Target, load: Load, base: string): Promise<Record<string, number>> {
  let events = 0;
  let arrived = () => {};
  const path = `${base}?watch=1&fieldSelector=metadata.name%3Dc1`;
  const sessions = Array.from({ length: WATCH_SESSIONS }, () => new Load(target));
  await Promise.all(Array.from({ length: WATCHERS }, (_, i) => (sessions[i % WATCH_SESSIONS] as Load).watch(path, () => (++events % WATCHERS === 0 ? arrived() : undefined))));
  await settled(() => events);
  events = 0;
  const times: number[] = [];
  for (let i = 0; i < FAN_OUT_WRITES; i++) {
    const from = performance.now();
    const all = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`only ${events} events came`)), FAN_OUT_LIMIT_MS);
      arrived = () => (clearTimeout(timer), resolve());
    });
    await load.send('PATCH', `${base}/c1`, { data: { n: `f${i}` } }, MERGE);
    await all;
    times.push(performance.now() - from);
  }
  for (const session of sessions) session.close();
  return { watchers: WATCHERS, ...quantiles(times) };
}

/** Waits until a count stays the same: the initial events are through. */
async function settled(count: () => number): Promise<void> {
  for (let last = -1; last !== count(); ) {
    last = count();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function ratio(embedded: Results, real: Results): Record<string, number> {
  const keys = ['create2KB', 'guardedUpdate', 'get', 'list5000'] as const;
  return Object.fromEntries(keys.map((key) => [key, Number(((embedded[key].perServerCpuSecond ?? 0) / (real[key].perServerCpuSecond ?? Number.NaN)).toFixed(2))]));
}

function output(file: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, file)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.once('exit', (code) => (code === 0 ? resolve(text) : reject(new Error(`${file} ended with ${code}`))));
  });
}
