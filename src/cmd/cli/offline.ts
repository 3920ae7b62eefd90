/**
 * `fleet apply` and `fleet test`: the commands that need no cluster, as entries of the command table. The
 * commands themselves read their arguments (#cli/apply, #cli/test); this table is for help and completion.
 */
import { buildCommand, type CommandContext, type StricliProcess } from '@stricli/core';
import { runApply, UsageError, type FileHost } from '#cli/apply';
import { runTest } from '#cli/test';
import { systemClock } from '#base/clock';
import { fileHost } from '../adapters/file-host.ts';

interface ApplyFlags {
  output?: string;
  namespace?: string;
  label?: string[];
  file?: string;
  bundleFile?: string;
  targetsFile?: string;
  compress?: boolean;
  serviceAccount?: string;
  syncGeneration?: string;
  targetNamespace?: string;
  paused?: boolean;
  commit?: string;
  keepResources?: boolean;
  deleteNamespace?: boolean;
  correctDrift?: boolean;
  correctDriftForce?: boolean;
  correctDriftKeepFailHistory?: boolean;
  drivenScan?: boolean;
  drivenScanSep?: string;
  imagescanEnabled?: boolean;
}

interface TestFlags {
  bundleFile?: string;
  file?: string;
  quiet?: boolean;
  group?: string;
  name?: string;
  label?: string[];
  groupLabel?: string[];
  target?: string;
}

const text = (brief: string) => ({ kind: 'parsed', parse: String, brief, optional: true }) as const;
const pairs = (brief: string) => ({ kind: 'parsed', parse: String, brief, optional: true, variadic: true, placeholder: 'key=value' }) as const;
const flag = (brief: string) => ({ kind: 'boolean', brief, optional: true, withNegated: false }) as const;

/** Back into a command line: `targetNamespace: 'x'` → `--target-namespace=x`. */
function argumentsOf(flags: ApplyFlags | TestFlags, positionals: readonly string[]): string[] {
  const options = Object.entries(flags).flatMap(([name, value]: [string, string | boolean | string[] | undefined]) => {
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === undefined || value === false) return [];
    return value === true ? [option] : [value].flat().map((item) => `${option}=${item}`);
  });
  return [...options, '--', ...positionals];
}

function perform({ process: own }: CommandContext, command: (args: readonly string[], host: FileHost) => number, args: readonly string[]): Error | undefined {
  const result = own as StricliProcess;
  try {
    result.exitCode = command(args, fileHost(process.cwd(), process.env, systemClock.wallMs()));
    return undefined;
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`fleet: ${error.message}\n`);
      result.exitCode = 2;
      return undefined;
    }
    throw error;
  }
}

export const applyCommand = buildCommand<ApplyFlags, string[], CommandContext>({
  func(flags, ...positionals) {
    return perform(this, runApply, argumentsOf(flags, positionals));
  },
  parameters: {
    flags: {
      output: text('Where to write the Bundles; - is standard output'),
      namespace: text('Namespace of the Bundles (default: NAMESPACE, else fleet-local)'),
      label: pairs('Labels of the Bundles'),
      file: text('Name of the options file instead of fleet.yaml'),
      bundleFile: text('The same, under its other name'),
      targetsFile: text('YAML with the targets of a GitRepo'),
      compress: flag('Compress every resource'),
      serviceAccount: text('Service account to deploy with'),
      syncGeneration: text('Number that forces a new deployment'),
      targetNamespace: text('Force everything into this namespace'),
      paused: flag('Stage only'),
      commit: text('Commit to label with (default: COMMIT)'),
      keepResources: flag('Keep objects when the Bundle goes'),
      deleteNamespace: flag('Delete the namespace when the Bundle goes'),
      correctDrift: flag('Put drifted objects back'),
      correctDriftForce: flag('Replace them if need be'),
      correctDriftKeepFailHistory: flag('Keep records of failed repairs'),
      drivenScan: flag('Take each PATH as base:options'),
      drivenScanSep: text('What separates base and options (default :)'),
      imagescanEnabled: flag('Print image scans too'),
    },
    aliases: { o: 'output', n: 'namespace', l: 'label', f: 'file', b: 'bundleFile', c: 'compress', a: 'serviceAccount' },
    positional: { kind: 'array', parameter: { parse: String, brief: 'Name of the bundle, then folders', placeholder: 'name' }, minimum: 1 },
  },
  docs: { brief: 'Show the Bundles a folder makes', fullDescription: 'Prints the Bundles as the git job would create them.\n\nExamples:\n  fleet apply -o - demo\n  fleet apply -o - -n fleet-default demo charts/web' },
});

export const testCommand = buildCommand<TestFlags, string[], CommandContext>({
  func(flags, ...positionals) {
    return perform(this, runTest, argumentsOf(flags, positionals));
  },
  parameters: {
    flags: {
      bundleFile: text('A Bundle that "fleet apply -o" printed, instead of a folder'),
      file: text('Name of the options file instead of fleet.yaml'),
      quiet: flag('Only say which target matches'),
      group: text('Cluster group of the cluster'),
      name: text('Name of the cluster'),
      label: pairs('Labels of the cluster'),
      groupLabel: pairs('Labels of the cluster group'),
      target: text('Name of a target, instead of matching'),
    },
    aliases: { b: 'bundleFile', f: 'file', q: 'quiet', g: 'group', N: 'name', l: 'label', L: 'groupLabel', t: 'target' },
    positional: { kind: 'array', parameter: { parse: String, brief: 'Folder of the bundle', placeholder: 'dir' }, maximum: 1 },
  },
  docs: { brief: 'Show what a cluster with certain labels would get', fullDescription: 'Examples:\n  fleet test -l env=dev\n  fleet test -l env=prod -l region=eu examples/guestbook' },
});
