/** Transitions as Kubernetes Events on the lock, with the reason client-go uses, so that `kubectl describe lease` tells the story. */
import type { KubeObject } from '#apimachinery/meta';
import { apiVersionOf } from '#apimachinery/resource';
import type { LockAddress } from './driver.ts';
import type { Transition } from './elector.ts';
import { lockResource } from './lock.ts';

type RecordEvent = (about: KubeObject, text: { type: 'Normal' | 'Warning'; reason: string; message: string }) => void;

/** For `onTransition` of an elector; `record` is `event` of a recorder (`#kube/events`). */
export function transitionEvents(lock: LockAddress, record: RecordEvent): (transition: Transition) => void {
  const resource = lockResource(lock.kind);
  const about: KubeObject = { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: { name: lock.name, namespace: lock.namespace } };
  return ({ state, holder, epoch, evidence, gapMs, reason }) => {
    if (state === 'stopped') return;
    const leads = state === 'leading';
    const how = evidence === undefined || evidence === 'first' ? '' : `: ${evidence}, ${gapMs ?? 0} ms after the last sign of the previous holder`;
    const message = leads ? `${holder} became leader, epoch ${epoch}${how}` : `${holder} stopped leading, epoch ${epoch}: ${reason ?? 'unknown'}`;
    record(about, { type: leads || reason === 'released' ? 'Normal' : 'Warning', reason: 'LeaderElection', message });
  };
}
