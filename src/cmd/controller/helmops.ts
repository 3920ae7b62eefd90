/** Composes helmops: charts are watched and become Bundles; one lease. */
import { bundles, helmOps } from '#api/fleet';
import type { Manager } from '#kube/manager';
import type { LiveConfig } from './config.ts';

export function composeHelmOps(manager: Manager<'upstream'>, _config: LiveConfig, _env: NodeJS.ProcessEnv): void {
  manager.informer('upstream', { resource: helmOps });
  manager.informer('upstream', { resource: bundles });
}
