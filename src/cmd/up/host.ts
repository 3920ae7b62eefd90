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

type Ports = Record<string, number>;

/** Starts every cluster of the plan. */
export async function startHost(dir: DataDir, plans: readonly ClusterPlan[], options: { dist: string; log: Log }): Promise<Host> {
  const runner = systemProcessRunner({ clock: systemClock, log: options.log });
  const ports = readState<Ports>(dir, STATE_FILE) ?? {};
  const clusters = new Map<string, RunningCluster>();
  for (const plan of plans) clusters.set(plan.name, await startCluster(dir, plan, { ...options, runner, port: ports[plan.name] ?? 0 }));
  writeState(dir, STATE_FILE, Object.fromEntries([...clusters].map(([name, { cluster }]) => [name, Number(new URL(cluster.url).port)])));
  return {
    clusters,
    node: (path) => findNode(clusters, path),
    async stop() {
      await Promise.all([...clusters.values()].map(({ cluster }) => cluster.stop()));
      runner.close();
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
