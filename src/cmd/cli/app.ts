/** The commands of `bin/fleet`: names, flags and help. What they do is loaded on demand. */
import { DEFAULT_DATA } from '../up/data-dir.ts';
import { buildApplication, buildCommand, buildRouteMap, run, text_en } from '@stricli/core';
import { applyCommand, testCommand } from './offline.ts';
import { haRoutes } from './ha/routes.ts';

const EXIT_USAGE = 2;

const data = { kind: 'parsed', parse: String, brief: 'Data folder', default: DEFAULT_DATA } as const;
const output = { kind: 'enum', values: ['text', 'json'], brief: 'Output format', default: 'text' } as const;

const up = buildCommand({
  loader: async () => (await import('./lifecycle.ts')).upCommand,
  parameters: {
    flags: {
      data,
      exitWhenReady: { kind: 'boolean', brief: 'End (and stop everything) once all bundles are ready', default: false, withNegated: false },
      detach: { kind: 'boolean', brief: 'Go to the background once all bundles are ready', default: false, withNegated: false },
    },
  },
  docs: { brief: 'Start Fleet on embedded Kubernetes: one management and three downstream clusters', fullDescription: 'Starts (or goes on with) everything in the data folder.\n\nExamples:\n  fleet up\n  fleet up --detach\n  fleet up --data /tmp/try --exit-when-ready' },
});

const down = buildCommand({
  loader: async () => (await import('./lifecycle.ts')).downCommand,
  parameters: { flags: { data } },
  docs: { brief: 'Stop a running fleet up and everything it started' },
});

const status = buildCommand({
  loader: async () => (await import('./lifecycle.ts')).statusCommand,
  parameters: { flags: { data, output }, aliases: { o: 'output' } },
  docs: { brief: 'What runs where, who leads, how the bundles are', fullDescription: 'Examples:\n  fleet status\n  fleet status -o json' },
});

function nodeCommand(action: 'stop' | 'cut' | 'pause' | 'start', brief: string) {
  return buildCommand({
    loader: async () => (await import('./lifecycle.ts')).nodeCommand(action),
    parameters: { flags: { data }, positional: { kind: 'tuple', parameters: [{ parse: String, brief: 'CLUSTER/NODE', placeholder: 'cluster/node' }] } },
    docs: { brief, fullDescription: `${brief}.\n\nExample:\n  fleet node ${action} prod/node-1` },
  });
}

const node = buildRouteMap({
  routes: {
    stop: nodeCommand('stop', 'Power a node off: its processes are killed, nothing is reported'),
    cut: nodeCommand('cut', 'Cut a node off from the API server: its processes run on'),
    pause: nodeCommand('pause', 'Freeze a node: its processes are stopped (SIGSTOP)'),
    start: nodeCommand('start', 'Bring a node back'),
  },
  docs: { brief: 'Break and mend nodes of the embedded clusters' },
});

const application = buildApplication(buildRouteMap({ routes: { up, down, status, node, ha: haRoutes(DEFAULT_DATA), apply: applyCommand, test: testCommand }, docs: { brief: 'GitOps for many Kubernetes clusters, highly available' } }), {
  name: 'fleet',
  scanner: { caseStyle: 'allow-kebab-for-camel' },
  documentation: { caseStyle: 'convert-camel-to-kebab' },
  // People get the sentence; the stack is for us.
  localization: { text: { ...text_en, exceptionWhileRunningCommand: (error) => `fleet: ${sentence(error)}`, commandErrorResult: (error) => `fleet: ${error.message}` } },
});

function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (process.env.FLEET_LOG_LEVEL === 'debug') return error.stack ?? error.message;
  return error.cause === undefined ? error.message : `${error.message}: ${sentence(error.cause)}`;
}

/** Runs one command line; exit codes: 0 done, 1 failed, 2 wrong usage. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  const context = { process: { stdout: process.stdout, stderr: process.stderr, env: process.env, exitCode: null as number | string | null } };
  await run(application, args, context);
  // The library sets the code only when no command did.
  const code = Number(context.process.exitCode || process.exitCode || 0);
  // The library answers wrong usage with 251 to 254.
  if (code !== 0) process.exit(code >= 251 || code < 0 ? EXIT_USAGE : code);
}
