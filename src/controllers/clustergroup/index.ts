/** ClusterGroup → its status, rolled up from the clusters its selector chooses in its own namespace. */
import { type Cluster, type ClusterGroup, clusterGroups } from '#api/fleet';
import type { ObjectKey } from '#apimachinery/meta';
import { type Clock, rfc3339 } from '#base/clock';
import { clusterGroupStatus } from '#core/rollup';
import { clusterGroupsOf } from '#core/target';
import type { Informer } from '#kube/cache';
import { done, type Outcome, type ReconcileContext, type Reconciler } from '#kube/controller';
import { patchStatus } from '#kube/status';

export interface ClusterGroupDependencies {
  groups: Informer<ClusterGroup>;
  clusters: Informer<Cluster>;
  clock: Clock;
}

export class ClusterGroupReconciler implements Reconciler<'upstream'> {
  readonly #deps: ClusterGroupDependencies;

  constructor(deps: ClusterGroupDependencies) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey, ctx: ReconcileContext<'upstream'>): Promise<Outcome> {
    const group = this.#deps.groups.get(key);
    if (!group || group.metadata.deletionTimestamp) return done;
    const members = this.#deps.clusters.list(key.namespace).filter((cluster) => clusterGroupsOf(cluster, [group]).length > 0);
    await patchStatus(ctx.clients.upstream, clusterGroups, group, clusterGroupStatus(group.status, members, rfc3339(this.#deps.clock.wallMs())));
    return done;
  }
}
