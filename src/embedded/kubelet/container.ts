/**
 * One container of a pod on this node: it is started, watched, restarted and stopped here, as a process or
 * simulated. What it reports is a plain ContainerStatus; every change calls `changed`.
 *
 *   waiting ──start──▶ running ──exit──▶ terminated ──(policy)──▶ waiting (CrashLoopBackOff) ──▶ running …
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rfc3339, type Clock, type Timer } from '#base/clock';
import { sha256Hex } from '#base/hash';
import { errorText, type Log } from '#base/log';
import { jitter, type Random } from '#base/random';
import type { Container, ContainerState, ContainerStateTerminated, ContainerStatus, Pod } from '#api/builtin';
import type { EventNote } from '#embedded/controlloop';
import { ContainerConfigError } from './environment.ts';
import { ContainerLog } from './logs.ts';
import { ContainerProbes, httpGet } from './probes.ts';
import { nextBackoff, shouldRestart, type Backoff } from './restart.ts';
import type { ProcessExit, ProcessIdentity, ProcessRunner, RunningProcess, SignalName } from './types.ts';

/** How simulated containers behave. */
export interface Simulation {
  /** From start to running and ready. */
  startMs: { min: number; max: number };
  /** From the request to stop to the end. */
  stopMs: { min: number; max: number };
  /** How long a pod of a Job (or a chart hook) runs before it succeeds; absent: until somebody ends it. */
  completeAfterMs?: number | undefined;
}

/** What a process container is started with. */
export interface Launch {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
}

export interface ContainerDeps {
  clock: Clock;
  log: Log;
  random: Random;
  runner: ProcessRunner;
  /** The container's folder on this node: logs, root, record of its process. */
  folder: string;
  podIP: string;
  restartPolicy: string;
  simulation: Simulation;
  /** The longest wait of a crash loop. */
  maxContainerRestartPeriodMs: number | undefined;
  /** Absent: the image is simulated. Throws {@link ContainerConfigError} when something is missing yet. */
  launch: (() => Promise<Launch>) | undefined;
  /** For simulated containers: throws {@link ContainerConfigError} while an object they refer to is missing. */
  verify: (() => Promise<void>) | undefined;
  /** Whether a simulated run ends by itself. */
  completes: boolean;
  changed: () => void;
  /** Tells people about the container; `Started`, `Killing`, `BackOff`, `Unhealthy`, `Failed`. */
  note: (note: EventNote) => void;
}

const CONFIG_RETRY_MS = { first: 1000, max: 20_000 };
const PROCESS_FILE = 'process.json';

export class ContainerRunner {
  readonly #pod: Pod;
  readonly #container: Container;
  #deps: ContainerDeps;
  readonly log: ContainerLog;
  #status: ContainerStatus;
  #process: RunningProcess | undefined;
  #probes: ContainerProbes | undefined;
  #timer: Timer | undefined;
  #backoff: Backoff = { delayMs: 0 };
  #startedMs = 0;
  #retries = 0;
  #stopping = false;
  #frozen = false;
  #ended: (() => void)[] = [];
  begun = false;

  /** `previous` is what an earlier run of the kubelet reported about the container. */
  constructor(pod: Pod, container: Container, deps: ContainerDeps, previous: ContainerStatus | undefined) {
    this.#pod = pod;
    this.#container = container;
    this.#deps = deps;
    this.log = new ContainerLog(join(deps.folder, 'logs'), deps.clock);
    this.#status = previous ?? waitingStatus(container);
    // Logs of earlier runs can be read before the next one begins.
    if (previous) this.log.begin(previous.restartCount);
  }

  get status(): ContainerStatus {
    return this.#status;
  }

  get running(): boolean {
    return this.#status.state?.running !== undefined;
  }

  /** Ended and will not run again by itself. */
  get finished(): boolean {
    return this.#status.state?.terminated !== undefined;
  }

