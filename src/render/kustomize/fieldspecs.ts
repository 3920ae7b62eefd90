/**
 * Where kustomize's transformers write: paths by kind, as in its documented default configuration. A path is
 * slash separated; lists on the way are entered, `create` makes what is missing.
 */
import { isRecord } from '#base/json';
import { gvkOf } from './resource.ts';
import type { KubeManifest } from './types.ts';

export interface FieldSpec {
  path: string;
  group?: string;
  version?: string;
  kind?: string;
  create?: boolean;
}

export function matchesSpec(object: KubeManifest, spec: FieldSpec): boolean {
  const { group, version, kind } = gvkOf(object);
  return (spec.group === undefined || spec.group === group) && (spec.version === undefined || spec.version === version) && (spec.kind === undefined || spec.kind === kind);
}

/** Calls `change` with the holder and key of every place the path leads to. */
export function eachField(object: KubeManifest, spec: FieldSpec, change: (holder: Record<string, unknown>, key: string) => void): void {
  visit({ value: object, path: splitPath(spec.path), create: spec.create ?? false, change });
}

/** Segments of a path; `\/` is a slash inside one. */
export function splitPath(path: string): string[] {
  return path.split(/(?<!\\)\//).map((segment) => segment.replaceAll('\\/', '/').replace(/\[\]$/, ''));
}

interface Visit {
  value: unknown;
  path: readonly string[];
  create: boolean;
  change: (holder: Record<string, unknown>, key: string) => void;
}

function visit({ value, path, create, change }: Visit): void {
  if (Array.isArray(value)) {
    for (const item of value) visit({ value: item, path, create, change });
    return;
  }
  if (!isRecord(value)) return;
  const [key = '', ...rest] = path;
  if (rest.length === 0) {
    if (create || value[key] !== undefined) change(value, key);
    return;
  }
  if (value[key] === undefined || value[key] === null) {
    if (!create) return;
    value[key] = {};
  }
  visit({ value: value[key], path: rest, create, change });
}

const WORKLOADS = ['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet'];

const AFFINITY_PATHS = [
  'affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels',
  'affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels',
  'affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels',
  'affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels',
  'topologySpreadConstraints/labelSelector/matchLabels',
];

export const METADATA_LABELS: readonly FieldSpec[] = [{ path: 'metadata/labels', create: true }];

export const TEMPLATE_LABELS: readonly FieldSpec[] = [
  { path: 'spec/template/metadata/labels', create: true, version: 'v1', kind: 'ReplicationController' },
  ...WORKLOADS.map((kind) => ({ path: 'spec/template/metadata/labels', create: true, kind })),
  { path: 'spec/volumeClaimTemplates[]/metadata/labels', create: true, group: 'apps', kind: 'StatefulSet' },
  { path: 'spec/template/metadata/labels', create: true, group: 'batch', kind: 'Job' },
  { path: 'spec/jobTemplate/metadata/labels', create: true, group: 'batch', kind: 'CronJob' },
  { path: 'spec/jobTemplate/spec/template/metadata/labels', create: true, group: 'batch', kind: 'CronJob' },
];

export const COMMON_LABELS: readonly FieldSpec[] = [
  ...METADATA_LABELS,
  { path: 'spec/selector', create: true, version: 'v1', kind: 'Service' },
  { path: 'spec/selector', create: true, version: 'v1', kind: 'ReplicationController' },
  ...WORKLOADS.map((kind) => ({ path: 'spec/selector/matchLabels', create: true, kind })),
  ...TEMPLATE_LABELS,
  ...['Deployment', 'StatefulSet'].flatMap((kind) => AFFINITY_PATHS.map((path) => ({ path: `spec/template/spec/${path}`, group: 'apps', kind }))),
  { path: 'spec/selector/matchLabels', group: 'batch', kind: 'Job' },
  { path: 'spec/jobTemplate/spec/selector/matchLabels', group: 'batch', kind: 'CronJob' },
  { path: 'spec/selector/matchLabels', group: 'policy', kind: 'PodDisruptionBudget' },
  { path: 'spec/podSelector/matchLabels', group: 'networking.k8s.io', kind: 'NetworkPolicy' },
  { path: 'spec/ingress/from/podSelector/matchLabels', group: 'networking.k8s.io', kind: 'NetworkPolicy' },
  { path: 'spec/egress/to/podSelector/matchLabels', group: 'networking.k8s.io', kind: 'NetworkPolicy' },
];

export const COMMON_ANNOTATIONS: readonly FieldSpec[] = [
  { path: 'metadata/annotations', create: true },
  { path: 'spec/template/metadata/annotations', create: true, version: 'v1', kind: 'ReplicationController' },
  ...WORKLOADS.map((kind) => ({ path: 'spec/template/metadata/annotations', create: true, kind })),
  { path: 'spec/template/metadata/annotations', create: true, group: 'batch', kind: 'Job' },
  { path: 'spec/jobTemplate/metadata/annotations', create: true, group: 'batch', kind: 'CronJob' },
  { path: 'spec/jobTemplate/spec/template/metadata/annotations', create: true, group: 'batch', kind: 'CronJob' },
];

export const REPLICAS: readonly FieldSpec[] = ['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map((kind) => ({ path: 'spec/replicas', create: true, kind }));

/** Paths to the pod specs of the kinds that have one. */
export const POD_SPECS: readonly FieldSpec[] = [
  { path: 'spec', kind: 'Pod' },
  ...['Deployment', 'ReplicaSet', 'ReplicationController', 'DaemonSet', 'StatefulSet', 'Job'].map((kind) => ({ path: 'spec/template/spec', kind })),
  { path: 'spec/jobTemplate/spec/template/spec', kind: 'CronJob' },
];

/** Default places of `$(VAR)` outside pod specs. */
export const VAR_FIELDS: readonly FieldSpec[] = [
  { path: 'spec/rules/host', kind: 'Ingress' },
  { path: 'spec/tls/hosts', kind: 'Ingress' },
  { path: 'spec/tls/secretName', kind: 'Ingress' },
  { path: 'metadata/labels' },
  { path: 'metadata/annotations' },
];
