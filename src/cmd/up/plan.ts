/** What `fleet up` starts: the clusters, their nodes and addresses. Data, so that it can be read at a glance. */
import type { NodePlan } from '#embedded';

export interface ClusterPlan {
  name: string;
  nodes: readonly NodePlan[];
  /** Labels of the Fleet Cluster; absent for the management cluster, which registers itself. */
  labels?: Readonly<Record<string, string>>;
}

/** Three nodes for the management cluster, two for each downstream one; pods get addresses in `127.BLOCK.*`. */
export function demoPlan(block: number): ClusterPlan[] {
  const nodes = (cluster: number, count: number): NodePlan[] =>
    Array.from({ length: count }, (_, index) => ({ name: `node-${index + 1}`, subnet: `127.${block}.${cluster * 16 + index + 1}` }));
  return [
    { name: 'local', nodes: nodes(0, 3) },
    { name: 'dev', nodes: nodes(1, 2), labels: { env: 'dev' } },
    { name: 'test', nodes: nodes(2, 2), labels: { env: 'test' } },
    { name: 'prod', nodes: nodes(3, 2), labels: { env: 'prod' } },
  ];
}

/** Timings of the demo that differ from Kubernetes' defaults, so that a person need not wait minutes. */
export const DEMO_TIMINGS = {
  nodeMonitorGraceMs: 12_000,
  /** People (and tests) kill pods here again and again; Kubernetes would soon wait five minutes. */
  maxContainerRestartPeriodMs: 3_000,
  leaseRenewMs: 4_000,
  pollingInterval: '3s',
};
