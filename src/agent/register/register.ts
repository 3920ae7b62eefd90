/**
 * The agent's side of registration, done by the leading replica: ask to be registered, wait for the
 * credentials, keep them in a Secret that all replicas read. Every step can be entered again by another
 * replica: the random part of the request is kept in the bootstrap Secret before it is used.
 * Source of the flow: Fleet docs, "Agent-initiated registration"; facts/fleet.md §3.4.
 */
import { configMaps, namespaces, secrets, type Secret } from '#api/builtin';
import { type ClusterRegistration, clusterRegistrations, FLEET_API_VERSION, label } from '#api/fleet';
import { ignoreNotFound, isAlreadyExists, isForbidden, isNotFound, isUnauthorized } from '#apimachinery/status';
import { TimeoutError } from '#base/async';
import { type Clock, sleep } from '#base/clock';
import { base64Encode, sha256Hex } from '#base/hash';
import type { Log } from '#base/log';
import type { Client } from '#kube/client';
import type { LeaderClient } from '#kube/leaderelection';
import { AGENT_CONFIG_MAP, BOOTSTRAP_SECRET, type Bootstrap, parseBootstrap, type Registration, registrationSecret } from './registration.ts';

const LIMITS = {
  /** First and longest pause between looks for the credentials (Fleet: 2 s), and how long to look (30 min). */
  pollMsMin: 200,
  pollMsMax: 2_000,
  waitMs: 30 * 60_000,
};

export interface RegisterDependencies {
  /** The agent's own namespace. */
  namespace: string;
  /** Writes downstream; only while leading. */
  downstream: LeaderClient;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  /** 32 or more random characters, from a source fit for secrets. */
  secretText(): string;
  /** A client upstream that identifies itself with this token; the caller closes it. */
  connectUpstream(endpoint: { apiServerURL: string; apiServerCA: string; token: string }): Client;
}

/** Registers this cluster and returns its credentials. Throws when there is no bootstrap Secret or no answer within 30 minutes. */
export async function register(deps: RegisterDependencies): Promise<Registration> {
  const bootstrap = await ensureRandom(await readBootstrap(deps), deps);
  const { clientID, labels } = await identityOf(deps);
  const upstream = deps.connectUpstream(bootstrap);
  try {
    await requestRegistration(upstream, bootstrap, { clientID, labels }, deps.namespace);
    deps.log.info('registration requested', { upstream: bootstrap.apiServerURL });
    const credentials = await awaitCredentials(upstream, bootstrap, clientID, deps);
    const registration: Registration = { apiServerURL: bootstrap.apiServerURL, apiServerCA: bootstrap.apiServerCA, ...credentials };
    await deps.downstream.apply(secrets, registrationSecret(deps.namespace, registration), { fieldManager: 'fleet-agent', force: true });
    await deps.downstream.delete(secrets, { namespace: deps.namespace, name: BOOTSTRAP_SECRET }).catch(ignoreNotFound);
    deps.log.info('registered', { cluster: registration.clusterName, namespace: registration.clusterNamespace });
    return registration;
  } finally {
    upstream.close();
  }
}

async function readBootstrap(deps: RegisterDependencies): Promise<Secret> {
  try {
    return await deps.downstream.get(secrets, { namespace: deps.namespace, name: BOOTSTRAP_SECRET });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new Error(`Secret/${deps.namespace}/${BOOTSTRAP_SECRET}: not found and this agent is not registered; re-install the fleet-agent chart or raise redeployAgentGeneration of the Cluster`, { cause: error });
  }
}

async function ensureRandom(secret: Secret, deps: RegisterDependencies): Promise<Bootstrap> {
  const bootstrap = parseBootstrap(secret);
  if (bootstrap.clientRandom) return bootstrap;
  const clientRandom = deps.secretText();
  const body = { metadata: { resourceVersion: secret.metadata.resourceVersion }, data: { clientRandom: base64Encode(clientRandom) } };
  await deps.downstream.patch(secrets, { namespace: deps.namespace, name: BOOTSTRAP_SECRET }, { type: 'merge', body });
  return { ...bootstrap, clientRandom };
}

