/** The schema, columns and subresources of every kind; the source of charts/fleet-crd (tools/gen-crds.ts). */
import { any, bool, conditions, dateTime, duration, free, int, int64, labelSelector, list, nullable, object, type SchemaNode, string, stringMap, strings } from './dsl.ts';
import {
  bundleSpec,
  clusterCriteria,
  correctDrift,
  dependsOn,
  deploymentOptions,
  helmOpOptions,
  modifiedStatus,
  nonReadyStatus,
  resourceCounts,
  statusBase,
  summary,
} from './parts.ts';

/** A printer column: name and JSON path; `kubectl get` shows them in this order. */
export type Column = readonly [name: string, jsonPath: string, type?: 'string' | 'date' | 'boolean'];

export interface KindSchema {
  columns: readonly Column[];
  shortNames?: readonly string[];
  hasStatus: boolean;
  /** Top-level fields besides apiVersion, kind and metadata. */
  fields: Record<string, SchemaNode>;
}

const readyMessage: Column = ['Status', '.status.conditions[?(@.type=="Ready")].message'];
const readyBundleDeployments: Column = ['BundleDeployments-Ready', '.status.display.readyBundleDeployments'];
const gitTargets = list(object({ name: string, ...clusterCriteria }));

const gitRepo: KindSchema = {
  columns: [['Repo', '.spec.repo'], ['Commit', '.status.commit'], readyBundleDeployments, readyMessage],
  hasStatus: true,
  fields: {
    spec: object(
      {
        repo: { type: 'string', minLength: 1 },
        branch: string,
        revision: string,
        targetNamespace: string,
        clientSecretName: nullable(string),
        helmSecretName: string,
        helmSecretNameForPaths: string,
        helmRepoURLRegex: string,
        caBundle: nullable({ type: 'string', format: 'byte' }),
        insecureSkipTLSVerify: bool,
        paths: nullable(strings),
        bundles: nullable(list(object({ base: string, options: string }))),
        targets: nullable(gitTargets),
        paused: bool,
        serviceAccount: string,
        pollingInterval: nullable(duration),
        disablePolling: bool,
        forceSyncGeneration: int64,
        imageScanInterval: nullable(duration),
        imageScanCommit: object({ authorName: string, authorEmail: string, messageTemplate: string }),
        keepResources: bool,
        deleteNamespace: bool,
        correctDrift,
        ociRegistrySecret: string,
        webhookSecret: string,
      },
      'repo',
    ),
    status: object({
      ...statusBase,
      observedGeneration: int64,
      updateGeneration: int64,
      commit: string,
      webhookCommit: string,
      lastWebhookTime: nullable(dateTime),
      pollingCommit: string,
      gitJobStatus: string,
      lastSyncedImageScanTime: nullable(dateTime),
      lastPollingTriggered: nullable(dateTime),
      appliedHash: string,
    }),
  },
};

const bundle: KindSchema = {
  columns: [['BundleDeployments-Ready', '.status.display.readyClusters'], readyMessage],
  hasStatus: true,
  fields: {
    spec: object(bundleSpec),
    status: object({
      conditions,
      summary,
      newlyCreated: int,
      unavailable: int,
      unavailablePartitions: int,
      maxUnavailable: int,
      maxUnavailablePartitions: int,
      maxNew: int,
      partitions: nullable(list(object({ name: string, count: int, maxUnavailable: int, unavailable: int, summary }))),
      display: object({ readyClusters: string, state: string }),
      ociReference: string,
      observedGeneration: int64,
      resourcesSha256Sum: string,
    }),
  },
};

