/** Runs StatefulSets by plan.ts: revisions, claims, pods one by one, status. */
import { deepEqual } from '#base/json';
import { keyText, type ObjectKey } from '#apimachinery/meta';
import { isAlreadyExists } from '#apimachinery/status';
import { controllerRevisions, persistentVolumeClaims, pods, statefulSets, type ControllerRevision, type Pod, type StatefulSet } from '#api/builtin';
import type { Informer } from '#kube/cache';
import { ControlLoop, Expectations, type ControlPlane } from '#embedded/controlloop';
import { claimChildren, planClaim } from '../workload/ownership.ts';
import { deletePod } from '../workload/pods.ts';
import { ensureRevision, revisionsOf, templateOf, trimRevisions, type RevisionOwner } from '../workload/revisions.ts';
import { ownersOfPod } from '../workload/sources.ts';
import { claimName, nextAvailabilityMs, ordinalOf, planStatefulSet, REVISION_LABEL, statefulPod, statefulSetStatus, type Revisions } from './plan.ts';

export class StatefulSetController {
  readonly #plane: ControlPlane;
  readonly #sets: Informer<StatefulSet>;
  readonly #pods: Informer<Pod>;
  readonly #history: Informer<ControllerRevision>;
  readonly #expectations: Expectations<Pod>;
  readonly loop: ControlLoop;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
    this.#sets = plane.informers.of(statefulSets);
    this.#pods = plane.informers.of(pods);
    this.#history = plane.informers.of(controllerRevisions);
    this.#expectations = new Expectations(this.#pods);
    this.loop = new ControlLoop({
      name: 'statefulset',
      plane,
      sources: [{ informer: this.#sets }, { informer: this.#pods, map: (pod) => ownersOfPod(pod, 'StatefulSet', this.#sets) }, { informer: this.#history, map: () => [] }],
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
    const claim = planClaim(set, set.spec?.selector, candidates, (pod) => ordinalOf(set, pod) !== undefined);
    const owned = await claimChildren(claim, { client, owner: set, ownerResource: statefulSets, childResource: pods });
    const deps: RevisionOwner = { client, informer: this.#history, owner: set as RevisionOwner['owner'], resource: statefulSets };
    const update = await ensureRevision(deps);
    const revisions: Revisions = { update: update.metadata.name ?? '', current: set.status?.currentRevision ?? update.metadata.name ?? '' };
    const nowMs = clock.wallMs();
    if (this.#expectations.satisfied(owner)) await this.#act(set, owned, { update, revisions });
    const status = statefulSetStatus(set, owned, revisions, nowMs);
    if (!deepEqual(status, set.status)) await client.update(statefulSets, { ...set, status }, { subresource: 'status' });
    await trimRevisions(deps, new Set([revisions.current, revisions.update, ...owned.map((pod) => pod.metadata.labels?.[REVISION_LABEL] ?? '')]));
    return nextAvailabilityMs(set, owned, nowMs);
  }

  async #act(set: StatefulSet, owned: readonly Pod[], { update, revisions }: { update: ControllerRevision; revisions: Revisions }): Promise<void> {
    const { client, clock } = this.#plane;
    const owner = keyText({ namespace: set.metadata.namespace ?? '', name: set.metadata.name ?? '' });
    const plan = planStatefulSet(set, owned, revisions, clock.wallMs());
    const history = revisionsOf({ informer: this.#history, owner: set as RevisionOwner['owner'] });
    for (const { ordinal, revision } of plan.create) {
      const known = revision === update.metadata.name ? update : history.find((each) => each.metadata.name === revision);
      const template = templateOf(known) ?? set.spec?.template;
      if (!template) continue;
      await this.#ensureClaims(set, ordinal);
      this.#expectations.created(owner, await client.create(pods, statefulPod(set, ordinal, known ? revision : revisions.update, template)));
    }
    for (const pod of plan.remove) if (await deletePod(client, pod)) this.#expectations.deleted(owner, pod);
  }

  async #ensureClaims(set: StatefulSet, ordinal: number): Promise<void> {
    for (const template of set.spec?.volumeClaimTemplates ?? []) {
      const name = claimName(template.metadata.name ?? '', `${set.metadata.name}-${ordinal}`);
      const claim = { ...template, apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, namespace: set.metadata.namespace ?? '', labels: { ...template.metadata.labels, ...set.spec?.selector.matchLabels } } };
      await this.#plane.client.create(persistentVolumeClaims, claim).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
    }
  }
}
