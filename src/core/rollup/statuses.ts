/**
 * Status of Bundle, GitRepo (and HelmOp), Cluster and ClusterGroup, each from the level below. Functions
 * give the parts a rollup owns; the controller adds what is its own (commit, polling, namespace) and
 * writes once. Display and condition Ready always agree with the summary (status laws 1–6).
 */
import { setCondition, type Condition } from '#apimachinery/meta';
import {
  label,
  type BundleDeployment,
  type BundleStatus,
  type BundleSummary,
  type Cluster,
  type ClusterGroupStatus,
  type ClusterStatus,
  type ResourceCounts,
  type StatusBase,
} from '#api/fleet';
import { resourcesOf } from './resources.ts';
import { reportOf } from './state.ts';
import { addCounts, addSummaries, isReady, readyMessage, summarize, summaryState } from './summary.ts';

/** Cluster names kept in `ClusterGroup.status.nonReadyClusters`. */
export const NON_READY_CLUSTERS_MAX = 10;

/** Condition Ready as the summary has it; `now` is RFC 3339. */
export function readyCondition(conditions: readonly Condition[] | undefined, summary: BundleSummary, referencedKind: string, now: string): Condition[] {
  const message = readyMessage(summary, referencedKind);
  const ready = isReady(summary) && message === '';
  return setCondition(conditions, { type: 'Ready', status: ready ? 'True' : 'False', ...(message ? { message } : {}) }, now);
}

/** Summary, display and condition Ready of a Bundle; `summary` names clusters. */
export function bundleStatus(current: BundleStatus | undefined, summary: BundleSummary, now: string): Pick<BundleStatus, 'summary' | 'display' | 'conditions'> {
  return {
    summary,
    display: { readyClusters: `${summary.ready}/${summary.desiredReady}`, state: isReady(summary) ? '' : summaryState(summary) },
    conditions: readyCondition(current?.conditions, summary, 'Cluster', now),
  };
}

/** Everything a GitRepo or HelmOp says about its deployments; `deployments` are all of its bundles. */
export function sourceStatus(current: Partial<StatusBase> | undefined, deployments: readonly BundleDeployment[], bundleSummaries: readonly (BundleSummary | undefined)[], now: string): StatusBase {
  const summary = addSummaries(bundleSummaries);
  const byCluster = groupBy(deployments, clusterOf);
  const ready = [...byCluster.values()].filter((group) => isReady(summarize(group.map((deployment) => reportOf('', deployment))))).length;
  const message = readyMessage(summary, 'Bundle');
  const errors = (summary.errApplied ?? 0) > 0;
  return {
    readyClusters: ready,
    desiredReadyClusters: byCluster.size,
    summary,
    display: {
      readyBundleDeployments: `${summary.ready}/${summary.desiredReady}`,
      ...(isReady(summary) ? {} : { state: summaryState(summary) }),
      ...(message ? { message } : {}),
      ...(errors ? { error: true } : {}),
    },
    conditions: readyCondition(current?.conditions, summary, 'Bundle', now),
    resources: resourcesOf(deployments),
    resourceCounts: addCounts(deployments.map(({ status }) => status?.resourceCounts)),
    perClusterResourceCounts: Object.fromEntries(
      [...byCluster].sort(([a], [b]) => (a < b ? -1 : 1)).map(([cluster, group]): [string, ResourceCounts] => [cluster, addCounts(group.map(({ status }) => status?.resourceCounts))]),
    ),
  };
}

function clusterOf({ metadata }: BundleDeployment): string {
  return `${metadata.labels?.[label.clusterNamespace] ?? ''}/${metadata.labels?.[label.cluster] ?? ''}`;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** The rollup part of a Cluster: its deployments counted by bundle, its GitRepos and HelmOps. */
export function clusterStatus(
  current: ClusterStatus | undefined,
  deployments: readonly BundleDeployment[],
  now: string,
): Pick<ClusterStatus, 'summary' | 'resourceCounts' | 'readyGitRepos' | 'desiredReadyGitRepos' | 'readyHelmOps' | 'desiredReadyHelmOps' | 'display' | 'conditions'> {
  const summary = summarize(deployments.map((deployment) => reportOf(bundleOf(deployment), deployment)));
  const gitRepos = readiness(deployments, label.repoName);
  const helmOps = readiness(deployments, label.helmOpName);
  const checkedIn = current?.agent?.lastSeen !== undefined && current.agent.lastSeen !== '';
  const state = checkedIn ? (isReady(summary) ? '' : summaryState(summary)) : 'WaitCheckIn';
  return {
    summary,
    resourceCounts: addCounts(deployments.map(({ status }) => status?.resourceCounts)),
    readyGitRepos: gitRepos.ready,
    desiredReadyGitRepos: gitRepos.desired,
    readyHelmOps: helmOps.ready,
    desiredReadyHelmOps: helmOps.desired,
    display: { readyBundles: `${summary.ready}/${summary.desiredReady}`, ...(state ? { state } : {}) },
    conditions: readyCondition(current?.conditions, summary, 'Bundle', now),
  };
}

function bundleOf({ metadata }: BundleDeployment): string {
  return metadata.labels?.[label.bundleName] ?? metadata.name ?? '';
}

/** A source counts as ready when every deployment of it is (Fleet: when any is; facts §10.19). */
function readiness(deployments: readonly BundleDeployment[], sourceLabel: string): { ready: number; desired: number } {
  const labelled = deployments.filter(({ metadata }) => metadata.labels?.[sourceLabel]);
  const groups = groupBy(labelled, ({ metadata }) => `${metadata.labels?.[label.bundleNamespace] ?? ''}/${metadata.labels?.[sourceLabel]}`);
  const ready = [...groups.values()].filter((group) => isReady(summarize(group.map((deployment) => reportOf('', deployment))))).length;
  return { ready, desired: groups.size };
}

/** Status of a ClusterGroup from its clusters. */
export function clusterGroupStatus(current: ClusterGroupStatus | undefined, clusters: readonly Cluster[], now: string): ClusterGroupStatus {
  const summary = addSummaries(clusters.map(({ status }) => status?.summary));
  const nonReady = clusters.filter(({ status }) => !status?.summary || !isReady(status.summary)).map(({ metadata }) => metadata.name ?? '');
  return {
    clusterCount: clusters.length,
    nonReadyClusterCount: nonReady.length,
    nonReadyClusters: nonReady.sort().slice(0, NON_READY_CLUSTERS_MAX),
    summary,
    resourceCounts: addCounts(clusters.map(({ status }) => status?.resourceCounts)),
    display: {
      readyClusters: `${clusters.length - nonReady.length}/${clusters.length}`,
      readyBundles: `${summary.ready}/${summary.desiredReady}`,
      ...(isReady(summary) ? {} : { state: summaryState(summary) }),
    },
    conditions: readyCondition(current?.conditions, summary, 'Bundle', now),
  };
}
