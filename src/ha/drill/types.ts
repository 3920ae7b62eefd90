/** What a drill works with and what comes of it; plain data. */
import type { Client } from '#kube/client';
import type { ComponentFacts } from '../components.ts';

/**
 * How the leader goes away: `graceful` its pod is deleted (SIGTERM) · `crash` its process is killed · `node`
 * its node loses power · `cut` its node is cut off the network · `hang` its process is frozen.
 */
export type DrillKind = 'graceful' | 'crash' | 'node' | 'cut' | 'hang';

export const DRILL_KINDS: readonly DrillKind[] = ['graceful', 'crash', 'node', 'cut', 'hang'];

/** Where the drill takes place. */
export interface DrillTarget {
  component: ComponentFacts;
  /** As a person calls it. */
  cluster: string;
  /** The cluster the component runs in. */
  client: Client;
  /** The management cluster; the same for components that run there. */
  upstream: Client;
  /** Namespace of the component's pods and lease. */
  namespace: string;
  lease: string;
  /** The Fleet Cluster that probe workloads are sent to, and the client of that cluster. */
  fleetCluster: { namespace: string; name: string; deploymentNamespace: string; client: Client };
}

export interface Leader {
  podName: string;
  podUid: string;
  nodeName: string;
  epoch: number;
  holder: string;
}

/** Breaks the leader and mends what it broke; knows how the cluster is made, the drill does not. */
export interface Saboteur {
  /** Throws an `Error` that says what to do instead when this cluster does not permit the kind. */
  strike(kind: DrillKind, leader: Leader): Promise<void>;
  /** Repeating it does nothing. */
  mend(): Promise<void>;
}

/** One write that only a leader makes, as seen by a watch. */
export interface GuardedWrite {
  atMs: number;
  /** Writes of one stream are in the server's order. */
  stream: string;
  epoch: number;
  subject: string;
}

export interface LeaseSample {
  atMs: number;
  holder: string;
  epoch: number;
  evidence: string | undefined;
  gapMs: number | undefined;
}

/** What happened besides writes, for the report's timeline. */
export interface Mark {
  atMs: number;
  text: string;
}

/** Everything that was seen in one run; the judge works on this alone. */
export interface Observation {
  kind: DrillKind;
  startedWall: string;
  oldEpoch: number;
  strikeMs: number;
  endMs: number;
  writes: readonly GuardedWrite[];
  leases: readonly LeaseSample[];
  marks: readonly Mark[];
  /** The component has a probe workload; without one the lease alone shows the takeover. */
  probed: boolean;
  before: Membership;
  after: Membership;
  /** Requests for availability: how many were made, the slowest, and what failed. */
  availability: { requests: number; slowestMs: number; failures: readonly string[] };
  /** Objects of the probe workload that vanished while the drill ran. */
  vanished: readonly string[];
  /** What was not as asked for when everything had calmed down. */
  leftovers: readonly string[];
}

export interface Membership {
  wanted: number;
  ready: number;
  /** Pods that are Ready and named by the lease. */
  leaders: readonly string[];
}

export interface Check {
  name: string;
  passed: boolean;
  detail: string;
}

export interface DrillResult {
  kind: DrillKind;
  component: string;
  cluster: string;
  passed: boolean;
  /** From the last guarded write of the old leader to the first of the new one. */
  gapMs: number | undefined;
  /** From the strike to the first guarded write of the new leader. */
  sinceStrikeMs: number | undefined;
  /** From the last renewal seen to the new holder in the lease. */
  leaseGapMs: number | undefined;
  evidence: string | undefined;
  oldEpoch: number;
  newEpoch: number | undefined;
  /** Writes of an older epoch seen after the first of a newer one. */
  doubleWriters: number;
  halfDone: number;
  checks: readonly Check[];
  observation: Observation;
}
