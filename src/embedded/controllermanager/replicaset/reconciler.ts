/**
 * Keeps a ReplicaSet's pods at the wanted number: claim, decide (plan.ts), create or delete, report.
 * The status describes the pods before this round's changes; the next event reports the rest.
 */
import { rfc3339 } from '#base/clock';
import { deepEqual } from '#base/json';
import { errorText } from '#base/log';
import { controllerOf, keyText, type ObjectKey } from '#apimachinery/meta';
import { pods, replicaSets, type Pod, type ReplicaSet } from '#api/builtin';
import type { Informer } from '#kube/cache';
import { ControlLoop, EventRecorder, Expectations, isActive, isNamespaceTerminating, isTerminated, type ControlPlane } from '#embedded/controlloop';
import { claimChildren, planClaim } from '../workload/ownership.ts';
import { deletePod, inGrowingBatches, podFromTemplate } from '../workload/pods.ts';
import { ownersOfPod } from '../workload/sources.ts';
import { nextAvailabilityMs, planReplicaSet, replicaSetStatus } from './plan.ts';

export class ReplicaSetController {
  readonly #plane: ControlPlane;
  readonly #sets: Informer<ReplicaSet>;
  readonly #pods: Informer<Pod>;
  readonly #expectations: Expectations<Pod>;
  readonly #events: EventRecorder;
  readonly loop: ControlLoop;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
    this.#sets = plane.informers.of(replicaSets);
    this.#pods = plane.informers.of(pods);
    this.#expectations = new Expectations(this.#pods);
    this.#events = new EventRecorder(plane, 'replicaset-controller');
    this.loop = new ControlLoop({
      name: 'replicaset',
      plane,
      sources: [{ informer: this.#sets }, { informer: this.#pods, map: (pod) => ownersOfPod(pod, 'ReplicaSet', this.#sets) }],
      reconcile: (key) => this.#reconcile(key),
    });
  }

  async #reconcile(key: ObjectKey): Promise<number | undefined> {
    const owner = keyText(key);
    const set = this.#sets.get(key);
    if (!set) {
      this.#expectations.forget(owner);
      return undefined;
    }
    const { client, clock } = this.#plane;
    const candidates = this.#pods.byIndex('namespace', key.namespace ?? '');
    const settled = this.#expectations.satisfied(owner);
    const claim = planClaim(set, set.spec?.selector, candidates, (pod) => !isTerminated(pod));
    const owned = await claimChildren(claim, { client, owner: set, ownerResource: replicaSets, childResource: pods });
    const nowMs = clock.wallMs();
    const failure = settled ? await this.#scale(set, owned, nowMs) : undefined;
    await this.#report(set, owned, failure);
    if (failure) throw failure.error;
    return nextAvailabilityMs(set, owned, nowMs);
  }

  async #scale(set: ReplicaSet, owned: readonly Pod[], nowMs: number): Promise<{ reason: string; message: string; error: unknown } | undefined> {
    const plan = planReplicaSet(set, owned, this.#siblings(set, owned), nowMs);
    const owner = keyText({ namespace: set.metadata.namespace ?? '', name: set.metadata.name ?? '' });
    const { client } = this.#plane;
    try {
      await inGrowingBatches(plan.create, async () => {
        const made = await client.create(pods, podFromTemplate(set.spec?.template, set, replicaSets));
        this.#expectations.created(owner, made);
        this.#events.record(set, { type: 'Normal', reason: 'SuccessfulCreate', message: `Created pod: ${made.metadata.name}` });
      });
    } catch (error) {
      if (isNamespaceTerminating(error)) return undefined;
      this.#events.record(set, { type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${errorText(error)}` });
      return { reason: 'FailedCreate', message: errorText(error), error };
    }
    for (const pod of plan.remove) {
      if (!(await deletePod(client, pod))) continue;
      this.#expectations.deleted(owner, pod);
      this.#events.record(set, { type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${pod.metadata.name}` });
    }
    return undefined;
  }

  /** Active pods of every ReplicaSet under the same controller. */
  #siblings(set: ReplicaSet, owned: readonly Pod[]): Pod[] {
    const parent = controllerOf(set);
    if (!parent) return owned.filter(isActive);
    const uids = new Set(this.#sets.list(set.metadata.namespace).filter((other) => controllerOf(other)?.uid === parent.uid).map((other) => other.metadata.uid));
    return this.#pods.byIndex('namespace', set.metadata.namespace ?? '').filter((pod) => isActive(pod) && uids.has(controllerOf(pod)?.uid));
  }

  async #report(set: ReplicaSet, owned: readonly Pod[], failure: { reason: string; message: string } | undefined): Promise<void> {
    const { client, clock } = this.#plane;
    const nowMs = clock.wallMs();
    const reported = failure ? { reason: failure.reason, message: failure.message } : undefined;
    const status = replicaSetStatus(set, owned, { nowMs, now: rfc3339(nowMs), failure: reported });
    if (deepEqual(status, set.status)) return;
    await client.update(replicaSets, { ...set, status }, { subresource: 'status' });
  }
}
