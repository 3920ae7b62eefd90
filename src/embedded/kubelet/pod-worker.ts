/**
 * One pod on this node, from its first sight to its removal: volumes, init containers one after another,
 * main containers together, status, and the orderly or sudden end.
 *
 * The worker acts on what it last knew: without a connection to the API server it goes on running and
 * restarting containers, and reports when the connection is back.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rfc3339, sleep, type Clock, type Timer } from '#base/clock';
import { deepEqual } from '#base/json';
import { errorText, type Log } from '#base/log';
import type { Random } from '#base/random';
import { isConflict, isNotFound } from '#apimachinery/status';
import { controllerOf, keyOf } from '#apimachinery/meta';
import { pods, type Container, type ContainerStatus, type Pod, type PodStatus } from '#api/builtin';
import type { Client } from '#kube/client';
import { isTerminated, timeMs, type EventRecorder } from '#embedded/controlloop';
import { ContainerRunner, type Launch, type Simulation } from './container.ts';
import type { PodFiles } from './pod-files.ts';
import { restartPolicyOf } from './restart.ts';
import { podStatus } from './status.ts';
import type { LogOptions, ProcessRunner, ResolvedImage, SignalName } from './types.ts';

export interface PodWorkerDeps {
  client: Client;
  clock: Clock;
  random: Random;
  log: Log;
  runner: ProcessRunner;
  folder: string;
  hostIP: string;
  podIP: string;
  simulation: Simulation;
  /** See ContainerDeps. */
  maxContainerRestartPeriodMs: number | undefined;
  files: PodFiles;
  resolve: (image: string) => ResolvedImage | undefined;
  events: EventRecorder;
  /** False while the node cannot reach the API server. */
  online: () => boolean;
  /** The pod is gone for good from this node and from the API. */
  removed: () => void;
}

const STATUS_RETRY_MS = 500;
/** Grace for a pod whose object vanished without a deletion period. */
const VANISHED_GRACE_MS = 1000;

export class PodWorker {
  readonly #deps: PodWorkerDeps;
  /** The newest object known from the API. */
  #pod: Pod;
  readonly #init: { container: Container; runner: ContainerRunner; sidecar: boolean }[];
  readonly #main: { container: Container; runner: ContainerRunner }[];
  readonly #lost: boolean;
  readonly #startTime: string;
  #own: PodStatus | undefined;
  #begun = false;
  #terminating = false;
  #gone = false;
  /** The node lost power: the pod's folder belongs to its next life. */
  #off = false;
  /** The stored status is final and not ours to touch. */
  #settled = false;
  #dirty = false;
  #writing = false;
  #overdue: { reason: string; message: string } | undefined;
  #deadline: Timer | undefined;
  #retry: Timer | undefined;

