/** Composes the fleet-controller: registration, import, clusters, groups, bundles, contents; one lease. */
import { randomBytes } from 'node:crypto';
import { namespaces, secrets } from '#api/builtin';
import {
  type BundleDeployment,
  bundleDeployments,
  bundleNamespaceMappings,
  bundles,
  type Cluster,
  clusterGroups,
  clusterRegistrations,
  clusterRegistrationTokens,
  clusters,
  contents,
  secretType,
  type Schedule,
  schedules,
} from '#api/fleet';
import { keyOf, keyText, type KubeObject, type ObjectKey, type Unstructured } from '#apimachinery/meta';
import { systemClock } from '#base/clock';
import { parseDuration } from '#base/duration';
import { deepEqual } from '#base/json';
import { systemRandom } from '#base/random';
import { bootstrapLocalCluster, ClusterImportReconciler } from '#controllers/agentmanagement';
import { BundleReconciler, BY_BUNDLE, bundleKeyOf, INTERNAL_SECRET_SELECTOR } from '#controllers/bundle';
import { ClusterReconciler } from '#controllers/cluster';
import { ClusterGroupReconciler } from '#controllers/clustergroup';
import { BY_CONTENT, ContentReconciler, contentNamesOf } from '#controllers/content';
import { RegistrationReconciler, RegistrationTokenReconciler } from '#controllers/registration';
import { ScheduleReconciler } from '#controllers/schedule';
import { createApplier } from '#kube/apply';
import { createRestMapper, parseKubeconfig } from '#kube/client';
import type { LeaderClient } from '#kube/leaderelection';
import type { Manager } from '#kube/manager';
import { loadChart, renderChart } from '#render/chart';
import { readOwnChart } from '../adapters/charts.ts';
import { connect } from '../adapters/connection.ts';
import { countFrom } from '../adapters/manager.ts';
import { templateTools } from '../adapters/templates.ts';
import type { LiveConfig } from './config.ts';

const BUNDLE_STATUS_DELAY_MS = 100;
const WORKERS = 16;

export function composeFleetController(manager: Manager<'upstream'>, config: LiveConfig, env: NodeJS.ProcessEnv): void {
  const caches = informers(manager);
  const clock = systemClock;
  manager.onTerm('bootstrap', async (_term, { upstream }) => bootstrapLocalCluster(upstream, config.current(), config.endpoint()));

  const workers = (name: string) => countFrom(env, `${name}_RECONCILER_WORKERS`, WORKERS);
  manager.controller({
    name: 'clusterregistrationtoken',
    reconciler: new RegistrationTokenReconciler({ tokens: caches.tokens, clock, endpoint: config.endpoint, ttlRequired: env.FLEET_REGISTRATION_TOKEN_TTL_REQUIRED === 'true' }),
    sources: [
      { informer: caches.tokens },
      // A Secret that somebody removed is written again.
      { informer: caches.tokenSecrets, map: (secret) => [keyOf(secret)], changed: () => false },
    ],
  });
  manager.controller({
    name: 'clusterregistration',
    reconciler: new RegistrationReconciler({ registrations: caches.registrations, clusters: caches.clusters, clock, ignoreLabels: () => config.current().ignoreClusterRegistrationLabels }),
    sources: [{ informer: caches.registrations, changed: specChanged }],
    concurrency: workers('CLUSTER'),
  });
  manager.controller({
    name: 'clusterimport',
    reconciler: new ClusterImportReconciler({
      clusters: caches.clusters,
      clock,
      config: config.current,
      endpoint: config.endpoint,
      connect: (kubeconfig) => connect(parseKubeconfig(kubeconfig), 'fleet-controller'),
      renderAgent,
      applyObjects,
      random: { clientID: () => randomBytes(32).toString('hex') },
    }),
    sources: [
      { informer: caches.clusters, changed: specChanged },
      // Replicas, images and intervals of agents are part of the configuration.
      { informer: config.informer, map: () => caches.clusters.list().map(keyOf), changed: (before, after) => before.data?.config !== after.data?.config },
    ],
    concurrency: workers('CLUSTER'),
  });
  manager.controller({
    name: 'cluster',
    reconciler: new ClusterReconciler({ clusters: caches.clusters, deployments: caches.deployments, clock, checkinMs: () => parseDuration(config.current().agentCheckinInterval) }),
    sources: [
      { informer: caches.clusters, changed: (before, after) => specChanged(before, after) || !deepEqual(before.status?.agent, after.status?.agent) },
      { informer: caches.deployments, map: clusterOfDeployment(caches.clusters), delayMs: BUNDLE_STATUS_DELAY_MS },
    ],
    concurrency: workers('CLUSTER'),
  });
  manager.controller({
    name: 'clustergroup',
    reconciler: new ClusterGroupReconciler({ groups: caches.groups, clusters: caches.clusters, clock }),
    sources: [
      { informer: caches.groups, changed: specChanged },
      { informer: caches.clusters, map: (cluster) => caches.groups.list(cluster.metadata.namespace).map(keyOf), delayMs: BUNDLE_STATUS_DELAY_MS },
    ],
    concurrency: workers('CLUSTERGROUP'),
  });
  manager.controller({
    name: 'content',
    reconciler: new ContentReconciler({ contents: caches.contents, deployments: caches.deployments, clock }),
    sources: [
      { informer: caches.contents },
      { informer: caches.deployments, map: (deployment) => contentNamesOf(deployment).map((name) => ({ name })), changed: (before, after) => !deepEqual(contentNamesOf(before), contentNamesOf(after)) },
    ],
    concurrency: workers('CONTENT'),
  });
  addBundleController(manager, caches, workers('BUNDLE'));
  if (env.EXPERIMENTAL_SCHEDULES === 'true') addScheduleController(manager, caches, workers('SCHEDULE'));
}

