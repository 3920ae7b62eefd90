/**
 * The kinds of `fleet.cattle.io/v1alpha1` as plain JSON. Names are the wire's; optional means the field
 * may be absent. Source: Fleet CRDs; meanings in docs of Fleet and in facts gathered for this project.
 */
import type { LabelSelector } from '#apimachinery/labels';
import type { Condition, KubeObject } from '#apimachinery/meta';
import type { BundleDeploymentOptions, CorrectDrift } from './options.ts';
import type {
  BundleState,
  BundleSummary,
  DeployedResource,
  ModifiedStatus,
  NonReadyStatus,
  ResourceCounts,
  StatusBase,
  StatusDisplay,
} from './status.ts';

/** A way to choose clusters; criteria are ANDed; no criteria at all choose nothing. */
export interface ClusterCriteria {
  clusterName?: string;
  clusterSelector?: LabelSelector;
  clusterGroup?: string;
  clusterGroupSelector?: LabelSelector;
}

export interface GitTarget extends ClusterCriteria {
  name?: string;
}

export interface GitRepoSpec {
  repo: string;
  /** Default `master`. */
  branch?: string;
  /** Tag or commit; wins over branch. */
  revision?: string;
  targetNamespace?: string;
  clientSecretName?: string;
  helmSecretName?: string;
  helmSecretNameForPaths?: string;
  helmRepoURLRegex?: string;
  /** Base64 PEM. */
  caBundle?: string;
  insecureSkipTLSVerify?: boolean;
  paths?: string[];
  bundles?: { base?: string; options?: string }[];
  targets?: GitTarget[];
  paused?: boolean;
  serviceAccount?: string;
  /** Go duration; absent or 0 means 15s. */
  pollingInterval?: string;
  disablePolling?: boolean;
  forceSyncGeneration?: number;
  imageScanInterval?: string;
  imageScanCommit?: { authorName?: string; authorEmail?: string; messageTemplate?: string };
  keepResources?: boolean;
  deleteNamespace?: boolean;
  correctDrift?: CorrectDrift;
  ociRegistrySecret?: string;
  webhookSecret?: string;
}

export interface GitRepoStatus extends StatusBase {
  observedGeneration?: number;
  updateGeneration?: number;
  commit?: string;
  webhookCommit?: string;
  lastWebhookTime?: string;
  pollingCommit?: string;
  gitJobStatus?: string;
  lastSyncedImageScanTime?: string;
  lastPollingTriggered?: string;
  /** fleet-ts: the spec and commit whose bundles were last written completely, and by which epoch. */
  appliedHash?: string;
}

export interface GitRepo extends KubeObject {
  spec: GitRepoSpec;
  status?: GitRepoStatus;
}

export interface BundleResource {
  name?: string;
  content?: string;
  /** `''` or `base64+gz`. */
  encoding?: string;
}

export interface BundleTarget extends BundleDeploymentOptions, ClusterCriteria {
  name?: string;
  doNotDeploy?: boolean;
}

export interface BundleTargetRestriction extends ClusterCriteria {
  name?: string;
}

export interface BundleRef {
  name?: string;
  selector?: LabelSelector;
  acceptedStates?: BundleState[];
}

export interface Partition extends ClusterCriteria {
  name?: string;
  maxUnavailable?: number | string;
}

export interface RolloutStrategy {
  maxUnavailable?: number | string;
  maxUnavailablePartitions?: number | string;
  autoPartitionSize?: number | string;
  autoPartitionThreshold?: number;
  maxNew?: number;
  partitions?: Partition[];
}

export interface HelmOpOptions {
  helmOpSecretName?: string;
  helmOpInsecureSkipTLSVerify?: boolean;
  helmOpCABundle?: string;
}

export interface BundleSpec extends BundleDeploymentOptions {
  paused?: boolean;
  rolloutStrategy?: RolloutStrategy;
  resources?: BundleResource[];
  targetCustomizationMode?: 'FirstMatch' | 'AllMatches';
  targets?: BundleTarget[];
  targetRestrictions?: BundleTargetRestriction[];
  dependsOn?: BundleRef[];
  contentsId?: string;
  helmOpOptions?: HelmOpOptions;
  valuesHash?: string;
}

