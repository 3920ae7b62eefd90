/**
 * `fleet apply` and `fleet test`: the commands that need no cluster, as entries of the command table. The
 * commands themselves read their arguments (#cli/apply, #cli/test); this table is for help and completion,
 * and loads them only when one is run.
 */
import { buildCommand, type CommandContext } from '@stricli/core';

export interface ApplyFlags {
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

export interface TestFlags {
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

export const applyCommand = buildCommand<ApplyFlags, string[], CommandContext>({
  async func(flags, ...positionals) {
    return (await import('./run-offline.ts')).runOffline(this, 'apply', flags, positionals);
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
  async func(flags, ...positionals) {
    return (await import('./run-offline.ts')).runOffline(this, 'test', flags, positionals);
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
