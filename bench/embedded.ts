/**
 * Speed of the embedded API server over its TLS port, durable storage. Prints one JSON document and keeps it in
 * `bench/results/embedded.json`. Set BENCH_SERVER, BENCH_TOKEN and BENCH_CA to measure another server instead.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#base/clock';
import { silentLog } from '#base/log';
import { systemRandom } from '#base/random';
import { createCluster } from '#embedded';

const CREATES = 3000;
const LANES = 32;
const folder = mkdtempSync(join(tmpdir(), 'bench-embedded-'));
const began = performance.now();
const other = process.env['BENCH_SERVER'];
const cluster = other ? undefined : createCluster({ name: 'bench', dataDir: folder, clock: systemClock, random: systemRandom, log: silentLog });
await cluster?.start();
await cluster?.listen({ host: '127.0.0.1', port: 0 });
const startMs = performance.now() - began;
const token = cluster?.adminToken ?? process.env['BENCH_TOKEN'] ?? '';
const ca = cluster?.caCert ?? readFileSync(process.env['BENCH_CA'] ?? '', 'utf8');
const session = connect(other ?? cluster?.url ?? '', { ca });

function send(method: string, path: string, body?: unknown, type = 'application/json'): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': method, ':path': path, authorization: `Bearer ${token}`, 'content-type': type });
    let status = 0;
    stream.on('response', (headers) => (status = headers[':status'] ?? 0));
    stream.on('error', reject);
    stream.on('end', () => (status < 400 ? resolve(status) : reject(new Error(`${method} ${path}: ${status}`))));
    stream.resume();
    stream.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function measure(count: number, lanes: number, work: (i: number) => Promise<number>) {
  const times: number[] = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  let next = 0;
  await Promise.all(Array.from({ length: lanes }, async () => {
    while (next < count) {
      const from = performance.now();
      await work(next++);
      times.push(performance.now() - from);
    }
  }));
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  times.sort((a, b) => a - b);
  const at = (share: number) => Number((times[Math.floor(times.length * share)] ?? 0).toFixed(2));
  return { perSecond: Math.round(count / seconds), p50Ms: at(0.5), p99Ms: at(0.99), cpuSecondsHere: Number(((used.user + used.system) / 1e6).toFixed(2)) };
}

const namespace = `bench-${Math.floor(performance.timeOrigin)}`;
const base = `/api/v1/namespaces/${namespace}/configmaps`;
const merge = 'application/merge-patch+json';
await send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
const results = {
  startMs: Math.round(startMs),
  create2KB: await measure(CREATES, LANES, (i) => send('POST', base, { metadata: { name: `c${i}` }, data: { blob: 'x'.repeat(2000) } })),
  mergePatch: await measure(CREATES, LANES, (i) => send('PATCH', `${base}/c${i}`, { data: { n: String(i) } }, merge)),
  get: await measure(CREATES * 2, LANES, (i) => send('GET', `${base}/c${i % CREATES}`)),
  list3000: await measure(20, 2, () => send('GET', base)),
  sequentialPatch: await measure(500, 1, (i) => send('PATCH', `${base}/c1`, { data: { n: String(i) } }, merge)),
  rssMB: Math.round(process.memoryUsage().rss / 1e6),
};
await send('DELETE', `/api/v1/namespaces/${namespace}`);
session.close();
await cluster?.stop();
rmSync(folder, { recursive: true, force: true });
const text = `${JSON.stringify(results, null, 2)}\n`;
if (!other) writeFileSync(join(import.meta.dirname, 'results', 'embedded.json'), text);
process.stdout.write(text);
process.exit(0);
