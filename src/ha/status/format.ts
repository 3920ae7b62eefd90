/** The status for a person. The caller brings the table printer, so that this room needs nothing of the terminal. */
import { humanDuration } from '#base/duration';
import type { ComponentStatus, HaStatus } from './types.ts';

export type TablePrinter = (headings: readonly string[], rows: readonly (readonly string[])[]) => string;

const MARKS = { info: 'i', warning: '!', critical: '✖' } as const;

export function formatHaStatus({ clusters }: HaStatus, table: TablePrinter): string {
  const rows = clusters.flatMap(({ name, components }) => components.map((component) => rowOf(name, component)));
  const warnings = clusters.flatMap(({ name, warnings: own }) => own.map((warning) => ({ name, ...warning })));
  const lines = warnings.map(({ name, severity, message, remedy }) => `${MARKS[severity]} ${name}: ${message}\n    ${remedy}`);
  const overview = rows.length > 0 ? table(['cluster', 'component', 'leader', 'node', 'epoch', 'renewed', 'lease', 'standbys', 'last transition'], rows) : 'no component of fleet was found';
  return [overview, ...(lines.length > 0 ? [lines.join('\n')] : ['No warnings.'])].join('\n\n');
}

function rowOf(cluster: string, status: ComponentStatus): string[] {
  const { component, lease, leaderPod, leaderNode, epoch, renewedMsAgo, leaseDurationMs, pods, lastTransition } = status;
  const standbys = pods.filter(({ role, phase }) => role === 'standby' && phase !== 'Terminating');
  const warm = standbys.filter((standby) => standby.warm).map(({ node }) => node);
  return [
    cluster,
    lease.includes('-shard-') ? `${component} (${lease.slice(lease.indexOf('-shard-') + 1)})` : component,
    leaderPod || '-',
    leaderNode || '-',
    String(epoch),
    renewedMsAgo === undefined ? '-' : `${(renewedMsAgo / 1000).toFixed(1)}s ago`,
    leaseDurationMs ? `${leaseDurationMs / 1000}s` : '-',
    standbys.length === 0 ? 'none' : `${warm.length}/${standbys.length} warm${warm.length > 0 ? ` (${warm.join(', ')})` : ''}`,
    transitionText(lastTransition),
  ];
}

function transitionText(transition: ComponentStatus['lastTransition']): string {
  if (!transition) return '-';
  const { at, evidence, gapMs } = transition;
  return [at.slice(0, 19), evidence, gapMs === undefined ? undefined : gapMs < 10_000 ? `${gapMs} ms` : humanDuration(gapMs)].filter((part) => part !== undefined && part !== '').join(', ');
}
