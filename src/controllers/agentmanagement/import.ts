/**
 * Manager-initiated registration: a Cluster with a kubeconfig Secret gets its agent deployed by us. The
 * agent then registers itself with the token we left in its bootstrap Secret, like any other agent.
 *
 * Every step can be repeated. An agent StatefulSet of an older installation is deleted first, and the
 * Deployment is not applied before its last pod is gone; an agent in another namespace (spec.agentNamespace
 * was changed) goes the same way. So two agents never act at once.
 * Source: Fleet docs "Manager-initiated registration"; triggers of a new import: facts/fleet.md §3.4.
 */
import { deployments, namespaces, pods, secrets, type Secret, statefulSets } from '#api/builtin';
import { annotation, type Cluster, type ClusterRegistrationToken, clusterRegistrationTokens, clusters, type ClusterStatus, FLEET_API_VERSION, namespace as fleetNamespace } from '#api/fleet';
import { keyOf, keyText, type ObjectKey, setCondition, type Unstructured } from '#apimachinery/meta';
import { ignoreNotFound } from '#apimachinery/status';
import { type Clock, rfc3339 } from '#base/clock';
import { base64Decode, sha256Hex, utf8Text } from '#base/hash';
import { errorText } from '#base/log';
import type { Informer } from '#kube/cache';
import type { Client } from '#kube/client';
import { done, type Outcome, type ReconcileContext, type Reconciler, requeueAfter, TerminalError } from '#kube/controller';
import type { LeaderClient } from '#kube/leaderelection';
import { patchStatus } from '#kube/status';
import { ownedBy } from '../registration/credentials.ts';
import type { ControllerConfig } from '../config/index.ts';
import { agentConfigHash, agentNamespaceOf, agentValues, type Endpoint } from './agent-values.ts';
import { LOCAL_CLUSTER, refreshLocalKubeconfig } from './bootstrap.ts';

const LIMITS = {
  /** ClusterImportTokenTTL of Fleet. */
  importTokenTTL: '12h',
  /** Wait for the registration token's Secret, for the cluster's namespace, for an old agent to go. */
  retryMs: 500,
  /** One request to a cluster that is being imported (Fleet: RestConfigTimeout). */
  downstreamTimeoutMs: 15_000,
  /** Try a cluster that cannot be reached again after so long. */
  unreachableRetryMs: 15_000,
};

const OPTIONS = { fieldManager: 'fleet-controller', force: true };

export interface ImportDependencies {
  clusters: Informer<Cluster>;
  clock: Clock;
  config(): ControllerConfig;
  endpoint(): Endpoint;
  /** A client for a kubeconfig; the caller closes it. */
  connect(kubeconfig: string): Client;
  /** Objects of charts/fleet-agent for these values, in order of installation. */
  renderAgent(namespace: string, values: Record<string, unknown>): Unstructured[];
  /** Applies objects to a cluster by server-side apply; those without a namespace go to the given one. */
  applyObjects(client: LeaderClient, namespace: string, objects: readonly Unstructured[], signal: AbortSignal): Promise<void>;
  random: { clientID(): string };
}

export class ClusterImportReconciler implements Reconciler<'upstream'> {
  readonly #deps: ImportDependencies;