function addScheduleController(manager: Manager<'upstream'>, caches: Caches, concurrency: number): void {
  const known = manager.informer('upstream', { resource: schedules });
  manager.controller({
    name: 'schedule',
    reconciler: new ScheduleReconciler({ schedules: known, clusters: caches.clusters, clusterGroups: caches.groups, clock: systemClock }),
    sources: [
      { informer: known, changed: specChanged },
      { informer: caches.clusters, changed: scheduleChanged, map: (cluster) => schedulesNear(known.list(cluster.metadata.namespace), cluster) },
      { informer: caches.groups, changed: specChanged, map: ({ metadata }) => known.list(metadata.namespace).map(keyOf) },
    ],
    concurrency,
  });
}

/** The Schedules that may concern a cluster; a key without object where one that is gone has left its mark. */
function schedulesNear(known: readonly Schedule[], { metadata, status }: Cluster): ObjectKey[] {
  if (known.length > 0) return known.map(keyOf);
  return status?.scheduled ? [{ namespace: metadata.namespace ?? '', name: 'gone' }] : [];
}

function scheduleChanged(before: Cluster, after: Cluster): boolean {
  return specChanged(before, after) || before.status?.scheduled !== after.status?.scheduled || before.status?.activeSchedule !== after.status?.activeSchedule;
}

type Caches = ReturnType<typeof informers>;

function informers(manager: Manager<'upstream'>) {
  return {
    tokens: manager.informer('upstream', { resource: clusterRegistrationTokens }),
    tokenSecrets: manager.informer('upstream', { resource: secrets, fieldSelector: `type=${secretType.clusterRegistrationValues}`, transform: ({ data: _data, ...rest }) => rest }),
    registrations: manager.informer('upstream', { resource: clusterRegistrations }),
    clusters: manager.informer('upstream', { resource: clusters }),
    groups: manager.informer('upstream', { resource: clusterGroups }),
    bundles: manager.informer('upstream', { resource: bundles }),
    deployments: manager.informer('upstream', { resource: bundleDeployments, indexers: { [BY_BUNDLE]: bundleIndex, [BY_CONTENT]: contentNamesOf } }),
    mappings: manager.informer('upstream', { resource: bundleNamespaceMappings }),
    namespaces: manager.informer('upstream', { resource: namespaces }),
    // Only their names and hashes matter to decisions; the data stays on the server.
    contents: manager.informer('upstream', { resource: contents, transform: ({ content: _content, ...rest }) => rest }),
    internalSecrets: manager.informer('upstream', { resource: secrets, labelSelector: INTERNAL_SECRET_SELECTOR, transform: ({ data: _data, ...rest }) => rest }),
  };
}

function bundleIndex(deployment: BundleDeployment): string[] {
  const key = bundleKeyOf(deployment);
  return key ? [keyText(key)] : [];
}

function addBundleController(manager: Manager<'upstream'>, caches: Caches, concurrency: number): void {
  const all = () => caches.bundles.list().map(keyOf);
  manager.controller({
    name: 'bundle',
    reconciler: new BundleReconciler({ ...caches, clusterGroups: caches.groups, templates: templateTools(), clock: systemClock }),
    sources: [
      { informer: caches.bundles, changed: specChanged },
      { informer: caches.deployments, map: (deployment) => [bundleKeyOf(deployment)].filter((key) => key !== undefined), delayMs: BUNDLE_STATUS_DELAY_MS },
      { informer: caches.clusters, map: all, changed: targetingChanged },
      { informer: caches.groups, map: all, changed: specChanged },
      { informer: caches.mappings, map: all },
    ],
    concurrency,
  });
}

/** Status changes of others' making do not matter; spec, labels, annotations, finalizers and deletion do. */
export function specChanged(before: KubeObject, after: KubeObject): boolean {
  const { metadata: a } = before;
  const { metadata: b } = after;
  return (
    a.generation !== b.generation ||
    a.deletionTimestamp !== b.deletionTimestamp ||
    !deepEqual(a.labels, b.labels) ||
    !deepEqual(a.annotations, b.annotations) ||
    !deepEqual(a.finalizers, b.finalizers)
  );
}

/** What of a Cluster decides which bundles it gets, and with which values. */
function targetingChanged(before: Cluster, after: Cluster): boolean {
  return specChanged(before, after) || before.status?.namespace !== after.status?.namespace || before.status?.scheduled !== after.status?.scheduled || before.status?.activeSchedule !== after.status?.activeSchedule;
}

function clusterOfDeployment(cache: Caches['clusters']) {
  return (deployment: BundleDeployment) => {
    const namespace = deployment.metadata.namespace ?? '';
    return cache.list().filter((cluster) => cluster.status?.namespace === namespace).map(keyOf);
  };
}

function renderAgent(namespace: string, values: Record<string, unknown>): Unstructured[] {
  const chart = loadChart(readOwnChart('fleet-agent'));
  const { manifests } = renderChart(chart, { release: { name: 'fleet-agent', namespace }, values, random: systemRandom, nowMs: systemClock.wallMs() });
  return manifests.map(({ object }) => object as Unstructured);
}

async function applyObjects(client: LeaderClient, namespace: string, objects: readonly Unstructured[], signal: AbortSignal): Promise<void> {
  const applier = createApplier({ client, mapper: createRestMapper(client, systemClock), clock: systemClock });
  const { changes } = await applier.apply(objects, { fieldManager: 'fleet-controller', force: true, signal, defaultNamespace: namespace });
  const failed = changes.find(({ action }) => action === 'failed');
  if (failed) throw new Error(`${failed.reference.kind}/${failed.reference.name}: not applied`, { cause: failed.error });
}

