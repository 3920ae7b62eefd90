/**
 * The embedded Kubernetes of `fleet up`: all clusters in this one process, durable below the data folder,
 * each on a port of its own that it keeps over restarts (agents and kubeconfigs know it).
 */
import { join } from 'node:path';
import { systemClock } from '#base/clock';
import type { Log } from '#base/log';
import { systemRandom } from '#base/random';
import { type Cluster, ClusterControlPlane, createCluster } from '#embedded';
import { type NodeControl, type ProcessRunner, systemProcessRunner } from '#embedded/kubelet';
import { type Client, createClient } from '#kube/client';
import { reserveBlock } from './addresses.ts';
import { type DataDir, readState, writeState } from './data-dir.ts';
import { ownImages } from './images.ts';
import { type ClusterPlan, DEMO_TIMINGS } from './plan.ts';

const STATE_FILE = 'clusters.json';

export interface RunningCluster {
  plan: ClusterPlan;
  cluster: Cluster;
  /** The administrator, inside this process. */
  client: Client;
  nodes(): ReadonlyMap<string, NodeControl>;
}

export interface Host {
  clusters: ReadonlyMap<string, RunningCluster>;
  /** A node by `cluster/node`. Throws an `Error` that lists what there is. */
  node(path: string): NodeControl;
  stop(): Promise<void>;
}

interface HostState {
  ports: Record<string, number>;
  block: number;
}

/** Starts every cluster of the plan. */
export async function startHost(dir: DataDir, plan: (block: number) => readonly ClusterPlan[], options: { dist: string; log: Log }): Promise<Host> {
  const state = readState<HostState>(dir, STATE_FILE);
  const addresses = await reserveBlock(dir.root, state?.block);
  const runner = systemProcessRunner({ clock: systemClock, log: options.log });
  const clusters = new Map<string, RunningCluster>();
  for (const entry of plan(addresses.block)) clusters.set(entry.name, await startCluster(dir, entry, { ...options, runner, port: state?.ports[entry.name] ?? 0 }));
  const ports = Object.fromEntries([...clusters].map(([name, { cluster }]) => [name, Number(new URL(cluster.url).port)]));
  writeState(dir, STATE_FILE, { ports, block: addresses.block } satisfies HostState);
  return {
    clusters,
    node: (path) => findNode(clusters, path),
    async stop() {
      await Promise.all([...clusters.values()].map(({ cluster }) => cluster.stop()));
      runner.close();
      addresses.release();
    },
  };
}

interface StartOptions {
  dist: string;
  log: Log;
  runner: ProcessRunner;
  port: number;
}

async function startCluster(dir: DataDir, plan: ClusterPlan, { dist, log, runner, port }: StartOptions): Promise<RunningCluster> {
  const dataDir = dir.clusterDir(plan.name);
  let controlPlane: ClusterControlPlane | undefined;
  const own = log.with({ cluster: plan.name });
  const cluster = createCluster({
    name: plan.name,
    dataDir,
    clock: systemClock,
    random: systemRandom,
    log: own,
    components: (made) => {
      controlPlane = new ClusterControlPlane(made, {
        clock: systemClock,
        random: systemRandom,
        log: own,
        runner,
        images: ownImages(dist),
        nodes: plan.nodes,
        nodesFolder: join(dataDir, 'nodes'),
        baseEnv: baseEnvironment(),
        leaseRenewMs: DEMO_TIMINGS.leaseRenewMs,
        maxContainerRestartPeriodMs: DEMO_TIMINGS.maxContainerRestartPeriodMs,
        settings: { nodeMonitorGraceMs: DEMO_TIMINGS.nodeMonitorGraceMs },
      });
      return [controlPlane];
    },
  });
  await cluster.start();
  try {
    await cluster.listen({ host: '127.0.0.1', port });
  } catch (error) {
    await cluster.stop();
    throw new Error(`cluster ${plan.name}: port ${port} on 127.0.0.1 cannot be opened; agents know the cluster by it, so free it, or start afresh with another --data folder`, { cause: error });
  }
  return { plan, cluster, client: createClient(cluster.adminTransport(), { userAgent: 'fleet-up' }), nodes: () => controlPlane?.nodes ?? new Map() };
}

/** What our pods need of the machine: programs on the PATH (git), the way out (proxies), nothing else. */
function baseEnvironment(): Record<string, string> {
  const names = ['PATH', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy', 'LANG'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name] as string]])));
}

function findNode(clusters: ReadonlyMap<string, RunningCluster>, path: string): NodeControl {
  const [clusterName = '', nodeName = ''] = path.split('/');
  const node = clusters.get(clusterName)?.nodes().get(nodeName);
  if (node) return node;
  const known = [...clusters].flatMap(([name, { nodes }]) => [...nodes().keys()].map((entry) => `${name}/${entry}`));
  throw new Error(`no node ${JSON.stringify(path)}; there are ${known.join(', ')}`);
}
