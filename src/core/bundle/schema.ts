/**
 * The shape of fleet.yaml as data: every field Fleet knows, with its type. Reading is as lenient as Go's
 * (field names in any case, numbers and booleans where text is wanted, null as absent), but a field that
 * is not here is an error: a misspelt field silently does nothing in Fleet, which hides mistakes.
 * Source: Fleet docs "fleet.yaml reference" and its CRDs v1alpha1; facts §1.3, §2.1.
 *
 * Zero values ('' 0 false) of fields count as absent, as Go's structs have it; where zero means something
 * (`createNamespace: false`, `maxNew: 0`) the field says so.
 *
 * Absent: meaning (see parse.ts) and validation of names and selectors (see validate.ts).
 */

export type FieldType =
  | { is: 'string' | 'int' | 'bool'; zero?: 'kept' }
  | { is: 'limit' | 'any' }
  | { is: 'map'; of: FieldType }
  | { is: 'list'; of: FieldType }
  | { is: 'object'; fields: Readonly<Record<string, FieldType>> };

const string: FieldType = { is: 'string' };
const int: FieldType = { is: 'int' };
const bool: FieldType = { is: 'bool' };
/** Zero is a value of its own here. */
const intOrZero: FieldType = { is: 'int', zero: 'kept' };
const boolOrFalse: FieldType = { is: 'bool', zero: 'kept' };
const any: FieldType = { is: 'any' };
/** A number or a text such as `25%`. */
const limit: FieldType = { is: 'limit' };
const list = (of: FieldType): FieldType => ({ is: 'list', of });
const map = (of: FieldType): FieldType => ({ is: 'map', of });
const object = (fields: Readonly<Record<string, FieldType>>): FieldType => ({ is: 'object', fields });

const selector = object({
  matchLabels: map(string),
  matchExpressions: list(object({ key: string, operator: string, values: list(string) })),
});

const criteria = { clusterName: string, clusterSelector: selector, clusterGroup: string, clusterGroupSelector: selector };
const keyRef = object({ name: string, namespace: string, key: string });

const helm = object({
  chart: string,
  repo: string,
  version: string,
  releaseName: string,
  valuesFiles: list(string),
  values: map(any),
  templateValues: map(string),
  valuesFrom: list(object({ configMapKeyRef: keyRef, secretKeyRef: keyRef })),
  timeoutSeconds: int,
  waitForJobs: bool,
  atomic: bool,
  force: bool,
  takeOwnership: bool,
  maxHistory: intOrZero,
  disablePreProcess: bool,
  disableDNS: bool,
  skipSchemaValidation: bool,
  disableDependencyUpdate: bool,
});

const comparePatch = object({
  apiVersion: string,
  kind: string,
  namespace: string,
  name: string,
  jsonPointers: list(string),
  operations: list(object({ op: string, path: string, value: string })),
});

const deploymentOptions = {
  defaultNamespace: string,
  namespace: string,
  yaml: object({ overlays: list(string) }),
  kustomize: object({ dir: string }),
  helm,
  serviceAccount: string,
  createNamespace: boolOrFalse,
  forceSyncGeneration: int,
  keepResources: bool,
  deleteNamespace: bool,
  deleteCRDResources: bool,
  diff: object({ comparePatches: list(comparePatch) }),
  ignore: object({ conditions: list(map(string)) }),
  correctDrift: object({ enabled: bool, force: bool, keepFailHistory: bool }),
  namespaceLabels: map(string),
  namespaceAnnotations: map(string),
  allowPodSecurityNamespaceLabels: bool,
  downstreamResources: list(object({ kind: string, name: string })),
  overwrites: list(object({ kind: string, name: string, namespace: string })),
};

const target = object({ ...deploymentOptions, ...criteria, name: string, doNotDeploy: bool });
const plainTarget = object({ ...criteria, name: string });

const rolloutStrategy = object({
  maxUnavailable: limit,
  maxUnavailablePartitions: limit,
  autoPartitionSize: limit,
  autoPartitionThreshold: intOrZero,
  maxNew: intOrZero,
  partitions: list(object({ ...criteria, name: string, maxUnavailable: limit })),
});

const imageScan = object({
  name: string,
  tagName: string,
  gitrepoName: string,
  image: string,
  interval: string,
  suspend: bool,
  secretRef: object({ name: string }),
  policy: object({ semver: object({ range: string }), alphabetical: object({ order: string }) }),
});

export const FLEET_YAML = object({
  ...deploymentOptions,
  name: string,
  labels: map(string),
  annotations: map(string),
  paused: bool,
  rolloutStrategy,
  targetCustomizationMode: string,
  targets: list(target),
  targetCustomizations: list(target),
  overrideTargets: list(plainTarget),
  targetRestrictions: list(plainTarget),
  dependsOn: list(object({ name: string, selector, acceptedStates: list(string) })),
  imageScans: list(imageScan),
});
