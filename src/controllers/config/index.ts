/**
 * The configuration that the chart writes into the ConfigMap `fleet-controller`, key `config` (JSON). Every
 * field has a default, so that a missing or broken entry never stops a controller: the caller keeps the
 * last configuration it could read. Source: Fleet, internal/config; names are the wire's.
 */
import { parseDuration } from '#base/duration';
import { base64Decode, utf8Text } from '#base/hash';
import { isRecord } from '#base/json';

export interface BootstrapConfig {
  namespace: string;
  agentNamespace: string;
  disabled: boolean;
  localAgentDisabled: boolean;
  clusterLabels: Record<string, string>;
}

export interface ControllerConfig {
  systemDefaultRegistry: string;
  agentImage: string;
  agentImagePullPolicy: string;
  apiServerURL: string;
  /** PEM. */
  apiServerCA: string;
  agentTLSMode: string;
  agentCheckinInterval: string;
  garbageCollectionInterval: string;
  gitClientTimeoutMs: number;
  ignoreClusterRegistrationLabels: boolean;
  agentReplicas: number;
  /** Values of charts/fleet-agent that are passed on as they are. */
  agentLeaderElection: Record<string, unknown>;
  agentWorkers: Record<string, unknown>;
  availability: Record<string, unknown>;
  bootstrap: BootstrapConfig;
}

/** Parses the ConfigMap's text. Throws an `Error` that names the ConfigMap when it is not JSON. */
export function parseControllerConfig(text: string | undefined): ControllerConfig {
  const raw = parse(text);
  const bootstrap = isRecord(raw.bootstrap) ? raw.bootstrap : {};
  return {
    systemDefaultRegistry: stringOf(raw.systemDefaultRegistry, ''),
    agentImage: stringOf(raw.agentImage, 'fleet-ts/fleet-agent:v0.1.0'),
    agentImagePullPolicy: stringOf(raw.agentImagePullPolicy, 'IfNotPresent'),
    apiServerURL: stringOf(raw.apiServerURL, ''),
    apiServerCA: utf8Text(base64Decode(stringOf(raw.apiServerCA, ''))),
    agentTLSMode: stringOf(raw.agentTLSMode, 'system-store'),
    agentCheckinInterval: durationOf(raw.agentCheckinInterval, '15m'),
    garbageCollectionInterval: durationOf(raw.garbageCollectionInterval, '15m'),
    gitClientTimeoutMs: parseDuration(durationOf(raw.gitClientTimeout, '30s')),
    ignoreClusterRegistrationLabels: raw.ignoreClusterRegistrationLabels === true,
    agentReplicas: typeof raw.agentReplicas === 'number' && raw.agentReplicas > 0 ? raw.agentReplicas : 1,
    agentLeaderElection: isRecord(raw.agentLeaderElection) ? raw.agentLeaderElection : {},
    agentWorkers: isRecord(raw.agentWorkers) ? raw.agentWorkers : {},
    availability: isRecord(raw.availability) ? raw.availability : {},
    bootstrap: {
      namespace: stringOf(bootstrap.namespace, 'fleet-local'),
      agentNamespace: stringOf(bootstrap.agentNamespace, 'cattle-fleet-local-system'),
      disabled: bootstrap.disabled === true,
      localAgentDisabled: bootstrap.localAgentDisabled === true,
      clusterLabels: isRecord(bootstrap.clusterLabels) ? (bootstrap.clusterLabels as Record<string, string>) : {},
    },
  };
}

function parse(text: string | undefined): Record<string, unknown> {
  if (!text) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch (error) {
    throw new Error('ConfigMap/fleet-controller: key "config" is not JSON; re-install the chart or mend it', { cause: error });
  }
  throw new Error('ConfigMap/fleet-controller: key "config" must hold a JSON object');
}

function stringOf(value: unknown, fallback: string): string {
  return typeof value === 'string' && value !== '' ? value : fallback;
}

/** An invalid duration counts as absent, as in Fleet. */
function durationOf(value: unknown, fallback: string): string {
  if (typeof value !== 'string' || value === '') return fallback;
  try {
    parseDuration(value);
    return value;
  } catch {
    return fallback;
  }
}