export interface PartitionStatus {
  name?: string;
  count?: number;
  maxUnavailable?: number;
  unavailable?: number;
  summary?: BundleSummary;
}

export interface BundleStatus {
  conditions?: Condition[];
  summary?: BundleSummary;
  newlyCreated?: number;
  unavailable?: number;
  unavailablePartitions?: number;
  maxUnavailable?: number;
  maxUnavailablePartitions?: number;
  maxNew?: number;
  partitions?: PartitionStatus[];
  display?: { readyClusters?: string; state?: string };
  ociReference?: string;
  observedGeneration?: number;
  resourcesSha256Sum?: string;
}

export interface Bundle extends KubeObject {
  spec: BundleSpec;
  status?: BundleStatus;
}

export interface BundleDeploymentSpec {
  stagedOptions?: BundleDeploymentOptions;
  stagedDeploymentID?: string;
  options?: BundleDeploymentOptions;
  /** `<manifest id>:<sha256 of options>`; what the agent is to deploy. */
  deploymentID?: string;
  dependsOn?: BundleRef[];
  paused?: boolean;
  correctDrift?: CorrectDrift;
  ociContents?: boolean;
  helmChartOptions?: HelmOpOptions;
  valuesHash?: string;
  downstreamResourcesGeneration?: number;
  offSchedule?: boolean;
  waitingForValues?: boolean;
}

export interface BundleDeploymentStatus {
  conditions?: Condition[];
  appliedDeploymentID?: string;
  /** `namespace/name:revision` of the Helm release. */
  release?: string;
  ready?: boolean;
  nonModified?: boolean;
  nonReadyStatus?: NonReadyStatus[];
  modifiedStatus?: ModifiedStatus[];
  incompleteState?: boolean;
  display?: { deployed?: string; monitored?: string; state?: string };
  syncGeneration?: number;
  resources?: DeployedResource[];
  resourceCounts?: ResourceCounts;
  downstreamResourcesGeneration?: number;
  /** fleet-ts: the agent leadership epoch that wrote this status. */
  agentEpoch?: number;
}

export interface BundleDeployment extends KubeObject {
  spec: BundleDeploymentSpec;
  status?: BundleDeploymentStatus;
}

/** Cluster-scoped and content-addressed. */
export interface Content extends KubeObject {
  /** Base64 of the gzipped JSON manifest. */
  content?: string;
  sha256sum?: string;
  status?: { referenceCount?: number };
}

export interface AgentSchedulingCustomization {
  priorityClass?: { value?: number; preemptionPolicy?: string };
  podDisruptionBudget?: { minAvailable?: string; maxUnavailable?: string };
}

export interface ClusterSpec {
  paused?: boolean;
  clientID?: string;
  kubeConfigSecret?: string;
  kubeConfigSecretNamespace?: string;
  redeployAgentGeneration?: number;
  agentEnvVars?: { name: string; value?: string; valueFrom?: unknown }[];
  agentNamespace?: string;
  privateRepoURL?: string;
  templateValues?: Record<string, unknown>;
  agentTolerations?: Record<string, unknown>[];
  agentAffinity?: Record<string, unknown>;
  agentResources?: Record<string, unknown>;
  hostNetwork?: boolean;
  agentSchedulingCustomization?: AgentSchedulingCustomization;
  agentPullSecrets?: { name: string }[];
}

