/** up, down, status, node: commands that have to do with an embedded fleet. */
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, systemClock } from '#base/clock';
import { askControl } from '../up/control.ts';
import { dataDir, lockHolder } from '../up/data-dir.ts';
import type { Overview } from '../up/overview.ts';
import { formatOverview } from '../up/screen.ts';
import { up } from '../up/up.ts';

const LIMITS = { detachMs: 200_000, downMs: 30_000, pollMs: 200 };

interface DataFlag {
  data: string;
}

export async function upCommand({ data, exitWhenReady, detach }: DataFlag & { exitWhenReady: boolean; detach: boolean }): Promise<void> {
  if (detach) return upDetached(data);
  await up({ data, exitWhenReady });
}

/** The same command in the background, with its output in a file; returns when all is ready. */
async function upDetached(data: string): Promise<void> {
  const dir = dataDir(data);
  mkdirSync(dir.root, { recursive: true, mode: 0o700 });
  const outputFile = join(dir.root, 'up.out');
  const handle = openSync(outputFile, 'w', 0o600);
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] as string, 'up', '--data', dir.root], { detached: true, stdio: ['ignore', handle, handle] });
  const exited = new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
  const untilMs = systemClock.monotonicMs() + LIMITS.detachMs;
  while (!readFileSync(outputFile, 'utf8').includes('Ready in')) {
    const ended = await Promise.race([exited, sleep(systemClock, LIMITS.pollMs).then(() => undefined)]);
    if (ended !== undefined) throw new Error(`fleet up ended with code ${ended}:\n${readFileSync(outputFile, 'utf8')}`);
    if (systemClock.monotonicMs() > untilMs) throw new Error(`not ready after ${LIMITS.detachMs / 1000} s; it goes on in the background, see ${outputFile}`);
  }
  child.unref();
  process.stdout.write(readFileSync(outputFile, 'utf8'));
}

export async function downCommand({ data }: DataFlag): Promise<void> {
  const dir = dataDir(data);
  if (!lockHolder(dir)) {
    process.stdout.write(`nothing runs with ${dir.root}\n`);
    return;
  }
  await askControl(dir, 'down');
  const untilMs = systemClock.monotonicMs() + LIMITS.downMs;
  while (lockHolder(dir)) {
    if (systemClock.monotonicMs() > untilMs) throw new Error(`process ${lockHolder(dir)?.pid} has not ended after ${LIMITS.downMs / 1000} s`);
    await sleep(systemClock, LIMITS.pollMs);
  }
  process.stdout.write('stopped\n');
}

export async function statusCommand({ data, output }: DataFlag & { output: 'text' | 'json' }): Promise<void> {
  const dir = dataDir(data);
  const overview = await askControl<Overview>(dir, 'status');
  process.stdout.write(output === 'json' ? `${JSON.stringify(overview, null, 2)}\n` : `${formatOverview(overview)}\n`);
}

export function nodeCommand(action: 'stop' | 'cut' | 'pause' | 'start') {
  return async ({ data }: DataFlag, node: string): Promise<void> => {
    const { power } = await askControl<{ power: string }>(dataDir(data), 'node', { node, action });
    process.stdout.write(`${node} is ${power}\n`);
  };
}
