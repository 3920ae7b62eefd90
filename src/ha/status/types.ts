/** What `fleet ha status` knows and says; plain data, the same for text, JSON and the dashboard. */
import type { ConfigMap, Deployment, Lease, Node, Pod, PodDisruptionBudget } from '#api/builtin';
import type { LockKind, Timings } from '#kube/leaderelection';
import type { ComponentName } from '../components.ts';

/** A cluster as a person calls it, and how to reach it. */
export interface ClusterFacts {
  name: string;
  server: string;
  /** Why nothing is known about it; everything else is empty then. */
  error?: string;
  deployments: readonly Deployment[];
  pods: readonly Pod[];
  leases: readonly Lease[];
  /** Locks of the older kind, when a component is set to use them. */
  configMaps: readonly ConfigMap[];
  budgets: readonly PodDisruptionBudget[];
  /** Absent: nodes may not be read with these rights. */
  nodes?: readonly Node[];
}

export type WarningCode =
  | 'unreachable-cluster'
  | 'no-leader'
  | 'stale-lease'
  | 'unready-leader'
  | 'one-replica'
  | 'missing-replicas'
  | 'no-warm-standby'
  | 'same-node'
  | 'budget-blocks-drains'
  | 'stuck-terminating'
  | 'unsafe-timings'
  | 'lowered-timings';

export interface Warning {
  code: WarningCode;
  /** `info`: worth knowing; `warning`: a failure would hurt; `critical`: it hurts now. */
  severity: 'info' | 'warning' | 'critical';
  message: string;
  /** What to do about it. */
  remedy: string;
  /** What it is about: `namespace/name` of a pod or Deployment. */
  subject: string;
}

export interface ReplicaStatus {
  pod: string;
  node: string;
  role: 'leader' | 'standby';
  /** Ready: registered, caches full, endpoints up. */
  warm: boolean;
  phase: string;
}

export interface ComponentStatus {
  component: ComponentName;
  namespace: string;
  deployment: string;
  lease: string;
  lock: LockKind;
  /** Empty: nobody leads. */
  holder: string;
  leaderPod: string;
  leaderNode: string;
  epoch: number;
  /** Since the last renewal, by the clocks of the two machines; absent when the lease was never held. */
  renewedMsAgo?: number;
  leaseDurationMs: number;
  /** The last change of leadership. */
  lastTransition?: { at: string; evidence?: string; gapMs?: number };
  replicas: { wanted: number; ready: number };
  pods: readonly ReplicaStatus[];
  /** As configured; absent when the configuration is refused. */
  timings?: Timings;
  warnings: readonly Warning[];
}

export interface ClusterStatus {
  name: string;
  server: string;
  error?: string;
  components: readonly ComponentStatus[];
  warnings: readonly Warning[];
}

export interface HaStatus {
  at: string;
  clusters: readonly ClusterStatus[];
}