  /** First start in this life of the kubelet. A container that ran before is restarted (`lost`: its process is gone) or, simulated, goes on. */
  begin(lost: boolean): void {
    this.begun = true;
    const { state } = this.#status;
    if (state?.terminated && !shouldRestart(this.#deps.restartPolicy, state.terminated.exitCode)) return;
    if (state?.running && !this.#deps.launch && !lost) return this.#resumeSimulated();
    if (state?.running) return this.#exited({ code: 137, signal: 9 });
    if (state?.terminated || this.#status.lastState?.terminated) this.#countRestart(state?.terminated);
    void this.#start();
  }

  /** Asks the container to end and resolves when it has; SIGKILL after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    const first = !this.#stopping;
    this.#stopping = true;
    if (first) this.#timer?.cancel();
    if (!this.running) return this.#neverRan();
    const ended = new Promise<void>((resolve) => this.#ended.push(resolve));
    const kill = this.#deps.clock.after(graceMs, () => this.kill());
    if (first) {
      this.#deps.note({ type: 'Normal', reason: 'Killing', message: `Stopping container ${this.#container.name}` });
      this.#probes?.stop();
      await Promise.race([this.#preStop(), ended]);
    }
    if (this.#process) this.#process.signal('SIGTERM');
    else if (this.running) this.#timer = this.#deps.clock.after(this.#between(this.#deps.simulation.stopMs), () => this.#exited({ code: 0 }));
    await ended;
    kill.cancel();
  }

  /** SIGKILL at once. */
  kill(): void {
    if (this.#process) this.#process.signal('SIGKILL');
    else if (this.running) this.#exited({ code: 137, signal: 9 });
  }

  /** The node lost power: the process dies and nothing is reported any more. */
  vanish(): void {
    this.#stopping = true;
    this.#timer?.cancel();
    this.#probes?.stop();
    this.#process?.signal('SIGKILL');
    this.#deps = { ...this.#deps, changed: () => {}, note: () => {} };
  }

  /** A signal from outside; what comes of it is seen by the exit and by probes. False when no process runs. */
  signal(name: SignalName): boolean {
    this.#process?.signal(name);
    return this.#process !== undefined;
  }

  freeze(frozen: boolean): void {
    this.#frozen = frozen;
    if (this.#probes) this.#probes.frozen = frozen;
    this.#process?.signal(frozen ? 'SIGSTOP' : 'SIGCONT');
  }

  /** Somebody else declared the pod finished; takes over what they said about this container. */
  adoptTerminal(status: ContainerStatus | undefined): void {
    this.#stopping = true;
    this.#timer?.cancel();
    this.#process?.signal('SIGKILL');
    if (status?.state?.terminated) this.#status = status;
    else if (!this.#process && this.running) this.#exited({ code: 0 });
  }

  async #start(): Promise<void> {
    const { launch, verify, simulation, clock } = this.#deps;
    if (!launch && !verify) {
      this.#timer = clock.after(this.#between(simulation.startMs), () => this.#simulatedUp());
      return;
    }
    try {
      const plan = await launch?.();
      await verify?.();
      if (this.#stopping) return;
      if (plan) this.#spawn(plan);
      else this.#timer = clock.after(this.#between(simulation.startMs), () => this.#simulatedUp());
    } catch (error) {
      if (this.#stopping) return;
      this.#cannotStart(error);
    }
  }

  #spawn({ argv, env, cwd }: Launch): void {
    const { runner, clock, podIP, folder } = this.#deps;
    this.#retries = 0;
    this.log.begin(this.#status.restartCount);
    this.#startedMs = clock.monotonicMs();
    const child = runner.spawn({
      argv,
      env,
      cwd,
      onOutput: (stream, chunk) => this.log.write(stream, chunk),
      onExit: (exit) => this.#process === child && this.#exited(exit),
    });
    this.#process = child;
    recordProcess(folder, child);
    if (this.#frozen) child.signal('SIGSTOP');
    this.#becomeRunning(false);
    this.#probes = new ContainerProbes(this.#container, podIP, {
      clock,
      events: {
        started: () => this.#set({ started: true }),
        ready: (ready) => this.#set({ ready }),
        failed: (kind, message) => this.#probeFailed(kind, message),
      },
    });
    this.#probes.frozen = this.#frozen;
    this.#probes.start();
  }

  #simulatedUp(): void {
    this.log.begin(this.#status.restartCount);
    this.#startedMs = this.#deps.clock.monotonicMs();
    this.#becomeRunning(true);
    this.#resumeSimulated();
  }

  #resumeSimulated(): void {
    const { completes, simulation, clock } = this.#deps;
    if (completes && simulation.completeAfterMs !== undefined) this.#timer = clock.after(simulation.completeAfterMs, () => this.#exited({ code: 0 }));
  }

  #becomeRunning(ready: boolean): void {
    const { restartCount } = this.#status;
    this.#deps.note({ type: 'Normal', reason: 'Started', message: `Started container ${this.#container.name}` });
    const id = sha256Hex(`${this.#pod.metadata.uid}/${this.#container.name}/${restartCount}`);
    this.#set({ state: { running: { startedAt: this.#now() } }, ready, started: ready, containerID: `fleet-ts://${id}`, imageID: `fleet-ts://${sha256Hex(this.#container.image ?? '')}` });
  }

  #cannotStart(error: unknown): void {
    const config = error instanceof ContainerConfigError;
    this.#set({ state: { waiting: { reason: config ? 'CreateContainerConfigError' : 'CreateContainerError', message: errorText(error) } }, ready: false, started: false });
    this.#deps.note({ type: 'Warning', reason: 'Failed', message: `Error: ${errorText(error)}` });
    const delayMs = Math.min(CONFIG_RETRY_MS.max, CONFIG_RETRY_MS.first * 2 ** this.#retries++);
    this.#timer = this.#deps.clock.after(delayMs, () => void this.#start());
  }

  #probeFailed(kind: string, message: string): void {
    this.#deps.log.info('container is killed because its probe failed', { pod: this.#pod.metadata.name, container: this.#container.name, probe: kind, problem: message });
    this.#deps.note({ type: 'Warning', reason: 'Unhealthy', message: `${kind[0]?.toUpperCase()}${kind.slice(1)} probe failed: ${message}` });
    this.#deps.note({ type: 'Normal', reason: 'Killing', message: `Container ${this.#container.name} failed ${kind} probe, will be restarted` });
    const graceMs = (this.#container.livenessProbe?.terminationGracePeriodSeconds ?? this.#pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
    this.#process?.signal('SIGTERM');
    this.#timer = this.#deps.clock.after(graceMs, () => this.#process?.signal('SIGKILL'));
  }

  #exited(exit: ProcessExit): void {
    this.#timer?.cancel();
    this.#probes?.stop();
    this.#process = undefined;
    forgetProcess(this.#deps.folder);
    this.log.end();
    const terminated = this.#terminated(exit);
    const restart = !this.#stopping && shouldRestart(this.#deps.restartPolicy, exit.code);
    const ended = this.#ended;
    this.#ended = [];
    if (restart) this.#scheduleRestart(terminated);
    else this.#set({ state: { terminated }, ready: false, started: false });
    for (const resolve of ended) resolve();
  }

  #scheduleRestart(terminated: ContainerStateTerminated): void {
    const { clock } = this.#deps;
    const { waitMs, backoff } = nextBackoff(this.#backoff, clock.monotonicMs() - this.#startedMs, this.#deps.maxContainerRestartPeriodMs);
    this.#backoff = backoff;
    if (waitMs === 0) {
      this.#set({ state: { terminated }, ready: false, started: false });
      this.#countRestart(terminated);
      void this.#start();
      return;
    }
    const { name, namespace, uid } = this.#pod.metadata;
    const message = `back-off ${waitMs / 1000}s restarting failed container=${this.#container.name} pod=${name}_${namespace}(${uid})`;
    this.#deps.note({ type: 'Warning', reason: 'BackOff', message: `Back-off restarting failed container ${this.#container.name} in pod ${name}_${namespace}(${uid})` });
    this.#set({ state: { waiting: { reason: 'CrashLoopBackOff', message } }, lastState: { terminated }, ready: false, started: false });
    this.#timer = clock.after(waitMs, () => {
      this.#countRestart(terminated);
      void this.#start();
    });
  }

  #countRestart(terminated: ContainerStateTerminated | undefined): void {
    const lastState: ContainerState = terminated ? { terminated } : (this.#status.lastState ?? {});
    this.#status = { ...this.#status, restartCount: this.#status.restartCount + 1, lastState };
  }

  #terminated({ code, signal, error }: ProcessExit): ContainerStateTerminated {
    const startedAt = this.#status.state?.running?.startedAt ?? this.#now();
    return {
      exitCode: code,
      ...(signal === undefined ? {} : { signal }),
      reason: error ? 'StartError' : code === 0 ? 'Completed' : 'Error',
      ...(error ? { message: error } : {}),
      startedAt,
      finishedAt: this.#now(),
      ...(this.#status.containerID ? { containerID: this.#status.containerID } : {}),
    };
  }

  /** Stopped before it ran: the container stays waiting, as a runtime would report it. */
  #neverRan(): void {
    if (!this.finished && this.#status.lastState?.terminated) this.#set({ state: { terminated: this.#status.lastState.terminated }, ready: false, started: false });
  }

  async #preStop(): Promise<void> {
    const hook = this.#container.lifecycle?.preStop;
    if (!hook || !this.#process) return;
    const { clock, podIP } = this.#deps;
    if (hook.sleep) await new Promise<void>((resolve) => void clock.after((hook.sleep?.seconds ?? 0) * 1000, resolve));
    if (hook.httpGet) await httpGet(hook.httpGet, { container: this.#container, host: podIP, timeoutMs: 30_000 });
  }

  #set(change: Partial<ContainerStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#deps.changed();
  }

  #between({ min, max }: { min: number; max: number }): number {
    return min === 0 ? 0 : jitter(this.#deps.random, min, max / min - 1);
  }

  #now(): string {
    return rfc3339(this.#deps.clock.wallMs());
  }
}

function waitingStatus(container: Container): ContainerStatus {
  return { name: container.name, image: container.image ?? '', imageID: '', ready: false, started: false, restartCount: 0, state: { waiting: { reason: 'ContainerCreating' } }, lastState: {} };
}

/** Remembers a process so that the next life of the kubelet can end it. */
function recordProcess(folder: string, { pid, startTime }: ProcessIdentity): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, PROCESS_FILE), JSON.stringify({ pid, startTime }), { mode: 0o600 });
}

function forgetProcess(folder: string): void {
  rmSync(join(folder, PROCESS_FILE), { force: true });
}

/** The process recorded in a container's folder by an earlier run. */
export function recordedProcess(folder: string): ProcessIdentity | undefined {
  try {
    const { pid, startTime } = JSON.parse(readFileSync(join(folder, PROCESS_FILE), 'utf8')) as ProcessIdentity;
    return { pid: Number(pid), startTime: String(startTime) };
  } catch {
    return undefined;
  }
}
