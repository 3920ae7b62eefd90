/**
 * ClusterRegistration → Cluster, a ServiceAccount with an agent's few rights upstream, and the Secret in
 * which the agent finds its credentials. Source of the flow: Fleet docs, "Registration".
 *
 * An agent may read the BundleDeployments of its own namespace and report on them, read Contents, and say
 * that it is alive. Nothing else (design.md §7). Each step can be repeated: names are computed, never drawn.
 */
import { clusterRoleBindings, namespaces, roleBindings, roles, secrets, serviceAccounts } from '#api/builtin';
import {
  type Cluster,
  type ClusterRegistration,
  clusterRegistrations,
  clusters,
  FLEET_API_VERSION,
  FLEET_GROUP,
  label,
  namespace as fleetNamespace,
  secretType,
} from '#api/fleet';
import type { KubeObject, ObjectKey, ObjectMeta, OwnerReference } from '#apimachinery/meta';
import type { Resource } from '#apimachinery/resource';
import { ignoreNotFound } from '#apimachinery/status';
import type { Clock } from '#base/clock';
import { base64Encode, sha256Hex } from '#base/hash';
import type { Informer } from '#kube/cache';
import { done, type Outcome, type ReconcileContext, type Reconciler, requeueAfter } from '#kube/controller';
import type { LeaderClient } from '#kube/leaderelection';
import { issueToken, ownedBy } from './credentials.ts';
import { credentialSecretName, registeredClusterName } from './names.ts';
import { registrationAccountName } from './tokens.ts';

const LIMITS = {
  /** An agent renews its own token long before; one that was away for longer has to register again. */
  agentTokenSeconds: 30 * 24 * 3600,
  /** Granted registrations and their credential Secrets are deleted after so long (Fleet: 40m). */
  keepGrantedMs: 40 * 60_000,
  /** Wait for the Cluster's namespace, or for a Cluster of the same identity to be gone. */
  clusterRetryMs: 500,
};

const RBAC = 'rbac.authorization.k8s.io';
const OPTIONS = { fieldManager: 'fleet-controller', force: true };
const DROPPED_LABEL = /^(fleet|management)\.cattle\.io\//;

export interface RegistrationDependencies {
  registrations: Informer<ClusterRegistration>;
  clusters: Informer<Cluster>;
  clock: Clock;
  /** Labels that an agent asks for are ignored when true. */
  ignoreLabels(): boolean;
}

export class RegistrationReconciler implements Reconciler<'upstream'> {
  readonly #deps: RegistrationDependencies;

  constructor(deps: RegistrationDependencies) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey, ctx: ReconcileContext<'upstream'>): Promise<Outcome> {
    const registration = this.#deps.registrations.get(key);
    if (!registration || registration.metadata.deletionTimestamp) return done;
    const client = ctx.clients.upstream;
    if (registration.status?.granted) return this.#expire(registration, client);
    const { clientID, clientRandom } = registration.spec;
    if (!clientID || !clientRandom) return done;

    const cluster = await this.#ensureCluster(registration, client);
    if (!cluster.status?.namespace || cluster.metadata.deletionTimestamp) return requeueAfter(LIMITS.clusterRetryMs);
    await grant(registration, cluster, client);
    const status = { granted: true, clusterName: cluster.metadata.name ?? '' };
    await client.patch(clusterRegistrations, key, { type: 'merge', body: { status } }, { subresource: 'status' });
    ctx.log.info('cluster registered', { cluster: cluster.metadata.name, namespace: cluster.metadata.namespace });
    return requeueAfter(LIMITS.keepGrantedMs);
  }

  async #expire(registration: ClusterRegistration, client: LeaderClient): Promise<Outcome> {
    const ageMs = this.#deps.clock.wallMs() - Date.parse(registration.metadata.creationTimestamp ?? '');
    if (ageMs < LIMITS.keepGrantedMs) return requeueAfter(LIMITS.keepGrantedMs - ageMs);
    await collect(registration, client);
    return done;
  }

  async #ensureCluster(registration: ClusterRegistration, client: LeaderClient): Promise<Cluster> {
    const namespace = registration.metadata.namespace ?? '';
    const { clientID = '' } = registration.spec;
    const known = this.#deps.clusters.list(namespace).find((cluster) => cluster.spec.clientID === clientID);
    if (known) return known;
    const wanted = this.#deps.ignoreLabels() ? {} : (registration.spec.clusterLabels ?? {});
    const labels = Object.fromEntries(Object.entries(wanted).filter(([key]) => !DROPPED_LABEL.test(key) || key === label.createdByAgentPod));
    const cluster: Cluster = {
      apiVersion: FLEET_API_VERSION,
      kind: 'Cluster',
      metadata: { name: registeredClusterName(clientID), namespace, labels },
      spec: { clientID },
    };
    return client.apply(clusters, cluster, OPTIONS);
  }
}

