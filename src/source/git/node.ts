/**
 * Git's needs met by Node: child processes and files. Constructed by `cmd` only. A run is its own process
 * group, so that killing it takes the transport helpers (ssh, git-remote-https) along.
 */
import { spawn } from 'node:child_process';
import { access, chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import type { GitFiles, GitOutput, GitRunner } from './types.ts';

/** Kept of the error output. */
const STDERR_BYTES_MAX = 16 * 1024;
const FOUND_MAX = 10_000;

/** Runs the `git` found on the PATH of the given environment. */
export function nodeGitRunner(clock: Clock, program = 'git'): GitRunner {
  return ({ args, env, cwd, stdin, timeoutMs, outputBytesMax, signal }) =>
    new Promise<GitOutput>((resolve, reject) => {
      const child = spawn(program, [...args], { cwd, env: { ...env }, stdio: ['pipe', 'pipe', 'pipe'], detached: true, windowsHide: true });
      const chunks: Buffer[] = [];
      let size = 0;
      let stderr = '';
      let killed: GitOutput['killed'];
      const kill = (reason: NonNullable<GitOutput['killed']>) => {
        killed ??= reason;
        try {
          if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        } catch {
          // Gone already.
        }
      };
      const timer = clock.after(timeoutMs, () => kill('timeout'));
      const onAbort = () => kill('aborted');
      if (signal?.aborted) onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      child.stdout.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > outputBytesMax) kill('output');
        else chunks.push(chunk);
      });
      child.stderr.on('data', (chunk: Buffer) => {
        stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_BYTES_MAX);
      });
      const finish = () => {
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
      };
      child.on('error', (error) => {
        finish();
        reject(new Error(`${program}: cannot be started: install git, or put it on the PATH`, { cause: error }));
      });
      child.on('close', (code) => {
        finish();
        resolve({ code, stdout: Buffer.concat(chunks), stderr, ...(killed ? { killed } : {}) });
      });
      // A git that ends early closes its input; what it said on stderr explains why.
      child.stdin.on('error', () => undefined);
      child.stdin.end(stdin);
    });
}

/** The machine's file system. */
export const nodeGitFiles: GitFiles = {
  makeDir: async (path) => void (await mkdir(path, { recursive: true, mode: 0o700 })),
  remove: (path) => rm(path, { recursive: true, force: true }),
  async writePrivate(path, text, executable = false) {
    await writeFile(path, text, { mode: executable ? 0o700 : 0o600 });
    await chmod(path, executable ? 0o700 : 0o600);
  },
  exists: (path) => access(path).then(() => true, () => false),
  async findBySuffix(dir, suffix) {
    const entries = await readdir(dir, { recursive: true }).catch(() => []);
    return entries.filter((name) => name.endsWith(suffix)).slice(0, FOUND_MAX).map((name) => join(dir, name));
  },
};
