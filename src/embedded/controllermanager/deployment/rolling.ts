/**
 * The arithmetic of rollouts: how large the new ReplicaSet may be, how small the old ones, and how a
 * change of scale is shared out. Pure. Rule: API reference of Deployment `strategy.rollingUpdate`:
 * surge rounds up, unavailable rounds down, and both cannot be zero.
 */
import type { Deployment, ReplicaSet } from '#api/builtin';
import { scaledValue } from '../workload/intorpercent.ts';
import { availableOf, byAge, DESIRED_REPLICAS, MAX_REPLICAS, replicasOf, sum } from './revision.ts';

export interface Limits {
  replicas: number;
  /** Pods allowed above `replicas`; 0 for Recreate. */
  surge: number;
  /** Pods allowed to be unavailable. */
  unavailable: number;
}

/** One ReplicaSet to be resized. */
export interface Resize {
  set: ReplicaSet;
  replicas: number;
}

export function limitsOf(deployment: Deployment): Limits {
  const replicas = deployment.spec?.replicas ?? 1;
  const strategy = deployment.spec?.strategy;
  if (strategy?.type === 'Recreate') return { replicas, surge: 0, unavailable: 0 };
  const surge = scaledValue(strategy?.rollingUpdate?.maxSurge ?? '25%', replicas, 'up');
  let unavailable = scaledValue(strategy?.rollingUpdate?.maxUnavailable ?? '25%', replicas, 'down');
  if (surge === 0 && unavailable === 0) unavailable = 1;
  return { replicas, surge, unavailable: Math.min(unavailable, replicas) };
}

/** The size of the new ReplicaSet while `all` (old and new) exist. */
export function newSetSize(deployment: Deployment, all: readonly ReplicaSet[], current: number): number {
  const { replicas, surge } = limitsOf(deployment);
  if (deployment.spec?.strategy?.type === 'Recreate') return replicas;
  const total = sum(all, replicasOf);
  const room = replicas + surge - total;
  if (room <= 0) return current;
  return current + Math.min(room, replicas - current);
}

/** Where the new ReplicaSet should go now; `undefined` when it stays. */
export function planNewSet(deployment: Deployment, all: readonly ReplicaSet[], newSet: ReplicaSet): Resize | undefined {
  const { replicas } = limitsOf(deployment);
  const current = replicasOf(newSet);
  if (current === replicas) return undefined;
  const wanted = current > replicas ? replicas : newSetSize(deployment, all, current);
  return wanted === current ? undefined : { set: newSet, replicas: wanted };
}

/**
 * How the old ReplicaSets shrink: first pods that are not available anyway, then available ones as far as
 * the minimum allows, oldest ReplicaSet first.
 */
export function planOldSets(deployment: Deployment, all: readonly ReplicaSet[], old: readonly ReplicaSet[], newSet: ReplicaSet | undefined): Resize[] {
  if (sum(old, replicasOf) === 0) return [];
  const { replicas, unavailable } = limitsOf(deployment);
  const minimum = replicas - unavailable;
  const newUnavailable = newSet ? replicasOf(newSet) - availableOf(newSet) : 0;
  const removable = sum(all, replicasOf) - minimum - newUnavailable;
  if (removable <= 0) return [];
  const sizes = new Map(old.map((set) => [set, replicasOf(set)]));
  const sorted = [...old].sort(byAge);
  removeUnhealthy(sorted, sizes, removable);
  removeAvailable(sorted, sizes, sum(all, availableOf) - minimum);
  return sorted.filter((set) => sizes.get(set) !== replicasOf(set)).map((set) => ({ set, replicas: sizes.get(set) ?? 0 }));
}

function removeUnhealthy(sorted: readonly ReplicaSet[], sizes: Map<ReplicaSet, number>, limit: number): void {
  let left = limit;
  for (const set of sorted) {
    const size = sizes.get(set) ?? 0;
    const unhealthy = size - availableOf(set);
    if (size === 0 || unhealthy <= 0) continue;
    const removed = Math.min(left, unhealthy);
    sizes.set(set, size - removed);
    left -= removed;
    if (left <= 0) return;
  }
}

function removeAvailable(sorted: readonly ReplicaSet[], sizes: Map<ReplicaSet, number>, limit: number): void {
  let left = limit;
  for (const set of sorted) {
    if (left <= 0) return;
    const removed = Math.min(left, sizes.get(set) ?? 0);
    sizes.set(set, (sizes.get(set) ?? 0) - removed);
    left -= removed;
  }
}

/**
 * A change of `spec.replicas` outside or in the middle of a rollout. With one ReplicaSet in use it takes
 * all; with several, each gets a share in proportion to its size, the largest taking what rounding leaves.
 */
export function planScale(deployment: Deployment, old: readonly ReplicaSet[], newSet: ReplicaSet | undefined): Resize[] {
  const { replicas, surge } = limitsOf(deployment);
  const all = [...old, ...(newSet ? [newSet] : [])];
  const single = activeOrLatest(all, newSet);
  if (single) return replicasOf(single) === replicas ? [] : [{ set: single, replicas }];
  if (newSet && isSaturated(deployment, newSet)) return old.filter((set) => replicasOf(set) > 0).map((set) => ({ set, replicas: 0 }));
  if (deployment.spec?.strategy?.type === 'Recreate') return [];
  const active = all.filter((set) => replicasOf(set) > 0);
  const total = sum(active, replicasOf);
  const allowed = replicas > 0 ? replicas + surge : 0;
  return shareOut(active, allowed - total, { deployment, surge });
}

/** The one ReplicaSet in use, or the newest when none is; `undefined` when several are. */
function activeOrLatest(all: readonly ReplicaSet[], newSet: ReplicaSet | undefined): ReplicaSet | undefined {
  const active = all.filter((set) => replicasOf(set) > 0);
  if (active.length > 1) return undefined;
  return active[0] ?? newSet ?? [...all].sort(byAge).at(-1);
}

/** The new ReplicaSet has the wanted size and all of it is available. */
export function isSaturated(deployment: Deployment, set: ReplicaSet): boolean {
  const replicas = deployment.spec?.replicas ?? 1;
  return replicasOf(set) === replicas && set.metadata.annotations?.[DESIRED_REPLICAS] === String(replicas) && availableOf(set) === replicas;
}

function shareOut(active: readonly ReplicaSet[], change: number, { deployment, surge }: { deployment: Deployment; surge: number }): Resize[] {
  // Growing starts with the newest and largest, shrinking with the oldest.
  const sorted = [...active].sort((a, b) => replicasOf(b) - replicasOf(a) || (change > 0 ? byAge(b, a) : byAge(a, b)));
  let given = 0;
  const resized = sorted.map((set) => {
    const share = change === 0 ? 0 : proportion(set, { deployment, surge, change, given });
    given += share;
    return { set, replicas: replicasOf(set) + share };
  });
  const first = resized[0];
  if (first) first.replicas = Math.max(0, first.replicas + change - given);
  return resized.filter(({ set, replicas }) => replicas !== replicasOf(set));
}

function proportion(set: ReplicaSet, { deployment, surge, change, given }: { deployment: Deployment; surge: number; change: number; given: number }): number {
  const left = change - given;
  if (replicasOf(set) === 0 || left === 0) return 0;
  const wanted = deployment.spec?.replicas ?? 1;
  const max = Number(set.metadata.annotations?.[MAX_REPLICAS] ?? Number.NaN) || deployment.status?.replicas || wanted;
  const size = Math.round((replicasOf(set) * (wanted + surge)) / max);
  const share = size - replicasOf(set);
  return change > 0 ? Math.min(share, left) : Math.max(share, left);
}
