/**
 * What a Cluster asks of its agent, as values of charts/fleet-agent; and the hash by which a change of any
 * of it is noticed. One function for import and for the self-managed agent bundle, so that the two never
 * fight over the Deployment.
 */
import type { Cluster } from '#api/fleet';
import { namespace as fleetNamespace } from '#api/fleet';
import { sha256Hex } from '#base/hash';
import { canonicalJson } from '#base/json';
import type { ControllerConfig } from '../config/index.ts';

export interface Endpoint {
  apiServerURL: string;
  apiServerCA: string;
}

/** The namespace of a cluster's agent: what the Cluster says, else Fleet's default. */
export function agentNamespaceOf(cluster: Cluster): string {
  return cluster.spec.agentNamespace || fleetNamespace.system;
}

/** Values of charts/fleet-agent for this cluster, without a registration token. */
export function agentValues(cluster: Cluster, config: ControllerConfig, endpoint: Endpoint): Record<string, unknown> {
  const { spec } = cluster;
  const image = splitImage(config.agentImage);
  return {
    ...endpoint,
    image: { ...image, imagePullPolicy: config.agentImagePullPolicy },
    clientID: spec.clientID ?? '',
    clusterNamespace: cluster.metadata.namespace ?? '',
    labels: {},
    replicas: config.agentReplicas,
    agentTLSMode: config.agentTLSMode,
    garbageCollectionInterval: config.garbageCollectionInterval,
    agentCheckinInterval: config.agentCheckinInterval,
    leaderElection: config.agentLeaderElection,
    reconciler: { workers: config.agentWorkers },
    availability: config.availability,
    global: {
      cattle: {
        systemDefaultRegistry: spec.privateRepoURL || config.systemDefaultRegistry,
        imagePullSecrets: spec.agentPullSecrets ?? [],
      },
    },
    env: spec.agentEnvVars ?? [],
    tolerations: spec.agentTolerations ?? [],
    affinity: spec.agentAffinity ?? {},
    resources: spec.agentResources ?? {},
    hostNetwork: spec.hostNetwork ?? false,
    ...scheduling(cluster),
    internal: { systemNamespace: agentNamespaceOf(cluster), managed: true, ...internalScheduling(cluster) },
  };
}

function scheduling(cluster: Cluster): Record<string, unknown> {
  return cluster.spec.agentSchedulingCustomization?.priorityClass ? { priorityClassName: 'fleet-agent-priority-class' } : {};
}

function internalScheduling(cluster: Cluster): Record<string, unknown> {
  const { priorityClass, podDisruptionBudget } = cluster.spec.agentSchedulingCustomization ?? {};
  return { ...(priorityClass ? { priorityClass } : {}), ...(podDisruptionBudget ? { podDisruptionBudget: budget(podDisruptionBudget) } : {}) };
}

/** A "0" beside another value is ignored; nothing set means maxUnavailable 0 (facts: Fleet §4.8). */
function budget({ minAvailable, maxUnavailable }: { minAvailable?: string; maxUnavailable?: string }): Record<string, unknown> {
  const set = (value: string | undefined) => value !== undefined && value !== '' && value !== '0';
  if (set(minAvailable) && set(maxUnavailable)) return {};
  if (set(minAvailable)) return { minAvailable: intOrText(minAvailable as string) };
  return { maxUnavailable: set(maxUnavailable) ? intOrText(maxUnavailable as string) : 0 };
}

function intOrText(value: string): number | string {
  return /^\d+$/.test(value) ? Number(value) : value;
}

function splitImage(image: string): { repository: string; tag: string } {
  const colon = image.lastIndexOf(':');
  return colon > image.lastIndexOf('/') ? { repository: image.slice(0, colon), tag: image.slice(colon + 1) } : { repository: image, tag: 'latest' };
}

/** Changes when the agent has to be deployed again. Registration tokens are not part of it. */
export function agentConfigHash(values: Record<string, unknown>): string {
  return sha256Hex(canonicalJson(values)).slice(0, 16);
}