  constructor(deps: ImportDependencies) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey, ctx: ReconcileContext<'upstream'>): Promise<Outcome> {
    const cluster = this.#deps.clusters.get(key);
    if (!cluster || cluster.metadata.deletionTimestamp || !cluster.spec.kubeConfigSecret) return done;
    if (this.#isLocal(cluster) && this.#deps.config().bootstrap.localAgentDisabled) return done;
    if (!cluster.spec.clientID) return this.#assignClientID(cluster, ctx.clients.upstream);
    if (imported(cluster, agentConfigHash(this.#wanted(cluster)))) return done;
    const client = ctx.clients.upstream;
    // The cache may not show yet what we did a moment ago.
    const live = await client.get(clusters, key);
    const values = this.#wanted(live);
    if (live.metadata.deletionTimestamp || live.metadata.uid !== cluster.metadata.uid || imported(live, agentConfigHash(values))) return done;
    try {
      if (!(await this.#deploy(live, values, ctx))) return requeueAfter(LIMITS.retryMs);
    } catch (error) {
      await this.#report(live, client, { status: 'False', reason: 'ImportFailed', message: errorText(error) });
      if (error instanceof TerminalError) throw error;
      ctx.log.warn('import failed', { cluster: keyText(key), error: errorText(error) });
      return requeueAfter(LIMITS.unreachableRetryMs);
    }
    await this.#report(live, client, { status: 'True', reason: 'Imported', message: '' }, this.#deployedStatus(live));
    await annotate(live, client, { [AGENT_HASH]: agentConfigHash(values) });
    ctx.log.info('agent deployed', { cluster: keyText(key) });
    return done;
  }

  #wanted(cluster: Cluster): Record<string, unknown> {
    return agentValues(cluster, this.#deps.config(), this.#deps.endpoint());
  }

  async #assignClientID(cluster: Cluster, client: LeaderClient): Promise<Outcome> {
    await client.patch(clusters, keyOf(cluster), { type: 'merge', body: { spec: { clientID: this.#deps.random.clientID() }, metadata: { resourceVersion: cluster.metadata.resourceVersion } } });
    return done; // the change brings us back
  }

  /** False while something has to be waited for. */
  async #deploy(cluster: Cluster, values: Record<string, unknown>, ctx: ReconcileContext<'upstream'>): Promise<boolean> {
    const client = ctx.clients.upstream;
    const token = await this.#importToken(cluster, client);
    if (!token) return false;
    const downstream = await this.#connect(cluster, client);
    try {
      const guarded = ctx.term.guard(downstream);
      const namespace = agentNamespaceOf(cluster);
      const options = { signal: ctx.signal, timeoutMs: LIMITS.downstreamTimeoutMs };
      const previous = cluster.metadata.annotations?.[AGENT_NAMESPACE] || cluster.status?.agent?.namespace;
      if (previous && previous !== namespace && (await removeAgent(guarded, previous, options))) return false;
      if (cluster.metadata.annotations?.[AGENT_NAMESPACE] !== namespace) await annotate(cluster, client, { [AGENT_NAMESPACE]: namespace });
      await guarded.apply(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { ...OPTIONS, ...options });
      if (await removeOldAgent(guarded, namespace, options)) return false;
      const objects = this.#deps.renderAgent(namespace, { ...values, token, tokenName: importTokenName(cluster) });
      await this.#deps.applyObjects(guarded, namespace, objects, ctx.signal);
      return true;
    } finally {
      downstream.close();
    }
  }

  /** The bearer token of the cluster's import token, once the token controller has made it. */
  async #importToken(cluster: Cluster, client: LeaderClient): Promise<string | undefined> {
    const namespace = cluster.metadata.namespace ?? '';
    const name = importTokenName(cluster);
    const token: ClusterRegistrationToken = {
      apiVersion: FLEET_API_VERSION,
      kind: 'ClusterRegistrationToken',
      metadata: { name, namespace, ownerReferences: ownedBy(cluster, 'Cluster') },
      spec: { ttl: LIMITS.importTokenTTL },
    };
    const { metadata } = await client.apply(clusterRegistrationTokens, token, OPTIONS);
    const secret = await client.get(secrets, { namespace, name }).catch(ignoreNotFound);
    const text = secret?.data?.values;
    // The Secret of an expired token of this name is about to be collected, and its bearer token with it.
    if (!text || metadata.deletionTimestamp || !secret.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid)) return undefined;
    return (JSON.parse(utf8Text(base64Decode(text))) as { token?: string }).token;
  }

  #isLocal(cluster: Cluster): boolean {
    return cluster.metadata.name === LOCAL_CLUSTER && cluster.metadata.namespace === this.#deps.config().bootstrap.namespace;
  }

  async #connect(cluster: Cluster, client: LeaderClient): Promise<Client> {
    const namespace = kubeconfigNamespace(cluster);
    const name = cluster.spec.kubeConfigSecret ?? '';
    if (this.#isLocal(cluster)) await refreshLocalKubeconfig(client, namespace, this.#deps.endpoint());
    const secret: Secret | undefined = await client.get(secrets, { namespace, name }).catch(ignoreNotFound);
    if (!secret) throw new Error(`Secret/${namespace}/${name}: not found; Cluster/${keyText(keyOf(cluster))} names it in spec.kubeConfigSecret`);
    const text = secret.data?.value;
    if (!text) throw new Error(`Secret/${namespace}/${name}: has no key "value" with a kubeconfig`);
    try {
      return this.#deps.connect(utf8Text(base64Decode(text)));
    } catch (error) {
      throw new Error(`Secret/${namespace}/${name}: key "value" is no kubeconfig that can be used`, { cause: error });
    }
  }

  #deployedStatus(cluster: Cluster): Partial<ClusterStatus> {
    const { agentTLSMode, garbageCollectionInterval } = this.#deps.config();
    const { apiServerURL, apiServerCA } = this.#deps.endpoint();
    return {
      agentDeployedGeneration: cluster.spec.redeployAgentGeneration ?? 0,
      agentMigrated: true,
      cattleNamespaceMigrated: true,
      agentNamespaceMigrated: true,
      agentConfigChanged: false,
      agentTLSMode,
      garbageCollectionInterval,
      apiServerURL,
      apiServerCAHash: sha256Hex(apiServerCA),
    };
  }

  /** On the conditions as they are now: others write some of them. Throws Conflict when one does so meanwhile. */
  async #report(cluster: Cluster, client: LeaderClient, imported: { status: 'True' | 'False'; reason: string; message: string }, deployed: Partial<ClusterStatus> = {}): Promise<void> {
    const live = await client.get(clusters, keyOf(cluster));
    const conditions = setCondition(live.status?.conditions, { type: 'Imported', ...imported }, rfc3339(this.#deps.clock.wallMs()));
    await patchStatus(client, clusters, live, { conditions, ...deployed });
  }
}

async function annotate(cluster: Cluster, client: LeaderClient, annotations: Record<string, string>): Promise<void> {
  await client.patch(clusters, keyOf(cluster), { type: 'merge', body: { metadata: { annotations } } });
}

function importTokenName(cluster: Cluster): string {
  return `import-token-${cluster.metadata.name}`.slice(0, 63);
}

/** Annotation with the hash of the agent's configuration as last deployed. */
const AGENT_HASH = `${annotation.version.split('/')[0]}/agent-config-hash`;

/** Annotation with the namespace where we last deployed the agent; written before, so that a crash forgets none. */
const AGENT_NAMESPACE = `${annotation.version.split('/')[0]}/agent-deployed-namespace`;

function imported(cluster: Cluster, hash: string): boolean {
  const generation = cluster.status?.agentDeployedGeneration;
  return generation !== undefined && generation === (cluster.spec.redeployAgentGeneration ?? 0) && cluster.metadata.annotations?.[AGENT_HASH] === hash;
}

/** Only namespaces that belong to Fleet may hold kubeconfigs of other namespaces' clusters (facts/fleet.md §1.6). */
function kubeconfigNamespace(cluster: Cluster): string {
  const own = cluster.metadata.namespace ?? '';
  const wanted = cluster.spec.kubeConfigSecretNamespace || own;
  const allowed = [own, fleetNamespace.local, fleetNamespace.default, fleetNamespace.system];
  if (allowed.includes(wanted) || wanted.startsWith('cluster-')) return wanted;
  throw new TerminalError(`Cluster/${keyText(keyOf(cluster))}: spec.kubeConfigSecretNamespace ${JSON.stringify(wanted)} is not allowed; use the cluster's own namespace`);
}

/** Starts the removal of an agent StatefulSet; true while it or one of its pods is still there. */
async function removeOldAgent(client: LeaderClient, namespace: string, options: { signal: AbortSignal; timeoutMs: number }): Promise<boolean> {
  const old = await client.get(statefulSets, { namespace, name: 'fleet-agent' }, options).catch(ignoreNotFound);
  if (old) {
    if (!old.metadata.deletionTimestamp) await client.delete(statefulSets, { namespace, name: 'fleet-agent' }, { propagationPolicy: 'Foreground', ...options });
    return true;
  }
  const { items } = await client.list(pods, { namespace, labelSelector: 'app=fleet-agent', ...options });
  return items.some((pod) => pod.metadata.ownerReferences?.some((owner) => owner.kind === 'StatefulSet'));
}

/** Starts the removal of an agent that has moved elsewhere; true while one of its pods is still there. */
async function removeAgent(client: LeaderClient, namespace: string, options: { signal: AbortSignal; timeoutMs: number }): Promise<boolean> {
  const old = await client.get(deployments, { namespace, name: 'fleet-agent' }, options).catch(ignoreNotFound);
  if (old && !old.metadata.deletionTimestamp) await client.delete(deployments, { namespace, name: 'fleet-agent' }, { propagationPolicy: 'Foreground', ...options });
  if (await removeOldAgent(client, namespace, options)) return true;
  const { items } = await client.list(pods, { namespace, labelSelector: 'app=fleet-agent', ...options });
  return old !== undefined || items.length > 0;
}