export interface ClusterStatus {
  conditions?: Condition[];
  namespace?: string;
  summary?: BundleSummary;
  resourceCounts?: ResourceCounts;
  readyGitRepos?: number;
  desiredReadyGitRepos?: number;
  readyHelmOps?: number;
  desiredReadyHelmOps?: number;
  agentEnvVarsHash?: string;
  agentAffinityHash?: string;
  agentResourcesHash?: string;
  agentTolerationsHash?: string;
  agentSchedulingCustomizationHash?: string;
  agentPrivateRepoURL?: string;
  agentHostNetwork?: boolean;
  agentDeployedGeneration?: number;
  agentMigrated?: boolean;
  agentNamespaceMigrated?: boolean;
  cattleNamespaceMigrated?: boolean;
  agentConfigChanged?: boolean;
  apiServerURL?: string;
  apiServerCAHash?: string;
  agentTLSMode?: string;
  garbageCollectionInterval?: string;
  display?: { readyBundles?: string; state?: string };
  agent?: { lastSeen?: string; namespace?: string };
  scheduled?: boolean;
  activeSchedule?: boolean;
}

export interface Cluster extends KubeObject {
  spec: ClusterSpec;
  status?: ClusterStatus;
}

export interface ClusterGroupStatus {
  clusterCount?: number;
  nonReadyClusterCount?: number;
  nonReadyClusters?: string[];
  conditions?: Condition[];
  summary?: BundleSummary;
  display?: { readyClusters?: string; readyBundles?: string; state?: string };
  resourceCounts?: ResourceCounts;
}

export interface ClusterGroup extends KubeObject {
  spec: { selector?: LabelSelector };
  status?: ClusterGroupStatus;
}

export interface ClusterRegistration extends KubeObject {
  spec: { clientID?: string; clientRandom?: string; clusterLabels?: Record<string, string> };
  status?: { clusterName?: string; granted?: boolean };
}

export interface ClusterRegistrationToken extends KubeObject {
  spec: { ttl?: string };
  status?: { expires?: string; secretName?: string };
}

export interface BundleNamespaceMapping extends KubeObject {
  bundleSelector?: LabelSelector;
  namespaceSelector?: LabelSelector;
}

export interface GitRepoRestriction extends KubeObject {
  defaultServiceAccount?: string;
  allowedServiceAccounts?: string[];
  allowedRepoPatterns?: string[];
  defaultClientSecretName?: string;
  allowedClientSecretNames?: string[];
  allowedTargetNamespaces?: string[];
  allowedTargetNamespaceSelector?: LabelSelector;
}

export interface Policy extends KubeObject {
  spec: {
    requireServiceAccount?: boolean;
    allowedServiceAccounts?: string[];
    allowNamespaceCreation?: boolean;
    gitRepo?: { defaultServiceAccount?: string; defaultClientSecretName?: string; allowedClientSecretNames?: string[]; allowedRepoPatterns?: string[] };
    helmOp?: {
      defaultServiceAccount?: string;
      defaultHelmSecretName?: string;
      allowedHelmSecretNames?: string[];
      allowedHelmRepoPatterns?: string[];
      allowedChartPatterns?: string[];
    };
  };
}

export interface HelmOpSpec extends BundleSpec {
  labels?: Record<string, string>;
  pollingInterval?: string;
  helmSecretName?: string;
  insecureSkipTLSVerify?: boolean;
}

export interface HelmOpStatus extends StatusBase {
  observedGeneration?: number;
  lastPollingTriggered?: string;
  version?: string;
}

export interface HelmOp extends KubeObject {
  spec: HelmOpSpec;
  status?: HelmOpStatus;
}

export interface ImageScan extends KubeObject {
  spec: {
    tagName?: string;
    gitrepoName?: string;
    image?: string;
    interval?: string;
    secretRef?: { name?: string };
    suspend?: boolean;
    policy?: { semver?: { range?: string }; alphabetical?: { order?: string } };
  };
  status?: {
    conditions?: Condition[];
    lastScanTime?: string;
    latestImage?: string;
    latestTag?: string;
    latestDigest?: string;
    canonicalImageName?: string;
    observedGeneration?: number;
  };
}

export interface Schedule extends KubeObject {
  spec: { schedule?: string; duration?: string; location?: string; targets?: { clusters?: GitTarget[] } };
  status?: { active?: boolean; nextStartTime?: string; conditions?: Condition[]; matchingClusters?: string[] };
}

export type { StatusDisplay };
