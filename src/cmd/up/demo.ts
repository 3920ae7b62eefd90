/** What a person would do with kubectl after installing Fleet: register the clusters, point a GitRepo at a repository. */
import { namespaces, secrets } from '#api/builtin';
import { clusters, FLEET_API_VERSION, type GitRepo, gitRepos, namespace as fleetNamespace } from '#api/fleet';
import { isNotFound } from '#apimachinery/status';
import { base64Encode } from '#base/hash';
import type { Client } from '#kube/client';
import type { DataDir } from './data-dir.ts';
import type { Host } from './host.ts';
import { DEMO_TIMINGS } from './plan.ts';
import { DEMO_BRANCH } from './repository.ts';

const OPTIONS = { fieldManager: 'fleet-up', force: true };
export const WORKSPACE = fleetNamespace.default;
export const DEMO_GITREPO = 'examples';

/** Manager-initiated registration: a kubeconfig Secret and a Cluster for each downstream cluster. */
export async function registerClusters(host: Host, client: Client): Promise<void> {
  await client.apply(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: WORKSPACE } }, OPTIONS);
  for (const [name, { plan, cluster }] of host.clusters) {
    if (!plan.labels) continue;
    const secret = `${name}-kubeconfig`;
    await client.apply(
      secrets,
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: secret, namespace: WORKSPACE }, data: { value: base64Encode(cluster.kubeconfig()) } },
      OPTIONS,
    );
    await client.apply(
      clusters,
      { apiVersion: FLEET_API_VERSION, kind: 'Cluster', metadata: { name, namespace: WORKSPACE, labels: { ...plan.labels } }, spec: { kubeConfigSecret: secret } },
      OPTIONS,
    );
  }
}

/** Created once; what a person changes in it afterwards stays. */
export async function createGitRepo(dir: DataDir, client: Client): Promise<void> {
  const key = { namespace: WORKSPACE, name: DEMO_GITREPO };
  const existing = await client.get(gitRepos, key).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (existing) return;
  const repo: GitRepo = {
    apiVersion: FLEET_API_VERSION,
    kind: 'GitRepo',
    metadata: key,
    spec: {
      repo: dir.repository,
      branch: DEMO_BRANCH,
      pollingInterval: DEMO_TIMINGS.pollingInterval,
      targets: ['dev', 'test', 'prod'].map((env) => ({ name: env, clusterSelector: { matchLabels: { env } } })),
    },
  };
  await client.create(gitRepos, repo);
}
