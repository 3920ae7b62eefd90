/**
 * Manager-initiated registration: a Cluster with a kubeconfig Secret gets its agent deployed by us. The
 * agent then registers itself with the token we left in its bootstrap Secret, like any other agent.
 *
 * Every step can be repeated. An agent StatefulSet of an older installation is deleted first, and the
 * Deployment is not applied before its last pod is gone, so that two agents never act at once.
 * Source: Fleet docs "Manager-initiated registration"; triggers of a new import: facts/fleet.md §3.4.
 */
import { namespaces, pods, secrets, type Secret, statefulSets } from '#api/builtin';
import { annotation, type Cluster, type ClusterRegistrationToken, clusterRegistrationTokens, clusters, FLEET_API_VERSION, namespace as fleetNamespace } from '#api/fleet';
import { keyOf, keyText, type ObjectKey, setCondition, type Unstructured } from '#apimachinery/meta';
import { isNotFound } from '#apimachinery/status';
import { type Clock, rfc3339 } from '#base/clock';
import { base64Decode, sha256Hex, utf8Text } from '#base/hash';
import { errorText } from '#base/log';
import type { Informer } from '#kube/cache';
import type { Client } from '#kube/client';
import { done, type Outcome, type ReconcileContext, type Reconciler, requeueAfter, TerminalError } from '#kube/controller';
import type { LeaderClient } from '#kube/leaderelection';
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
    if (!cluster.spec.clientID) return this.#assignClientID(cluster, ctx.clients.upstream);
    const hash = this.#wantedHash(cluster);
    if (imported(cluster, hash)) return done;
    try {
      return await this.#import(cluster, hash, ctx);
    } catch (error) {
      await this.#report(cluster, ctx.clients.upstream, { status: 'False', reason: 'ImportFailed', message: errorText(error) });
      if (error instanceof TerminalError) throw error;
      ctx.log.warn('import failed', { cluster: keyText(key), error: errorText(error) });
      return requeueAfter(LIMITS.unreachableRetryMs);
    }
  }

  #wantedHash(cluster: Cluster): string {
    return agentConfigHash(agentValues(cluster, this.#deps.config(), this.#deps.endpoint()));
  }

  async #assignClientID(cluster: Cluster, client: LeaderClient): Promise<Outcome> {
    await client.patch(clusters, keyOf(cluster), { type: 'merge', body: { spec: { clientID: this.#deps.random.clientID() }, metadata: { resourceVersion: cluster.metadata.resourceVersion } } });
    return done; // the change brings us back
  }

  async #import(cluster: Cluster, hash: string, ctx: ReconcileContext<'upstream'>): Promise<Outcome> {
    const client = ctx.clients.upstream;
    const token = await this.#importToken(cluster, client);
    if (!token) return requeueAfter(LIMITS.retryMs);
    const downstream = await this.#connect(cluster, client);
    try {
      const guarded = ctx.term.guard(downstream);
      const namespace = agentNamespaceOf(cluster);
      const options = { signal: ctx.signal, timeoutMs: LIMITS.downstreamTimeoutMs };
      await guarded.apply(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { ...OPTIONS, ...options });
      if (await removeOldAgent(guarded, namespace, options)) return requeueAfter(LIMITS.retryMs);
      const values = { ...agentValues(cluster, this.#deps.config(), this.#deps.endpoint()), token, tokenName: importTokenName(cluster) };
      await this.#deps.applyObjects(guarded, namespace, this.#deps.renderAgent(namespace, values), ctx.signal);
    } finally {
      downstream.close();
    }
    await this.#report(cluster, client, { status: 'True', reason: 'Imported', message: '' }, hash);
    ctx.log.info('agent deployed', { cluster: keyText(keyOf(cluster)) });
    return done;
  }

  /** The bearer token of the cluster's import token, once the token controller has made it. */
  async #importToken(cluster: Cluster, client: LeaderClient): Promise<string | undefined> {
    const namespace = cluster.metadata.namespace ?? '';
    const name = importTokenName(cluster);
    const secret = await client.get(secrets, { namespace, name }).catch(ignoreNotFound);
    const text = secret?.data?.values;
    if (text) return (JSON.parse(utf8Text(base64Decode(text))) as { token?: string }).token;
    const token: ClusterRegistrationToken = {
      apiVersion: FLEET_API_VERSION,
      kind: 'ClusterRegistrationToken',
      metadata: { name, namespace, ownerReferences: ownedBy(cluster, 'Cluster') },
      spec: { ttl: LIMITS.importTokenTTL },
    };
    await client.apply(clusterRegistrationTokens, token, OPTIONS);
    return undefined;
  }

  async #connect(cluster: Cluster, client: LeaderClient): Promise<Client> {
    const namespace = kubeconfigNamespace(cluster);
    const name = cluster.spec.kubeConfigSecret ?? '';
    const isLocal = cluster.metadata.name === LOCAL_CLUSTER && namespace === this.#deps.config().bootstrap.namespace;
    if (isLocal) await refreshLocalKubeconfig(client, namespace, this.#deps.endpoint());
    const secret: Secret | undefined = await client.get(secrets, { namespace, name }).catch(ignoreNotFound);
    if (!secret) throw new Error(`Secret/${namespace}/${name}: not found; Cluster/${keyText(keyOf(cluster))} names it in spec.kubeConfigSecret`);
    const text = secret.data?.value;
    if (!text) throw new TerminalError(`Secret/${namespace}/${name}: has no key "value" with a kubeconfig`);
    return this.#deps.connect(utf8Text(base64Decode(text)));
  }

  async #report(cluster: Cluster, client: LeaderClient, imported: { status: 'True' | 'False'; reason: string; message: string }, hash?: string): Promise<void> {
    const live = this.#deps.clusters.get(keyOf(cluster)) ?? cluster;
    const now = rfc3339(this.#deps.clock.wallMs());
    const conditions = setCondition(live.status?.conditions, { type: 'Imported', ...imported }, now);
    const endpoint = this.#deps.endpoint();
    const deployed = hash === undefined ? {} : {
      agentDeployedGeneration: cluster.spec.redeployAgentGeneration ?? 0,
      agentMigrated: true,
      cattleNamespaceMigrated: true,
      agentNamespaceMigrated: true,
      agentConfigChanged: false,
      agentTLSMode: this.#deps.config().agentTLSMode,
      garbageCollectionInterval: this.#deps.config().garbageCollectionInterval,
      apiServerURL: endpoint.apiServerURL,
      apiServerCAHash: sha256Hex(endpoint.apiServerCA),
    };
    if (hash !== undefined) {
      await client.patch(clusters, keyOf(cluster), { type: 'merge', body: { metadata: { annotations: { [AGENT_HASH]: hash } } } });
    }
    await client.patch(clusters, keyOf(cluster), { type: 'merge', body: { status: { conditions, ...deployed } } }, { subresource: 'status' });
  }
}

function importTokenName(cluster: Cluster): string {
  return `import-token-${cluster.metadata.name}`.slice(0, 63);
}

/** Annotation with the hash of the agent's configuration as last deployed. */
const AGENT_HASH = `${annotation.version.split('/')[0]}/agent-config-hash`;

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

function ignoreNotFound(error: unknown): undefined {
  if (isNotFound(error)) return undefined;
  throw error;
}
