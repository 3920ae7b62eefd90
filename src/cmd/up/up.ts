/**
 * `fleet up`: from an empty folder to three registered clusters with every example deployed; again from the
 * same folder: picks up where it was. Every step may be repeated, so that a run that was killed is followed
 * by one that goes on.
 */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { namespace as fleetNamespace } from '#api/fleet';
import { sleep, systemClock } from '#base/clock';
import { errorText, type Log, type LogFields } from '#base/log';
import { Progress, type ProgressStep } from '#cli/output';
import type { SignalName } from '#embedded/kubelet';
import { readOwnChart } from '../adapters/charts.ts';
import { stopSignal } from '../adapters/process.ts';
import { serveControl } from './control.ts';
import { acquire, dataDir, type DataDir, DEFAULT_DATA } from './data-dir.ts';
import { createGitRepo, registerClusters } from './demo.ts';
import { type Host, startHost } from './host.ts';
import { installChart } from './install.ts';
import { type Overview, readOverview } from './overview.ts';
import { demoPlan } from './plan.ts';
import { type Expected, readReadiness } from './readiness.ts';
import { ensureRepository } from './repository.ts';
import { formatNextSteps, formatOverview } from './screen.ts';

const LIMITS = {
  /** From start to every bundle ready; the aim is 30 s on two cores. */
  readyMs: 180_000,
  pollMs: 250,
};

export interface UpOptions {
  data: string;
  /** Stop everything and end once all bundles are ready. */
  exitWhenReady: boolean;
}

export async function up(options: UpOptions): Promise<void> {
  const startMs = systemClock.monotonicMs();
  const dir = dataDir(options.data);
  const release = acquire(dir);
  const signal = stopSignal();
  const log = fileLog(dir);
  const progress = new Progress({ write: (text) => void process.stdout.write(text), isTTY: process.stdout.isTTY === true }, () => systemClock.monotonicMs() - startMs);
  let host: Host | undefined;
  try {
    progress.show([{ name: 'Kubernetes', state: 'running', detail: 'starting four clusters' }]);
    host = await startHost(dir, demoPlan, { dist: import.meta.dirname, log });
    const running = host;
    const kubernetes: ProgressStep = { name: 'Kubernetes', state: 'done', detail: [...host.clusters.keys()].join(', ') };
    const control = await serveControl(dir, controlHandler(running, dir, () => process.kill(process.pid, 'SIGTERM')));
    signal.addEventListener('abort', () => control.close(), { once: true });
    const local = host.clusters.get('local');
    if (!local) throw new Error('the plan has no cluster named local');
    progress.show([kubernetes, { name: 'Fleet', state: 'running', detail: 'installing charts' }]);
    await install(host, log);
    const commit = await ensureRepository(dir, examplesFolder());
    await registerClusters(host, local.client);
    await createGitRepo(dir, local.client);
    const fleet: ProgressStep = { name: 'Fleet', state: 'done', detail: 'charts fleet-crd and fleet installed' };
    await waitUntilReady(host, { clusters: host.clusters.size, commit }, { signal, show: (steps) => progress.show([kubernetes, fleet, ...steps]) });
    const overview = await readOverview(host, dir.kubeconfig);
    process.stdout.write(`\n${formatOverview(overview)}\n\nReady in ${((systemClock.monotonicMs() - startMs) / 1000).toFixed(1)} s.\n`);
    if (options.exitWhenReady) return;
    process.stdout.write(`\n${formatNextSteps(dir, overview, dir.root === DEFAULT_DATA)}\n\nCtrl-C stops it; 'npm start' goes on where it was.\n`);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await host?.stop();
    release();
  }
}

/** Charts of ours as a user of Helm would install them; two replicas of everything. */
async function install(host: Host, log: Log): Promise<void> {
  const local = host.clusters.get('local');
  if (!local) return;
  await installChart(local.client, { name: 'fleet-crd', namespace: fleetNamespace.system, files: readOwnChart('fleet-crd'), values: {} }, log);
  const values = {
    apiServerURL: local.cluster.url,
    apiServerCA: local.cluster.caCert,
    controller: { replicas: 2 },
    gitjob: { replicas: 2 },
    helmops: { replicas: 2 },
    agent: { replicas: 2 },
    agentCheckinInterval: '60s',
    availability: { tolerationSeconds: 10 },
    bootstrap: { clusterLabels: { env: 'local' } },
    // The demo's repository is a folder of this machine.
    extraEnv: [{ name: 'FLEET_GIT_ALLOW_LOCAL', value: 'true' }],
  };
  await installChart(local.client, { name: 'fleet', namespace: fleetNamespace.system, files: readOwnChart('fleet'), values }, log);
}

interface WaitOptions {
  signal: AbortSignal;
  show(steps: readonly ProgressStep[]): void;
}

async function waitUntilReady(host: Host, expected: Expected, { signal, show }: WaitOptions): Promise<void> {
  const client = host.clusters.get('local')?.client;
  if (!client) return;
  const untilMs = systemClock.monotonicMs() + LIMITS.readyMs;
  for (;;) {
    const readiness = await readReadiness(client, expected);
    show(readiness.steps);
    if (readiness.ready) return;
    if (systemClock.monotonicMs() > untilMs) {
      throw new Error(`not ready after ${LIMITS.readyMs / 1000} s, still waiting for: ${readiness.waitingFor}. Look with 'bin/fleet status', and with kubectl logs in namespace ${fleetNamespace.system}`);
    }
    await sleep(systemClock, LIMITS.pollMs, signal);
  }
}

function controlHandler(host: Host, dir: DataDir, stop: () => void) {
  return async (verb: string, body: unknown): Promise<unknown> => {
    switch (verb) {
      case 'status':
        return (await readOverview(host, dir.kubeconfig)) satisfies Overview;
      case 'down':
        stop();
        return { pid: process.pid };
      case 'node': {
        const { node, action } = body as { node: string; action: 'stop' | 'cut' | 'pause' | 'start' };
        const control = host.node(node);
        await control[action]();
        return { node, power: control.power };
      }
      case 'kill': {
        const { node, podUid, signal } = body as { node: string; podUid: string; signal: SignalName };
        host.node(node).signalPod(podUid, signal);
        return { node, podUid, signal };
      }
      default:
        throw new Error(`unknown request ${verb}`);
    }
  };
}

/** examples/ beside the sources; the program runs from dist/. */
function examplesFolder(): string {
  return join(import.meta.dirname, '..', 'examples');
}

/** The host's own log goes to a file: the terminal belongs to the person. */
function fileLog(dir: DataDir): Log {
  const stream = createWriteStream(dir.logFile, { flags: 'a', mode: 0o600 });
  const write = (level: string, base: LogFields) => (message: string, fields?: LogFields) => {
    stream.write(`${JSON.stringify({ time: new Date().toISOString(), level, ...base, message, ...fields })}\n`);
  };
  const make = (base: LogFields): Log => ({
    debug: () => {},
    info: write('info', base),
    warn: write('warn', base),
    error: write('error', base),
    with: (fields) => make({ ...base, ...fields }),
  });
  stream.on('error', (error) => process.stderr.write(`fleet: ${dir.logFile}: ${errorText(error)}\n`));
  return make({});
}
