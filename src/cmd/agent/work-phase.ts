/** Composes a registered agent: BundleDeployments, live objects, check-in, token renewal; one lease, both clusters. */
import { type BundleDeployment, bundleDeployments } from '#api/fleet';
import { type Secret, secrets } from '#api/builtin';
import { AGENT_LABEL, type AgentClients, BULK_REMOVAL_HOLD_MS, BundleDeploymentReconciler, BY_OWNER, type ClusterCapabilities, ContentCache, ownerIndex, RemovalGuard, setIDOf } from '#agent/bundledeployment';
import { heartbeat } from '#agent/heartbeat';
import { Monitor } from '#agent/monitor';
import { AGENT_SECRET, BOOTSTRAP_SECRET, parseRegistration, type Registration, renewTokens } from '#agent/register';
import { systemClock } from '#base/clock';
import { parseDuration } from '#base/duration';
import { mapLimit } from '#base/async';
import { errorText, type Log } from '#base/log';
import { systemRandom } from '#base/random';
import type { Informer } from '#kube/cache';
import { type Client, createRestMapper, type RestMapper } from '#kube/client';
import type { Manager } from '#kube/manager';
import { specChanged } from '../controller/fleet-controller.ts';
import { countFrom } from '../adapters/manager.ts';

const LIMITS = {
  /** Bursts of changes of live objects are looked at together. */
  observeDelayMs: 150,
  capabilitiesMs: 60_000,
  discoveryAtOnce: 16,
  /** Names of contents remembered as fetched, so that each is fetched once. */
  contentsAsked: 1_000,
  warmUpMs: 30_000,
  workers: 8,
};

export interface WorkOptions {
  namespace: string;
  registration: Registration;
  manager: Manager<AgentClients>;
  clients: Readonly<Record<AgentClients, Client>>;
  checkinMs: number;
  env: NodeJS.ProcessEnv;
  log: Log;
  /** The credentials were replaced: use these from now on. */
  onToken(token: string): void;
  /** The registration is another one: this phase has to end. */
  onReregister(): void;
}

export function composeAgent(options: WorkOptions): void {
  const { manager, namespace, registration, clients, log, env } = options;
  const deployments = manager.informer<BundleDeployment>('upstream', { resource: bundleDeployments, namespace: registration.deploymentNamespace });
  const releaseSecrets = manager.informer<Secret>('downstream', {
    resource: secrets,
    labelSelector: `owner=helm,${AGENT_LABEL}=${namespace}`,
    indexers: { [BY_OWNER]: ownerIndex },
  });
  const mapper = createRestMapper(clients.downstream, systemClock);
  const monitor = new Monitor({ mapper, informer: (informer) => manager.informer('downstream', informer), clock: systemClock, log });
  // A standby watches what the leader has deployed, so that its caches are full when its turn comes.
  const prepare = ({ status }: BundleDeployment) => monitor.prepare((status?.resources ?? []).map(({ apiVersion = '', kind = '' }) => ({ apiVersion, kind })));
  deployments.addHandler({ onAdd: prepare, onUpdate: (_previous, current) => prepare(current) });
  const setIDs = new Map<string, string>();
  deployments.addHandler({ onAdd: (deployment) => void setIDs.set(setIDOf(deployment, namespace), deployment.metadata.name ?? '') });
  const contents = new ContentCache(clients.upstream);
  const capabilities = capabilitiesOf(clients.downstream, mapper);
  warmUp({ deployments, contents, capabilities, log });
  const guard = new RemovalGuard({ clock: systemClock, holdMs: env.FLEET_AGENT_BULK_REMOVAL_HOLD ? parseDuration(env.FLEET_AGENT_BULK_REMOVAL_HOLD) : BULK_REMOVAL_HOLD_MS });
  deployments.addHandler({ onDelete: ({ metadata }, witnessed) => void (witnessed && guard.witnessed(metadata.name ?? '')) });
  const reconciler = new BundleDeploymentReconciler({
    deployments,
    guard,
    releaseSecrets,
    monitor,
    mapper,
    contents,
    capabilities,
    agentNamespace: namespace,
    clock: systemClock,
    random: systemRandom,
  });
  const inNamespace = (name: string) => ({ namespace: registration.deploymentNamespace, name });
  manager.controller({
    name: 'bundledeployment',
    reconciler,
    sources: [
      { informer: deployments, changed: specChanged },
      // A release somebody else changed or removed is looked at again.
      { informer: releaseSecrets, map: (secret) => ownerIndex(secret).map(inNamespace), delayMs: LIMITS.observeDelayMs },
    ],
    triggers: [
      (enqueue) => {
        monitor.onChange((setID) => {
          const name = setIDs.get(setID);
          if (name) enqueue(inNamespace(name), LIMITS.observeDelayMs);
        });
      },
    ],
    concurrency: countFrom(env, 'BUNDLEDEPLOYMENT_RECONCILER_WORKERS', LIMITS.workers),
  });
  addTermWork(options);
}

