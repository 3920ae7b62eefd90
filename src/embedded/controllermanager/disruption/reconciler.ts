/** Keeps the status of PodDisruptionBudgets, on which evictions depend, by plan.ts. */
import { rfc3339 } from '#base/clock';
import { deepEqual } from '#base/json';
import { controllerOf, keyOf, type KubeObject, type ObjectKey } from '#apimachinery/meta';
import { matchesSelector } from '#apimachinery/labels';
import { deployments, podDisruptionBudgets, pods, replicaSets, statefulSets, type Pod, type PodDisruptionBudget } from '#api/builtin';
import type { Resource } from '#apimachinery/resource';
import type { Informer } from '#kube/cache';
import { ControlLoop, isReady, isTerminated, type ControlPlane } from '#embedded/controlloop';
import { planBudget } from './plan.ts';

type Scaled = KubeObject & { spec?: { replicas?: number } };

export class DisruptionController {
  readonly #plane: ControlPlane;
  readonly #budgets: Informer<PodDisruptionBudget>;
  readonly #pods: Informer<Pod>;
  readonly #scaled: ReadonlyMap<string, Informer<Scaled>>;
  readonly loop: ControlLoop;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
    this.#budgets = plane.informers.of(podDisruptionBudgets);
    this.#pods = plane.informers.of(pods);
    const of = (resource: Resource<KubeObject>): Informer<Scaled> => plane.informers.of(resource as Resource<Scaled>);
    this.#scaled = new Map([['ReplicaSet', of(replicaSets)], ['Deployment', of(deployments)], ['StatefulSet', of(statefulSets)]]);
    const all = () => this.#budgets.list().map(keyOf);
    const replicasChanged = (before: Scaled, after: Scaled) => before.spec?.replicas !== after.spec?.replicas;
    this.loop = new ControlLoop({
      name: 'disruption',
      plane,
      sources: [
        { informer: this.#budgets },
        { informer: this.#pods, map: (pod) => this.#budgetsOf(pod), changed: (before, after) => !deepEqual(view(before), view(after)) },
        ...[...this.#scaled.values()].map((informer) => ({ informer, map: all, changed: replicasChanged })),
      ],
      reconcile: (key) => this.#reconcile(key),
    });
  }

  #budgetsOf(pod: Pod): ObjectKey[] {
    return this.#budgets.list(pod.metadata.namespace).filter((budget) => matchesSelector(budget.spec?.selector, pod.metadata.labels)).map(keyOf);
  }

  async #reconcile(key: ObjectKey): Promise<number | undefined> {
    const budget = this.#budgets.get(key);
    if (!budget) return undefined;
    const { client, clock } = this.#plane;
    const covered = this.#pods.byIndex('namespace', key.namespace ?? '').filter((pod) => matchesSelector(budget.spec?.selector, pod.metadata.labels));
    const nowMs = clock.wallMs();
    const { status, checkAfterMs } = planBudget(budget, covered, this.#scaleOf(covered), { nowMs, now: rfc3339(nowMs) });
    if (!deepEqual(status, budget.status)) await client.update(podDisruptionBudgets, { ...budget, status }, { subresource: 'status' });
    return checkAfterMs;
  }

  /** The replicas wanted by the topmost controllers of the pods, each counted once. */
  #scaleOf(covered: readonly Pod[]): number | undefined {
    const wanted = new Map<string, number>();
    for (const pod of covered) {
      if (isTerminated(pod)) continue;
      const top = this.#topController(pod);
      if (!top) return undefined;
      wanted.set(top.metadata.uid ?? '', top.spec?.replicas ?? 1);
    }
    return [...wanted.values()].reduce((total, replicas) => total + replicas, 0);
  }

  #topController(pod: Pod): Scaled | undefined {
    let found: Scaled | undefined;
    for (let reference = controllerOf(pod); reference; ) {
      const owner = this.#scaled.get(reference.kind)?.get({ namespace: pod.metadata.namespace ?? '', name: reference.name });
      if (owner?.metadata.uid !== reference.uid) return found;
      found = owner;
      reference = controllerOf(owner as Scaled);
    }
    return found;
  }
}

function view(pod: Pod): unknown {
  return [pod.metadata.labels, pod.metadata.deletionTimestamp !== undefined, isReady(pod), isTerminated(pod), controllerOf(pod)?.uid];
}
