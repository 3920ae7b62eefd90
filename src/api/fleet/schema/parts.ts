/** Schemas of the shapes that several kinds embed; the counterpart of options.ts and status.ts. */
import { any, bool, conditions, free, int, int64, intOrString, labelSelector, list, map, nullable, object, oneOf, type SchemaNode, string, stringMap, strings } from './dsl.ts';

const keyRef = nullable(object({ name: string, namespace: string, key: string }));

const helm = nullable(
  object({
    chart: string,
    repo: string,
    version: string,
    releaseName: { type: 'string', maxLength: 53, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$' },
    valuesFiles: strings,
    values: nullable(free),
    templateValues: stringMap,
    valuesFrom: list(object({ configMapKeyRef: keyRef, secretKeyRef: keyRef })),
    timeoutSeconds: int,
    waitForJobs: bool,
    atomic: bool,
    force: bool,
    takeOwnership: bool,
    maxHistory: int,
    disablePreProcess: bool,
    disableDNS: bool,
    skipSchemaValidation: bool,
    disableDependencyUpdate: bool,
  }),
);

const comparePatch = object({
  apiVersion: string,
  kind: string,
  namespace: string,
  name: string,
  operations: list(object({ op: string, path: string, value: string })),
  jsonPointers: strings,
});

export const correctDrift = nullable(object({ enabled: bool, force: bool, keepFailHistory: bool }));

/** BundleDeploymentOptions, embedded in several kinds. */
export const deploymentOptions: Record<string, SchemaNode> = {
  defaultNamespace: nullable(string),
  namespace: nullable(string),
  kustomize: nullable(object({ dir: string })),
  helm,
  serviceAccount: nullable(string),
  forceSyncGeneration: int64,
  yaml: nullable(object({ overlays: strings })),
  diff: nullable(object({ comparePatches: nullable(list(comparePatch)) })),
  keepResources: bool,
  deleteNamespace: bool,
  deleteCRDResources: bool,
  createNamespace: nullable(bool),
  ignore: nullable(object({ conditions: nullable(list(map(string))) })),
  correctDrift,
  namespaceLabels: nullable(stringMap),
  namespaceAnnotations: nullable(stringMap),
  downstreamResources: list(object({ kind: oneOf('Secret', 'ConfigMap'), name: string })),
  overwrites: list(object({ kind: string, name: string, namespace: string })),
  allowedTargetNamespaceSelector: labelSelector,
};

export const clusterCriteria: Record<string, SchemaNode> = {
  clusterName: string,
  clusterSelector: labelSelector,
  clusterGroup: string,
  clusterGroupSelector: labelSelector,
};

const partition = object({ name: string, maxUnavailable: nullable(intOrString), ...clusterCriteria });

export const dependsOn = nullable(list(object({ name: string, selector: labelSelector, acceptedStates: strings })));

const helmOpOptions = nullable(object({ helmOpSecretName: string, helmOpInsecureSkipTLSVerify: bool, helmOpCABundle: string }));

/** BundleSpec, which HelmOpSpec embeds too. */
export const bundleSpec: Record<string, SchemaNode> = {
  ...deploymentOptions,
  paused: bool,
  rolloutStrategy: nullable(
    object({
      maxUnavailable: nullable(intOrString),
      maxUnavailablePartitions: nullable(intOrString),
      autoPartitionSize: nullable(intOrString),
      autoPartitionThreshold: nullable(int),
      maxNew: nullable(int),
      partitions: nullable(list(partition)),
    }),
  ),
  resources: nullable(list(object({ name: string, content: string, encoding: string }))),
  targetCustomizationMode: oneOf('FirstMatch', 'AllMatches'),
  targets: nullable(list(object({ name: string, doNotDeploy: bool, ...clusterCriteria, ...deploymentOptions }))),
  targetRestrictions: nullable(list(object({ name: string, ...clusterCriteria }))),
  dependsOn,
  contentsId: string,
  helmOpOptions,
  valuesHash: string,
};

export { helmOpOptions };

const objectSummary = object({ state: string, error: bool, transitioning: bool, message: strings });

export const nonReadyStatus = nullable(
  list(object({ uid: string, kind: string, apiVersion: string, namespace: string, name: string, summary: objectSummary })),
);

export const modifiedStatus = nullable(
  list(object({ kind: string, apiVersion: string, namespace: string, name: string, missing: bool, exist: bool, delete: bool, patch: string })),
);

export const summary = object({
  notReady: int,
  waitApplied: int,
  errApplied: int,
  outOfSync: int,
  modified: int,
  ready: int,
  pending: int,
  desiredReady: int,
  nonReadyResources: nullable(list(object({ name: string, bundleState: string, message: string, modifiedStatus, nonReadyStatus }))),
});

export const resourceCounts = object({
  ready: int,
  desiredReady: int,
  waitApplied: int,
  modified: int,
  orphaned: int,
  missing: int,
  unknown: int,
  notReady: int,
});

/** StatusBase of GitRepo and HelmOp. */
export const statusBase: Record<string, SchemaNode> = {
  readyClusters: int,
  desiredReadyClusters: int,
  summary,
  display: object({ readyBundleDeployments: string, state: string, message: string, error: bool }),
  conditions,
  resources: list(
    object({
      apiVersion: string,
      kind: string,
      type: string,
      id: string,
      namespace: string,
      name: string,
      state: string,
      error: bool,
      transitioning: bool,
      message: string,
      incompleteState: bool,
      perClusterState: any,
    }),
  ),
  resourceCounts,
  perClusterResourceCounts: map(resourceCounts),
};
