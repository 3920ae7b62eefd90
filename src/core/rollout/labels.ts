/** Addresses and labels of BundleDeployments. Source: Fleet, target labels (facts §1.8). */
import { label } from '#api/fleet';
import type { Target } from '#core/target';

export function deploymentKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/**
 * Labels of the BundleDeployment: the bundle's, without those other tools own, and those by which
 * controllers and agents find it.
 */
export function deploymentLabels(target: Target, bundleLabels: Readonly<Record<string, string>>): Record<string, string> {
  const inherited = Object.entries(bundleLabels).filter(
    ([key]) => key.startsWith('fleet.cattle.io/') || (!key.startsWith('kubectl.kubernetes.io') && !key.includes('cattle.io/')),
  );
  return {
    ...Object.fromEntries(inherited),
    [label.bundleName]: target.bundleName,
    [label.bundleNamespace]: target.bundleNamespace,
    [label.managed]: 'true',
    [label.clusterNamespace]: target.clusterNamespace,
    [label.cluster]: target.clusterName,
  };
}
