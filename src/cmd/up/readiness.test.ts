/** How far a starting fleet is, as the API server tells it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { deployments } from '#api/builtin';
import { bundles, clusters, FLEET_API_VERSION, gitRepos } from '#api/fleet';
import { type ManagementServer, startManagementServer } from '#testing/management';
import { DEMO_GITREPO, WORKSPACE } from './demo.ts';
import { readReadiness } from './readiness.ts';

const COMMIT = '0123456789abcdef';
const READY = [{ type: 'Ready', status: 'True' as const, lastTransitionTime: '2026-01-01T00:00:00Z' }];

let server: ManagementServer;
before(async () => {
  server = await startManagementServer();
});
after(() => server.stop());

async function check(ready: boolean, waitingFor: string, details: string[], commit = COMMIT): Promise<void> {
  const readiness = await readReadiness(server.client, { clusters: 1, commit });
  assert.deepEqual([readiness.ready, readiness.waitingFor, readiness.steps.map(({ state, detail }) => `${state} ${detail}`)], [ready, waitingFor, details]);
}

const status = (resource: typeof bundles | typeof clusters | typeof gitRepos, name: string, body: object) => server.client.patch(resource as typeof bundles, { namespace: WORKSPACE, name }, { type: 'merge', body: { status: body } }, { subresource: 'status' });

test('step by step: controllers, clusters, commit, bundles, and only then ready', async () => {
  await check(false, 'Controllers', ['waiting 0/0', 'running 0/1', 'waiting ', 'waiting 0/0']);
  const labels = { app: 'fleet-controller' };
  await server.put(deployments, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: 'cattle-fleet-system', name: 'fleet-controller' },
    spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } } },
    status: { replicas: 2, readyReplicas: 1 },
  });
  await check(false, 'Controllers', ['running 0/1', 'running 0/1', 'waiting ', 'waiting 0/0']);
  await server.client.patch(deployments, { namespace: 'cattle-fleet-system', name: 'fleet-controller' }, { type: 'merge', body: { status: { readyReplicas: 2 } } }, { subresource: 'status' });
  await server.put(clusters, { apiVersion: FLEET_API_VERSION, kind: 'Cluster', metadata: { namespace: WORKSPACE, name: 'dev' }, spec: {} });
  await check(false, 'Clusters registered', ['done 1/1', 'running 0/1', 'waiting ', 'waiting 0/0']);
  await status(clusters, 'dev', { agent: { lastSeen: '2026-01-01T00:00:00Z' } });
  await server.put(gitRepos, { apiVersion: FLEET_API_VERSION, kind: 'GitRepo', metadata: { namespace: WORKSPACE, name: DEMO_GITREPO }, spec: { repo: 'https://x' } });
  await check(false, 'Commit fetched', ['done 1/1', 'done 1/1', 'waiting ', 'waiting 0/0']);
  await status(gitRepos, DEMO_GITREPO, { commit: COMMIT, readyClusters: 0, desiredReadyClusters: 1, summary: { desiredReady: 1, ready: 0, notReady: 1 } });
  await server.put(bundles, { apiVersion: FLEET_API_VERSION, kind: 'Bundle', metadata: { namespace: WORKSPACE, name: 'web' }, spec: {} });
  await check(false, 'Bundles ready', ['done 1/1', 'done 1/1', 'done 0123456789ab', 'running 0/1']);
  await status(bundles, 'web', { conditions: READY });
  await check(false, 'the GitRepo to be ready', ['done 1/1', 'done 1/1', 'done 0123456789ab', 'done 1/1']);
  await status(gitRepos, DEMO_GITREPO, { summary: { desiredReady: 1, ready: 1, notReady: 0 } });
  await check(true, '', ['done 1/1', 'done 1/1', 'done 0123456789ab', 'done 1/1']);
  await check(false, 'the GitRepo to be ready', ['done 1/1', 'done 1/1', 'done 0123456789ab', 'done 1/1'], 'a newer commit');
});