const bundleDeployment: KindSchema = {
  columns: [['Deployed', '.status.display.deployed'], ['Monitored', '.status.display.monitored'], readyMessage],
  hasStatus: true,
  fields: {
    spec: object({
      stagedOptions: object(deploymentOptions),
      stagedDeploymentID: string,
      options: object(deploymentOptions),
      deploymentID: string,
      dependsOn,
      paused: bool,
      correctDrift,
      ociContents: bool,
      helmChartOptions: helmOpOptions,
      valuesHash: string,
      downstreamResourcesGeneration: int64,
      offSchedule: bool,
      waitingForValues: bool,
    }),
    status: object({
      conditions,
      appliedDeploymentID: string,
      release: string,
      ready: bool,
      nonModified: bool,
      nonReadyStatus,
      modifiedStatus,
      incompleteState: bool,
      display: object({ deployed: string, monitored: string, state: string }),
      syncGeneration: nullable(int64),
      resources: nullable(list(object({ kind: string, apiVersion: string, namespace: string, name: string, createdAt: nullable(dateTime) }))),
      resourceCounts,
      downstreamResourcesGeneration: int64,
      agentEpoch: int64,
    }),
  },
};

const content: KindSchema = {
  columns: [],
  hasStatus: true,
  fields: { content: { type: 'string', format: 'byte' }, sha256sum: string, status: object({ referenceCount: int }) },
};

const cluster: KindSchema = {
  columns: [['Bundles-Ready', '.status.display.readyBundles'], ['Last-Seen', '.status.agent.lastSeen', 'date'], readyMessage],
  hasStatus: true,
  fields: {
    spec: object({
      paused: bool,
      clientID: string,
      kubeConfigSecret: string,
      kubeConfigSecretNamespace: string,
      redeployAgentGeneration: int64,
      agentEnvVars: nullable(list(object({ name: string, value: string, valueFrom: any }, 'name'))),
      agentNamespace: string,
      privateRepoURL: string,
      templateValues: nullable(free),
      agentTolerations: nullable(list(free)),
      agentAffinity: nullable(free),
      agentResources: nullable(free),
      hostNetwork: nullable(bool),
      agentSchedulingCustomization: nullable(
        object({
          priorityClass: nullable(object({ value: int, preemptionPolicy: string })),
          podDisruptionBudget: nullable(object({ minAvailable: string, maxUnavailable: string })),
        }),
      ),
      agentPullSecrets: nullable(list(object({ name: string }))),
    }),
    status: object({
      conditions,
      namespace: string,
      summary,
      resourceCounts,
      readyGitRepos: int,
      desiredReadyGitRepos: int,
      readyHelmOps: int,
      desiredReadyHelmOps: int,
      agentEnvVarsHash: string,
      agentAffinityHash: string,
      agentResourcesHash: string,
      agentTolerationsHash: string,
      agentSchedulingCustomizationHash: string,
      agentPrivateRepoURL: string,
      agentHostNetwork: bool,
      agentDeployedGeneration: nullable(int64),
      agentMigrated: bool,
      agentNamespaceMigrated: bool,
      cattleNamespaceMigrated: bool,
      agentConfigChanged: bool,
      apiServerURL: string,
      apiServerCAHash: string,
      agentTLSMode: string,
      garbageCollectionInterval: nullable(string),
      display: object({ readyBundles: string, state: string }),
      agent: object({ lastSeen: nullable(dateTime), namespace: string }),
      scheduled: bool,
      activeSchedule: bool,
    }),
  },
};

const clusterGroup: KindSchema = {
  columns: [['Clusters-Ready', '.status.display.readyClusters'], ['Bundles-Ready', '.status.display.readyBundles'], readyMessage],
  hasStatus: true,
  fields: {
    spec: object({ selector: labelSelector }),
    status: object({
      clusterCount: int,
      nonReadyClusterCount: int,
      nonReadyClusters: nullable(strings),
      conditions,
      summary,
      display: object({ readyClusters: string, readyBundles: string, state: string }),
      resourceCounts,
    }),
  },
};

const policyRules = { defaultServiceAccount: string, allowedServiceAccounts: strings };

