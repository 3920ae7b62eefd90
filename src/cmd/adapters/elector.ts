/** The elector of a process: by Lease in a worker thread, or none with --leader-elect=false. */
import type { Registry } from '@prometheus-io/client';
import { systemClock } from '#base/clock';
import { createSoleElector, type Elector } from '#kube/leaderelection';
import type { ComponentOptions } from './manager.ts';

export async function createProcessElector(options: ComponentOptions<string> & { registry: Registry }): Promise<Elector> {
  return createSoleElector({ identity: options.identity.holder, clock: systemClock });
}
