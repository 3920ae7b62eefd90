/**
 * The checks of the status with what to do about each; and the one thing that is safe to do here and now:
 * removing pods of ours that are stuck on dead nodes, by the safe rule. All else is configuration, which
 * belongs to whoever installed the charts.
 */
import { errorText } from '#base/log';
import type { Client } from '#kube/client';
import { findStuckPods, removeStuckPod, type StuckPolicy } from '../stuckpods/index.ts';
import type { ClusterFacts, HaStatus, Warning } from '../status/index.ts';

export interface Finding extends Warning {
  cluster: string;
  /** What `--fix` did about it, or why it left it; absent without `--fix` or when nothing can be done here. */
  outcome?: string;
}

/** Critical ones first. */
export function findingsOf({ clusters }: HaStatus): Finding[] {
  const order = { critical: 0, warning: 1, info: 2 } as const;
  return clusters.flatMap(({ name, warnings }) => warnings.map((warning): Finding => ({ cluster: name, ...warning }))).sort((a, b) => order[a.severity] - order[b.severity]);
}

export interface FixTarget {
  facts: ClusterFacts;
  status: HaStatus['clusters'][number];
  client: Pick<Client, 'delete'>;
}

/** Does what is safe; tells what it did about each finding. */
export async function fix(findings: readonly Finding[], targets: readonly FixTarget[], { unreachableAfterMs, nowMs }: { unreachableAfterMs: number; nowMs: number }): Promise<Finding[]> {
  const outcomes = new Map<string, string>();
  for (const target of targets) for (const [subject, outcome] of await removeStuck(target, { forceDelete: 'UnreachableNode', unreachableAfterMs }, nowMs)) outcomes.set(`${target.facts.name} ${subject}`, outcome);
  return findings.map((finding) => {
    const outcome = finding.code === 'stuck-terminating' ? outcomes.get(`${finding.cluster} ${finding.subject}`) : undefined;
    return outcome ? { ...finding, outcome } : finding;
  });
}

async function removeStuck({ facts, status, client }: FixTarget, policy: StuckPolicy, nowMs: number): Promise<Map<string, string>> {
  const outcomes = new Map<string, string>();
  for (const { namespace, holder, pods: own } of status.components) {
    const names = new Set(own.map(({ pod }) => pod));
    const pods = facts.pods.filter(({ metadata }) => metadata.namespace === namespace && names.has(metadata.name ?? ''));
    for (const { pod, kept } of findStuckPods({ pods, nodes: facts.nodes ?? [], holder, nowMs }, policy)) {
      const subject = `${pod.metadata.namespace}/${pod.metadata.name}`;
      outcomes.set(subject, kept ? `left alone: ${kept}` : await removeStuckPod(client, pod).then(() => 'removed', (error: unknown) => `not removed: ${errorText(error)}`));
    }
  }
  return outcomes;
}

export function formatFindings(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'Everything is as it should be.';
  return findings
    .map(({ cluster, severity, message, remedy, outcome }) => [`${severity.toUpperCase()} ${cluster}: ${message}`, `  remedy: ${remedy}`, ...(outcome ? [`  done: ${outcome}`] : [])].join('\n'))
    .join('\n');
}
