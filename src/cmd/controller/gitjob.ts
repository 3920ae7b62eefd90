/** Composes gitjob: repositories are polled, built and reported on; one lease. */
import { gzipSync } from 'node:zlib';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BundleDeployment, bundleDeployments, bundles, type GitRepo, gitRepos } from '#api/fleet';
import { keyText } from '#apimachinery/meta';
import { systemClock } from '#base/clock';
import { silentLog } from '#base/log';
import { systemRandom } from '#base/random';
import { BY_REPO, type GitAccess, GitRepoReconciler, type GitSource, Poller, repoKeyOf } from '#controllers/gitrepo';
import { createEventRecorder, type EventRecorder } from '#kube/events';
import type { LeaderClient } from '#kube/leaderelection';
import type { Manager } from '#kube/manager';
import { parseYaml } from '#render/rawyaml';
import { createGitClient, type GitCredentials, nodeGitFiles, nodeGitRunner } from '#source/git';
import { countFrom } from '../adapters/manager.ts';
import type { LiveConfig } from './config.ts';
import { specChanged } from './fleet-controller.ts';

const STATUS_DELAY_MS = 150;
const RECONCILE_LIMIT_MS = 15 * 60_000;
const WORKERS = 16;

export function composeGitJob(manager: Manager<'upstream'>, config: LiveConfig, env: NodeJS.ProcessEnv): void {
  const repos = manager.informer('upstream', { resource: gitRepos });
  const ownBundles = manager.informer('upstream', { resource: bundles });
  const deployments = manager.informer('upstream', { resource: bundleDeployments, indexers: { [BY_REPO]: repoIndex } });
  const poller = new Poller(systemClock, systemRandom);
  manager.onTerm('poll timers', async () => poller.reset(), { beforeBarrier: true });
  manager.controller({
    name: 'gitrepo',
    reconciler: new GitRepoReconciler({
      repos,
      bundles: ownBundles,
      deployments,
      git: gitSource(config, env),
      tools: { parseYaml: (text) => parseYaml(text), gzip: (bytes) => gzipSync(bytes) },
      poller,
      clock: systemClock,
      events: recorders('gitjob', env),
    }),
    sources: [
      { informer: repos, changed: repoChanged },
      { informer: ownBundles, map: (bundle) => [repoKeyOf(bundle)].filter((key) => key !== undefined), delayMs: STATUS_DELAY_MS },
      { informer: deployments, map: (deployment) => [repoKeyOf(deployment)].filter((key) => key !== undefined), delayMs: STATUS_DELAY_MS },
    ],
    concurrency: countFrom(env, 'GITREPO_RECONCILER_WORKERS', WORKERS),
    reconcileTimeoutMs: RECONCILE_LIMIT_MS,
  });
}

/** One recorder per term: its writes end with the term. */
function recorders(component: string, env: NodeJS.ProcessEnv): (client: LeaderClient) => EventRecorder {
  const made = new WeakMap<LeaderClient, EventRecorder>();
  return (client) => {
    const known = made.get(client);
    if (known) return known;
    const recorder = createEventRecorder({ client, component, instance: env.POD_NAME ?? component, clock: systemClock, random: systemRandom, log: silentLog });
    made.set(client, recorder);
    return recorder;
  };
}

function repoIndex(deployment: BundleDeployment): string[] {
  const key = repoKeyOf(deployment);
  return key ? [keyText(key)] : [];
}

function repoChanged(before: GitRepo, after: GitRepo): boolean {
  return specChanged(before, after) || before.status?.webhookCommit !== after.status?.webhookCommit;
}

function gitSource(config: LiveConfig, env: NodeJS.ProcessEnv): GitSource {
  const cacheDir = join(env.FLEET_TS_ROOT ? join(env.FLEET_TS_ROOT, 'tmp') : tmpdir(), `fleet-git-${process.pid}`);
  mkdirSync(cacheDir, { recursive: true, mode: 0o700 });
  const visible = ['PATH', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];
  const client = createGitClient({
    run: nodeGitRunner(systemClock),
    files: nodeGitFiles,
    cacheDir,
    env: Object.fromEntries(visible.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name] as string]]))),
    allowLocal: env.FLEET_GIT_ALLOW_LOCAL === 'true',
    limits: { listTimeoutMs: config.current().gitClientTimeoutMs },
  });
  const skipHostKeys = env.FLEET_INSECURE_SKIP_HOST_KEY_CHECKS === 'true';
  return {
    newestCommit: (access, signal) => client.lsRemote(access.url, refOf(access), credentialsOf(access, skipHostKeys), signal),
    snapshot: async (access, commit, signal) => (await client.snapshot(access.url, commit, credentialsOf(access, skipHostKeys), signal)).tree,
  };
}

function refOf({ branch, revision }: GitAccess): { branch?: string; revision?: string } {
  return revision ? { revision } : { branch };
}

function credentialsOf(access: GitAccess, insecureSkipHostKey: boolean): GitCredentials {
  return {
    ...access.basicAuth,
    ...(access.ssh ? { sshPrivateKey: access.ssh.privateKey, ...(access.ssh.knownHosts ? { knownHosts: access.ssh.knownHosts } : {}) } : {}),
    ...(access.caBundle ? { caBundle: access.caBundle } : {}),
    insecureSkipHostKey,
    insecureSkipTLSVerify: access.insecureSkipTLSVerify,
  };
}
