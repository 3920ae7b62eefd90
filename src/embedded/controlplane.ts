/**
 * Everything that makes an embedded API server a cluster: controllers, scheduler and simulated nodes, as one
 * component of {@link Cluster}. It works on the server as a client in the same process and waits for the
 * server's port, because pods reach the API through it.
 */
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import type { Log } from '#base/log';
import type { Random } from '#base/random';
import type { Pod } from '#api/builtin';
import { createInformer, type InformerDependencies } from '#kube/cache';
import { createClient } from '#kube/client';
import { InformerPool, type ControlPlane } from '#embedded/controlloop';
import { CONTROLLER_DEFAULTS, SHARED_INDEXERS, startControllers, type ControllerSettings } from '#embedded/controllermanager';
import { Kubelet, type ImageRuntime, type LogOptions, type NodeControl, type PodLogs, type ProcessRunner, type Simulation } from '#embedded/kubelet';
import { SchedulerController } from '#embedded/scheduler';
import type { Cluster, Component } from './cluster.ts';

/** A node to be simulated. */
export interface NodePlan {
  name: string;
  /** Three numbers, `127.x.y`, of the node's addresses; unique on the machine among all clusters at a time. */
  subnet: string;
  labels?: Readonly<Record<string, string>>;
  capacity?: Readonly<Record<string, string>>;
}

export interface ControlPlaneOptions {
  clock: Clock;
  random: Random;
  log: Log;
  nodes: readonly NodePlan[];
  /** Nodes keep logs, volumes and records of processes in folders below this one. */
  nodesFolder: string;
  images: ImageRuntime;
  runner: ProcessRunner;
  /** Environment of every process (PATH and the like). */
  baseEnv?: Readonly<Record<string, string>>;
  /** Deviations from upstream's timings. */
  settings?: Partial<Omit<ControllerSettings, 'caPem' | 'watchMetadata'>>;
  leaseRenewMs?: number;
  simulation?: Partial<Simulation>;
  /** The longest wait of a crash loop; default 5 minutes, as upstream. */
  maxContainerRestartPeriodMs?: number;
}

/** The running parts of one cluster that others talk to. */
export class ClusterControlPlane implements Component, PodLogs {
  readonly name = 'controlplane';
  readonly #cluster: Cluster;
  readonly #options: ControlPlaneOptions;
  readonly #nodes = new Map<string, Kubelet>();

  constructor(cluster: Cluster, options: ControlPlaneOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** Power switches of the nodes, by name; empty before the start. */
  get nodes(): ReadonlyMap<string, NodeControl> {
    return this.#nodes;
  }

  async start(signal: AbortSignal): Promise<void> {
    await Promise.race([this.#cluster.listening, aborted(signal)]);
    if (signal.aborted) return;
    const pool = new InformerPool((options) => createInformer(options, this.#informerDeps('kube-controller-manager')), SHARED_INDEXERS);
    const scheduler = new SchedulerController(this.#plane('kube-scheduler', pool));
    const kubelets = this.#plane('kubelet', pool);
    for (const plan of this.#options.nodes) this.#nodes.set(plan.name, this.#kubelet(kubelets, plan));
    await startControllers(this.#plane('kube-controller-manager', pool), this.#settings(), signal);
    await scheduler.start(signal);
    await Promise.all([...this.#nodes.values()].map((node) => node.run(signal)));
    await aborted(signal);
    await Promise.all([...this.#nodes.values()].map((node) => node.ended));
  }

  async *logs(pod: Pod, options: LogOptions): AsyncIterable<Uint8Array> {
    const node = this.#nodes.get(pod.spec?.nodeName ?? '');
    if (!node) throw new Error(`pod ${pod.metadata.name} does not have a host assigned`);
    yield* node.logs(pod, options);
  }

  #plane(component: string, informers: InformerPool): ControlPlane {
    const { clock, random, log } = this.#options;
    return { client: this.#client(component), informers, clock, random, log: log.with({ component }) };
  }

  #client(component: string) {
    return createClient(this.#cluster.adminTransport(), { userAgent: component });
  }

  #informerDeps(component: string): InformerDependencies {
    const { clock, random, log } = this.#options;
    return { reader: this.#client(component), clock, random, log: log.with({ component }) };
  }

  #settings(): ControllerSettings {
    const deps = this.#informerDeps('kube-controller-manager');
    return {
      ...CONTROLLER_DEFAULTS,
      ...this.#options.settings,
      caPem: this.#cluster.caCert,
      watchMetadata: (resource, signal) => {
        const informer = createInformer({ resource, transform: ({ metadata }) => ({ metadata }) }, deps);
        informer.start(signal);
        return informer;
      },
    };
  }

  #kubelet(plane: ControlPlane, { name, subnet, labels, capacity }: NodePlan): Kubelet {
    const { images, runner, nodesFolder, baseEnv, leaseRenewMs, simulation, maxContainerRestartPeriodMs } = this.#options;
    const { hostname, port } = new URL(this.#cluster.url);
    return new Kubelet(plane, {
      name, subnet, images, runner,
      folder: join(nodesFolder, name),
      apiServer: { host: hostname, port: Number(port) },
      ...(labels ? { labels } : {}),
      ...(capacity ? { capacity } : {}),
      ...(baseEnv ? { baseEnv } : {}),
      ...(leaseRenewMs ? { leaseRenewMs } : {}),
      ...(simulation ? { simulation } : {}),
      ...(maxContainerRestartPeriodMs ? { maxContainerRestartPeriodMs } : {}),
    });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
