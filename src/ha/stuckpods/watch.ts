/**
 * The leader's look at its own component's stuck pods, now and then: tells each once (log, Event,
 * annotation-free so that nobody's object is changed), keeps a count for metrics, and removes those that the
 * safe rule lets go. Costs one list of pods per look; nodes are read only when a pod is overdue.
 */
import { type Event, events, leases, nodes, type Pod, pods } from '#api/builtin';
import { keyOf } from '#apimachinery/meta';
import { isConflict, isNotFound } from '#apimachinery/status';
import { rfc3339, sleep, type Clock } from '#base/clock';
import { errorText, type Log } from '#base/log';
import type { Client } from '#kube/client';
import { decodeLock } from '#kube/leaderelection';
import { findStuckPods, OVERDUE_MS, type StuckPod, type StuckPolicy } from './decide.ts';

/** Between two looks. A stuck pod stays for minutes; more often would only cost requests. */
export const LOOK_INTERVAL_MS = 30_000;

export interface StuckPodsOptions {
  client: Client;
  /** Where the component runs. */
  namespace: string;
  /** Label `app` of its pods. */
  app: string;
  lease: string;
  policy: StuckPolicy;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  /** Told after each look how many are stuck. */
  onCount?: (count: number) => void;
  intervalMs?: number;
}

/** Looks until the signal aborts; a look that fails is told and repeated. */
export async function watchStuckPods(options: StuckPodsOptions): Promise<void> {
  const { clock, log, signal, intervalMs = LOOK_INTERVAL_MS, onCount } = options;
  const told = new Set<string>();
  while (!signal.aborted) {
    try {
      const stuck = await lookForStuckPods(options);
      onCount?.(stuck.length);
      for (const each of stuck) await tend(each, told, options);
    } catch (error) {
      if (!signal.aborted) log.warn('stuck pods cannot be looked for', { error: errorText(error) });
    }
    await sleep(clock, intervalMs, signal).catch(() => {});
  }
}

/** One look. */
export async function lookForStuckPods({ client, namespace, app, lease, policy, clock }: Pick<StuckPodsOptions, 'client' | 'namespace' | 'app' | 'lease' | 'policy' | 'clock'>): Promise<StuckPod[]> {
  const { items } = await client.list(pods, { namespace, labelSelector: `app=${app}` });
  const nowMs = clock.wallMs();
  if (!items.some(({ metadata }) => metadata.deletionTimestamp && nowMs - Date.parse(metadata.deletionTimestamp) >= OVERDUE_MS)) return [];
  const [all, lock] = await Promise.all([
    client.list(nodes),
    client.get(leases, { namespace, name: lease }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    }),
  ]);
  const holder = (lock && decodeLock('leases', lock)?.holder) ?? '';
  return findStuckPods({ pods: items, nodes: all.items, holder, nowMs }, policy);
}

async function tend(stuck: StuckPod, told: Set<string>, options: StuckPodsOptions): Promise<void> {
  const { client, log } = options;
  const { pod, kept } = stuck;
  const uid = pod.metadata.uid ?? '';
  if (!told.has(uid)) {
    told.add(uid);
    log.warn('a pod of ours is stuck Terminating on an unreachable node', { pod: pod.metadata.name, node: pod.spec?.nodeName, ...(kept ? { kept } : {}) });
    await record(stuck, options).catch((error: unknown) => log.warn('event was not written', { error: errorText(error) }));
  }
  if (kept) return;
  await removeStuckPod(client, pod);
  log.info('removed a stuck pod of ours', { pod: pod.metadata.name, node: pod.spec?.nodeName });
}

/** Removes by force, guarded by UID: a pod that came anew under the name is left alone. */
export async function removeStuckPod(client: Pick<Client, 'delete'>, pod: Pod): Promise<void> {
  try {
    await client.delete(pods, keyOf(pod), { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid ?? '' } });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

async function record({ pod, kept }: StuckPod, { client, clock, app }: StuckPodsOptions): Promise<void> {
  const now = rfc3339(clock.wallMs());
  const { name = '', namespace = '', uid = '', resourceVersion = '' } = pod.metadata;
  const event: Event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.stuck-terminating`, namespace },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid, resourceVersion },
    reason: 'StuckTerminating',
    message: `node ${pod.spec?.nodeName} is unreachable, so the pod stays Terminating; ${kept ? `it is left alone: ${kept}` : 'it is removed'}. It does not hinder a takeover.`,
    type: 'Warning',
    source: { component: app },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  };
  await client.create(events, event).catch((error: unknown) => {
    if (!isConflict(error) && (error as { code?: number }).code !== 409) throw error;
  });
}
