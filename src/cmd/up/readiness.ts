/** How far a starting `fleet up` is, read from the API server; and what to show of it. */
import { deployments } from '#api/builtin';
import { bundles, clusters, gitRepos, namespace as fleetNamespace } from '#api/fleet';
import { findCondition } from '#apimachinery/meta';
import { isNotFound } from '#apimachinery/status';
import type { ProgressStep } from '#cli/output';
import type { Client } from '#kube/client';
import { DEMO_GITREPO, WORKSPACE } from './demo.ts';

export interface Readiness {
  steps: ProgressStep[];
  ready: boolean;
  /** Seconds matter to people: what is being waited for. */
  waitingFor: string;
}

export interface Expected {
  /** Fleet Clusters, the local one included. */
  clusters: number;
  commit: string;
}

export async function readReadiness(client: Client, expected: Expected): Promise<Readiness> {
  const [controllers, agents, source, all] = await Promise.all([readControllers(client), readClusters(client), readGitRepo(client), client.list(bundles)]);
  const readyBundles = all.items.filter((bundle) => isReady(bundle.status?.conditions)).length;
  const steps: ProgressStep[] = [
    step('Controllers', controllers.ready, controllers.wanted),
    step('Clusters registered', agents, expected.clusters),
    { name: 'Commit fetched', state: source?.commit ? 'done' : 'waiting', detail: source?.commit?.slice(0, 12) ?? '' },
    step('Bundles ready', readyBundles, all.items.length),
  ];
  const deployed = source !== undefined && source.commit === expected.commit && source.desired > 0 && source.ready === source.desired;
  const ready = steps.every(({ state }) => state === 'done') && deployed && readyBundles === all.items.length;
  const waitingFor = steps.find(({ state }) => state !== 'done')?.name ?? (deployed ? '' : 'the GitRepo to be ready');
  return { steps, ready, waitingFor };
}

function step(name: string, ready: number, wanted: number): ProgressStep {
  return { name, state: wanted > 0 && ready >= wanted ? 'done' : wanted > 0 ? 'running' : 'waiting', detail: `${ready}/${wanted}` };
}

async function readControllers(client: Client): Promise<{ ready: number; wanted: number }> {
  const { items } = await client.list(deployments, { namespace: fleetNamespace.system });
  return {
    ready: items.filter(({ spec, status }) => (status?.readyReplicas ?? 0) >= (spec?.replicas ?? 1)).length,
    wanted: items.length,
  };
}

async function readClusters(client: Client): Promise<number> {
  const { items } = await client.list(clusters);
  return items.filter(({ status }) => status?.agent?.lastSeen).length;
}

async function readGitRepo(client: Client): Promise<{ commit: string | undefined; ready: number; desired: number } | undefined> {
  try {
    const { status } = await client.get(gitRepos, { namespace: WORKSPACE, name: DEMO_GITREPO });
    return { commit: status?.commit, ready: status?.summary?.ready ?? 0, desired: status?.summary?.desiredReady ?? 0 };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function isReady(conditions: Parameters<typeof findCondition>[0]): boolean {
  return findCondition(conditions, 'Ready')?.status === 'True';
}
