/** The plan of one rollout step. Nothing here is written; controllers/bundle performs the plan. */
import type { BundleDeploymentSpec, BundleRef, HelmOpOptions, PartitionStatus, RolloutStrategy } from '#api/fleet';
import type { BundleDeployment } from '#api/fleet';
import type { Target } from '#core/target';

export interface RolloutInput {
  targets: readonly Target[];
  /** Existing BundleDeployments of this bundle, in all cluster namespaces. */
  existing: readonly BundleDeployment[];
  /** BundleDeployments never to be removed in this step: `namespace/name` of targets whose options could not be computed. */
  keep?: ReadonlySet<string>;
  strategy?: RolloutStrategy;
  /** Labels of the Bundle; the plan derives those of the BundleDeployments. */
  bundleLabels?: Readonly<Record<string, string>>;
  dependsOn?: readonly BundleRef[];
  helmOpOptions?: HelmOpOptions;
  ociContents?: boolean;
}

/** What one BundleDeployment should be after this step. */
export interface PlannedDeployment {
  target: Target;
  namespace: string;
  name: string;
  labels: Record<string, string>;
  /** Complete, except `valuesHash` and `downstreamResourcesGeneration`, which are kept from the existing object. */
  spec: BundleDeploymentSpec;
}

/**
 * Each deployment stands in at most one of `create`, `promote`, `stage`, `sync`; what stands in none is
 * already as it should be.
 */
export interface RolloutPlan {
  /** New ones (staged, and promoted unless held back). */
  create: PlannedDeployment[];
  /** Existing ones whose deploymentID moves to the staged one. */
  promote: PlannedDeployment[];
  /** Existing ones whose stagedDeploymentID moves on while deploymentID stays. */
  stage: PlannedDeployment[];
  /** Existing ones whose labels or other fields change without a new version (diff, correctDrift, paused, dependsOn). */
  sync: PlannedDeployment[];
  /** Existing ones no target asks for. */
  remove: { namespace: string; name: string; uid?: string }[];
  status: RolloutStatus;
}

/** The rollout's part of `Bundle.status`. */
export interface RolloutStatus {
  newlyCreated: number;
  unavailable: number;
  unavailablePartitions: number;
  maxUnavailable: number;
  maxUnavailablePartitions: number;
  maxNew: number;
  partitions: PartitionStatus[];
}
