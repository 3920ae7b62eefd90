/** What `fleet up` and `fleet status` print of an {@link Overview}. */
import { formatTable } from '#cli/output';
import type { DataDir } from './data-dir.ts';
import type { Overview } from './overview.ts';

export function formatOverview(overview: Overview): string {
  const podRows = overview.pods.map(({ cluster, namespace, pod, node, phase, leads }) => [cluster, namespace, pod, node, phase, leads ? 'leads' : '']);
  const bundleRows = overview.bundles.map(({ namespace, name, ready, message }) => [namespace, name, ready, message.split('\n')[0] ?? '']);
  const repoRows = overview.gitRepos.map(({ namespace, name, commit, ready, message }) => [namespace, name, commit.slice(0, 12), ready, message.split('\n')[0] ?? '']);
  const clusterRows = overview.fleetClusters.map(({ namespace, name, ready, lastSeen, message }) => [namespace, name, ready, lastSeen, message.split('\n')[0] ?? '']);
  const down = overview.clusters.flatMap(({ name, nodes }) => nodes.filter(({ power }) => power !== 'on').map((node) => `${name}/${node.name} is ${node.power}`));
  return [
    formatTable(['cluster', 'namespace', 'pod', 'node', 'status', ''], podRows),
    formatTable(['namespace', 'gitrepo', 'commit', 'ready', 'message'], repoRows),
    formatTable(['namespace', 'bundle', 'clusters ready', 'message'], bundleRows),
    formatTable(['namespace', 'cluster', 'bundles ready', 'last seen', 'message'], clusterRows),
    ...(down.length ? [down.join('\n')] : []),
  ].join('\n\n');
}

/** Three things to try, with commands that work as they stand. */
export function formatNextSteps(dir: DataDir, overview: Overview, isDefault: boolean): string {
  const leader = overview.pods.find(({ cluster, leads }) => cluster === 'prod' && leads);
  const kubeconfig = dir.kubeconfig('prod');
  const data = isDefault ? '' : ` --data ${dir.root}`;
  return [
    'Try next:',
    `  1. Change a file and commit: only what changed is deployed again.`,
    `       cd ${dir.workingCopy} && sed -i 's/Hello/Good day/' guestbook/settings.yaml && git commit -qam 'Be polite'`,
    `  2. Power off the node of prod's leading agent: the other replica takes over.`,
    `       bin/fleet node stop prod/${leader?.node ?? 'node-1'}${data} && bin/fleet status${data}`,
    `  3. Look with kubectl.`,
    `       kubectl --kubeconfig ${kubeconfig} get deploy,cm -A`,
  ].join('\n');
}
