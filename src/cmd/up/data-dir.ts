/**
 * The folder that `fleet up` owns (`.fleet/` unless --data says otherwise): who may use it, and where things
 * lie in it. One process at a time holds it; a process that died without a word does not keep it.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const handle = openSync(lock, 'wx', 0o600);
      writeFileSync(handle, JSON.stringify({ pid: process.pid, startTime: processStartTime(process.pid) } satisfies ProcessIdentity));
      closeSync(handle);
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const holder = lockHolder(dir);
      if (holder) throw new DataDirError(`${dir.root} is in use by process ${holder.pid}: run 'fleet down --data ${dir.root}' first, or choose another folder with --data`);
      rmSync(lock, { force: true });
    }
  }
  throw new DataDirError(`${lock}: cannot be taken; remove it if no fleet runs with this folder`);
}

/** The living process that holds the folder, if any. */
export function lockHolder(dir: DataDir): ProcessIdentity | undefined {
  const lock = join(dir.root, 'lock');
  if (!existsSync(lock)) return undefined;
  try {
    const holder = JSON.parse(readFileSync(lock, 'utf8')) as ProcessIdentity;
    process.kill(holder.pid, 0);
    return processStartTime(holder.pid) === holder.startTime ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** Reads a JSON file of the folder; `undefined` when it is missing. */
export function readState<T>(dir: DataDir, name: string): T | undefined {
  const path = join(dir.root, name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : undefined;
}

/** Replaces a JSON file whole, so that a kill leaves the old or the new one. */
export function writeState(dir: DataDir, name: string, value: unknown): void {
  const path = join(dir.root, name);
  writeFileSync(`${path}.new`, JSON.stringify(value, null, 2), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
