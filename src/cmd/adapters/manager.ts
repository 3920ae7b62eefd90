/** One process, one lease, one manager: what all components share, read from flags and environment once. */
import { Registry } from '@prometheus-io/client';
import { systemClock } from '#base/clock';
import type { Log } from '#base/log';
import { systemRandom } from '#base/random';
import type { Client, Connection } from '#kube/client';
import { createEventRecorder } from '#kube/events';
import { type Transition, transitionEvents } from '#kube/leaderelection';
import { createManager, httpListener, type Listener, type Manager } from '#kube/manager';
import { createProcessElector, lockKind } from './elector.ts';
import type { Identity } from './process.ts';
import { addStuckPodsWatch } from './stuck-pods.ts';

export interface ComponentOptions<C extends string> {
  name: string;
  /** Name of the Lease, in `namespace`. */
  lease: string;
  namespace: string;
  identity: Identity;
  clients: Readonly<Record<C, Client>>;
  /** Where the Lease lives. */
  leaseConnection: Connection;
  flags: Readonly<Record<string, string>>;
  env: NodeJS.ProcessEnv;
  log: Log;
}

export const COMMON_FLAGS = ['kubeconfig', 'namespace', 'leader-elect', 'metrics-bind-address', 'health-probe-bind-address', 'disable-metrics', 'debug', 'debug-level', 'shard-id'];

export function createComponentManager<C extends string>(options: ComponentOptions<C>): Manager<C> {
  const registry = new Registry();
  const manager = createManager<C>({
    name: options.name,
    clients: options.clients,
    elector: createProcessElector(options, transitionTeller(options)),
    clock: systemClock,
    random: systemRandom,
    log: options.log,
    registry,
    listeners: listeners(options),
  });
  const home = homeOf(options);
  if (home !== undefined) addStuckPodsWatch(manager, options, { home, registry });
  return manager;
}

/** The client of the cluster the component itself runs in. An agent's two clients may lead to the same server; its own rights are those of `downstream`. */
function homeOf<C extends string>({ clients, leaseConnection }: ComponentOptions<C>): C | undefined {
  const there = (Object.keys(clients) as C[]).filter((name) => clients[name].server === leaseConnection.server);
  return there.find((name) => name === 'downstream') ?? there[0];
}

/** Each change of leadership becomes an Event on the lease, written with the client of the cluster that keeps it. */
function transitionTeller<C extends string>(options: ComponentOptions<C>): ((transition: Transition) => void) | undefined {
  const home = homeOf(options);
  if (home === undefined) return undefined;
  const client = options.clients[home];
  const { name, identity, namespace, lease, log, env } = options;
  const recorder = createEventRecorder({ client, component: name, instance: identity.holder, namespace, clock: systemClock, random: systemRandom, log });
  return transitionEvents({ kind: lockKind(env.CATTLE_ELECTION_RESOURCE_LOCK), namespace, name: lease }, (about, text) => recorder.event(about, text));
}

/** In a pod the endpoints are on by default (8080 metrics, 8081 health); a plain process opens none unless asked. */
function listeners({ flags, env }: Pick<ComponentOptions<string>, 'flags' | 'env'>): Listener[] {
  const inPod = env.POD_NAME !== undefined;
  const wanted = [
    flags['disable-metrics'] === 'true' ? '0' : (flags['metrics-bind-address'] ?? env.FLEET_METRICS_BIND_ADDRESS ?? (inPod ? ':8080' : '0')),
    flags['health-probe-bind-address'] ?? env.FLEET_HEALTHPROBE_BIND_ADDRESS ?? (inPod ? ':8081' : '0'),
  ];
  return [...new Set(wanted)].filter((address) => address !== '0' && address !== '').map((address) => listener(address, env));
}

function listener(address: string, env: NodeJS.ProcessEnv): Listener {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon) || env.POD_IP || '0.0.0.0';
  return httpListener(host, Number(address.slice(colon + 1)));
}

/** A positive whole number of the environment, or the fallback. */
export function countFrom(env: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const value = Number(env[name]);
  return Number.isInteger(value) && value > 0 ? value : fallback;
}
