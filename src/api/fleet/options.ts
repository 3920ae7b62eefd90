/**
 * BundleDeploymentOptions and what they embed: how one bundle is deployed to one cluster. The same fields
 * stand in fleet.yaml, Bundle.spec, BundleTarget and BundleDeployment. Source: Fleet CRDs v1alpha1, docs
 * "fleet.yaml reference". All names are the wire's.
 */
import type { LabelSelector } from '#apimachinery/labels';

export interface ValuesFrom {
  configMapKeyRef?: KeyRef;
  secretKeyRef?: KeyRef;
}

export interface KeyRef {
  name?: string;
  namespace?: string;
  /** Default `values.yaml`. */
  key?: string;
}

export interface HelmOptions {
  chart?: string;
  repo?: string;
  version?: string;
  releaseName?: string;
  valuesFiles?: string[];
  values?: Record<string, unknown>;
  /** Values as template text, expanded on the management side. */
  templateValues?: Record<string, string>;
  /** Read downstream by the agent; later entries win. */
  valuesFrom?: ValuesFrom[];
  /** > 0: wait that long for readiness; 0: do not wait. */
  timeoutSeconds?: number;
  waitForJobs?: boolean;
  atomic?: boolean;
  force?: boolean;
  takeOwnership?: boolean;
  /** Default 2. */
  maxHistory?: number;
  disablePreProcess?: boolean;
  disableDNS?: boolean;
  skipSchemaValidation?: boolean;
  disableDependencyUpdate?: boolean;
}

export interface KustomizeOptions {
  dir?: string;
}

export interface YAMLOptions {
  /** Names of folders under `overlays/`, applied in this order. */
  overlays?: string[];
}

export interface PatchOperation {
  /** `remove` drops the path before comparing; `ignore` skips the whole object. */
  op?: string;
  path?: string;
  value?: string;
}

export interface ComparePatch {
  apiVersion?: string;
  kind?: string;
  namespace?: string;
  name?: string;
  operations?: PatchOperation[];
  jsonPointers?: string[];
}

export interface DiffOptions {
  comparePatches?: ComparePatch[];
}

export interface IgnoreOptions {
  conditions?: Record<string, string>[];
}

export interface CorrectDrift {
  enabled?: boolean;
  /** Replace instead of patch. */
  force?: boolean;
  keepFailHistory?: boolean;
}

export interface DownstreamResource {
  kind?: 'Secret' | 'ConfigMap';
  name?: string;
}

export interface OverwrittenResource {
  kind: string;
  name: string;
  namespace?: string;
}

export interface BundleDeploymentOptions {
  /** Used where a manifest names no namespace. */
  defaultNamespace?: string;
  /** Forces every object into this namespace; cluster-scoped objects are an error. */
  namespace?: string;
  kustomize?: KustomizeOptions;
  helm?: HelmOptions;
  serviceAccount?: string;
  forceSyncGeneration?: number;
  yaml?: YAMLOptions;
  diff?: DiffOptions;
  keepResources?: boolean;
  deleteNamespace?: boolean;
  deleteCRDResources?: boolean;
  createNamespace?: boolean;
  ignore?: IgnoreOptions;
  correctDrift?: CorrectDrift;
  namespaceLabels?: Record<string, string>;
  namespaceAnnotations?: Record<string, string>;
  downstreamResources?: DownstreamResource[];
  overwrites?: OverwrittenResource[];
  allowedTargetNamespaceSelector?: LabelSelector;
}