/** Takes away what the agent has long fetched: its credentials' Secret first, so that no Secret is left without a registration. */
async function collect({ metadata, spec }: ClusterRegistration, client: LeaderClient): Promise<void> {
  const key = { namespace: fleetNamespace.clustersSystem, name: credentialSecretName(spec.clientID ?? '', spec.clientRandom ?? '') };
  for (const resource of [secrets, roleBindings, roles] as Resource<KubeObject>[]) await client.delete(resource, key).catch(ignoreNotFound);
  const { namespace = '', name = '', uid = '' } = metadata;
  await client.delete(clusterRegistrations, { namespace, name }, { preconditions: { uid } }).catch(ignoreNotFound);
}

/** Account, rights and credentials of one agent. */
async function grant(registration: ClusterRegistration, cluster: Cluster, client: LeaderClient): Promise<void> {
  const { clientID = '', clientRandom = '' } = registration.spec;
  const deploymentNamespace = cluster.status?.namespace ?? '';
  const account = { namespace: deploymentNamespace, name: `request-${sha256Hex(clientID + clientRandom).slice(0, 12)}` };
  await client.apply(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...account } }, OPTIONS);
  await grantRights(cluster, account, client);
  const { token } = await issueToken(client, account, LIMITS.agentTokenSeconds);
  const credentials = {
    token,
    deploymentNamespace,
    clusterNamespace: cluster.metadata.namespace ?? '',
    clusterName: cluster.metadata.name ?? '',
    accountName: account.name,
  };
  const name = credentialSecretName(clientID, clientRandom);
  await client.apply(
    secrets,
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: fleetNamespace.clustersSystem },
      type: secretType.agentCredential,
      data: Object.fromEntries(Object.entries(credentials).map(([key, value]) => [key, base64Encode(value)])),
    },
    OPTIONS,
  );
  await letRequesterRead(registration, name, client);
}

async function grantRights(cluster: Cluster, account: { namespace: string; name: string }, client: LeaderClient): Promise<void> {
  const subjects = [{ kind: 'ServiceAccount', ...account }];
  const inCluster = { name: account.name, namespace: cluster.metadata.namespace ?? '', ownerReferences: ownedBy(cluster, 'Cluster') };
  const bindRole = (metadata: ObjectMeta, kind: string, name: string) =>
    client.apply(roleBindings, { apiVersion: `${RBAC}/v1`, kind: 'RoleBinding', metadata, roleRef: { apiGroup: RBAC, kind, name }, subjects }, OPTIONS);

  await bindRole({ ...account }, 'ClusterRole', 'fleet-bundle-deployment');
  await client.apply(
    roles,
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'Role',
      metadata: inCluster,
      rules: [
        { apiGroups: [FLEET_GROUP], resources: ['clusters/status'], resourceNames: [cluster.metadata.name ?? ''], verbs: ['patch'] },
        { apiGroups: [FLEET_GROUP], resources: ['clusters'], resourceNames: [cluster.metadata.name ?? ''], verbs: ['get'] },
      ],
    },
    OPTIONS,
  );
  await bindRole(inCluster, 'Role', account.name);
  // The agent renews its own token, and only its own.
  await client.apply(
    roles,
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'Role',
      metadata: { name: `${account.name}-token`, namespace: account.namespace },
      rules: [{ apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: [account.name], verbs: ['create'] }],
    },
    OPTIONS,
  );
  await bindRole({ name: `${account.name}-token`, namespace: account.namespace }, 'Role', `${account.name}-token`);
  await client.apply(
    clusterRoleBindings,
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: `${account.namespace}-${account.name}-content`, ownerReferences: await ownedByNamespace(account.namespace, client) },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'fleet-content' },
      subjects,
    },
    OPTIONS,
  );
}

/** What no namespace holds goes with the cluster's namespace, as the account does. */
async function ownedByNamespace(name: string, client: LeaderClient): Promise<OwnerReference[]> {
  const { metadata } = await client.get(namespaces, { name });
  return [{ apiVersion: 'v1', kind: 'Namespace', name, uid: metadata.uid ?? '' }];
}

/** The account of the registration token may read this one Secret. */
async function letRequesterRead(registration: ClusterRegistration, secret: string, client: LeaderClient): Promise<void> {
  const tokenName = registration.metadata.labels?.[label.registrationToken];
  if (!tokenName) return;
  const metadata = { name: secret, namespace: fleetNamespace.clustersSystem };
  const rules = [{ apiGroups: [''], resources: ['secrets'], resourceNames: [secret], verbs: ['get', 'delete'] }];
  await client.apply(roles, { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata, rules }, OPTIONS);
  await client.apply(
    roleBindings,
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: RBAC, kind: 'Role', name: secret },
      subjects: [{ kind: 'ServiceAccount', name: registrationAccountName(tokenName), namespace: registration.metadata.namespace ?? '' }],
    },
    OPTIONS,
  );
}