const others: Record<string, KindSchema> = {
  ClusterRegistration: {
    columns: [['Cluster-Name', '.status.clusterName'], ['Labels', '.spec.clusterLabels']],
    hasStatus: true,
    fields: { spec: object({ clientID: string, clientRandom: string, clusterLabels: nullable(stringMap) }), status: object({ clusterName: string, granted: bool }) },
  },
  ClusterRegistrationToken: {
    columns: [['Secret-Name', '.status.secretName']],
    hasStatus: true,
    fields: { spec: object({ ttl: nullable(duration) }), status: object({ expires: nullable(dateTime), secretName: string }) },
  },
  BundleNamespaceMapping: { columns: [], hasStatus: false, fields: { bundleSelector: labelSelector, namespaceSelector: labelSelector } },
  GitRepoRestriction: {
    columns: [['Default-ServiceAccount', '.defaultServiceAccount'], ['Allowed-ServiceAccounts', '.allowedServiceAccounts']],
    hasStatus: false,
    fields: {
      ...policyRules,
      allowedRepoPatterns: strings,
      defaultClientSecretName: string,
      allowedClientSecretNames: strings,
      allowedTargetNamespaces: strings,
      allowedTargetNamespaceSelector: labelSelector,
    },
  },
  Policy: {
    columns: [],
    hasStatus: false,
    fields: {
      spec: object({
        requireServiceAccount: bool,
        allowedServiceAccounts: strings,
        allowNamespaceCreation: bool,
        gitRepo: object({ defaultServiceAccount: string, defaultClientSecretName: string, allowedClientSecretNames: strings, allowedRepoPatterns: strings }),
        helmOp: object({
          defaultServiceAccount: string,
          defaultHelmSecretName: string,
          allowedHelmSecretNames: strings,
          allowedHelmRepoPatterns: strings,
          allowedChartPatterns: strings,
        }),
      }),
    },
  },
  HelmOp: {
    columns: [['Repo', '.spec.helm.repo'], ['Chart', '.spec.helm.chart'], ['Version', '.status.version'], readyBundleDeployments, readyMessage],
    hasStatus: true,
    fields: {
      spec: object({ ...bundleSpec, labels: stringMap, pollingInterval: nullable(duration), helmSecretName: string, insecureSkipTLSVerify: bool }),
      status: object({ ...statusBase, observedGeneration: int64, lastPollingTriggered: nullable(dateTime), version: string }),
    },
  },
  ImageScan: {
    columns: [['Repository', '.spec.image'], ['Latest', '.status.latestTag']],
    hasStatus: true,
    fields: {
      spec: object({
        tagName: string,
        gitrepoName: string,
        image: string,
        interval: nullable(duration),
        secretRef: nullable(object({ name: string })),
        suspend: bool,
        policy: object({ semver: nullable(object({ range: string })), alphabetical: nullable(object({ order: string })) }),
      }),
      status: object({
        conditions,
        lastScanTime: nullable(dateTime),
        latestImage: string,
        latestTag: string,
        latestDigest: string,
        canonicalImageName: string,
        observedGeneration: int64,
      }),
    },
  },
  Schedule: {
    columns: [['Schedule', '.spec.schedule'], ['Duration', '.spec.duration'], ['Active', '.status.active', 'boolean'], ['NextStart', '.status.nextStartTime']],
    hasStatus: true,
    fields: {
      spec: object({ schedule: string, duration, location: string, targets: object({ clusters: gitTargets }) }),
      status: object({ active: bool, nextStartTime: nullable(dateTime), conditions, matchingClusters: nullable(strings) }),
    },
  },
};

/** Every kind by name. */
export const kindSchemas: Readonly<Record<string, KindSchema>> = {
  GitRepo: gitRepo,
  Bundle: bundle,
  BundleDeployment: bundleDeployment,
  Content: content,
  Cluster: cluster,
  ClusterGroup: clusterGroup,
  ...others,
};

