/**
 * The management side as one binary with three roles, each a replicated process with one lease:
 *
 *   fleetcontroller            Bundles, Clusters, registration, agents
 *   fleetcontroller gitjob     GitRepos
 *   fleetcontroller helmops    HelmOps
 */
import { processConnection, connect } from './adapters/connection.ts';
import { FlagError, parseFlags } from './adapters/flags.ts';
import { processLog } from './adapters/log.ts';
import { COMMON_FLAGS, createComponentManager } from './adapters/manager.ts';
import { processIdentity, runProcess, stopSignal } from './adapters/process.ts';
import { liveConfig } from './controller/config.ts';
import { composeFleetController } from './controller/fleet-controller.ts';
import { composeGitJob } from './controller/gitjob.ts';
import { composeHelmOps } from './controller/helmops.ts';

const ROLES = {
  'fleet-controller': { lease: 'fleet-controller-leader-election-shard', compose: composeFleetController },
  gitjob: { lease: 'fleet-gitops-leader-election-shard', compose: composeGitJob },
  helmops: { lease: 'fleet-helmops-leader-election-shard', compose: composeHelmOps },
} as const;

const HELP = `fleetcontroller [gitjob|helmops] [flags]

  --kubeconfig FILE                 API server; default: KUBECONFIG, or the pod's service account
  --namespace NS                    where the lease and the configuration live (default cattle-fleet-system)
  --leader-elect=false              run without election; only for a process that is known to be alone
  --metrics-bind-address HOST:PORT  default :8080 in a pod, else 0 (off)
  --health-probe-bind-address HOST:PORT  default :8081 in a pod, else 0 (off)

Examples:
  fleetcontroller --kubeconfig .fleet/clusters/local/kubeconfig --namespace cattle-fleet-system
  fleetcontroller gitjob --kubeconfig .fleet/clusters/local/kubeconfig --namespace cattle-fleet-system
`;

runProcess('fleetcontroller', async () => {
  const { flags, words } = parseFlags(process.argv.slice(2), [...COMMON_FLAGS, 'help']);
  if (flags.help) return void process.stdout.write(HELP);
  const name = words[0] ?? 'fleet-controller';
  const role = ROLES[name as keyof typeof ROLES];
  if (!role || words.length > 1) throw new FlagError(`unknown role ${words.join(' ')}; use gitjob, helmops, or none for the fleet-controller`);
  const signal = stopSignal();
  const { env } = process;
  const log = processLog(name, env);
  const identity = processIdentity(env);
  const connection = processConnection(flags.kubeconfig, env);
  const namespace = flags.namespace ?? identity.namespace ?? connection.namespace ?? 'cattle-fleet-system';
  const upstream = connect(connection, name);
  const manager = createComponentManager<'upstream'>({
    name,
    lease: `${role.lease}${flags['shard-id'] ? `-${flags['shard-id']}` : ''}`,
    namespace,
    identity,
    clients: { upstream },
    leaseConnection: connection,
    flags,
    env,
    log,
  });
  role.compose(manager, await liveConfig(manager, upstream, connection, { namespace, log }), env);
  log.info('starting', { holder: identity.holder, namespace, server: connection.server });
  await manager.start(signal);
});
