/** The elector of a process: by Lease in a worker thread, or none with --leader-elect=false. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { processClock } from '#base/clock';
import { systemRandom } from '#base/random';
import { createElector, createSoleElector, type Elector, type LockKind, timingsFromEnv, type Transition } from '#kube/leaderelection';
import type { ComponentOptions } from './manager.ts';

export function createProcessElector(options: ComponentOptions<string>, onTransition?: (transition: Transition) => void): Elector {
  const { identity, env, flags, log } = options;
  if (flags['leader-elect'] === 'false') return createSoleElector({ identity: identity.holder, clock: processClock });
  const { timings, notes } = timingsFromEnv(env);
  for (const note of notes) log.warn(note);
  return createElector({
    workerFile: electorWorker(),
    connection: options.leaseConnection,
    identity: identity.holder,
    info: {
      bootId: randomUUID(),
      startedAtMs: processClock.wallMs(),
      ...(identity.podUID ? { podUid: identity.podUID, podName: identity.podName, podNamespace: options.namespace, container: options.name } : {}),
      ...(identity.nodeName ? { node: identity.nodeName } : {}),
    },
    lock: { kind: lockKind(env.CATTLE_ELECTION_RESOURCE_LOCK), namespace: options.namespace, name: options.lease },
    timings,
    random: systemRandom,
    log,
    ...(onTransition ? { onTransition } : {}),
  });
}

export function lockKind(text: string | undefined): LockKind {
  if (text === undefined || text === '' || text === 'leases') return 'leases';
  if (text === 'configmaps') return 'configmaps';
  throw new Error(`CATTLE_ELECTION_RESOURCE_LOCK: ${JSON.stringify(text)} is unknown; use leases or configmaps`);
}

/** Beside the bundled program, or in the sources. */
export function electorWorker(): URL {
  const bundled = join(import.meta.dirname, 'elector-worker.js');
  return pathToFileURL(existsSync(bundled) ? bundled : join(import.meta.dirname, '..', '..', 'kube', 'leaderelection', 'elector-worker.ts'));
}
