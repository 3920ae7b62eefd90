/**
 * A simulated node: it takes the pods bound to it, runs them (pod-worker.ts), beats (node-status.ts), and
 * can be powered off, cut off, frozen and brought back ({@link NodeControl}).
 *
 * Invariant: a process that runs is recorded in the node's folder, so that a new life of the kubelet, after
 * whatever end of the old one, first ends what the old one left and only then starts anything.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '#base/hash';
import { keyOf, keyText } from '#apimachinery/meta';
import { nodes, pods, type Node, type Pod } from '#api/builtin';
import type { Informer } from '#kube/cache';
import { EventRecorder, isTerminated, type ControlPlane } from '#embedded/controlloop';
import { recordedProcess, type Simulation } from './container.ts';
import { NodeStatusPoster } from './node-status.ts';
import { PodFiles } from './pod-files.ts';
import { makePodFolder, PodWorker } from './pod-worker.ts';
import { PodAddresses } from './pod-addresses.ts';
import { NodeProxy } from './proxy.ts';
import type { ImageRuntime, LogOptions, NodeControl, PodLogs, PowerState, ProcessRunner, SignalName } from './types.ts';

export interface NodeOptions {
  name: string;
  /** The node's folder: logs, volumes, records of processes. */
  folder: string;
  images: ImageRuntime;
  runner: ProcessRunner;
  /** Where the node's proxy finds the API server. */
  apiServer: { host: string; port: number };
  /** The first three numbers of the node's addresses, e.g. `127.64.3`; the node itself is `.1`. */
  subnet: string;
  labels?: Readonly<Record<string, string>>;
  capacity?: Readonly<Record<string, string>>;
  /** Environment that every process gets (PATH and the like). */
  baseEnv?: Readonly<Record<string, string>>;
  /** Default 10 s, as upstream. */
  leaseRenewMs?: number;
  kubeletVersion?: string;
  simulation?: Partial<Simulation>;
  /** `crashLoopBackOff.maxContainerRestartPeriod`; default 5 minutes, as upstream. */
  maxContainerRestartPeriodMs?: number;
}

const LEASE_RENEW_MS = 10_000;
const SIMULATION: Simulation = { startMs: { min: 300, max: 500 }, stopMs: { min: 80, max: 200 }, completeAfterMs: 1500 };

