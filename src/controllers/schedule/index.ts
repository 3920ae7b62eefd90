/**
 * Schedule → the clusters it names are deployed to only while its window is open. Clusters carry the answer in
 * status.scheduled and status.activeSchedule; BundleDeployments follow as `offSchedule`. The answer of a cluster
 * comes from all Schedules of its namespace, so one that is gone, or unknown to this leader, leaves no trace.
 */
import { type Cluster, type ClusterGroup, clusters, finalizer, type Schedule, schedules } from '#api/fleet';
import { findCondition, keyOf, type ObjectKey, setCondition } from '#apimachinery/meta';
import { type Clock, rfc3339 } from '#base/clock';
import { errorText } from '#base/log';
import { clusterGroupsOf, matchesCriteria } from '#core/target';
import type { Informer } from '#kube/cache';
import { done, type Outcome, type ReconcileContext, type Reconciler, requeueAfter } from '#kube/controller';
import type { LeaderClient } from '#kube/leaderelection';
import { patchStatus } from '#kube/status';
import { type Window, windowAt } from './window.ts';

export { windowAt, type Window } from './window.ts';

const LIMITS = {
  /** Longest sleep; a start far away is looked at again before. */
  sleepMs: 6 * 60 * 60_000,
};

export interface ScheduleDependencies {
  schedules: Informer<Schedule>;
  clusters: Informer<Cluster>;
  clusterGroups: Informer<ClusterGroup>;
  clock: Clock;
}

export class ScheduleReconciler implements Reconciler<'upstream'> {
  readonly #deps: ScheduleDependencies;

  constructor(deps: ScheduleDependencies) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey, ctx: ReconcileContext<'upstream'>): Promise<Outcome> {
    const client = ctx.clients.upstream;
    const schedule = this.#deps.schedules.get(key);
    if (schedule && !schedule.metadata.deletionTimestamp && !schedule.metadata.finalizers?.includes(finalizer.schedule)) {
      await setFinalizers(schedule, [...(schedule.metadata.finalizers ?? []), finalizer.schedule], client);
      return done; // the change brings us back
    }
    await this.#writeClusters(key.namespace ?? '', client);
    if (!schedule) return done;
    if (schedule.metadata.deletionTimestamp) {
      await setFinalizers(schedule, (schedule.metadata.finalizers ?? []).filter((name) => name !== finalizer.schedule), client);
      return done;
    }
    return this.#writeStatus(schedule, client);
  }

  async #writeStatus(schedule: Schedule, client: LeaderClient): Promise<Outcome> {
    const nowMs = this.#deps.clock.wallMs();
    const window = tryWindow(schedule, nowMs);
    const fault = window instanceof Error ? errorText(window) : '';
    const { active, nextStartMs, changesMs } = window instanceof Error ? CLOSED : window;
    const ready = { type: 'Ready', status: fault ? ('False' as const) : ('True' as const), reason: fault ? 'Invalid' : '', message: fault };
    const names = this.#chosenBy(schedule).map(({ metadata }) => metadata.name ?? '');
    await patchStatus(client, schedules, schedule, {
      active,
      ...(nextStartMs === undefined ? {} : { nextStartTime: rfc3339(nextStartMs) }),
      matchingClusters: names.sort((a, b) => (a < b ? -1 : 1)),
      conditions: setCondition(schedule.status?.conditions ?? [], { ...findCondition(schedule.status?.conditions, 'Ready'), ...ready }, rfc3339(nowMs)),
    });
    return changesMs === undefined ? done : requeueAfter(Math.min(LIMITS.sleepMs, Math.max(1, changesMs - nowMs)));
  }

  /** Every cluster of the namespace, as all Schedules together want it. */
  async #writeClusters(namespace: string, client: LeaderClient): Promise<void> {
    const nowMs = this.#deps.clock.wallMs();
    const current = this.#deps.schedules.list(namespace).filter(({ metadata }) => !metadata.deletionTimestamp);
    const chosen = new Map<string, boolean>();
    for (const schedule of current) {
      const window = tryWindow(schedule, nowMs);
      if (window instanceof Error) continue; // a Schedule that cannot be read restricts nobody; its condition says so
      for (const { metadata } of this.#chosenBy(schedule)) chosen.set(metadata.name ?? '', (chosen.get(metadata.name ?? '') ?? false) || window.active);
    }
    for (const cluster of this.#deps.clusters.list(namespace)) {
      const active = chosen.get(cluster.metadata.name ?? '');
      const { scheduled = false, activeSchedule = false } = cluster.status ?? {};
      if (scheduled === (active !== undefined) && activeSchedule === (active ?? false)) continue;
      await patchStatus(client, clusters, cluster, { scheduled: active !== undefined, activeSchedule: active ?? false });
    }
  }

  #chosenBy({ metadata, spec }: Schedule): Cluster[] {
    const groups = this.#deps.clusterGroups.list(metadata.namespace);
    return this.#deps.clusters.list(metadata.namespace).filter((cluster) => {
      const own = clusterGroupsOf(cluster, groups).map((group) => ({ name: group.metadata.name ?? '', labels: group.metadata.labels ?? {} }));
      const subject = { name: cluster.metadata.name ?? '', labels: cluster.metadata.labels ?? {}, groups: own };
      return (spec.targets?.clusters ?? []).some((target) => matchesCriteria(target, subject));
    });
  }
}

const CLOSED: Window = { active: false, nextStartMs: undefined, changesMs: undefined };

function tryWindow(schedule: Schedule, nowMs: number): Window | Error {
  try {
    return windowAt(schedule, nowMs);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function setFinalizers(schedule: Schedule, finalizers: string[], client: LeaderClient): Promise<void> {
  const body = { metadata: { finalizers, resourceVersion: schedule.metadata.resourceVersion } };
  await client.patch(schedules, keyOf(schedule), { type: 'merge', body });
}
