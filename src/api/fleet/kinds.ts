/** How the kinds of `fleet.cattle.io/v1alpha1` are addressed, and Fleet's well-known names. */
import { defineResource } from '#apimachinery/resource';
import type {
  Bundle,
  BundleDeployment,
  BundleNamespaceMapping,
  Cluster,
  ClusterGroup,
  ClusterRegistration,
  ClusterRegistrationToken,
  Content,
  GitRepo,
  GitRepoRestriction,
  HelmOp,
  ImageScan,
  Policy,
  Schedule,
} from './types.ts';

export const FLEET_GROUP = 'fleet.cattle.io';
export const FLEET_VERSION = 'v1alpha1';
export const FLEET_API_VERSION = `${FLEET_GROUP}/${FLEET_VERSION}`;

export const gitRepos = defineResource<GitRepo>(FLEET_GROUP, FLEET_VERSION, 'GitRepo', 'gitrepos');
export const bundles = defineResource<Bundle>(FLEET_GROUP, FLEET_VERSION, 'Bundle', 'bundles');
export const bundleDeployments = defineResource<BundleDeployment>(FLEET_GROUP, FLEET_VERSION, 'BundleDeployment', 'bundledeployments');
export const contents = defineResource<Content>(FLEET_GROUP, FLEET_VERSION, 'Content', 'contents', 'Cluster');
export const clusters = defineResource<Cluster>(FLEET_GROUP, FLEET_VERSION, 'Cluster', 'clusters');
export const clusterGroups = defineResource<ClusterGroup>(FLEET_GROUP, FLEET_VERSION, 'ClusterGroup', 'clustergroups');
export const clusterRegistrations = defineResource<ClusterRegistration>(FLEET_GROUP, FLEET_VERSION, 'ClusterRegistration', 'clusterregistrations');
export const clusterRegistrationTokens = defineResource<ClusterRegistrationToken>(
  FLEET_GROUP,
  FLEET_VERSION,
  'ClusterRegistrationToken',
  'clusterregistrationtokens',
);
export const bundleNamespaceMappings = defineResource<BundleNamespaceMapping>(FLEET_GROUP, FLEET_VERSION, 'BundleNamespaceMapping', 'bundlenamespacemappings');
export const gitRepoRestrictions = defineResource<GitRepoRestriction>(FLEET_GROUP, FLEET_VERSION, 'GitRepoRestriction', 'gitreporestrictions');
export const policies = defineResource<Policy>(FLEET_GROUP, FLEET_VERSION, 'Policy', 'policies');
export const helmOps = defineResource<HelmOp>(FLEET_GROUP, FLEET_VERSION, 'HelmOp', 'helmops');
export const imageScans = defineResource<ImageScan>(FLEET_GROUP, FLEET_VERSION, 'ImageScan', 'imagescans');
export const schedules = defineResource<Schedule>(FLEET_GROUP, FLEET_VERSION, 'Schedule', 'schedules');

/** Labels and annotations under `fleet.cattle.io/` (facts: Fleet source, label constants). */
export const label = {
  commit: 'fleet.cattle.io/commit',
  repoName: 'fleet.cattle.io/repo-name',
  bundleName: 'fleet.cattle.io/bundle-name',
  bundleNamespace: 'fleet.cattle.io/bundle-namespace',
  createdByUserID: 'fleet.cattle.io/created-by-user-id',
  helmOpName: 'fleet.cattle.io/fleet-helm-name',
  cluster: 'fleet.cattle.io/cluster',
  clusterNamespace: 'fleet.cattle.io/cluster-namespace',
  managed: 'fleet.cattle.io/managed',
  clusterManagement: 'fleet.cattle.io/cluster-management',
  registrationToken: 'fleet.cattle.io/registration-token',
  createdByAgentPod: 'fleet.cattle.io/created-by-agent-pod',
  contentName: 'fleet.cattle.io/content-name',
  bundleDeployment: 'fleet.cattle.io/bundledeployment',
  internalSecret: 'fleet.cattle.io/bundle-internal-secret',
  nonManagedAgent: 'fleet.cattle.io/non-managed-agent',
  agent: 'fleet.cattle.io/agent',
  shardRef: 'fleet.cattle.io/shard-ref',
  clusterDisplayName: 'management.cattle.io/cluster-display-name',
} as const;

export const annotation = {
  cluster: 'fleet.cattle.io/cluster',
  clusterNamespace: 'fleet.cattle.io/cluster-namespace',
  clusterRegistration: 'fleet.cattle.io/cluster-registration',
  clusterRegistrationNamespace: 'fleet.cattle.io/cluster-registration-namespace',
  clientSecretHash: 'fleet.cattle.io/client-secret-hash',
  version: 'fleet.cattle.io/version',
  bundleID: 'fleet.cattle.io/bundle-id',
  commit: 'fleet.cattle.io/commit',
  agentNamespace: 'fleet.cattle.io/agent-namespace',
  serviceAccount: 'fleet.cattle.io/service-account',
  keepResources: 'fleet.cattle.io/keep-resources',
  /** fleet-ts: the leadership epoch under which an object was last written. */
  epoch: 'fleet.cattle.io/epoch',
} as const;

export const finalizer = {
  gitRepo: 'fleet.cattle.io/gitrepo-finalizer',
  bundle: 'fleet.cattle.io/bundle-finalizer',
  bundleDeployment: 'fleet.cattle.io/bundle-deployment-finalizer',
  cluster: 'fleet.cattle.io/cluster-finalizer',
  helmOp: 'fleet.cattle.io/helmop-finalizer',
  schedule: 'fleet.cattle.io/schedule-finalizer',
} as const;

export const secretType = {
  bundleValues: 'fleet.cattle.io/bundle-values/v1alpha1',
  bundleDeploymentValues: 'fleet.cattle.io/bundle-deployment/v1alpha1',
  clusterRegistrationValues: 'fleet.cattle.io/cluster-registration-values',
  agentCredential: 'fleet.cattle.io/agent-credential',
} as const;

/** Namespaces with a meaning (facts: Fleet docs, "Namespaces"). */
export const namespace = {
  system: 'cattle-fleet-system',
  localAgent: 'cattle-fleet-local-system',
  clustersSystem: 'cattle-fleet-clusters-system',
  local: 'fleet-local',
  default: 'fleet-default',
} as const;