export class Kubelet implements NodeControl, PodLogs {
  readonly #plane: ControlPlane;
  readonly #options: NodeOptions;
  readonly #pods: Informer<Pod>;
  readonly #workers = new Map<string, PodWorker>();
  readonly #proxy: NodeProxy;
  readonly #addresses: PodAddresses;
  readonly #events: EventRecorder;
  #poster: NodeStatusPoster;
  #proxyPort = 0;
  #boots = 0;
  #power: PowerState = 'on';
  #running = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(plane: ControlPlane, options: NodeOptions) {
    this.#plane = plane;
    this.#options = options;
    this.#pods = plane.informers.of(pods);
    this.#proxy = new NodeProxy(options.apiServer);
    this.#addresses = new PodAddresses(options.subnet);
    this.#events = new EventRecorder(plane, 'kubelet', options.name);
    this.#poster = this.#newPoster();
    this.#pods.addHandler({ onAdd: (pod) => this.#seen(pod), onUpdate: (_previous, pod) => this.#seen(pod), onDelete: (pod) => this.#deleted(pod) });
    plane.informers.of(nodes).addHandler({ onUpdate: (_previous, node) => this.#nodeSeen(node) });
  }

  get name(): string {
    return this.#options.name;
  }

  get power(): PowerState {
    return this.#power;
  }

  /** Boots: ends survivors of an earlier life, registers the node, takes up its pods. Powers off when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    mkdirSync(this.#podsFolder, { recursive: true, mode: 0o700 });
    await this.#killSurvivors();
    this.#proxyPort = await this.#proxy.listen();
    await this.#pods.waitForSync(signal);
    this.#forgetFolders();
    this.#running = true;
    const powerOff = () => {
      this.#ended = this.#shutdown();
    };
    signal.addEventListener('abort', powerOff, { once: true });
    await this.#poster.start();
    this.#takeUp(false);
  }

  /** Settles when the node has shut down after the end of {@link run}'s signal. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  async stop(): Promise<void> {
    if (this.#power === 'stopped') return;
    this.#power = 'stopped';
    this.#poster.stop();
    for (const worker of this.#workers.values()) worker.powerOff();
    this.#workers.clear();
    this.#proxy.drop();
    this.#proxy.cut();
  }

  async cut(): Promise<void> {
    if (this.#power !== 'on') return;
    this.#power = 'cut';
    this.#proxy.cut();
  }

  async pause(): Promise<void> {
    if (this.#power !== 'on') return;
    this.#power = 'paused';
    this.#proxy.cut();
    for (const worker of this.#workers.values()) worker.freeze(true);
  }

  async start(): Promise<void> {
    const before = this.#power;
    if (before === 'on') return;
    this.#power = 'on';
    this.#proxy.mend();
    if (before === 'stopped') {
      await this.#killSurvivors();
      this.#poster = this.#newPoster();
    } else {
      if (before === 'paused') for (const worker of this.#workers.values()) worker.freeze(false);
      for (const worker of this.#workers.values()) worker.reconnected(this.#pods.get(keyOf(worker.pod)));
    }
    this.#takeUp(before === 'stopped');
    this.#poster.stop();
    await this.#poster.start();
  }

  signalPod(podUid: string, name: SignalName): void {
    const worker = this.#workers.get(podUid);
    if (this.#power === 'stopped' || !worker?.signal(name)) throw new Error(`node ${this.name}: no process of pod ${podUid} runs here`);
  }

  async *logs(pod: Pod, options: LogOptions): AsyncIterable<Uint8Array> {
    if (this.#power !== 'on') throw new Error(`node ${this.name} does not answer`);
    const worker = this.#workers.get(pod.metadata.uid ?? '');
    if (!worker) throw new Error(`pod ${keyText(keyOf(pod))} is not known to node ${this.name}`);
    yield* worker.logs(options);
  }

  get #podsFolder(): string {
    return join(this.#options.folder, 'pods');
  }

  #newPoster(): NodeStatusPoster {
    const { name, subnet, labels, capacity, leaseRenewMs = LEASE_RENEW_MS, kubeletVersion = 'v1.36.2' } = this.#options;
    const { client, clock, log } = this.#plane;
    const facts = { name, address: `${subnet}.1`, kubeletVersion, ...(labels ? { labels } : {}), ...(capacity ? { capacity } : {}) };
    const bootID = sha256Hex(`${name}/${clock.wallMs()}/${this.#boots++}`).slice(0, 32);
    return new NodeStatusPoster(facts, { client, clock, log, leaseRenewMs, online: () => this.#power === 'on' }, bootID);
  }

  #mine(pod: Pod): boolean {
    return pod.spec?.nodeName === this.name;
  }

  #takeUp(lost: boolean): void {
    for (const pod of this.#pods.byIndex('node', this.name)) if (!this.#workers.has(pod.metadata.uid ?? '')) this.#admit(pod, lost);
  }

  #seen(pod: Pod): void {
    if (!this.#running || this.#power !== 'on' || !this.#mine(pod)) return;
    const worker = this.#workers.get(pod.metadata.uid ?? '');
    if (worker) worker.update(pod);
    else this.#admit(pod, false);
  }

  #deleted(pod: Pod): void {
    if (this.#power !== 'on') return;
    this.#workers.get(pod.metadata.uid ?? '')?.vanished();
  }

  #nodeSeen(node: Node): void {
    if (this.#running && node.metadata.name === this.name) void this.#poster.observed(node);
  }

  #admit(pod: Pod, lost: boolean): void {
    const uid = pod.metadata.uid ?? '';
    if (isTerminated(pod) && !pod.metadata.deletionTimestamp && this.#workers.has(uid)) return;
    const { client, clock, random, log } = this.#plane;
    const { runner, images, subnet, baseEnv = {}, simulation } = this.#options;
    const folder = join(this.#podsFolder, uid);
    const podIP = pod.spec?.hostNetwork ? `${subnet}.1` : this.#addresses.assign(uid, pod.status?.podIP);
    const facts = { nodeName: this.name, hostIP: `${subnet}.1`, podIP };
    const online = () => this.#power === 'on';
    const env = { ...baseEnv, KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(this.#proxyPort), KUBERNETES_SERVICE_PORT_HTTPS: String(this.#proxyPort) };
    makePodFolder(folder);
    const worker: PodWorker = new PodWorker(pod, {
      client, clock, random, log, runner, folder, podIP, online, events: this.#events,
      hostIP: facts.hostIP,
      simulation: { ...SIMULATION, ...simulation },
      maxContainerRestartPeriodMs: this.#options.maxContainerRestartPeriodMs,
      files: new PodFiles({ client, clock, log, folder, facts, baseEnv: env, online }),
      resolve: (image) => images.resolve(image),
      removed: () => this.#removed(uid, worker),
    }, lost);
    this.#workers.set(uid, worker);
    if (pod.metadata.deletionTimestamp) worker.terminate();
    else worker.begin();
  }

  #removed(uid: string, worker: PodWorker): void {
    if (this.#workers.get(uid) === worker) this.#workers.delete(uid);
    this.#addresses.release(uid);
  }

  /** Ends processes that an earlier life recorded. */
  async #killSurvivors(): Promise<void> {
    const survivors = containerFolders(this.#podsFolder).map(recordedProcess).filter((identity) => identity !== undefined);
    await Promise.all(survivors.map((identity) => this.#options.runner.killSurvivor(identity)));
  }

  /** The whole cluster ends: processes are killed, objects stay as they are. */
  async #shutdown(): Promise<void> {
    this.#running = false;
    await this.stop();
    await this.#proxy.close();
  }

  /** Removes folders of pods that are no longer bound here. */
  #forgetFolders(): void {
    const known = new Set(this.#pods.byIndex('node', this.name).map((pod) => pod.metadata.uid));
    for (const uid of readdirSync(this.#podsFolder)) if (!known.has(uid)) rmSync(join(this.#podsFolder, uid), { recursive: true, force: true });
  }
}

function containerFolders(podsFolder: string): string[] {
  if (!existsSync(podsFolder)) return [];
  return readdirSync(podsFolder).flatMap((uid) => {
    const folder = join(podsFolder, uid, 'containers');
    return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  });
}

