/**
 * Cluster → its namespace for BundleDeployments, and its status rolled up from them. Deleting a Cluster
 * deletes that namespace; the finalizer holds the Cluster until the request is accepted.
 */
import { type Namespace, namespaces } from '#api/builtin';
import { annotation, type BundleDeployment, type Cluster, clusters, finalizer, label } from '#api/fleet';
import { keyOf, type ObjectKey } from '#apimachinery/meta';
import { isNotFound } from '#apimachinery/status';
import { type Clock, rfc3339 } from '#base/clock';
import { clusterStatus } from '#core/rollup';
import type { Informer } from '#kube/cache';
import { done, type Outcome, type ReconcileContext, type Reconciler } from '#kube/controller';
import type { LeaderClient } from '#kube/leaderelection';
import { patchStatus } from '#kube/status';
import { clusterNamespaceName } from '../registration/index.ts';

export interface ClusterDependencies {
  clusters: Informer<Cluster>;
  deployments: Informer<BundleDeployment>;
  clock: Clock;
}

export class ClusterReconciler implements Reconciler<'upstream'> {
  readonly #deps: ClusterDependencies;

  constructor(deps: ClusterDependencies) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey, ctx: ReconcileContext<'upstream'>): Promise<Outcome> {
    const cluster = this.#deps.clusters.get(key);
    if (!cluster) return done;
    const client = ctx.clients.upstream;
    if (cluster.metadata.deletionTimestamp) return removeCluster(cluster, client);
    if (!cluster.metadata.finalizers?.includes(finalizer.cluster)) {
      await setFinalizers(cluster, [...(cluster.metadata.finalizers ?? []), finalizer.cluster], client);
      return done; // the change brings us back
    }
    const namespace = cluster.status?.namespace || clusterNamespaceName(key.namespace ?? '', key.name);
    if (!cluster.status?.namespace) await createNamespace(cluster, namespace, client);
    const rollup = clusterStatus(cluster.status, this.#deps.deployments.list(namespace), rfc3339(this.#deps.clock.wallMs()));
    await patchStatus(client, clusters, cluster, { namespace, ...rollup });
    return done;
  }
}

async function createNamespace(cluster: Cluster, name: string, client: LeaderClient): Promise<void> {
  const namespace: Namespace = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: { [label.managed]: 'true' },
      annotations: { [annotation.cluster]: cluster.metadata.name ?? '', [annotation.clusterNamespace]: cluster.metadata.namespace ?? '' },
    },
  };
  await client.apply(namespaces, namespace, { fieldManager: 'fleet-controller', force: true });
}

async function removeCluster(cluster: Cluster, client: LeaderClient): Promise<Outcome> {
  if (!cluster.metadata.finalizers?.includes(finalizer.cluster)) return done;
  const name = cluster.status?.namespace;
  if (name) {
    await client.delete(namespaces, { name }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
  await setFinalizers(cluster, cluster.metadata.finalizers.filter((entry) => entry !== finalizer.cluster), client);
  return done;
}

async function setFinalizers(cluster: Cluster, finalizers: string[], client: LeaderClient): Promise<void> {
  const body = { metadata: { finalizers, resourceVersion: cluster.metadata.resourceVersion } };
  await client.patch(clusters, keyOf(cluster), { type: 'merge', body });
}
