/**
 * A small fleet in this process for tests and benchmarks: embedded clusters with real agent and controller
 * processes (from dist/, so build first), installed by the charts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { namespace as fleetNamespace, clusters } from '#api/fleet';
import { sleep, systemClock } from '#base/clock';
import { silentLog, type Log } from '#base/log';
import { systemRandom } from '#base/random';
import type { NodePlan } from '#embedded';
import { BundleProbe, componentNamed, DrillSession, type DrillTarget, type Saboteur } from '#ha/drill';
import { readOwnChart } from '../../src/cmd/adapters/charts.ts';
import { dataDir } from '../../src/cmd/up/data-dir.ts';
import { registerClusters } from '../../src/cmd/up/demo.ts';
import { type Host, startHost } from '../../src/cmd/up/host.ts';
import { installChart } from '../../src/cmd/up/install.ts';
import { hostSaboteur } from './saboteur.ts';

const LIMITS = { readyMs: 120_000, pollMs: 100 };

export interface FleetOptions {
  replicas?: number;
  /** Nodes of each cluster; default two. */
  nodes?: number;
  /** Downstream clusters; default one, named `prod`. */
  downstream?: readonly string[];
  /** Extra chart values. */
  values?: Record<string, unknown>;
  log?: Log;
  /** Folder with the programs; default dist/. */
  dist?: string;
}

export interface TestFleet {
  host: Host;
  /** What a drill of the component works on. */
  target(component: string, cluster: string): Promise<DrillTarget>;
  saboteur(target: DrillTarget): Saboteur;
  stop(): Promise<void>;
}

/** Starts it and waits until all replicas are ready and all clusters registered. */
export async function startTestFleet(options: FleetOptions = {}): Promise<TestFleet> {
  const { downstream = ['prod'], nodes = 2, replicas = 2, log = silentLog, values = {}, dist = join(import.meta.dirname, '..', '..', 'dist') } = options;
  const folder = mkdtempSync(join(tmpdir(), 'fleet-ts-fleet-'));
  const dir = dataDir(folder);
  const names = ['local', ...downstream];
  const plan = (block: number) => names.map((name, index) => ({ name, nodes: nodePlans(block, index, nodes), ...(index === 0 ? {} : { labels: { env: name } }) }));
  const host = await startHost(dir, plan, { dist, log });
  const stop = async () => {
    await host.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await install(host, { replicas, values, log });
    await untilRegistered(host, names.length);
    return { host, stop, target: (component, cluster) => targetOf(host, component, cluster), saboteur: (target) => hostSaboteur(host, target) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A drill session against such a fleet. */
export async function startDrills(fleet: TestFleet, { component, cluster, bundles = 4, intervalMs = 50 }: { component: string; cluster: string; bundles?: number; intervalMs?: number }): Promise<DrillSession> {
  const target = await fleet.target(component, cluster);
  const probe = new BundleProbe(target, bundles);
  const session = new DrillSession({ target, saboteur: fleet.saboteur(target), probe, intervalMs, clock: systemClock, random: systemRandom, log: silentLog, progress: () => {} });
  await session.prepare();
  return session;
}

function nodePlans(block: number, cluster: number, count: number): NodePlan[] {
  return Array.from({ length: count }, (_, index) => ({ name: `node-${index + 1}`, subnet: `127.${block}.${cluster * 10 + index + 1}` }));
}

async function install(host: Host, { replicas, values, log }: { replicas: number; values: Record<string, unknown>; log: Log }): Promise<void> {
  const local = host.clusters.get('local');
  if (!local) throw new Error('there is no management cluster');
  await installChart(local.client, { name: 'fleet-crd', namespace: fleetNamespace.system, files: readOwnChart('fleet-crd'), values: {} }, log);
  const own = {
    apiServerURL: local.cluster.url,
    apiServerCA: local.cluster.caCert,
    controller: { replicas },
    gitjob: { replicas: 1 },
    helmops: { enabled: false },
    agent: { replicas },
    agentCheckinInterval: '60s',
    bootstrap: { localAgentDisabled: true },
    ...values,
  };
  await installChart(local.client, { name: 'fleet', namespace: fleetNamespace.system, files: readOwnChart('fleet'), values: own }, log);
  await registerClusters(host, local.client);
}

async function untilRegistered(host: Host, count: number): Promise<void> {
  const client = host.clusters.get('local')?.client;
  const untilMs = systemClock.monotonicMs() + LIMITS.readyMs;
  for (;;) {
    const found = await client?.list(clusters);
    const seen = found?.items.filter(({ metadata, status }) => metadata.namespace === fleetNamespace.default && status?.agent?.lastSeen).length ?? 0;
    if (seen >= count - 1) return;
    if (systemClock.monotonicMs() > untilMs) throw new Error(`${seen} of ${count - 1} clusters registered after ${LIMITS.readyMs / 1000} s: is dist/ built?`);
    await sleep(systemClock, LIMITS.pollMs);
  }
}

async function targetOf(host: Host, component: string, cluster: string): Promise<DrillTarget> {
  const local = host.clusters.get('local');
  const facts = componentNamed(component);
  const fleetName = cluster === 'local' ? [...host.clusters.keys()].find((name) => name !== 'local') ?? '' : cluster;
  const downstream = host.clusters.get(fleetName);
  const own = host.clusters.get(cluster);
  if (!local || !downstream || !own) throw new Error(`no cluster ${cluster}`);
  const registered = await local.client.get(clusters, { namespace: fleetNamespace.default, name: fleetName });
  return {
    component: facts,
    cluster,
    client: own.client,
    upstream: local.client,
    namespace: fleetNamespace.system,
    lease: facts.lease,
    fleetCluster: { namespace: fleetNamespace.default, name: fleetName, deploymentNamespace: registered.status?.namespace ?? '', client: downstream.client },
  };
}
