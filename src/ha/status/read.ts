/** Reads what `assessHa` needs: six lists per cluster, in the namespaces where components of ours run. */
import { configMaps, type Deployment, deployments, leases, nodes, podDisruptionBudgets, pods, secrets } from '#api/builtin';
import { clusters } from '#api/fleet';
import { isForbidden, isNotFound } from '#apimachinery/status';
import { mapLimit } from '#base/async';
import { base64Decode, utf8Text } from '#base/hash';
import { errorText } from '#base/log';
import type { Client } from '#kube/client';
import { APP_SELECTOR, COMPONENTS } from '../components.ts';
import type { ClusterFacts } from './types.ts';

const LIMITS = { clustersAtOnce: 8, requestMs: 10_000 };

export interface NamedCluster {
  name: string;
  client: Client;
}

/** Never throws for one cluster: what went wrong is in its facts. */
export function readClusters(named: readonly NamedCluster[]): Promise<ClusterFacts[]> {
  return mapLimit(named, LIMITS.clustersAtOnce, async ({ name, client }) => {
    try {
      return await readCluster(name, client);
    } catch (error) {
      return { name, server: client.server, error: errorText(error), deployments: [], pods: [], leases: [], configMaps: [], budgets: [] };
    }
  });
}

async function readCluster(name: string, client: Client): Promise<ClusterFacts> {
  const timeoutMs = LIMITS.requestMs;
  const { items: workloads } = await client.list(deployments, { labelSelector: APP_SELECTOR, timeoutMs });
  const namespaces = [...new Set(workloads.map(({ metadata }) => metadata.namespace ?? ''))];
  const inEach = async <T>(list: (namespace: string) => Promise<{ items: T[] }>) => (await Promise.all(namespaces.map(list))).flatMap(({ items }) => items);
  const [allPods, allLeases, budgets, nodeList, locks] = await Promise.all([
    inEach((namespace) => client.list(pods, { namespace, labelSelector: APP_SELECTOR, timeoutMs })),
    inEach((namespace) => client.list(leases, { namespace, timeoutMs })),
    inEach((namespace) => client.list(podDisruptionBudgets, { namespace, timeoutMs })),
    client.list(nodes, { timeoutMs }).catch(undefinedWhenForbidden),
    Promise.all(workloads.filter(usesConfigMaps).map((workload) => readLock(client, workload))),
  ]);
  return { name, server: client.server, deployments: workloads, pods: allPods, leases: allLeases, budgets, configMaps: locks.filter((lock) => lock !== undefined), ...(nodeList ? { nodes: nodeList.items } : {}) };
}

function usesConfigMaps({ spec }: Deployment): boolean {
  return spec?.template.spec?.containers.some(({ env }) => env?.some(({ name, value }) => name === 'CATTLE_ELECTION_RESOURCE_LOCK' && value === 'configmaps')) === true;
}

async function readLock(client: Client, { metadata }: Deployment) {
  const component = COMPONENTS.find(({ app }) => app === metadata.labels?.app);
  const key = { namespace: metadata.namespace ?? '', name: component?.lease ?? '' };
  return client.get(configMaps, key, { timeoutMs: LIMITS.requestMs }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
}

function undefinedWhenForbidden(error: unknown): undefined {
  if (isForbidden(error)) return undefined;
  throw error;
}

/**
 * Downstream clusters that a management cluster knows by kubeconfig: `connect` makes clients of them.
 * Clusters whose Secret is missing or may not be read are left out, as are agents that registered themselves.
 */
export async function discoverDownstream(management: Client, connect: (kubeconfig: string) => Client): Promise<NamedCluster[]> {
  const timeoutMs = LIMITS.requestMs;
  const { items } = await management.list(clusters, { timeoutMs }).catch((error: unknown) => {
    if (isNotFound(error) || isForbidden(error)) return { items: [] };
    throw error;
  });
  const found = await mapLimit(items, LIMITS.clustersAtOnce, async ({ metadata, spec }): Promise<NamedCluster | undefined> => {
    if (!spec.kubeConfigSecret) return undefined;
    try {
      const secret = await management.get(secrets, { namespace: spec.kubeConfigSecretNamespace ?? metadata.namespace ?? '', name: spec.kubeConfigSecret }, { timeoutMs });
      return { name: metadata.name ?? '', client: connect(utf8Text(base64Decode(secret.data?.value ?? ''))) };
    } catch {
      return undefined; // not allowed, or gone: the cluster can still be given by its own kubeconfig
    }
  });
  return found.filter((cluster) => cluster !== undefined);
}
