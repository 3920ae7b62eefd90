/** Every component's leader looks after its own pods that are stuck Terminating on dead nodes. */
import { Gauge, type Registry } from '@prometheus-io/client';
import { systemClock } from '#base/clock';
import { parseDuration } from '#base/duration';
import { parseForceDelete, watchStuckPods } from '#ha/stuckpods';
import type { Manager } from '#kube/manager';
import type { ComponentOptions } from './manager.ts';

/** As the chart's `availability.unreachableNodeAfter`. */
const UNREACHABLE_AFTER = '5m';

/** Throws an `Error` naming the variable when the environment says something unknown. */
export function addStuckPodsWatch<C extends string>(manager: Manager<C>, { name, namespace, lease, env, log }: ComponentOptions<C>, { home, registry }: { home: C; registry: Registry }): void {
  // A plain process has no pods.
  if (env.POD_NAME === undefined) return;
  const policy = { forceDelete: parseForceDelete(env.FLEET_FORCE_DELETE_TERMINATING_PODS), unreachableAfterMs: parseDuration(env.FLEET_UNREACHABLE_NODE_AFTER || UNREACHABLE_AFTER) };
  const gauge = new Gauge({ name: 'fleet_stuck_terminating_pods', help: 'Pods of this component that are Terminating on unreachable nodes.', labelNames: ['name'], registers: [registry] });
  manager.onTerm('stuck pods', async (term, clients) => {
    await watchStuckPods({ client: clients[home], namespace, app: name, lease, policy, clock: systemClock, log, signal: term.signal, onCount: (count) => gauge.set({ name }, count) });
  });
}
