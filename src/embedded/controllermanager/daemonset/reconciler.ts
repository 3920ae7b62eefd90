/** Runs DaemonSets by plan.ts. */
import { deepEqual } from '#base/json';
import { keyOf, keyText, type ObjectKey } from '#apimachinery/meta';
import { controllerRevisions, daemonSets, nodes, pods, type ControllerRevision, type DaemonSet, type Node, type Pod } from '#api/builtin';
import type { Informer } from '#kube/cache';
import { ControlLoop, Expectations, isTerminated, type ControlPlane } from '#embedded/controlloop';
import { claimChildren, planClaim } from '../workload/ownership.ts';
import { deletePod, inGrowingBatches } from '../workload/pods.ts';
import { ensureRevision, REVISION_HASH_LABEL, trimRevisions, type RevisionOwner } from '../workload/revisions.ts';
import { ownersOfPod } from '../workload/sources.ts';
import { daemonPod, daemonSetStatus, planDaemonSet } from './plan.ts';

export class DaemonSetController {
  readonly #plane: ControlPlane;
  readonly #sets: Informer<DaemonSet>;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #history: Informer<ControllerRevision>;
  readonly #expectations: Expectations<Pod>;
  readonly loop: ControlLoop;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
    this.#sets = plane.informers.of(daemonSets);
    this.#pods = plane.informers.of(pods);
    this.#nodes = plane.informers.of(nodes);
    this.#history = plane.informers.of(controllerRevisions);
    this.#expectations = new Expectations(this.#pods);
    this.loop = new ControlLoop({
      name: 'daemonset',
      plane,
      sources: [
        { informer: this.#sets },
        { informer: this.#pods, map: (pod) => ownersOfPod(pod, 'DaemonSet', this.#sets) },
        { informer: this.#nodes, map: () => this.#sets.list().map(keyOf), changed: (before, after) => !deepEqual([before.metadata.labels, before.spec], [after.metadata.labels, after.spec]) },
        { informer: this.#history, map: () => [] },
      ],
      reconcile: (key) => this.#reconcile(key),
    });
  }

  async #reconcile(key: ObjectKey): Promise<void> {
    const owner = keyText(key);
    const set = this.#sets.get(key);
    if (!set) return this.#expectations.forget(owner);
    const { client, clock } = this.#plane;
    const claim = planClaim(set, set.spec?.selector, this.#pods.byIndex('namespace', key.namespace ?? ''), (pod) => !isTerminated(pod));
    const owned = await claimChildren(claim, { client, owner: set, ownerResource: daemonSets, childResource: pods });
    const deps: RevisionOwner = { client, informer: this.#history, owner: set as RevisionOwner['owner'], resource: daemonSets };
    const revision = await ensureRevision(deps);
    const at = { hash: revision.metadata.labels?.[REVISION_HASH_LABEL] ?? '', nowMs: clock.wallMs() };
    const all = this.#nodes.list();
    if (this.#expectations.satisfied(owner)) {
      const plan = planDaemonSet(set, owned, all, at);
      const template = set.spec?.template;
      await inGrowingBatches(template ? plan.create.length : 0, async (index) => {
        this.#expectations.created(owner, await client.create(pods, daemonPod(set, plan.create[index] ?? '', template ?? { spec: { containers: [] } }, at.hash)));
      });
      for (const pod of plan.remove) if (await deletePod(client, pod)) this.#expectations.deleted(owner, pod);
    }
    const status = daemonSetStatus(set, owned, all, at);
    if (!deepEqual(status, set.status)) await client.update(daemonSets, { ...set, status }, { subresource: 'status' });
    await trimRevisions(deps, new Set([at.hash, ...owned.map((pod) => pod.metadata.labels?.[REVISION_HASH_LABEL] ?? '')]));
  }
}
