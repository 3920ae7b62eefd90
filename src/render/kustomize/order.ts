/** The order of the result: kustomize's legacy order, the order of appearance, or one given by kind. */
import { isRecord } from '#base/json';
import type { Kustomization } from './kustomization.ts';
import { gvkOf, identityOf, type Resource } from './resource.ts';
import { type BuildOrder, KustomizeError, type KubeManifest } from './types.ts';

const FIRST = [
  'Namespace', 'ResourceQuota', 'StorageClass', 'CustomResourceDefinition', 'ServiceAccount', 'PodSecurityPolicy', 'Role', 'ClusterRole',
  'RoleBinding', 'ClusterRoleBinding', 'ConfigMap', 'Secret', 'Endpoints', 'Service', 'LimitRange', 'PriorityClass', 'PersistentVolume',
  'PersistentVolumeClaim', 'Deployment', 'StatefulSet', 'CronJob', 'PodDisruptionBudget',
];
const LAST = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

/** `fallback` counts when the kustomization does not say: kubectl sorts (`legacy`), the library alone does not (`fifo`). */
export function sortResources(resources: readonly Resource[], from: Kustomization, fallback: BuildOrder): Resource[] {
  const options = isRecord(from.raw['sortOptions']) ? from.raw['sortOptions'] : {};
  const order = options['order'] ?? (isRecord(from.raw['sortOptions']) ? 'legacy' : fallback);
  if (order === 'fifo') return [...resources];
  if (order !== 'legacy') throw new KustomizeError(`the field 'sortOptions.order' must be one of [fifo, legacy]`, from.file);
  const legacy = isRecord(options['legacySortOptions']) ? options['legacySortOptions'] : undefined;
  const first = legacy ? listOf(legacy['orderFirst']) : FIRST;
  const last = legacy ? listOf(legacy['orderLast']) : LAST;
  const rank = new Map([...first.map((kind, index) => [kind, index - first.length] as const), ...last.map((kind, index) => [kind, index + 1] as const)]);
  return [...resources].sort((a, b) => compare(a.object, b.object, rank));
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function compare(a: KubeManifest, b: KubeManifest, rank: ReadonlyMap<string, number>): number {
  const kinds = (rank.get(gvkOf(a).kind) ?? 0) - (rank.get(gvkOf(b).kind) ?? 0);
  if (kinds !== 0) return kinds;
  return order(gvkText(a), gvkText(b)) || order(idText(a), idText(b));
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function gvkText(object: KubeManifest): string {
  const { group, version, kind } = gvkOf(object);
  return `${group || '~G'}_${version || '~V'}_${kind || '~K'}`;
}

function idText(object: KubeManifest): string {
  const { name, namespace } = identityOf(object);
  return `${namespace || '~X'}|${name || '~N'}`;
}
