/**
 * The folder that `fleet up` owns (`.fleet/` unless --data says otherwise): who may use it, and where things
 * lie in it. One process at a time holds it; a process that died without a word does not keep it.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** In the clone, whatever folder the command runs in; the program runs from dist/. */
export const DEFAULT_DATA = join(import.meta.dirname, '..', '.fleet');

export class DataDirError extends Error {
  override name = 'DataDirError';
}

export interface DataDir {
  readonly root: string;
  readonly controlSocket: string;
  readonly logFile: string;
  clusterDir(cluster: string): string;
  kubeconfig(cluster: string): string;
  /** The bare repository the demo GitRepo points at, and the working copy for people. */
  readonly repository: string;
  readonly workingCopy: string;
}

export function dataDir(path: string): DataDir {
  const root = resolve(path);
  const clusterDir = (cluster: string) => join(root, 'clusters', cluster);
  return {
    root,
    controlSocket: join(root, 'control.sock'),
    logFile: join(root, 'fleet.log'),
    clusterDir,
    kubeconfig: (cluster) => join(clusterDir(cluster), 'kubeconfig'),
    repository: join(root, 'examples.git'),
    workingCopy: join(root, 'examples'),
  };
}

/** Identifies a process beyond its pid, which the system uses again: pid and start time. */
export interface ProcessIdentity {
  pid: number;
  startTime: string;
}

/** Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat); `''` when it does not run or the system has no /proc. */
export function processStartTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/** Takes the folder for this process. Throws {@link DataDirError} naming the process that has it. Returns how to give it back. */
export function acquire(dir: DataDir): () => void {
  mkdirSync(dir.root, { recursive: true, mode: 0o700 });
  const lock = join(dir.root, 'lock');
  // A lock appears whole (a link to a written file), so that nobody ever reads half of one.
  const own = `${lock}.${process.pid}`;
  const text = JSON.stringify({ pid: process.pid, startTime: processStartTime(process.pid) } satisfies ProcessIdentity);
  writeFileSync(own, text, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < TAKEOVERS_MAX; attempt++) {
      if (tryLink(own, lock)) return () => release(lock, text);
      const found = textOf(lock);
      const holder = livingProcess(found);
      if (holder) throw new DataDirError(`${dir.root} is in use by process ${holder.pid}: run 'fleet down --data ${dir.root}' first, or choose another folder with --data`);
      if (found !== undefined) removeDeadLock(lock, found);
    }
  } finally {
    rmSync(own, { force: true });
  }
  throw new DataDirError(`${lock}: cannot be taken; remove it if no fleet runs with this folder`);
}

const TAKEOVERS_MAX = 3;

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/** Between our look and now another process may have taken the dead lock over: what we took away is looked at again, and put back if it lives. */
function removeDeadLock(lock: string, dead: string): void {
  const aside = `${lock}.dead.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (textOf(aside) !== dead) tryLink(aside, lock);
  rmSync(aside, { force: true });
}

function release(lock: string, own: string): void {
  if (textOf(lock) === own) rmSync(lock, { force: true });
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The living process that holds the folder, if any. */
export function lockHolder(dir: DataDir): ProcessIdentity | undefined {
  return livingProcess(textOf(join(dir.root, 'lock')));
}

/** Undefined for a text that names no process, one that has died, or one whose pid now belongs to another. */
function livingProcess(text: string | undefined): ProcessIdentity | undefined {
  const holder = parseIdentity(text);
  if (!holder) return undefined;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // Not ours to signal, but there.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined;
  }
  return processStartTime(holder.pid) === holder.startTime ? holder : undefined;
}

function parseIdentity(text: string | undefined): ProcessIdentity | undefined {
  try {
    const { pid, startTime } = JSON.parse(text ?? '') as Partial<ProcessIdentity>;
    return typeof pid === 'number' && pid > 0 && typeof startTime === 'string' ? { pid, startTime } : undefined;
  } catch {
    return undefined;
  }
}

/** Reads a JSON file of the folder; `undefined` when it is missing. Throws {@link DataDirError} when it is broken. */
export function readState<T>(dir: DataDir, name: string): T | undefined {
  const path = join(dir.root, name);
  const text = textOf(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new DataDirError(`${path}: is not JSON; remove it, or begin anew with another folder (--data)`, { cause: error });
  }
}

/** Replaces a JSON file whole, so that a kill leaves the old or the new one. */
export function writeState(dir: DataDir, name: string, value: unknown): void {
  const path = join(dir.root, name);
  writeFileSync(`${path}.new`, JSON.stringify(value, null, 2), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
