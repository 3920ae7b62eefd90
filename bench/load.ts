/**
 * Load on the heart: a leader whose main thread parses 20 MB lists and renders large charts without a pause,
 * with the `fast` profile, must not lose its lease, because the elector lives in a thread of its own.
 *
 *   npm run bench:load [-- --minutes 5] [--json]
 *
 * The lease is kept by an API server in a process of its own, so that it does not share the busy thread. Work
 * comes in slices as in a controller, with a turn of the event loop between two; the slowest slice is told.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { processClock, sleep } from '#base/clock';
import { silentLog } from '#base/log';
import { seededRandom, systemRandom } from '#base/random';
import { parseKubeconfig } from '#kube/client';
import { createElector, profileTimings, type Transition } from '#kube/leaderelection';
import { loadChart, renderChart } from '#render/chart';
import { createCluster } from '#embedded';

const VOUCH_MS = 250;
const LIST_BYTES = 20 * 1024 * 1024;
const CHART_TEMPLATES = 300;

if (process.argv[2] === 'server') await serve(process.argv[3] ?? '');
else await lead();

/** The API server, until the parent goes away. */
async function serve(dataDir: string): Promise<void> {
  const cluster = createCluster({ name: 'load', dataDir, clock: processClock, random: systemRandom, log: silentLog });
  await cluster.start();
  await cluster.listen({ host: '127.0.0.1', port: 0 });
  process.send?.(cluster.kubeconfig());
  await once(process, 'disconnect');
  await cluster.stop();
  process.exit(0);
}

async function lead(): Promise<void> {
  const { values: flags } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } } });
  const minutes = Number(flags.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes: ${JSON.stringify(flags.minutes)} is not a number above 0`);
  const folder = mkdtempSync(join(tmpdir(), 'fleet-ts-load-'));
  const server = fork(import.meta.filename, ['server', folder]);
  const [kubeconfig] = (await once(server, 'message')) as [string];
  const transitions: Transition[] = [];
  const elector = createElector({
    workerFile: pathToFileURL(join(import.meta.dirname, '..', 'src', 'kube', 'leaderelection', 'elector-worker.ts')),
    connection: parseKubeconfig(kubeconfig),
    identity: 'load',
    info: { bootId: 'load', startedAtMs: processClock.wallMs() },
    lock: { kind: 'leases', namespace: 'default', name: 'load' },
    timings: profileTimings('fast').timings,
    random: systemRandom,
    log: silentLog,
    onTransition: (transition) => transitions.push(transition),
  });
  const end = new AbortController();
  let nextVouchMs = 0;
  const vouch = () => {
    if (processClock.monotonicMs() < nextVouchMs) return;
    nextVouchMs = processClock.monotonicMs() + VOUCH_MS;
    elector.vouch();
  };
  vouch();
  const result = { minutes, slices: 0, slowestSliceMs: 0, leastRemainingMs: Number.POSITIVE_INFINITY, lostLeases: 0, terms: 0 };
  for await (const term of elector.campaign(end.signal)) {
    result.terms++;
    const work = workSlices();
    const untilMs = processClock.monotonicMs() + minutes * 60_000;
    while (!term.signal.aborted && processClock.monotonicMs() < untilMs) {
      const startMs = processClock.monotonicMs();
      work();
      result.slices++;
      result.slowestSliceMs = Math.max(result.slowestSliceMs, Math.round(processClock.monotonicMs() - startMs));
      result.leastRemainingMs = Math.min(result.leastRemainingMs, Math.round(term.remainingMs()));
      vouch();
      await sleep(processClock, 0);
    }
    if (term.signal.aborted) result.lostLeases++;
    else end.abort(new Error('done'));
  }
  server.disconnect();
  await once(server, 'exit');
  rmSync(folder, { recursive: true, force: true });
  report(result, flags.json);
}

/** In turn: a list of 20 MB is written and parsed; a chart of hundreds of templates is loaded and rendered. */
function workSlices(): () => void {
  const random = seededRandom(1);
  const item = { metadata: { name: 'x', labels: { app: 'x' } }, spec: { text: 'y'.repeat(900), number: random.next() } };
  const list = { kind: 'List', items: Array.from({ length: Math.floor(LIST_BYTES / JSON.stringify(item).length) }, (_, index) => ({ ...item, index })) };
  const text = JSON.stringify(list);
  const utf8 = (content: string) => new TextEncoder().encode(content);
  const template = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-@@\ndata:\n{{- range $i := until 20 }}\n  key{{ $i }}: {{ printf "%s-%d" $.Values.text $i | quote }}\n{{- end }}\n';
  const files = new Map<string, Uint8Array>([['Chart.yaml', utf8('apiVersion: v2\nname: load\nversion: 1.0.0\n')], ['values.yaml', utf8('text: hello\n')], ...Array.from({ length: CHART_TEMPLATES }, (_, index): [string, Uint8Array] => [`templates/${index}.yaml`, utf8(template.replace('@@', String(index)))])]);
  let turn = 0;
  return () => {
    if (turn++ % 2 === 0) JSON.stringify(JSON.parse(text));
    else renderChart(loadChart(files), { release: { name: 'load', namespace: 'default' }, values: {}, random, nowMs: 0 });
  };
}

function report(result: { minutes: number; slices: number; slowestSliceMs: number; leastRemainingMs: number; lostLeases: number; terms: number }, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${result.slices} slices of work in ${result.minutes} min, the slowest ${result.slowestSliceMs} ms; lost leases: ${result.lostLeases}; the least time left on the lease: ${result.leastRemainingMs} ms\n`);
  if (result.minutes >= 5) {
    const folder = join(import.meta.dirname, 'results');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'load.json'), `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), machine: { cpu: cpus()[0]?.model ?? '', cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), node: process.version }, profile: 'fast', result }, null, 2)}\n`);
  }
  process.exitCode = result.lostLeases > 0 ? 1 : 0;
}
