/** fleet ha status, plan, drill, doctor, candidate: what each does with its flags. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { formatTable } from '#cli/output';
import { processClock, sleep, systemClock } from '#base/clock';
import { parseDuration } from '#base/duration';
import { systemRandom } from '#base/random';
import { runCandidate } from '#ha/candidate';
import { findingsOf, fix, formatFindings } from '#ha/doctor';
import { BundleProbe, type Check, type ComponentName, type DrillKind, type DrillResult, DrillSession, type DrillTarget } from '#ha/drill';
import { formatHaPlan, measureLatency, planHa } from '#ha/plan';
import { reportPage } from '#ha/report';
import { assessHa, formatHaStatus, readClusters } from '#ha/status';
import { createElector, type LockKind, type ProfileName, profileTimings, type Timings, timingsFromEnv } from '#kube/leaderelection';
import { connect, processConnection } from '../../adapters/connection.ts';
import { electorWorker } from '../../adapters/elector.ts';
import { processLog } from '../../adapters/log.ts';
import { stopSignal } from '../../adapters/process.ts';
import { type AccessFlags, closeAccess, openAccess } from './access.ts';
import { apiSaboteur, embeddedSaboteur } from './saboteurs.ts';
import { findTarget } from './target.ts';

const WATCH_INTERVAL_MS = 1_000;
const CLEAR = '\u001b[H\u001b[J';

type Output = 'text' | 'json';

export interface StatusFlags extends AccessFlags {
  output: Output;
  watch: boolean;
}

export async function statusCommand({ output, watch, ...flags }: StatusFlags): Promise<void> {
  const access = await openAccess(flags);
  const signal = watch ? stopSignal() : undefined;
  try {
    do {
      const status = assessHa(await readClusters(access.clusters), systemClock.wallMs());
      const text = output === 'json' ? JSON.stringify(status, null, watch ? 0 : 2) : formatHaStatus(status, formatTable);
      process.stdout.write(`${watch && output === 'text' && process.stdout.isTTY ? CLEAR : ''}${text}\n`);
      if (!watch && status.clusters.some(({ warnings }) => warnings.some(({ severity }) => severity === 'critical'))) process.exitCode = 1;
      if (signal) await sleep(systemClock, WATCH_INTERVAL_MS, signal).catch(() => {});
    } while (signal && !signal.aborted);
  } finally {
    closeAccess(access);
  }
}

export interface PlanFlags extends AccessFlags {
  output: Output;
  profile: ProfileName;
  leaseDuration?: string;
  renewDeadline?: string;
  retryPeriod?: string;
  watchdog?: string;
  replicas: number;
  apiLatency?: string;
}

export async function planCommand(flags: PlanFlags): Promise<void> {
  const plan = planHa({ timings: timingsOf(flags), replicas: flags.replicas, latency: await latencyOf(flags) });
  process.stdout.write(flags.output === 'json' ? `${JSON.stringify(plan, null, 2)}\n` : `${formatHaPlan(plan, formatTable)}\n`);
  if (!plan.safe) process.exitCode = 1;
}

/** Unsafe timings are what a plan is asked about: they are shown, not refused. */
function timingsOf({ profile, leaseDuration, renewDeadline, retryPeriod, watchdog }: PlanFlags): Timings {
  const base = profileTimings(profile).timings;
  const given = (text: string | undefined, fallback: number) => (text ? parseDuration(text) : fallback);
  const lease = given(leaseDuration, base.leaseDurationMs);
  const scale = lease / base.leaseDurationMs;
  return {
    leaseDurationMs: lease,
    renewDeadlineMs: given(renewDeadline, Math.round(base.renewDeadlineMs * scale)),
    retryPeriodMs: given(retryPeriod, Math.round(base.retryPeriodMs * scale)),
    watchdogMs: given(watchdog, base.watchdogMs),
  };
}

/** As told, else as measured on the first cluster, else a guess for a healthy API server. */
async function latencyOf(flags: PlanFlags) {
  if (flags.apiLatency) return { meanMs: parseDuration(flags.apiLatency), worstMs: parseDuration(flags.apiLatency) };
  const access = await openAccess(flags).catch(() => undefined);
  const client = access?.clusters[0]?.client;
  if (!access || !client) {
    process.stderr.write('no cluster to measure: assuming an API server that answers in 15 ms, at worst in 100 ms\n');
    return { meanMs: 15, worstMs: 100 };
  }
  try {
    return await measureLatency(client, systemClock);
  } finally {
    closeAccess(access);
  }
}

export interface DoctorFlags extends AccessFlags {
  output: Output;
  fix: boolean;
  unreachableAfter: string;
}

export async function doctorCommand({ output, fix: fixing, unreachableAfter, ...flags }: DoctorFlags): Promise<void> {
  const access = await openAccess(flags);
  try {
    const nowMs = systemClock.wallMs();
    const facts = await readClusters(access.clusters);
    const status = assessHa(facts, nowMs);
    let findings = findingsOf(status);
    if (fixing) {
      const targets = facts.flatMap((each, index) => {
        const [cluster, own] = [access.clusters[index], status.clusters[index]];
        return cluster && own ? [{ facts: each, status: own, client: cluster.client }] : [];
      });
      findings = await fix(findings, targets, { unreachableAfterMs: parseDuration(unreachableAfter), nowMs });
    }
    process.stdout.write(output === 'json' ? `${JSON.stringify(findings, null, 2)}\n` : `${formatFindings(findings)}\n`);
    if (findings.some(({ severity }) => severity === 'critical')) process.exitCode = 1;
  } finally {
    closeAccess(access);
  }
}

