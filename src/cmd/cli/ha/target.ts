/** Finds what a drill is to work on: the component in its cluster, and a Fleet Cluster that probe workloads can be sent to. */
import { clusters, type Cluster } from '#api/fleet';
import { type DrillTarget, componentNamed } from '#ha/drill';
import { assessHa, readClusters } from '#ha/status';
import { systemClock } from '#base/clock';
import type { Access } from './access.ts';

/** Throws an `Error` that lists what there is when the choice is not possible. */
export async function findTarget({ clusters: named }: Access, componentName: string, clusterName: string | undefined): Promise<DrillTarget> {
  const component = componentNamed(componentName);
  const status = assessHa(await readClusters(named), systemClock.wallMs());
  const all = status.clusters.flatMap(({ name, components }) => components.filter((each) => each.component === component.name).map((each) => ({ cluster: name, ...each })));
  const wanted = clusterName === undefined ? defaultChoice(all) : all.find(({ cluster }) => cluster === clusterName);
  if (!wanted) throw new Error(`${component.name} does not run in ${clusterName ?? 'any reachable cluster'}; it runs in ${all.map(({ cluster }) => cluster).join(', ') || 'none'}`);
  const management = status.clusters.find(({ components }) => components.some((each) => each.component === 'fleet-controller'));
  const upstream = named.find(({ name }) => name === management?.name)?.client;
  const client = named.find(({ name }) => name === wanted.cluster)?.client;
  if (!upstream || !client) throw new Error('the management cluster is not among the clusters: pass its kubeconfig too');
  const { items } = await upstream.list(clusters);
  const fleetCluster = component.name === 'agent' ? items.find(({ metadata }) => metadata.name === wanted.cluster) : firstReachable(items, named.map(({ name }) => name));
  const receiver = named.find(({ name }) => name === fleetCluster?.metadata.name)?.client;
  if (!fleetCluster?.status?.namespace || !receiver) throw new Error(`no registered Cluster for ${wanted.cluster} can be reached: kubeconfigs are matched to Fleet Clusters by name`);
  return {
    component,
    cluster: wanted.cluster,
    client,
    upstream,
    namespace: wanted.namespace,
    lease: wanted.lease,
    fleetCluster: { namespace: fleetCluster.metadata.namespace ?? '', name: fleetCluster.metadata.name ?? '', deploymentNamespace: fleetCluster.status.namespace, client: receiver },
  };
}

/** One with a standby; `prod` and clusters other than the management cluster first. */
function defaultChoice<T extends { cluster: string; replicas: { wanted: number } }>(all: readonly T[]): T | undefined {
  const rank = ({ cluster, replicas }: T) => (replicas.wanted > 1 ? 0 : 4) + (cluster === 'prod' ? 0 : cluster === 'local' ? 2 : 1);
  return all.toSorted((a, b) => rank(a) - rank(b))[0];
}

function firstReachable(items: readonly Cluster[], names: readonly string[]): Cluster | undefined {
  const reachable = items.filter(({ metadata, status }) => names.includes(metadata.name ?? '') && status?.namespace);
  return reachable.find(({ metadata }) => metadata.name !== 'local') ?? reachable[0];
}
