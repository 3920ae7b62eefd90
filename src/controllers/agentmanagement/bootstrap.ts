/**
 * Makes the manager's own cluster a Fleet cluster like any other: namespaces, the Cluster `local`, the group
 * `default`, and a kubeconfig Secret through which the ordinary import deploys the local agent.
 *
 * The kubeconfig's token belongs to ServiceAccount `fleet-controller-bootstrap` and is issued for
 * {@link LIMITS}; the import asks for a fresh one each time it needs it. Source: Fleet, agentmanagement/bootstrap.
 */
import { namespaces, secrets } from '#api/builtin';
import { type Cluster, type ClusterGroup, clusterGroups, clusters, FLEET_API_VERSION, namespace as fleetNamespace } from '#api/fleet';
import { base64Encode } from '#base/hash';
import type { LeaderClient } from '#kube/leaderelection';
import { isAlreadyExists } from '#apimachinery/status';
import { issueToken } from '../registration/credentials.ts';
import type { ControllerConfig } from '../config/index.ts';
import type { Endpoint } from './agent-values.ts';

const LIMITS = { bootstrapTokenSeconds: 12 * 3600 };
const OPTIONS = { fieldManager: 'fleet-controller', force: true };

export const LOCAL_CLUSTER = 'local';
export const LOCAL_KUBECONFIG_SECRET = 'local-cluster';
export const BOOTSTRAP_ACCOUNT = 'fleet-controller-bootstrap';

/** Idempotent; runs at the start of every term. */
export async function bootstrapLocalCluster(client: LeaderClient, config: ControllerConfig, endpoint: Endpoint): Promise<void> {
  const { bootstrap } = config;
  for (const name of [fleetNamespace.clustersSystem, fleetNamespace.default, bootstrap.namespace]) await ensureNamespace(client, name);
  if (bootstrap.disabled) return;
  const group: ClusterGroup = {
    apiVersion: FLEET_API_VERSION,
    kind: 'ClusterGroup',
    metadata: { name: 'default', namespace: bootstrap.namespace },
    spec: { selector: { matchLabels: { name: LOCAL_CLUSTER } } },
  };
  await client.apply(clusterGroups, group, OPTIONS);
  await refreshLocalKubeconfig(client, bootstrap.namespace, endpoint);
  const cluster: Cluster = {
    apiVersion: FLEET_API_VERSION,
    kind: 'Cluster',
    metadata: { name: LOCAL_CLUSTER, namespace: bootstrap.namespace, labels: { name: LOCAL_CLUSTER, ...bootstrap.clusterLabels } },
    spec: { kubeConfigSecret: LOCAL_KUBECONFIG_SECRET, agentNamespace: bootstrap.agentNamespace },
  };
  await client.apply(clusters, cluster, OPTIONS);
}

/** Writes the Secret with a token that is good for the next import. */
export async function refreshLocalKubeconfig(client: LeaderClient, namespace: string, endpoint: Endpoint): Promise<void> {
  const { token } = await issueToken(client, { namespace: fleetNamespace.system, name: BOOTSTRAP_ACCOUNT }, LIMITS.bootstrapTokenSeconds);
  await client.apply(
    secrets,
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: LOCAL_KUBECONFIG_SECRET, namespace },
      data: { value: base64Encode(kubeconfigText({ ...endpoint, token })), apiServerURL: base64Encode(endpoint.apiServerURL), apiServerCA: base64Encode(endpoint.apiServerCA) },
    },
    OPTIONS,
  );
}

/** A kubeconfig for one user and one cluster. */
export function kubeconfigText({ apiServerURL, apiServerCA, token }: Endpoint & { token: string }): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'default', cluster: { server: apiServerURL, ...(apiServerCA ? { 'certificate-authority-data': base64Encode(apiServerCA) } : {}) } },
    ],
    users: [{ name: 'default', user: { token } }],
    contexts: [{ name: 'default', context: { cluster: 'default', user: 'default' } }],
    'current-context': 'default',
  });
}

/** Creates a namespace unless it is there. */
export async function ensureNamespace(client: LeaderClient, name: string, labels: Record<string, string> = {}): Promise<void> {
  try {
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
