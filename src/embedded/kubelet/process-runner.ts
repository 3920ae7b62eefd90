/**
 * Real processes. Each child leads a process group of its own, so that a signal reaches whatever it
 * started, and inherits one end of a pipe (parent-watch.ts). A process of an earlier run is recognised by
 * pid and start time together, because pids are reused.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Clock } from '#base/clock';
import { sleep } from '#base/clock';
import type { Log } from '#base/log';
import { PARENT_FD } from './parent-watch.ts';
import { startReaper } from './reaper.ts';
import type { ProcessExit, ProcessIdentity, ProcessRunner, RunningProcess, SpawnRequest } from './types.ts';

const PIPE_FD = 3;
const KILL_POLL_MS = 10;
const KILL_WAIT_MS = 5000;
/** What shells report for a program that cannot be run. */
const EXIT_NOT_STARTED = 127;

/** Processes of this machine. Its helper starts with the first process. */
export function systemProcessRunner({ clock, log }: { clock: Clock; log: Log }): ProcessRunner {
  let reaper: ReturnType<typeof startReaper> | undefined;
  const guard = () => (reaper ??= startReaper((reason) => log.warn('the helper that guards against orphaned pod processes is gone', { reason })));
  return {
    spawn(request) {
      const { started, ended } = guard();
      return spawnChild(request, started, ended);
    },
    async killSurvivor(identity) {
      const deadlineMs = clock.monotonicMs() + KILL_WAIT_MS;
      while (isSame(identity) && clock.monotonicMs() < deadlineMs) {
        killGroup(identity.pid, 'SIGKILL');
        await sleep(clock, KILL_POLL_MS);
      }
    },
    close() {
      reaper?.close();
      reaper = undefined;
    },
  };
}

function spawnChild(request: SpawnRequest, started: (group: number) => void, ended: (group: number) => void): RunningProcess {
  const [program = '', ...args] = request.argv;
  const child = spawn(program, args, {
    cwd: request.cwd,
    env: { ...request.env, [PARENT_FD]: String(PIPE_FD) },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const pid = child.pid;
  if (pid === undefined) return failed(child, request);
  started(pid);
  child.stdio[PIPE_FD]?.on('error', () => {});
  child.stdout?.on('data', (chunk: Uint8Array) => request.onOutput('stdout', chunk));
  child.stderr?.on('data', (chunk: Uint8Array) => request.onOutput('stderr', chunk));
  // `exit` comes before the last output, `close` may wait for grandchildren that hold the pipes: report on exit, after one turn.
  child.on('exit', (code, signal) => {
    killGroup(pid, 'SIGKILL');
    ended(pid);
    setImmediate(() => request.onExit(exitOf(code, signal)));
  });
  return { pid, startTime: startTimeOf(pid) ?? '', signal: (name) => void (child.exitCode === null && child.signalCode === null && killGroup(pid, name)) };
}

function failed(child: ChildProcess, request: SpawnRequest): RunningProcess {
  child.on('error', (error) => request.onExit({ code: EXIT_NOT_STARTED, error: error.message }));
  return { pid: 0, startTime: '', signal() {} };
}

function exitOf(code: number | null, signal: NodeJS.Signals | null): ProcessExit {
  const number = signal ? constants.signals[signal] : undefined;
  return number === undefined ? { code: code ?? 1 } : { code: 128 + number, signal: number };
}

/** Signals a whole process group. Never the bare pid: once its process is gone the number may be another's. */
function killGroup(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name);
  } catch {
    // Nobody is left in the group.
  }
}

function isSame({ pid, startTime }: ProcessIdentity): boolean {
  return pid > 0 && startTime !== '' && startTimeOf(pid) === startTime;
}

/** When a process started, in a form that only compares with itself; nothing when there is no such process. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Fields after the command name, which may itself contain blanks and parentheses; the 22nd field is starttime.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return process.platform === 'linux' ? undefined : startTimeByPs(pid);
  }
}

function startTimeByPs(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}
