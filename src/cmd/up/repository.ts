/**
 * The demo's git repository: a bare one under the data folder that the GitRepo points at, filled from
 * examples/, and a working copy in which a person edits and commits. `git commit` there is all it takes: a
 * hook pushes to the bare repository.
 */
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DataDir } from './data-dir.ts';

const run = promisify(execFile);
const LIMITS = { gitMs: 30_000 };
const BRANCH = 'main';

/** Creates both once; an existing pair is left as it is. Returns the newest commit. */
export async function ensureRepository(dir: DataDir, examples: string): Promise<string> {
  const marker = join(dir.repository, 'fleet-ready');
  if (!existsSync(marker)) {
    // A run that was cut off in the middle leaves no marker; what it began is begun again.
    rmSync(dir.repository, { recursive: true, force: true });
    rmSync(dir.workingCopy, { recursive: true, force: true });
    await git(dir.root, ['init', '--quiet', '--bare', '--initial-branch', BRANCH, dir.repository]);
    await git(dir.root, ['init', '--quiet', '--initial-branch', BRANCH, dir.workingCopy]);
    cpSync(examples, dir.workingCopy, { recursive: true });
    await git(dir.workingCopy, ['remote', 'add', 'origin', dir.repository]);
    for (const [key, value] of [['user.name', 'Fleet user'], ['user.email', 'user@fleet.example']]) await git(dir.workingCopy, ['config', key as string, value as string]);
    await git(dir.workingCopy, ['add', '--all']);
    await git(dir.workingCopy, ['commit', '--quiet', '--message', 'Examples']);
    await git(dir.workingCopy, ['push', '--quiet', '--set-upstream', 'origin', BRANCH]);
    const hook = join(dir.workingCopy, '.git', 'hooks', 'post-commit');
    writeFileSync(hook, `#!/bin/sh\nexec git push --quiet origin HEAD:${BRANCH}\n`);
    chmodSync(hook, 0o755);
    writeFileSync(marker, '');
  }
  return (await git(dir.repository, ['rev-parse', BRANCH])).trim();
}

export const DEMO_BRANCH = BRANCH;

async function git(cwd: string, args: string[]): Promise<string> {
  const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0' };
  try {
    const { stdout } = await run('git', args, { cwd, env, timeout: LIMITS.gitMs });
    return stdout;
  } catch (error) {
    throw new Error(`git ${args[0]} failed in ${cwd}`, { cause: error });
  }
}
