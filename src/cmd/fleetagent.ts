/**
 * The agent: registers its cluster once, then deploys what the manager assigns to it. All replicas are
 * registered, hold full caches and wait; the one with the lease acts, on both clusters.
 */
import { parseDuration } from '#base/duration';
import { configMaps } from '#api/builtin';
import { isNotFound } from '#apimachinery/status';
import { AGENT_CONFIG_MAP, type Registration } from '#agent/register';
import type { AgentClients } from '#agent/bundledeployment';
import type { Client, Connection } from '#kube/client';
import type { Log } from '#base/log';
import { composeAgent } from './agent/work-phase.ts';
import { ensureRegistration } from './agent/registration-phase.ts';
import { connect, processConnection } from './adapters/connection.ts';
import { parseFlags } from './adapters/flags.ts';
import { processLog } from './adapters/log.ts';
import { COMMON_FLAGS, createComponentManager } from './adapters/manager.ts';
import { type Identity, processIdentity, runProcess, stopSignal } from './adapters/process.ts';

const NAME = 'fleet-agent';
const DEFAULT_CHECKIN = '15m';

const HELP = `fleetagent [flags]

  --kubeconfig FILE                 this cluster's API server; default: KUBECONFIG, or the pod's service account
  --namespace NS                    where the lease and the credentials live (default cattle-fleet-system)
  --checkin-interval DURATION       how often to report upstream (default ${DEFAULT_CHECKIN})
  --leader-elect=false              run without election; only for a process that is known to be alone
  --metrics-bind-address HOST:PORT  default :8080 in a pod, else 0 (off)
  --health-probe-bind-address HOST:PORT  default :8081 in a pod, else 0 (off)

Example:
  fleetagent --kubeconfig .fleet/clusters/dev/kubeconfig --namespace cattle-fleet-system
`;

interface AgentProcess {
  flags: Readonly<Record<string, string>>;
  env: NodeJS.ProcessEnv;
  identity: Identity;
  connection: Connection;
  namespace: string;
  downstream: Client;
  log: Log;
  signal: AbortSignal;
}

runProcess('fleetagent', async () => {
  const { flags } = parseFlags(process.argv.slice(2), [...COMMON_FLAGS, 'agent-scope', 'checkin-interval', 'help']);
  if (flags.help) return void process.stdout.write(HELP);
  const { env } = process;
  const log = processLog(NAME, env);
  const identity = processIdentity(env);
  const connection = processConnection(flags.kubeconfig, env);
  const namespace = flags.namespace ?? identity.namespace ?? connection.namespace ?? 'cattle-fleet-system';
  const agent: AgentProcess = { flags, env, identity, connection, namespace, downstream: connect(connection, NAME), log, signal: stopSignal() };
  log.info('starting', { holder: identity.holder, namespace, server: connection.server });
  while (!agent.signal.aborted) {
    const registration = await ensureRegistration({
      namespace,
      downstream: agent.downstream,
      log,
      signal: agent.signal,
      createManager: () => newManager(agent, { downstream: agent.downstream }),
    });
    await work(agent, registration);
  }
});

function newManager<C extends string>(agent: AgentProcess, clients: Readonly<Record<C, Client>>) {
  const { namespace, identity, connection, flags, env, log } = agent;
  return createComponentManager<C>({ name: NAME, lease: 'fleet-agent', namespace, identity, clients, leaseConnection: connection, flags, env, log });
}

/** Works until the process is asked to stop, or until the registration is another one. */
async function work(agent: AgentProcess, registration: Registration): Promise<void> {
  const phase = new AbortController();
  const end = () => phase.abort(new Error('the phase ends'));
  agent.signal.addEventListener('abort', end, { once: true });
  let { token } = registration;
  const { apiServerURL, apiServerCA } = registration;
  const upstream = connect({ server: apiServerURL, ...(apiServerCA ? { ca: apiServerCA } : {}), auth: { kind: 'tokenFile', path: 'fleet-agent' } }, NAME, () => token);
  const clients: Record<AgentClients, Client> = { upstream, downstream: agent.downstream };
  const manager = newManager<AgentClients>(agent, clients);
  composeAgent({
    namespace: agent.namespace,
    registration,
    manager,
    clients,
    checkinMs: await checkinInterval(agent),
    env: agent.env,
    log: agent.log,
    onToken: (next) => {
      token = next;
    },
    onReregister: end,
  });
  try {
    await manager.start(phase.signal);
  } finally {
    agent.signal.removeEventListener('abort', end);
    upstream.close();
  }
}

/** Flag, environment, the ConfigMap of the chart, or Fleet's default; 0 counts as unset. */
async function checkinInterval({ flags, env, downstream, namespace }: AgentProcess): Promise<number> {
  const map = await downstream.get(configMaps, { namespace, name: AGENT_CONFIG_MAP }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  const configured = (JSON.parse(map?.data?.config ?? '{}') as { agentCheckinInterval?: string }).agentCheckinInterval;
  const text = flags['checkin-interval'] || env.CHECKIN_INTERVAL || configured || DEFAULT_CHECKIN;
  return parseDuration(text) || parseDuration(DEFAULT_CHECKIN);
}

