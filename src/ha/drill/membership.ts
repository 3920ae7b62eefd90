/** Who belongs to a component right now: replicas wanted, replicas ready, who leads. Read from the API at each call. */
import { type Pod, deployments, leases, pods } from '#api/builtin';
import { isNotFound } from '#apimachinery/status';
import { decodeLock } from '#kube/leaderelection';
import { podOfHolder } from '../components.ts';
import type { DrillTarget, Leader, Membership } from './types.ts';

export interface MembershipNow extends Membership {
  leader: Leader | undefined;
  pods: readonly Pod[];
  /** Pods that are on their way out. */
  terminating: readonly string[];
}

export async function readMembership({ client, namespace, component, lease }: DrillTarget): Promise<MembershipNow> {
  const [{ items: workloads }, { items }, lock] = await Promise.all([
    client.list(deployments, { namespace, labelSelector: `app=${component.app}` }),
    client.list(pods, { namespace, labelSelector: `app=${component.app}` }),
    client.get(leases, { namespace, name: lease }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    }),
  ]);
  const living = items.filter(({ metadata, status }) => !metadata.deletionTimestamp && status?.phase !== 'Failed' && status?.phase !== 'Succeeded');
  const record = lock && decodeLock('leases', lock);
  const holder = record?.holder ? living.find(({ metadata }) => metadata.name === podOfHolder(record.holder)) : undefined;
  const ready = living.filter(isReady);
  return {
    wanted: workloads.reduce((sum, { spec }) => sum + (spec?.replicas ?? 1), 0),
    ready: ready.length,
    leaders: holder && isReady(holder) ? [holder.metadata.name ?? ''] : [],
    leader: holder && record ? { podName: holder.metadata.name ?? '', podUid: holder.metadata.uid ?? '', nodeName: holder.spec?.nodeName ?? '', epoch: record.transitions, holder: record.holder } : undefined,
    pods: living,
    terminating: items.filter(({ metadata }) => metadata.deletionTimestamp).map(({ metadata }) => metadata.name ?? ''),
  };
}

export function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
}

/** How often the containers of a pod have been restarted. */
export function restartsOf(pod: Pod | undefined): number {
  return (pod?.status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + (restartCount ?? 0), 0);
}
