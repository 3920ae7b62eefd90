/** One picture of a running fleet, as data: what runs where, who leads, how the bundles are. */
import { leases, pods } from '#api/builtin';
import { bundles, clusters, gitRepos } from '#api/fleet';
import { findCondition } from '#apimachinery/meta';
import type { Client } from '#kube/client';
import type { Host } from './host.ts';

export interface PodLine {
  cluster: string;
  namespace: string;
  pod: string;
  node: string;
  phase: string;
  leads: boolean;
}

export interface ObjectLine {
  namespace: string;
  name: string;
  ready: string;
  message: string;
}

export interface Overview {
  clusters: { name: string; url: string; kubeconfig: string; nodes: { name: string; power: string }[] }[];
  pods: PodLine[];
  gitRepos: (ObjectLine & { commit: string })[];
  bundles: ObjectLine[];
  fleetClusters: (ObjectLine & { lastSeen: string })[];
}

export async function readOverview(host: Host, kubeconfig: (cluster: string) => string): Promise<Overview> {
  const local = host.clusters.get('local');
  if (!local) throw new Error('the management cluster is not running');
  const [repos, allBundles, allClusters] = await Promise.all([local.client.list(gitRepos), local.client.list(bundles), local.client.list(clusters)]);
  const lines = await Promise.all([...host.clusters].map(([name, { client }]) => podLines(name, client)));
  return {
    clusters: [...host.clusters].map(([name, { cluster, nodes }]) => ({
      name,
      url: cluster.url,
      kubeconfig: kubeconfig(name),
      nodes: [...nodes().values()].map((node) => ({ name: node.name, power: node.power })),
    })),
    pods: lines.flat(),
    gitRepos: repos.items.map((repo) => ({ ...objectLine(repo, repo.status?.display?.readyBundleDeployments), commit: repo.status?.commit ?? '' })),
    bundles: allBundles.items.map((bundle) => objectLine(bundle, bundle.status?.display?.readyClusters)),
    fleetClusters: allClusters.items.map((cluster) => ({ ...objectLine(cluster, cluster.status?.display?.readyBundles), lastSeen: cluster.status?.agent?.lastSeen ?? '' })),
  };
}

function objectLine(object: { metadata: { namespace?: string; name?: string }; status?: { conditions?: Parameters<typeof findCondition>[0] } }, ready = ''): ObjectLine {
  const message = findCondition(object.status?.conditions, 'Ready')?.message ?? '';
  return { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '', ready, message };
}

/** Pods of ours: those whose processes run here. */
async function podLines(cluster: string, client: Client): Promise<PodLine[]> {
  const [allPods, allLeases] = await Promise.all([client.list(pods), client.list(leases)]);
  const holders = allLeases.items.map(({ spec }) => spec?.holderIdentity ?? '').filter((holder) => holder !== '');
  const ours = allPods.items.filter(({ spec }) => spec?.containers?.some(({ image }) => /(^|\/)fleet-ts\//.test(image ?? '')));
  return ours.map(({ metadata, spec, status }) => ({
    cluster,
    namespace: metadata.namespace ?? '',
    pod: metadata.name ?? '',
    node: spec?.nodeName ?? '',
    phase: metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? ''),
    leads: holders.some((holder) => holder.startsWith(`${metadata.name}_`)),
  }));
}
