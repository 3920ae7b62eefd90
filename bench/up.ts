/**
 * `npm run bench:up`: from `fleet up` in an empty folder to every Bundle ready, what it costs when idle
 * afterwards, and how much memory is resident. Result: bench/results/up.json.
 *
 * Memory is counted twice, because it matters which: `residentMB` counts every page once (PSS), `rssSumMB`
 * adds up what each process maps, shared pages of the Node binary fifteen times.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { startFleet } from '../test/support/fleet.ts';
import { processesBelow } from '../test/support/observe.ts';

const SETTLE_MS = 10_000;
const IDLE_MS = 30_000;
const TICKS_PER_SECOND = 100;

function cpuTicks(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    // utime, stime, and those of children that have ended (git).
    return [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
  } catch {
    return 0;
  }
}

function memoryKB(pid: number, file: string, field: string): number {
  try {
    return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const round = (value: number) => Math.round(value * 10) / 10;

const startMs = performance.now();
const fleet = await startFleet();
const readyMs = performance.now() - startMs;
try {
  await pause(SETTLE_MS);
  const pids = [fleet.pid, ...processesBelow(fleet.data)];
  const before = sum(pids.map(cpuTicks));
  const hostBefore = cpuTicks(fleet.pid);
  await pause(IDLE_MS);
  const seconds = IDLE_MS / 1000;
  const result = {
    date: new Date().toISOString(),
    machine: `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}`,
    node: process.version,
    readySeconds: round(readyMs / 1000),
    idlePercentOfOneCore: round(((sum(pids.map(cpuTicks)) - before) / TICKS_PER_SECOND / seconds) * 100),
    idlePercentEmbedded: round(((cpuTicks(fleet.pid) - hostBefore) / TICKS_PER_SECOND / seconds) * 100),
    processes: pids.length,
    residentMB: round(sum(pids.map((pid) => memoryKB(pid, 'smaps_rollup', 'Pss'))) / 1024),
    rssSumMB: round(sum(pids.map((pid) => memoryKB(pid, 'status', 'VmRSS'))) / 1024),
    openFiles: sum(pids.map((pid) => readdirSync(`/proc/${pid}/fd`).length)),
    aims: { readySeconds: 30, idlePercentOfOneCore: 10, residentMB: 1200 },
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  mkdirSync(join(import.meta.dirname, 'results'), { recursive: true });
  writeFileSync(join(import.meta.dirname, 'results', 'up.json'), `${JSON.stringify(result, null, 2)}\n`);
} finally {
  await fleet.stop();
}