export interface DrillFlags extends AccessFlags {
  output: Output;
  component: ComponentName;
  cluster?: string;
  bundles: number;
  interval: string;
  yes: boolean;
  force: boolean;
  report?: string;
}

export async function drillCommand(flags: DrillFlags, kind: DrillKind): Promise<void> {
  const access = await openAccess(flags);
  try {
    const target = await findTarget(access, flags.component, flags.cluster);
    if (!access.embedded && !flags.yes) await confirm(kind, target);
    const result = await drill(kind, target, { ...flags, saboteur: access.embedded ? embeddedSaboteur(access.embedded, target) : apiSaboteur(target, flags) });
    const { observation, ...summary } = result;
    if (flags.report) writeFileSync(flags.report, reportPage([result]));
    process.stdout.write(flags.output === 'json' ? `${JSON.stringify({ ...summary, startedAt: observation.startedWall }, null, 2)}\n` : `${formatDrill(result, flags.report)}\n`);
    if (!result.passed) process.exitCode = 1;
  } finally {
    closeAccess(access);
  }
}

async function drill(kind: DrillKind, target: DrillTarget, options: DrillFlags & { saboteur: ReturnType<typeof apiSaboteur> }): Promise<DrillResult> {
  const startMs = systemClock.monotonicMs();
  const progress = (step: string) => void process.stderr.write(`${((systemClock.monotonicMs() - startMs) / 1000).toFixed(1).padStart(6)}s ${step}\n`);
  const probed = target.component.name === 'agent' || target.component.name === 'fleet-controller';
  const session = new DrillSession({
    target,
    saboteur: options.saboteur,
    probe: probed ? new BundleProbe(target, options.bundles) : undefined,
    intervalMs: parseDuration(options.interval),
    clock: systemClock,
    random: systemRandom,
    log: processLog('fleet-ha', { FLEET_LOG_LEVEL: 'error' }),
    progress,
  });
  try {
    await session.prepare();
    return await session.run(kind);
  } finally {
    await session.close();
  }
}

async function confirm(kind: DrillKind, { component, cluster, client }: DrillTarget): Promise<void> {
  if (!process.stdin.isTTY) throw new Error(`a ${kind} drill of ${component.name} in ${cluster} breaks a running system: pass --yes`);
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await questions.question(`This breaks the leader of ${component.name} in ${cluster} (${client.server}) on purpose. Type 'yes' to go on: `);
  questions.close();
  if (answer.trim() !== 'yes') throw new Error('the drill was not confirmed');
}

function formatDrill({ kind, component, cluster, passed, checks, gapMs, sinceStrikeMs, evidence }: DrillResult, report: string | undefined): string {
  const line = ({ name, passed: ok, detail }: Check) => `  ${ok ? '✔' : '✖'} ${name}: ${detail}`;
  const gap = gapMs === undefined ? 'no takeover was seen' : `${Math.round(gapMs)} ms without a guarded write (${Math.round(sinceStrikeMs ?? 0)} ms after the strike${evidence ? `, evidence: ${evidence}` : ''})`;
  return [`${passed ? 'PASSED' : 'FAILED'} ${kind} drill of ${component} in ${cluster}: ${gap}`, ...checks.map(line), ...(report ? [`report: ${report}`] : [])].join('\n');
}

export interface CandidateFlags {
  kubeconfig?: string;
  namespace: string;
  lease: string;
  lock: LockKind;
  leaseDuration?: string;
  renewDeadline?: string;
  retryPeriod?: string;
  watchdog?: string;
  id?: string;
  write?: string;
}

export async function candidateCommand(flags: CandidateFlags): Promise<void> {
  const { namespace, lease, lock, id, write } = flags;
  const log = processLog('candidate', { FLEET_LOG_LEVEL: process.env.FLEET_LOG_LEVEL ?? 'warn' });
  const connection = processConnection(flags.kubeconfig, process.env);
  const { timings, notes } = timingsFromEnv({ CATTLE_ELECTION_LEASE_DURATION: flags.leaseDuration, CATTLE_ELECTION_RENEW_DEADLINE: flags.renewDeadline, CATTLE_ELECTION_RETRY_PERIOD: flags.retryPeriod, CATTLE_ELECTION_WATCHDOG: flags.watchdog });
  for (const note of notes) log.warn(note);
  const identity = id ?? `candidate_${randomUUID()}`;
  await runCandidate(
    {
      createElector: (onTransition) =>
        createElector({ workerFile: electorWorker(), connection, identity, info: { bootId: randomUUID(), startedAtMs: processClock.wallMs() }, lock: { kind: lock, namespace, name: lease }, timings, random: systemRandom, log, onTransition }),
      emit: (line) => void process.stdout.write(`${JSON.stringify(line)}\n`),
      clock: processClock,
      log,
      ...(write ? { write: { client: connect(connection, 'fleet-candidate'), key: { namespace, name: write } } } : {}),
    },
    stopSignal(),
  );
}