interface Identity {
  clientID: string;
  /** For the Cluster that the manager makes of us. */
  labels: Record<string, string>;
}

/** What the administrator chose, else the UID of kube-system, which identifies a cluster. */
async function identityOf({ downstream, namespace }: RegisterDependencies): Promise<Identity> {
  const map = await downstream.get(configMaps, { namespace, name: AGENT_CONFIG_MAP }).catch(ignoreNotFound);
  const { clientID, labels } = parseConfig(namespace, map?.data?.config);
  return { clientID: clientID || ((await downstream.get(namespaces, { name: 'kube-system' })).metadata.uid ?? ''), labels: labels ?? {} };
}

function parseConfig(namespace: string, text = '{}'): Partial<Identity> {
  try {
    return JSON.parse(text) as Partial<Identity>;
  } catch (error) {
    throw new Error(`ConfigMap/${namespace}/${AGENT_CONFIG_MAP}: key "config" is not JSON; install the fleet-agent chart again`, { cause: error });
  }
}

async function requestRegistration(upstream: Client, bootstrap: Bootstrap, { clientID, labels }: Identity, namespace: string): Promise<void> {
  const registration: ClusterRegistration = {
    apiVersion: FLEET_API_VERSION,
    kind: 'ClusterRegistration',
    metadata: {
      name: `request-${sha256Hex(clientID + bootstrap.clientRandom).slice(0, 12)}`,
      namespace: bootstrap.clusterNamespace,
      labels: bootstrap.tokenName ? { [label.registrationToken]: bootstrap.tokenName } : {},
    },
    spec: { clientID, clientRandom: bootstrap.clientRandom, clusterLabels: labels },
  };
  try {
    await upstream.create(clusterRegistrations, registration);
  } catch (error) {
    if (isAlreadyExists(error)) return;
    if (!isUnauthorized(error)) throw error;
    throw new Error(`Secret/${namespace}/${BOOTSTRAP_SECRET}: ${bootstrap.apiServerURL} does not accept its token any more; install the fleet-agent chart again with a valid token or raise redeployAgentGeneration of the Cluster`, { cause: error });
  }
}

type Credentials = Omit<Registration, 'apiServerURL' | 'apiServerCA'>;

async function awaitCredentials(upstream: Client, bootstrap: Bootstrap, clientID: string, deps: RegisterDependencies): Promise<Credentials> {
  const name = `c-${sha256Hex(clientID + bootstrap.clientRandom)}`.slice(0, 63);
  const untilMs = deps.clock.monotonicMs() + LIMITS.waitMs;
  for (let pauseMs = LIMITS.pollMsMin; deps.clock.monotonicMs() < untilMs; pauseMs = Math.min(LIMITS.pollMsMax, pauseMs * 1.5)) {
    // Until the manager has granted the request, the Secret is neither there nor ours to read.
    const secret = await upstream.get(secrets, { namespace: bootstrap.systemRegistrationNamespace, name }, { signal: deps.signal }).catch((error: unknown) => {
      if (isNotFound(error) || isForbidden(error)) return undefined;
      throw error;
    });
    if (secret?.data?.token) return credentialsOf(secret);
    await sleep(deps.clock, pauseMs, deps.signal);
  }
  throw new TimeoutError(`registration at ${bootstrap.apiServerURL}: no credentials after ${LIMITS.waitMs / 60_000} min; see ClusterRegistrations in namespace ${bootstrap.clusterNamespace}`);
}

function credentialsOf(secret: Secret): Credentials {
  const text = (key: string) => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
  return { token: text('token'), deploymentNamespace: text('deploymentNamespace'), clusterNamespace: text('clusterNamespace'), clusterName: text('clusterName'), accountName: text('accountName') };
}
