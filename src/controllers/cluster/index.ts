/**
 * Cluster → its namespace for BundleDeployments, and its status rolled up from them; a cluster whose agent has
 * been silent for three check-ins is marked offline. Deleting a Cluster
 * deletes that namespace; the finalizer holds the Cluster until the request is accepted.
 */
import { type Namespace, namespaces } from '#api/builtin';
import { annotation, type BundleDeployment, type Cluster, clusters, finalizer, label } from '#api/fleet';
import { keyOf, type ObjectKey, setCondition } from '#apimachinery/meta';
import { isNotFound } from '#apimachinery/status';
import { type Clock, rfc3339 } from '#base/clock';
import { clusterStatus } from '#core/rollup';
import type { Informer } from '#kube/cache';
import { done, type Outcome, type ReconcileContext, type Reconciler, requeueAfter } from '#kube/controller';
import type { LeaderClient } from '#kube/leaderelection';
import { patchStatus } from '#kube/status';
import { clusterNamespaceName } from '../registration/index.ts';

const LIMITS = {
  /** Reports that may be missed before a cluster counts as offline. */
  missedCheckins: 3,
  checkinMs: 15 * 60_000,
};

export interface ClusterDependencies {
  clusters: Informer<Cluster>;
  deployments: Informer<BundleDeployment>;
  clock: Clock;
  /** How often agents report; default 15 minutes. */
  checkinMs?: () => number;
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
    const offline = offlineIn(cluster, this.#deps.clock.wallMs(), this.#deps.checkinMs?.() ?? LIMITS.checkinMs);
    await patchStatus(client, clusters, cluster, { namespace, ...withOnline(rollup, offline, rfc3339(this.#deps.clock.wallMs())) });
    return offline && offline.inMs > 0 ? requeueAfter(offline.inMs) : done;
  }
}

/** Milliseconds until the cluster counts as offline (≤ 0: it does), and since when it is silent; undefined when it never reported. */
function offlineIn(cluster: Cluster, nowMs: number, checkinMs: number): { inMs: number; lastSeen: string } | undefined {
  const lastSeen = cluster.status?.agent?.lastSeen;
  if (!lastSeen || Number.isNaN(Date.parse(lastSeen))) return undefined;
  return { inMs: Date.parse(lastSeen) + LIMITS.missedCheckins * checkinMs - nowMs, lastSeen };
}

/** The rollup with the condition Online; the state of an offline cluster's bundles is only what was last heard of them. */
function withOnline(rollup: ReturnType<typeof clusterStatus>, offline: ReturnType<typeof offlineIn>, now: string): ReturnType<typeof clusterStatus> {
  if (!offline) return rollup;
  const isOnline = offline.inMs > 0;
  const message = isOnline ? '' : `the agent has not reported since ${offline.lastSeen}; the state of bundles is what it said then`;
  const conditions = setCondition(rollup.conditions, { type: 'Online', status: isOnline ? 'True' : 'False', reason: isOnline ? '' : 'CheckInMissed', message }, now);
  return { ...rollup, conditions, ...(isOnline ? {} : { display: { ...rollup.display, state: 'Offline' } }) };
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
  // The namespace may be there although its name never reached the status.
  const { namespace = '', name = '' } = cluster.metadata;
  await client.delete(namespaces, { name: cluster.status?.namespace || clusterNamespaceName(namespace, name) }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
  await setFinalizers(cluster, cluster.metadata.finalizers.filter((entry) => entry !== finalizer.cluster), client);
  return done;
}

async function setFinalizers(cluster: Cluster, finalizers: string[], client: LeaderClient): Promise<void> {
  const body = { metadata: { finalizers, resourceVersion: cluster.metadata.resourceVersion } };
  await client.patch(clusters, keyOf(cluster), { type: 'merge', body });
}
