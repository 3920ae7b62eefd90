/**
 * How a Deployment knows its ReplicaSets: which one carries the present template, what revision each
 * stands for, which annotations pass between them. Pure.
 */
import { deepClone, deepEqual } from '#base/json';
import type { Deployment, PodTemplateSpec, ReplicaSet } from '#api/builtin';
import { controllerReference } from '../workload/ownership.ts';
import { deployments } from '#api/builtin';
import { timeMs } from '#embedded/controlloop';
import { templateHash } from '../workload/hash.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';
export const HASH_LABEL = 'pod-template-hash';

/** Annotations that belong to the Deployment alone. */
const NOT_COPIED = new Set(['kubectl.kubernetes.io/last-applied-configuration', REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS, 'deprecated.deployment.rollback.to']);

export const replicasOf = (set: ReplicaSet): number => set.spec?.replicas ?? 1;
export const availableOf = (set: ReplicaSet): number => set.status?.availableReplicas ?? 0;
export const sum = (sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number): number => sets.reduce((total, set) => total + of(set), 0);

export function revisionOf(set: ReplicaSet): number {
  return Number.parseInt(set.metadata.annotations?.[REVISION] ?? '0', 10) || 0;
}

/** The ReplicaSet with the Deployment's present template; the oldest when there are several. */
export function findNewSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const template = withoutHash(deployment.spec?.template);
  return [...sets].sort(byAge).find((set) => deepEqual(withoutHash(set.spec?.template), template));
}

export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const difference = (timeMs(a.metadata.creationTimestamp) ?? 0) - (timeMs(b.metadata.creationTimestamp) ?? 0);
  return difference || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1);
}

function withoutHash(template: PodTemplateSpec | undefined): unknown {
  const { [HASH_LABEL]: _hash, ...labels } = template?.metadata?.labels ?? {};
  const { creationTimestamp: _time, ...metadata } = template?.metadata ?? {};
  return { ...template, metadata: { ...metadata, labels } };
}

/** The revision a new or returning ReplicaSet gets: one more than any other's. */
export function nextRevision(others: readonly ReplicaSet[]): number {
  return Math.max(0, ...others.map(revisionOf)) + 1;
}

/** A ReplicaSet for the present template, with `replicas` pods; its name carries the template's hash. */
export function newSetFor(deployment: Deployment, sizing: { replicas: number; desired: number; max: number; revision: number }): ReplicaSet {
  const template = deepClone(deployment.spec?.template ?? { spec: { containers: [] } });
  const hash = templateHash(deployment.spec?.template, deployment.status?.collisionCount ?? 0);
  const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash };
  const selector = deployment.spec?.selector ?? {};
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name ?? ''}-${hash}`,
      namespace: deployment.metadata.namespace ?? '',
      labels,
      annotations: annotationsFor(deployment, {}, sizing),
      ownerReferences: [controllerReference(deployment, deployments)],
    },
    spec: {
      ...(deployment.spec?.minReadySeconds ? { minReadySeconds: deployment.spec.minReadySeconds } : {}),
      replicas: sizing.replicas,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/** The annotations of the new ReplicaSet: the Deployment's, its revision (with the history of former ones) and its size. */
export function annotationsFor(deployment: Deployment, present: Readonly<Record<string, string>>, sizing: { desired: number; max: number; revision: number }): Record<string, string> {
  const copied = Object.fromEntries(Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !NOT_COPIED.has(key)));
  const former = Number.parseInt(present[REVISION] ?? '0', 10) || 0;
  const next: Record<string, string> = { ...present, ...copied, ...sizeAnnotations(sizing) };
  if (former < sizing.revision) {
    next[REVISION] = String(sizing.revision);
    if (former > 0) next[REVISION_HISTORY] = present[REVISION_HISTORY] ? `${present[REVISION_HISTORY]},${former}` : String(former);
  }
  return next;
}

export function sizeAnnotations({ desired, max }: { desired: number; max: number }): Record<string, string> {
  return { [DESIRED_REPLICAS]: String(desired), [MAX_REPLICAS]: String(max) };
}