/** Work of the leading replica besides reconciling; and what all replicas follow in the registration's Secret. */
function addTermWork({ manager, namespace, registration, checkinMs, log, onToken, onReregister }: WorkOptions): void {
  let current = registration;
  manager.onTerm('check-in', async (term, { upstream }) => {
    const cluster = { namespace: current.clusterNamespace, name: current.clusterName };
    await heartbeat({ upstream, cluster, agentNamespace: namespace, intervalMs: checkinMs, clock: systemClock, random: systemRandom, log, signal: term.signal });
  });
  manager.onTerm('token renewal', async (term, { upstream, downstream }) => {
    await renewTokens({ namespace, registration: () => current, upstream, downstream, clock: systemClock, log, signal: term.signal });
  });
  const follow = (secret: Secret) => {
    const next = parseRegistration(secret);
    if (!next) return;
    const moved = next.apiServerURL !== current.apiServerURL || next.deploymentNamespace !== current.deploymentNamespace || next.apiServerCA !== current.apiServerCA;
    current = next;
    onToken(next.token);
    if (moved) onReregister();
  };
  manager.informer<Secret>('downstream', { resource: secrets, namespace, fieldSelector: `metadata.name=${AGENT_SECRET}` }).addHandler({ onAdd: follow, onUpdate: (_previous, secret) => follow(secret) });
  manager.informer<Secret>('downstream', { resource: secrets, namespace, fieldSelector: `metadata.name=${BOOTSTRAP_SECRET}` }).addHandler({ onAdd: onReregister });
}

/** What charts may ask of the cluster; read anew now and then, because CRDs come and go. One reading serves all who ask meanwhile. */
function capabilitiesOf(client: Client, mapper: RestMapper): () => Promise<ClusterCapabilities> {
  let known: { value: ClusterCapabilities; readMs: number } | undefined;
  let reading: Promise<ClusterCapabilities> | undefined;
  const read = async () => {
    try {
      const value = await readCapabilities(client, mapper);
      known = { value, readMs: systemClock.monotonicMs() };
      return value;
    } finally {
      reading = undefined;
    }
  };
  return async () => (known && systemClock.monotonicMs() - known.readMs < LIMITS.capabilitiesMs ? known.value : (reading ??= read()));
}

async function readCapabilities(client: Client, mapper: RestMapper): Promise<ClusterCapabilities> {
  const [response, groupVersions] = await Promise.all([client.request({ method: 'GET', path: '/version' }), mapper.groupVersions()]);
  const version = JSON.parse(new TextDecoder().decode(response.body)) as { gitVersion?: string };
  const resources = await mapLimit(groupVersions, LIMITS.discoveryAtOnce, async (groupVersion) => ({ groupVersion, found: await mapper.resourcesOf(groupVersion) }));
  const scopes = new Map(resources.flatMap(({ groupVersion, found }) => found.map(({ kind, namespaced }): [string, boolean] => [`${groupVersion} ${kind}`, namespaced])));
  const apiVersions = resources.flatMap(({ groupVersion, found }) => [groupVersion, ...found.map(({ kind }) => `${groupVersion}/${kind}`)]);
  return { kubeVersion: version.gitVersion ?? 'v1.30.0', apiVersions, isNamespaced: (apiVersion: string, kind: string) => scopes.get(`${apiVersion} ${kind}`) };
}

/**
 * A standby reads what its first deployment would need: the cluster's kinds, and the contents of the bundles
 * in its caches. After a takeover these are the requests that would stand between the win and the first write.
 */
function warmUp({ deployments, contents, capabilities, log }: { deployments: Informer<BundleDeployment>; contents: ContentCache; capabilities: () => Promise<ClusterCapabilities>; log: Log }): void {
  const cold = (what: string) => (error: unknown) => log.debug('not warmed up', { what, error: errorText(error) });
  capabilities().catch(cold('capabilities'));
  const asked = new Set<string>();
  let queue = Promise.resolve();
  const fetch = ({ spec }: BundleDeployment) => {
    const name = spec.deploymentID?.split(':')[0];
    if (!name || spec.ociContents || spec.helmChartOptions || asked.has(name)) return;
    if (asked.size >= LIMITS.contentsAsked) asked.clear();
    asked.add(name);
    // One after another: a standby must not compete with those who work.
    queue = queue.then(async () => void (await contents.files(name, AbortSignal.timeout(LIMITS.warmUpMs)))).catch(cold(`Content ${name}`));
  };
  deployments.addHandler({ onAdd: fetch, onUpdate: (_previous, current) => fetch(current) });
}
