/**
 * What a StatefulSet does next. Pure. Rule: "StatefulSets": pods have ordinals and are made in order, each
 * after its predecessor is ready; removed in reverse; updated from the highest ordinal down to the
 * partition. With podManagementPolicy Parallel nobody waits at creation and removal.
 */
import { deepClone } from '#base/json';
import type { Pod, StatefulSet, StatefulSetStatus } from '#api/builtin';
import { statefulSets } from '#api/builtin';
import { isActive, isAvailable, isReady, isTerminated, untilAvailableMs } from '#embedded/controlloop';
import { podFromTemplate } from '../workload/pods.ts';

export const REVISION_LABEL = 'controller-revision-hash';
const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
const INDEX_LABEL = 'apps.kubernetes.io/pod-index';

export interface Revisions {
  /** Name of the revision that pods below the partition have. */
  current: string;
  /** Name of the revision of the present template. */
  update: string;
}

export interface StatefulSetPlan {
  create: { ordinal: number; revision: string }[];
  remove: Pod[];
}

export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const name = pod.metadata.name ?? '';
  const text = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function range(set: StatefulSet): { start: number; end: number } {
  const start = set.spec?.ordinals?.start ?? 0;
  return { start, end: start + (set.spec?.replicas ?? 1) };
}

export function planStatefulSet(set: StatefulSet, owned: readonly Pod[], revisions: Revisions, nowMs: number): StatefulSetPlan {
  const nothing: StatefulSetPlan = { create: [], remove: [] };
  if (set.metadata.deletionTimestamp) return nothing;
  const { start, end } = range(set);
  const byOrdinal = new Map(owned.map((pod) => [ordinalOf(set, pod), pod]));
  const ordered = set.spec?.podManagementPolicy !== 'Parallel';
  const healthy = (pod: Pod) => isActive(pod) && isAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs);
  const plan: StatefulSetPlan = { create: [], remove: [] };
  for (let ordinal = start; ordinal < end; ordinal++) {
    const pod = byOrdinal.get(ordinal);
    if (!pod) plan.create.push({ ordinal, revision: revisionFor(set, ordinal, revisions) });
    else if (isTerminated(pod) && !pod.metadata.deletionTimestamp) plan.remove.push(pod);
    else if (healthy(pod)) continue;
    if (ordered) return plan;
  }
  const condemned = owned.filter((pod) => !inRange(set, pod)).sort((a, b) => (ordinalOf(set, b) ?? 0) - (ordinalOf(set, a) ?? 0));
  for (const pod of condemned) {
    if (!pod.metadata.deletionTimestamp) plan.remove.push(pod);
    if (ordered) return plan;
  }
  if (plan.create.length + plan.remove.length > 0) return plan;
  return rollingUpdate(set, { byOrdinal, revisions, healthy });
}

function inRange(set: StatefulSet, pod: Pod): boolean {
  const { start, end } = range(set);
  const ordinal = ordinalOf(set, pod);
  return ordinal !== undefined && ordinal >= start && ordinal < end;
}

/** New pods below the partition keep the current revision; so do those that a running update has not reached. */
function revisionFor(set: StatefulSet, ordinal: number, { current, update }: Revisions): string {
  const { start } = range(set);
  if (set.spec?.updateStrategy?.type === 'OnDelete') return update;
  const partition = set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  const reached = partition === 0 ? ordinal >= start + (set.status?.currentReplicas ?? 0) : ordinal >= start + partition;
  return reached ? update : current;
}

function rollingUpdate(set: StatefulSet, { byOrdinal, revisions, healthy }: { byOrdinal: ReadonlyMap<number | undefined, Pod>; revisions: Revisions; healthy: (pod: Pod) => boolean }): StatefulSetPlan {
  if (set.spec?.updateStrategy?.type === 'OnDelete') return { create: [], remove: [] };
  const { start, end } = range(set);
  const partition = set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  for (let ordinal = end - 1; ordinal >= start + partition; ordinal--) {
    const pod = byOrdinal.get(ordinal);
    if (!pod) break;
    if (pod.metadata.labels?.[REVISION_LABEL] !== revisions.update && !pod.metadata.deletionTimestamp) return { create: [], remove: [pod] };
    if (!healthy(pod)) break;
  }
  return { create: [], remove: [] };
}

/** The pod of an ordinal: its name, its stable host name, its claims. */
export function statefulPod(set: StatefulSet, ordinal: number, revision: string, template: NonNullable<StatefulSet['spec']>['template']): Pod {
  const pod = podFromTemplate(template, set, statefulSets);
  const name = `${set.metadata.name}-${ordinal}`;
  const { generateName: _generated, ...metadata } = pod.metadata;
  const claims = (set.spec?.volumeClaimTemplates ?? []).map((claim) => ({ name: claim.metadata.name ?? '', persistentVolumeClaim: { claimName: claimName(claim.metadata.name ?? '', name) } }));
  const volumes = [...(pod.spec?.volumes ?? []).filter((volume) => !claims.some((claim) => claim.name === volume.name)), ...claims];
  return {
    ...pod,
    metadata: { ...metadata, name, labels: { ...metadata.labels, [POD_NAME_LABEL]: name, [INDEX_LABEL]: String(ordinal), [REVISION_LABEL]: revision } },
    spec: { ...deepClone(pod.spec ?? { containers: [] }), hostname: name, ...(set.spec?.serviceName ? { subdomain: set.spec.serviceName } : {}), ...(volumes.length > 0 ? { volumes } : {}) },
  };
}

export function claimName(template: string, pod: string): string {
  return `${template}-${pod}`;
}

export function statefulSetStatus(set: StatefulSet, owned: readonly Pod[], revisions: Revisions, nowMs: number): StatefulSetStatus {
  const created = owned.filter((pod) => !isTerminated(pod));
  const active = owned.filter(isActive);
  const of = (revision: string) => active.filter((pod) => pod.metadata.labels?.[REVISION_LABEL] === revision).length;
  const updated = of(revisions.update);
  const ready = created.filter(isReady).length;
  const complete = set.spec?.updateStrategy?.type !== 'OnDelete' && updated === (set.spec?.replicas ?? 1) && ready === updated && created.length === updated;
  const current = complete ? updated : of(revisions.current);
  return {
    ...(set.status?.collisionCount === undefined ? { collisionCount: 0 } : { collisionCount: set.status.collisionCount }),
    availableReplicas: created.filter((pod) => isAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)).length,
    ...(current > 0 ? { currentReplicas: current } : {}),
    currentRevision: complete ? revisions.update : revisions.current,
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    ...(ready > 0 ? { readyReplicas: ready } : {}),
    replicas: created.length,
    updateRevision: revisions.update,
    ...(updated > 0 ? { updatedReplicas: updated } : {}),
  };
}

export function nextAvailabilityMs(set: StatefulSet, owned: readonly Pod[], nowMs: number): number | undefined {
  const waits = owned.map((pod) => untilAvailableMs(pod, set.spec?.minReadySeconds ?? 0, nowMs) ?? 0).filter((ms) => ms > 0);
  return waits.length > 0 ? Math.min(...waits) : undefined;
}
