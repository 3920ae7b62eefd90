/**
 * What an agent knows about its manager, and the Secrets it is kept in. `fleet-agent-bootstrap` is what an
 * administrator or the manager leaves for an agent that is not registered yet; `fleet-agent` is what
 * registration makes of it, shared by all replicas. Names of Secrets and keys are Fleet's.
 */
import type { Secret } from '#api/builtin';
import { base64Decode, base64Encode, utf8Text } from '#base/hash';

export const BOOTSTRAP_SECRET = 'fleet-agent-bootstrap';
export const AGENT_SECRET = 'fleet-agent';
export const AGENT_CONFIG_MAP = 'fleet-agent';

export interface Bootstrap {
  apiServerURL: string;
  /** PEM; empty: the system's authorities. */
  apiServerCA: string;
  clusterNamespace: string;
  systemRegistrationNamespace: string;
  token: string;
  /** Name of the ClusterRegistrationToken; empty in Secrets of older managers. */
  tokenName: string;
  /** Drawn once and kept, so that registration can be entered again. */
  clientRandom: string;
}

export interface Registration {
  apiServerURL: string;
  apiServerCA: string;
  token: string;
  /** Namespace of our BundleDeployments upstream. */
  deploymentNamespace: string;
  clusterNamespace: string;
  clusterName: string;
  /** Our ServiceAccount in the deployment namespace; empty when registered by an older manager. */
  accountName: string;
}

const BOOTSTRAP_REQUIRED = ['apiServerURL', 'clusterNamespace', 'token'] as const;
const REGISTRATION_KEYS = ['apiServerURL', 'apiServerCA', 'token', 'deploymentNamespace', 'clusterNamespace', 'clusterName', 'accountName'] as const;

/** Throws an `Error` naming the Secret and the key that is missing. */
export function parseBootstrap(secret: Secret): Bootstrap {
  const data = decode(secret);
  for (const key of BOOTSTRAP_REQUIRED) {
    if (!data[key]) throw new Error(`Secret/${secret.metadata.namespace}/${secret.metadata.name}: key ${key} is missing; install the fleet-agent chart again with a valid token`);
  }
  return {
    apiServerURL: data.apiServerURL ?? '',
    apiServerCA: data.apiServerCA ?? '',
    clusterNamespace: data.clusterNamespace ?? '',
    systemRegistrationNamespace: data.systemRegistrationNamespace || 'cattle-fleet-clusters-system',
    token: data.token ?? '',
    tokenName: data.tokenName ?? '',
    clientRandom: data.clientRandom ?? '',
  };
}

/** Undefined when the Secret is not a complete registration. */
export function parseRegistration(secret: Secret | undefined): Registration | undefined {
  if (!secret) return undefined;
  const data = decode(secret);
  if (!data.apiServerURL || !data.token || !data.deploymentNamespace || !data.clusterName) return undefined;
  return Object.fromEntries(REGISTRATION_KEYS.map((key) => [key, data[key] ?? ''])) as unknown as Registration;
}

export function registrationSecret(namespace: string, registration: Registration): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: AGENT_SECRET, namespace },
    data: Object.fromEntries(REGISTRATION_KEYS.map((key) => [key, base64Encode(registration[key])])),
  };
}

function decode(secret: Secret): Record<string, string> {
  return Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, utf8Text(base64Decode(value))]));
}
