/** Which clusters and groups come into question for a bundle at all. */
import { matchesSelector } from '#apimachinery/labels';
import type { Bundle, BundleNamespaceMapping, Cluster, ClusterGroup } from '#api/fleet';

/** The groups a cluster belongs to: same namespace, selector fits. An invalid selector fits nothing. */
export function clusterGroupsOf(cluster: Cluster, groups: readonly ClusterGroup[]): ClusterGroup[] {
  return groups.filter((group) => group.metadata.namespace === cluster.metadata.namespace && fits(group.spec.selector, cluster.metadata.labels));
}

/** The namespaces whose clusters the bundle may reach: its own and those its namespace's mappings add; sorted. */
export function namespacesFor(
  bundle: Bundle,
  mappings: readonly BundleNamespaceMapping[],
  namespaces: readonly { name: string; labels: Readonly<Record<string, string>> }[],
): string[] {
  const own = bundle.metadata.namespace ?? '';
  const reached = mappings
    .filter((mapping) => mapping.metadata.namespace === own && fits(mapping.bundleSelector, bundle.metadata.labels))
    .flatMap((mapping) => namespaces.filter(({ labels }) => fits(mapping.namespaceSelector, labels)).map(({ name }) => name));
  return [...new Set([own, ...reached])].sort();
}

function fits(selector: Parameters<typeof matchesSelector>[0], labels: Readonly<Record<string, string>> | undefined): boolean {
  try {
    return matchesSelector(selector, labels);
  } catch {
    return false;
  }
}
