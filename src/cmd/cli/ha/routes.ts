/** Names, flags and help of `fleet ha`. What the commands do is loaded on demand. */
import { buildCommand, buildRouteMap } from '@stricli/core';
import type { DrillKind } from '#ha/drill';

const output = { kind: 'enum', values: ['text', 'json'], brief: 'Output format', default: 'text' } as const;
const kubeconfig = { kind: 'parsed', parse: String, variadic: true, optional: true, brief: 'Kubeconfig of a cluster (may be repeated); downstream clusters are found through the management cluster' } as const;
const text = (brief: string) => ({ kind: 'parsed', parse: String, optional: true, brief }) as const;
const off = (brief: string) => ({ kind: 'boolean', brief, default: false, withNegated: false }) as const;

function count(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${JSON.stringify(value)} is not a whole number above 0`);
  return number;
}

/** A kind of failure as it stands on the command line. */
function drillKind(value: string): DrillKind {
  const kinds: readonly string[] = ['graceful', 'crash', 'node', 'cut', 'hang'];
  if (!kinds.includes(value)) throw new Error(`${JSON.stringify(value)} is no kind of drill: use ${kinds.join(', ')}`);
  return value as DrillKind;
}

const commands = () => import('./commands.ts');

/** `dataFolder` is where `fleet up` keeps its data unless told otherwise. */
export function haRoutes(dataFolder: string) {
  const data = { kind: 'parsed', parse: String, brief: 'Data folder of fleet up', default: dataFolder } as const;
  const timings = {
    leaseDuration: text('How long a silent leader keeps the lease'),
    renewDeadline: text('How long a leader writes after its last renewal'),
    retryPeriod: text('From one renewal to the next'),
    watchdog: text('How long a leader may make no progress'),
  } as const;
  return buildRouteMap({
    routes: {
      status: buildCommand({
        loader: async () => (await commands()).statusCommand,
        parameters: { flags: { data, kubeconfig, output, watch: off('Show it again every second') }, aliases: { o: 'output', w: 'watch' } },
        docs: { brief: 'Who leads, who stands by, what is wrong', fullDescription: 'Every lease of ours on every reachable cluster. Ends with 1 when something critical is found.\n\nExamples:\n  fleet ha status\n  fleet ha status --watch\n  fleet ha status --kubeconfig management.yaml -o json' },
      }),
      plan: buildCommand({
        loader: async () => (await commands()).planCommand,
        parameters: {
          flags: { data, kubeconfig, output, profile: { kind: 'enum', values: ['default', 'fast', 'kubernetes', 'fleet'], brief: 'Timings to begin with', default: 'default' }, ...timings, replicas: { kind: 'parsed', parse: count, brief: 'Replicas', default: '2' }, apiLatency: text('Take this latency instead of measuring it') },
          aliases: { o: 'output' },
        },
        docs: { brief: 'What timings promise and cost', fullDescription: 'Worst and mean takeover for each kind of failure, API requests a day, and whether the timings are safe (exit code 1 when not).\n\nExamples:\n  fleet ha plan\n  fleet ha plan --profile fast --replicas 3\n  fleet ha plan --lease-duration 30s --renew-deadline 25s --retry-period 10s' },
      }),
      drill: buildCommand({
        loader: async () => (await commands()).drillCommand,
        parameters: {
          positional: { kind: 'tuple', parameters: [{ parse: drillKind, brief: 'graceful, crash, node, cut or hang', placeholder: 'kind' }] },
          flags: {
            data, kubeconfig, output,
            component: { kind: 'enum', values: ['agent', 'fleet-controller', 'gitjob', 'helmops'], brief: 'Whose leader', default: 'agent' },
            cluster: text('In which cluster; default: one with a standby'),
            bundles: { kind: 'parsed', parse: count, brief: 'Bundles of the probe workload', default: '4' },
            interval: { kind: 'parsed', parse: String, brief: 'Between two changes of the probe workload', default: '50ms' },
            yes: off('Do not ask for confirmation'),
            force: off('Where no process can be killed: delete the pod by force'),
            report: text('Write a self-contained HTML page here'),
          },
          aliases: { o: 'output' },
        },
        docs: { brief: 'Break a leader on purpose and measure the takeover', fullDescription: 'Keeps changing a small workload, breaks the leader, and checks: replicas as configured, one leader before and after, no interleaved writes, service available, nothing left half done. Ends with 1 when a check fails.\n\nExamples:\n  fleet ha drill crash\n  fleet ha drill node --component fleet-controller\n  fleet ha drill graceful --kubeconfig management.yaml --cluster prod --yes --report drill.html' },
      }),
      doctor: buildCommand({
        loader: async () => (await commands()).doctorCommand,
        parameters: { flags: { data, kubeconfig, output, fix: off('Remove stuck pods of ours where that is safe'), unreachableAfter: { kind: 'parsed', parse: String, brief: 'How long the node of a stuck pod must have been unreachable', default: '5m' } }, aliases: { o: 'output' } },
        docs: { brief: 'What is wrong and what to do about it', fullDescription: 'Examples:\n  fleet ha doctor\n  fleet ha doctor --fix' },
      }),
      candidate: buildCommand({
        loader: async () => (await commands()).candidateCommand,
        parameters: {
          flags: {
            kubeconfig: text('Kubeconfig; default KUBECONFIG, or the pod\'s service account'),
            namespace: { kind: 'parsed', parse: String, brief: 'Namespace of the lock', default: 'default' },
            lease: { kind: 'parsed', parse: String, brief: 'Name of the lock' },
            lock: { kind: 'enum', values: ['leases', 'configmaps'], brief: 'Kind of the lock', default: 'leases' },
            ...timings,
            id: text('Identity in the lock; default: unique'),
            write: text('ConfigMap to write a counter into while leading'),
          },
        },
        docs: { brief: 'Campaign for a lock and print each transition as JSON', fullDescription: 'Example:\n  fleet ha candidate --kubeconfig FILE --namespace default --lease demo --write demo-counter' },
      }),
    },
    docs: { brief: 'Availability: status, plan, drills, remedies' },
  });
}
