/** Contracts of the kubelet with what surrounds it: images, processes, the API server's log requests, power. */
import type { Pod } from '#api/builtin';

/** How an image of ours runs as a process. */
export interface ResolvedImage {
  /** The argv that stands for the image's entrypoint, used when a container names no command. */
  command: readonly string[];
  /** Programs that containers may name as `command[0]`, each with the argv it stands for. */
  programs?: Readonly<Record<string, readonly string[]>>;
  /** Added below the container's own environment. */
  env?: Readonly<Record<string, string>>;
}

export interface ImageRuntime {
  /** `undefined`: the image is not ours, and its containers are simulated. */
  resolve(image: string): ResolvedImage | undefined;
}

export interface SpawnRequest {
  argv: readonly string[];
  /** The complete environment; nothing is inherited. */
  env: Readonly<Record<string, string>>;
  cwd: string;
  onOutput(stream: 'stdout' | 'stderr', chunk: Uint8Array): void;
  /** Called once, when the process has ended and its output is complete. */
  onExit(exit: ProcessExit): void;
}

export interface ProcessExit {
  /** The exit code; 128 + signal number when a signal ended it, as container runtimes report it. */
  code: number;
  signal?: number;
  /** The program could not be started at all. */
  error?: string;
}

/** Identifies a process beyond its reuse of a number: a pid counts only together with its start time. */
export interface ProcessIdentity {
  pid: number;
  startTime: string;
}

export interface RunningProcess extends ProcessIdentity {
  /** Sends a signal to the process and everything it started. */
  signal(name: SignalName): void;
}

/** Operating-system processes; the real one is `systemProcessRunner`, tests may pass another. */
export interface ProcessRunner {
  spawn(request: SpawnRequest): RunningProcess;
  /** Kills a process of an earlier run when it is still the same one; resolves when it is gone. */
  killSurvivor(identity: ProcessIdentity): Promise<void>;
  /** Ends the helper that guards against orphans; children that still run are killed. */
  close(): void;
}

/** Which part of a container's log a reader wants (`kubectl logs`). */
export interface LogOptions {
  container?: string;
  follow?: boolean;
  previous?: boolean;
  sinceSeconds?: number;
  sinceTime?: string;
  timestamps?: boolean;
  tailLines?: number;
  limitBytes?: number;
  /** Ends a follow. */
  signal?: AbortSignal;
}

/** What the API server asks nodes for. */
export interface PodLogs {
  /** Throws an `Error` with a sentence for the user when there is no such log. */
  logs(pod: Pod, options: LogOptions): AsyncIterable<Uint8Array>;
}

export type PowerState = 'on' | 'stopped' | 'cut' | 'paused';

/** Breaks a node as the world breaks it, and mends it. Repeating a verb does nothing. */
export interface NodeControl {
  readonly name: string;
  readonly power: PowerState;
  /** Power off: every process is killed at once, nothing is reported. */
  stop(): Promise<void>;
  /** Cable cut: processes run on; neither they nor the kubelet reach the API server, and nothing tells them why. */
  cut(): Promise<void>;
  /** Freeze: every process is stopped (SIGSTOP) and heartbeats end. */
  pause(): Promise<void>;
  /** Back to normal from any of the three. */
  start(): Promise<void>;
  /** Signals the processes of a pod, as `kill` on the node would; the kubelet is not told. Throws an `Error` when none runs here. */
  signalPod(podUid: string, name: SignalName): void;
}

export type SignalName = 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT';
