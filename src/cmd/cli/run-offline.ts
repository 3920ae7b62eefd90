/** Runs an offline command on the machine's files and streams; wrong usage ends with exit code 2. */
import type { CommandContext, StricliProcess } from '@stricli/core';
import { systemClock } from '#base/clock';
import { runApply, UsageError } from '#cli/apply';
import { runTest } from '#cli/test';
import { fileHost } from '../adapters/file-host.ts';
import type { ApplyFlags, TestFlags } from './offline.ts';

const EXIT_USAGE = 2;

export function runOffline({ process: own }: CommandContext, command: 'apply' | 'test', flags: ApplyFlags | TestFlags, positionals: readonly string[]): void {
  const result = own as StricliProcess;
  const host = fileHost(process.cwd(), process.env, systemClock.wallMs());
  try {
    result.exitCode = (command === 'apply' ? runApply : runTest)(argumentsOf(flags, positionals), host);
  } catch (error) {
    host.warn(`fleet: ${error instanceof Error ? error.message : String(error)}\n`);
    result.exitCode = error instanceof UsageError ? EXIT_USAGE : 1;
  }
}

/** Back into a command line: `targetNamespace: 'x'` → `--target-namespace=x`. */
function argumentsOf(flags: ApplyFlags | TestFlags, positionals: readonly string[]): string[] {
  const options = Object.entries(flags).flatMap(([name, value]: [string, string | boolean | string[] | undefined]) => {
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === undefined || value === false) return [];
    return value === true ? [option] : [value].flat().map((item) => `${option}=${item}`);
  });
  return [...options, '--', ...positionals];
}
