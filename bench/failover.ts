/**
 * How long nobody acts when a leader goes away, measured on embedded clusters with real processes:
 *
 *   npm run bench:failover [-- --runs N] [--kind KIND] [--component agent|controller] [--bundles N] [--profile P] [--json] [--keep]
 *
 * Two replicas each of the fleet-controller (management cluster) and the agent (one downstream cluster). While
 * a probe workload keeps changing, the leader is struck again and again; each run ends with everything
 * restored. The gap runs from the last guarded write of the old leader to the first of the new one.
 *
 * With --json standard output is exactly one object; the table goes to standard error. What was measured with
 * 30 runs or more (or with --keep) replaces its part of bench/results/failover.json.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '#cli/output';
import { DRILL_KINDS, type DrillKind, type DrillResult, type DrillSession } from '#ha/drill';
import { reportPage } from '#ha/report';
import { startDrills, startTestFleet, type TestFleet } from '../test/fleet/fleet.ts';

const RUNS = 30;
const PARTIES = { agent: { component: 'agent', cluster: 'prod' }, controller: { component: 'fleet-controller', cluster: 'local' } } as const;
type Party = keyof typeof PARTIES;

interface Summary {
  runs: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  doubleWriters: number;
  halfDone: number;
}

type Table = Record<Party, Partial<Record<DrillKind, Summary>>>;

const { values: flags } = parseArgs({
  options: {
    runs: { type: 'string', default: String(RUNS) },
    kind: { type: 'string' },
    component: { type: 'string' },
    bundles: { type: 'string', default: '4' },
    interval: { type: 'string', default: '40' },
    profile: { type: 'string', default: 'default' },
    report: { type: 'string' },
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const runs = wholeNumber('--runs', flags.runs);
const kinds = DRILL_KINDS.filter((kind) => !flags.kind || flags.kind.split(',').includes(kind));
const parties = (Object.keys(PARTIES) as Party[]).filter((party) => !flags.component || flags.component === party);
if (kinds.length === 0) throw new Error(`--kind: use ${DRILL_KINDS.join(', ')}`);
if (parties.length === 0) throw new Error(`--component: use ${Object.keys(PARTIES).join(', ')}`);

const say = (text: string) => void process.stderr.write(`${text}\n`);
const startMs = performance.now();
const table: Table = { agent: {}, controller: {} };
const kept: DrillResult[] = [];
let failed = 0;

const timings = { profile: flags.profile };
const fleet = await startTestFleet({ values: { leaderElection: timings, agent: { replicas: 2, leaderElection: timings } } });
process.once('SIGINT', () => void fleet.stop().then(() => process.exit(130)));
try {
  say(`fleet is up after ${seconds()}`);
  for (const party of parties) await measure(fleet, party);
} finally {
  await fleet.stop();
}

const rows = parties.flatMap((party) => Object.entries(table[party]).map(([kind, { runs: count, p50Ms, p99Ms, maxMs, doubleWriters, halfDone }]) => [party, kind, count, p50Ms, p99Ms, maxMs, doubleWriters, halfDone].map(String)));
const text = formatTable(['component', 'kind', 'runs', 'p50 ms', 'p99 ms', 'max ms', 'double writers', 'half done'], rows);
if (flags.json) process.stdout.write(`${JSON.stringify(table)}\n`);
(flags.json ? process.stderr : process.stdout).write(`${text}\n`);
if (flags.report) writeFileSync(flags.report, reportPage(kept));
if (flags.keep || runs >= RUNS) keep();
process.exit(failed > 0 ? 1 : 0);

async function measure(on: TestFleet, party: Party): Promise<void> {
  const session = await startDrills(on, { ...PARTIES[party], bundles: wholeNumber('--bundles', flags.bundles), intervalMs: wholeNumber('--interval', flags.interval) });
  try {
    for (const kind of kinds) table[party][kind] = await measureKind(session, party, kind);
  } finally {
    await session.close();
  }
}

async function measureKind(session: DrillSession, party: Party, kind: DrillKind): Promise<Summary> {
  const gaps: number[] = [];
  let [doubleWriters, halfDone] = [0, 0];
  for (let run = 1; run <= runs; run++) {
    const result = await session.run(kind);
    doubleWriters += result.doubleWriters;
    halfDone += result.halfDone;
    gaps.push(result.gapMs ?? Number.POSITIVE_INFINITY);
    kept.push(result);
    const problems = result.checks.filter(({ passed }) => !passed).map(({ name, detail }) => `${name}: ${detail}`);
    if (problems.length > 0) failed++;
    say(`${seconds()} ${party} ${kind} ${run}/${runs}: gap ${Math.round(result.gapMs ?? -1)} ms, lease gap ${Math.round(result.leaseGapMs ?? -1)} ms, ${result.evidence ?? '-'}${problems.length > 0 ? ` FAILED ${problems.join(' | ')}` : ''}`);
    await session.freshen();
  }
  gaps.sort((a, b) => a - b);
  return { runs, p50Ms: percentile(gaps, 0.5), p99Ms: percentile(gaps, 0.99), maxMs: Math.round(gaps.at(-1) ?? 0), doubleWriters, halfDone };
}

/** Nearest rank. */
function percentile(sorted: readonly number[], part: number): number {
  return Math.round(sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? 0);
}

function keep(): void {
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  const machine = { cpu: cpus()[0]?.model ?? '', cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), system: `${platform()} ${release()}`, node: process.version };
  const file = join(folder, 'failover.json');
  const earlier = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { results: Table }).results : { agent: {}, controller: {} };
  const results = { agent: { ...earlier.agent, ...table.agent }, controller: { ...earlier.controller, ...table.controller } };
  writeFileSync(file, `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), commit, machine, profile: flags.profile, bundles: Number(flags.bundles), results }, null, 2)}\n`);
}

function wholeNumber(name: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${name}: ${JSON.stringify(value)} is not a whole number above 0`);
  return number;
}

function seconds(): string {
  return `${((performance.now() - startMs) / 1000).toFixed(1).padStart(6)}s`;
}
