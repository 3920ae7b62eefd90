/** Status shapes shared by the kinds: states, summaries, counts. Source: Fleet CRDs v1alpha1. */
import type { Condition } from '#apimachinery/meta';

/** One word for how a deployment stands; ranks in {@link BUNDLE_STATE_RANK}. */
export type BundleState = 'Ready' | 'NotReady' | 'Pending' | 'OutOfSync' | 'Modified' | 'WaitApplied' | 'ErrApplied';

/** When one state must stand for many, the highest rank wins. */
export const BUNDLE_STATE_RANK: Readonly<Record<BundleState, number>> = {
  ErrApplied: 7,
  WaitApplied: 6,
  Modified: 5,
  OutOfSync: 4,
  Pending: 3,
  NotReady: 2,
  Ready: 1,
};

export interface ObjectSummary {
  state?: string;
  error?: boolean;
  transitioning?: boolean;
  message?: string[];
}

export interface NonReadyStatus {
  uid?: string;
  kind?: string;
  apiVersion?: string;
  namespace?: string;
  name?: string;
  summary?: ObjectSummary;
}

export interface ModifiedStatus {
  kind?: string;
  apiVersion?: string;
  namespace?: string;
  name?: string;
  /** The object is desired and not there. */
  missing?: boolean;
  /** The object is there and no release of ours owns it. */
  exist?: boolean;
  /** The object is there and should not be. */
  delete?: boolean;
  patch?: string;
}

export interface NonReadyResource {
  name?: string;
  bundleState?: BundleState;
  message?: string;
  modifiedStatus?: ModifiedStatus[];
  nonReadyStatus?: NonReadyStatus[];
}

export interface BundleSummary {
  notReady?: number;
  waitApplied?: number;
  errApplied?: number;
  outOfSync?: number;
  modified?: number;
  ready: number;
  pending?: number;
  desiredReady: number;
  nonReadyResources?: NonReadyResource[];
}

export interface ResourceCounts {
  ready: number;
  desiredReady: number;
  waitApplied: number;
  modified: number;
  orphaned: number;
  missing: number;
  unknown: number;
  notReady: number;
}

/** An object deployed by a BundleDeployment. */
export interface DeployedResource {
  kind?: string;
  apiVersion?: string;
  namespace?: string;
  name?: string;
  createdAt?: string;
}

/** An object deployed by a GitRepo or HelmOp, over all its clusters. */
export interface Resource {
  apiVersion?: string;
  kind?: string;
  type?: string;
  id?: string;
  namespace?: string;
  name?: string;
  state?: string;
  error?: boolean;
  transitioning?: boolean;
  message?: string;
  incompleteState?: boolean;
  perClusterState?: Record<string, unknown>;
}

export interface StatusDisplay {
  /** `ready/desired` BundleDeployments. */
  readyBundleDeployments?: string;
  state?: string;
  message?: string;
  error?: boolean;
}

/** Common to GitRepo and HelmOp. */
export interface StatusBase {
  readyClusters: number;
  desiredReadyClusters: number;
  summary?: BundleSummary;
  display?: StatusDisplay;
  conditions?: Condition[];
  resources?: Resource[];
  resourceCounts?: ResourceCounts;
  perClusterResourceCounts?: Record<string, ResourceCounts>;
}