  /** `lost`: the node lost its processes since the pod last ran here. */
  constructor(pod: Pod, deps: PodWorkerDeps, lost: boolean) {
    this.#pod = pod;
    this.#deps = deps;
    this.#lost = lost;
    this.#startTime = pod.status?.startTime ?? rfc3339(deps.clock.wallMs());
    const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
    const runnerOf = (container: Container, isInit: boolean) => this.#runner(container, isInit, statuses.find((status) => status.name === container.name));
    this.#init = (pod.spec?.initContainers ?? []).map((container) => ({ container, runner: runnerOf(container, true), sidecar: container.restartPolicy === 'Always' }));
    this.#main = (pod.spec?.containers ?? []).map((container) => ({ container, runner: runnerOf(container, false) }));
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** True when some container of the pod runs as a process. */
  get hasProcesses(): boolean {
    return this.#all().some(({ container }) => this.#deps.resolve(container.image ?? '') !== undefined);
  }

  begin(): void {
    if (isTerminated(this.#pod)) return this.#adoptTerminal();
    this.#begun = true;
    this.#armDeadline();
    this.#advance();
  }

  /** A newer object from the API. */
  update(pod: Pod): void {
    if (Number(pod.metadata.resourceVersion) < Number(this.#pod.metadata.resourceVersion)) return;
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp) return this.terminate();
    if (isTerminated(pod) && !this.#terminating && this.#own?.phase !== pod.status?.phase) this.#adoptTerminal();
    else if (this.#own) this.changed();
  }

  /** Ends the pod in order, then removes its object. */
  terminate(graceMs = (this.#pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000): void {
    if (this.#terminating) return;
    this.#terminating = true;
    this.#deadline?.cancel();
    void this.#end(graceMs);
  }

  /** The object is gone already (forced deletion): what still runs must end. */
  vanished(): void {
    this.#gone = true;
    this.terminate(VANISHED_GRACE_MS);
  }

  /** Power off: nothing of the pod survives, nothing is reported. */
  powerOff(): void {
    this.#off = true;
    this.#gone = true;
    this.#terminating = true;
    this.#deadline?.cancel();
    this.#retry?.cancel();
    this.#deps.files.close();
    for (const { runner } of this.#all()) runner.vanish();
  }

  freeze(frozen: boolean): void {
    for (const { runner } of this.#all()) runner.freeze(frozen);
  }

  /** Signals the processes of the main containers; false when none runs. */
  signal(name: SignalName): boolean {
    return this.#main.map(({ runner }) => runner.signal(name)).some((sent) => sent);
  }

  /** The API server can be reached again. */
  reconnected(pod: Pod | undefined): void {
    if (!pod || pod.metadata.uid !== this.#pod.metadata.uid) return this.vanished();
    this.update(pod);
    this.changed();
  }

  async *logs(options: LogOptions): AsyncIterable<Uint8Array> {
    const all = this.#all();
    const entry = options.container ? all.find(({ container }) => container.name === options.container) : this.#main[0];
    if (!entry) throw new Error(`container ${options.container} is not valid for pod ${this.#pod.metadata.name}`);
    if (options.previous && entry.runner.status.restartCount === 0) throw new Error(`previous terminated container "${entry.container.name}" in pod "${this.#pod.metadata.name}" not found`);
    yield* entry.runner.log.read(options, entry.runner.running);
  }

  /** Something about a container changed: go on, and report. */
  changed(): void {
    if (this.#begun && !this.#terminating) this.#advance();
    if (this.#settled) return;
    this.#dirty = true;
    void this.#flush();
  }

  #all(): { container: Container; runner: ContainerRunner }[] {
    return [...this.#init, ...this.#main];
  }

  #runner(container: Container, isInit: boolean, previous: ContainerStatus | undefined): ContainerRunner {
    const { clock, log, random, runner, folder, podIP, simulation, maxContainerRestartPeriodMs, files, resolve } = this.#deps;
    const image = resolve(container.image ?? '');
    const launch = image ? (): Promise<Launch> => files.prepare(this.#pod, container, image) : undefined;
    const verify = !image && files.refers(this.#pod, container) ? () => files.verify(this.#pod, container) : undefined;
    return new ContainerRunner(this.#pod, container, {
      clock, log, random, runner, podIP, simulation, maxContainerRestartPeriodMs, launch, verify,
      folder: join(folder, 'containers', container.name),
      restartPolicy: restartPolicyOf(this.#pod, container, isInit),
      completes: isInit ? container.restartPolicy !== 'Always' : completesByItself(this.#pod),
      changed: () => this.changed(),
      note: (note) => this.#deps.online() && this.#deps.events.record(this.#pod, note),
    }, previous);
  }

  #advance(): void {
    if (this.#overdue) return;
    for (const { runner, sidecar } of this.#init) {
      if (!runner.begun) runner.begin(this.#lost);
      const passed = sidecar ? runner.status.started === true : runner.status.state?.terminated?.exitCode === 0;
      if (!passed) return;
    }
    for (const { runner } of this.#main) if (!runner.begun) runner.begin(this.#lost);
    if (this.#main.every(({ runner }) => runner.finished)) for (const { runner, sidecar } of this.#init) if (sidecar && runner.running) void runner.stop(this.#graceMs());
  }

  #graceMs(): number {
    return (this.#pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
  }

  #armDeadline(): void {
    const seconds = this.#pod.spec?.activeDeadlineSeconds;
    if (seconds === undefined) return;
    const leftMs = (timeMs(this.#startTime) ?? 0) + seconds * 1000 - this.#deps.clock.wallMs();
    this.#deadline = this.#deps.clock.after(Math.max(0, leftMs), () => {
      this.#overdue = { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' };
      for (const { runner } of this.#all()) void runner.stop(this.#graceMs());
      this.changed();
    });
  }

  /** Another party wrote Succeeded or Failed into the status: that is final. */
  #adoptTerminal(): void {
    this.#begun = false;
    this.#settled = true;
    const statuses = [...(this.#pod.status?.containerStatuses ?? []), ...(this.#pod.status?.initContainerStatuses ?? [])];
    for (const { container, runner } of this.#all()) runner.adoptTerminal(statuses.find((status) => status.name === container.name));
    this.#own = this.#pod.status;
  }

  async #end(graceMs: number): Promise<void> {
    const { clock, client, online } = this.#deps;
    await Promise.all(this.#main.map(({ runner }) => runner.stop(graceMs)));
    await Promise.all(this.#init.map(({ runner }) => runner.stop(graceMs)));
    this.#deps.files.close();
    while (!this.#gone) {
      if (!online()) {
        await sleep(clock, STATUS_RETRY_MS);
        continue;
      }
      try {
        if (this.hasProcesses && !this.#settled) await this.#publish();
        await client.delete(pods, keyOf(this.#pod), { gracePeriodSeconds: 0, preconditions: { uid: this.#pod.metadata.uid ?? '' } });
        this.#gone = true;
      } catch (error) {
        if (isNotFound(error) || isConflict(error)) this.#gone = true;
        else await sleep(clock, STATUS_RETRY_MS);
      }
    }
    if (this.#off) return;
    rmSync(this.#deps.folder, { recursive: true, force: true });
    this.#deps.removed();
  }

  async #flush(): Promise<void> {
    if (this.#writing) return;
    this.#writing = true;
    try {
      while (this.#dirty && !this.#terminating && !this.#gone && this.#deps.online()) {
        this.#dirty = false;
        await this.#publish();
      }
    } catch (error) {
      this.#publishFailed(error);
    } finally {
      this.#writing = false;
    }
  }

  #publishFailed(error: unknown): void {
    if (isNotFound(error)) return;
    this.#deps.log.debug('status was not written', { pod: this.#pod.metadata.name, error: errorText(error) });
    this.#dirty = true;
    this.#retry = this.#deps.clock.after(STATUS_RETRY_MS, () => void this.#flush());
  }

  async #publish(): Promise<void> {
    const status = this.#compute();
    this.#own = status;
    if (covers(this.#pod.status, status)) return;
    const written = await this.#deps.client.patch(pods, keyOf(this.#pod), { type: 'strategic', body: { metadata: { uid: this.#pod.metadata.uid }, status } }, { subresource: 'status' });
    if (Number(written.metadata.resourceVersion) >= Number(this.#pod.metadata.resourceVersion)) this.#pod = written;
  }

  #compute(): PodStatus {
    const { clock, hostIP, podIP } = this.#deps;
    const conditions = (this.#own ?? this.#pod.status)?.conditions?.filter((each) => ['Initialized', 'ContainersReady', 'Ready'].includes(each.type)) ?? [];
    const status = podStatus({ ...this.#pod, status: { ...this.#pod.status, conditions } }, {
      hostIP,
      podIP,
      startTime: this.#startTime,
      now: rfc3339(clock.wallMs()),
      init: this.#init.map(({ runner }) => runner.status),
      main: this.#main.map(({ runner }) => runner.status),
    });
    return this.#overdue ? { ...status, phase: 'Failed', ...this.#overdue } : status;
  }
}

/** Pods of Jobs and chart hooks do something and end; others run on. */
function completesByItself(pod: Pod): boolean {
  return controllerOf(pod)?.kind === 'Job' || pod.metadata.annotations?.['helm.sh/hook'] !== undefined;
}

/** Whether the stored status already says all that ours says; times of unchanged conditions do not count. */
function covers(stored: PodStatus | undefined, own: PodStatus): boolean {
  if (!stored) return false;
  const { conditions, ...rest } = own;
  const fields = Object.entries(rest).every(([name, value]) => deepEqual(value, (stored as Record<string, unknown>)[name]));
  return fields && (conditions ?? []).every((condition) => {
    const same = stored.conditions?.find((each) => each.type === condition.type);
    return same?.status === condition.status && (same.reason ?? '') === (condition.reason ?? '') && (same.message ?? '') === (condition.message ?? '');
  });
}

/** Prepares the pod's folder. */
export function makePodFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}
