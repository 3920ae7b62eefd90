/**
 * All controllers of an embedded cluster, composed once. Settings carry upstream's names and defaults.
 */
import type { Pod } from '#api/builtin';
import { controllerOf } from '#apimachinery/meta';
import type { AnyIndexers, ControlPlane } from '#embedded/controlloop';
import { loadBalancers } from './cloud/loadbalancer.ts';
import { claimProtection, volumeProtection } from './cloud/protection.ts';
import { VolumeProvisioner } from './cloud/volumes.ts';
import { clusterRoleAggregation } from './clusterrole/reconciler.ts';
import { CronJobController } from './cronjob/reconciler.ts';
import { DaemonSetController } from './daemonset/reconciler.ts';
import { DeploymentController } from './deployment/reconciler.ts';
import { DisruptionController } from './disruption/reconciler.ts';
import { EndpointsController } from './endpoints/reconciler.ts';
import { GarbageCollector, type WatchMetadata } from './garbagecollector/collector.ts';
import { JobController } from './job/reconciler.ts';
import { NamespaceController, type NamespaceSettings } from './namespace/reconciler.ts';
import { NodeLifecycleController, type NodeLifecycleSettings } from './nodelifecycle/reconciler.ts';
import { PodGarbageCollector, type PodGcSettings } from './podgc/reconciler.ts';
import { ReplicaSetController } from './replicaset/reconciler.ts';
import { NamespaceFurnitureController } from './serviceaccount/reconciler.ts';
import { StatefulSetController } from './statefulset/reconciler.ts';
import { TokenSecretController } from './tokensecret/reconciler.ts';

export interface ControllerSettings extends NodeLifecycleSettings, NamespaceSettings, PodGcSettings {
  /** The cluster's CA in PEM, published in every namespace. */
  caPem: string;
  watchMetadata: WatchMetadata;
  /** The address that Services of type LoadBalancer get; absent: they stay pending. */
  loadBalancerAddress?: string;
  /** Whether claims get a (hollow) volume; default no. */
  provisionVolumes?: boolean;
}

/** Upstream's defaults. */
export const CONTROLLER_DEFAULTS: Omit<ControllerSettings, 'caPem' | 'watchMetadata'> = {
  nodeMonitorGraceMs: 50_000,
  nodeStartupGraceMs: 60_000,
  namespaceGraceMs: 5000,
  terminatedPodsMax: 12_500,
  nodeGoneMs: 40_000,
};

interface Startable {
  start(signal: AbortSignal): Promise<void>;
}

/** The indexes that controllers, scheduler and nodes need on the shared informers. */
export const SHARED_INDEXERS: AnyIndexers = {
  pods: {
    namespace: (pod: Pod) => [pod.metadata.namespace ?? ''],
    node: (pod: Pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []),
    controller: (pod: Pod) => [controllerOf(pod)?.uid ?? ''],
  },
};

/** Makes all controllers, starts the shared informers, then the controllers; ends with the signal. */
export async function startControllers(plane: ControlPlane, settings: ControllerSettings, signal: AbortSignal): Promise<void> {
  const loops: Startable[] = [
    new ReplicaSetController(plane).loop,
    new DeploymentController(plane).loop,
    new StatefulSetController(plane).loop,
    new DaemonSetController(plane).loop,
    new JobController(plane).loop,
    new CronJobController(plane).loop,
    new DisruptionController(plane).loop,
    new EndpointsController(plane).loop,
    clusterRoleAggregation(plane),
    claimProtection(plane),
    volumeProtection(plane),
    new NamespaceFurnitureController(plane, settings.caPem).loop,
    new TokenSecretController(plane, settings.caPem).loop,
    new NamespaceController(plane, settings).loop,
    new NodeLifecycleController(plane, settings),
    new PodGarbageCollector(plane, settings).loop,
    ...(settings.loadBalancerAddress ? [loadBalancers(plane, settings.loadBalancerAddress)] : []),
    ...(settings.provisionVolumes ? [new VolumeProvisioner(plane).loop] : []),
    new GarbageCollector(plane, settings.watchMetadata),
  ];
  plane.informers.start(signal);
  await Promise.all(loops.map((loop) => loop.start(signal)));
}
