/** What end-to-end tests ask the API servers. */
import { readdirSync, readFileSync } from 'node:fs';
import { configMaps, leases, pods, secrets } from '#api/builtin';
import { bundleDeployments, bundles, type GitRepo, gitRepos } from '#api/fleet';
import { findCondition } from '#apimachinery/meta';
import type { Client } from '#kube/client';

export interface ReleaseInfo {
  namespace: string;
  name: string;
  revision: number;
  status: string;
}

/** The newest revision of every Helm release, as `helm list -A --all` shows them. */
export async function releases(client: Client): Promise<ReleaseInfo[]> {
  const { items } = await client.list(secrets, { labelSelector: 'owner=helm' });
  const newest = new Map<string, ReleaseInfo>();
  for (const { metadata } of items) {
    const info = { namespace: metadata.namespace ?? '', name: metadata.labels?.name ?? '', revision: Number(metadata.labels?.version), status: metadata.labels?.status ?? '' };
    const key = `${info.namespace}/${info.name}`;
    if ((newest.get(key)?.revision ?? 0) < info.revision) newest.set(key, info);
  }
  return [...newest.values()].sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));
}

export async function gitRepo(local: Client): Promise<GitRepo> {
  return local.get(gitRepos, { namespace: 'fleet-default', name: 'examples' });
}

/** The commit is applied and everything that came from it is ready. */
export async function isDeployed(local: Client, commit: string): Promise<boolean> {
  const { status } = await gitRepo(local);
  if (status?.commit !== commit || findCondition(status.conditions, 'Ready')?.status !== 'True') return false;
  const { items } = await local.list(bundles, { namespace: 'fleet-default' });
  const deployments = (await local.list(bundleDeployments)).items;
  return (
    items.every((bundle) => findCondition(bundle.status?.conditions, 'Ready')?.status === 'True' && bundle.status?.observedGeneration === bundle.metadata.generation) &&
    deployments.every(({ spec, status: deployed }) => deployed?.appliedDeploymentID === spec.deploymentID)
  );
}

export async function configMapValue(client: Client, namespace: string, name: string, key: string): Promise<string | undefined> {
  return (await client.get(configMaps, { namespace, name })).data?.[key];
}

export interface Leader {
  pod: string;
  node: string;
  epoch: number;
  holder: string;
}

/** Who leads by a Lease, and where. */
export async function leader(client: Client, lease: string, namespace = 'cattle-fleet-system'): Promise<Leader> {
  const { spec } = await client.get(leases, { namespace, name: lease });
  const holder = spec?.holderIdentity ?? '';
  if (!holder) throw new Error(`Lease/${namespace}/${lease}: nobody leads`);
  const pod = holder.slice(0, holder.indexOf('_'));
  const live = await client.get(pods, { namespace, name: pod });
  return { pod, node: live.spec?.nodeName ?? '', epoch: spec?.leaseTransitions ?? 0, holder };
}

/** The process that runs a pod's container on this machine, found by its environment. */
export function pidOfPod(podName: string): number {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      if (readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0').includes(`POD_NAME=${podName}`)) return Number(entry);
    } catch {
      // gone, or not ours to read
    }
  }
  throw new Error(`no process runs pod ${podName}`);
}

/** Processes whose environment names this data folder's pods: what must not outlive its `fleet up`. */
export function processesBelow(folder: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => {
      try {
        return readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0').some((variable) => variable.startsWith('FLEET_TS_ROOT=') && variable.includes(`${folder}/`));
      } catch {
        return false;
      }
    })
    .map(Number);
}
