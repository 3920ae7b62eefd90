/**
 * Empties a namespace that is being deleted, tells in its conditions what holds it up, and lets it go when
 * nothing is left. Rule: "Namespaces", deletion; condition types and reasons as the API reference lists them.
 */
import { rfc3339 } from '#base/clock';
import { deepEqual } from '#base/json';
import { errorText } from '#base/log';
import type { ObjectKey, Unstructured } from '#apimachinery/meta';
import { groupResource, type Resource } from '#apimachinery/resource';
import { isNotFound } from '#apimachinery/status';
import { namespaces, pods, type Namespace, type Pod } from '#api/builtin';
import type { Informer } from '#kube/cache';
import { ControlLoop, timeMs, type ControlPlane } from '#embedded/controlloop';
import { servedResources, type ServedResource } from '../discovery.ts';
import { namespaceConditions, retryAfterMs, type Remains } from './plan.ts';

export interface NamespaceSettings {
  /** Wait before the content is touched, so that caches know of the deletion; upstream 5 s. */
  namespaceGraceMs: number;
}

export class NamespaceController {
  readonly #plane: ControlPlane;
  readonly #settings: NamespaceSettings;
  readonly #namespaces: Informer<Namespace>;
  readonly loop: ControlLoop;

  constructor(plane: ControlPlane, settings: NamespaceSettings) {
    this.#plane = plane;
    this.#settings = settings;
    this.#namespaces = plane.informers.of(namespaces);
    this.loop = new ControlLoop({
      name: 'namespace',
      plane,
      sources: [
        { informer: this.#namespaces, changed: (before, after) => before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp },
        // The end of a pod may be what a namespace waits for.
        { informer: plane.informers.of(pods), map: (pod) => this.#terminatingOf(pod), changed: () => false },
      ],
      backoffMs: { min: 250, max: 60_000 },
      reconcile: (key) => this.#reconcile(key),
    });
  }

  #terminatingOf(pod: Pod): ObjectKey[] {
    const key = { name: pod.metadata.namespace ?? '' };
    return this.#namespaces.get(key)?.metadata.deletionTimestamp ? [key] : [];
  }

  async #reconcile(key: ObjectKey): Promise<number | undefined> {
    const cached = this.#namespaces.get(key);
    if (!cached?.metadata.deletionTimestamp) return undefined;
    const { client, clock } = this.#plane;
    const deletedMs = timeMs(cached.metadata.deletionTimestamp) ?? clock.wallMs();
    const waitMs = deletedMs + this.#settings.namespaceGraceMs - clock.wallMs();
    if (waitMs > 0) return waitMs;
    const space = await client.get(namespaces, key).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (!space?.metadata.deletionTimestamp || !space.spec?.finalizers?.includes('kubernetes')) return undefined;
    const remains = await this.#empty(key.name);
    const written = await this.#report(space, remains);
    const delayMs = retryAfterMs(remains);
    if (delayMs !== undefined) return delayMs;
    const finalizers = written.spec?.finalizers?.filter((finalizer) => finalizer !== 'kubernetes') ?? [];
    await client.update(namespaces, { ...written, spec: { finalizers } }, { subresource: 'finalize' });
    return undefined;
  }

  async #report(space: Namespace, remains: Remains): Promise<Namespace> {
    const now = rfc3339(this.#plane.clock.wallMs());
    const conditions = namespaceConditions(space.status?.conditions, remains, now);
    if (deepEqual(conditions, space.status?.conditions)) return space;
    return this.#plane.client.update(namespaces, { ...space, status: { ...space.status, conditions } }, { subresource: 'status' });
  }

  /** Deletes everything in the namespace, pods first and alone, and tells what is still there. */
  async #empty(namespace: string): Promise<Remains> {
    const { resources, failed } = await servedResources(this.#plane.client);
    const remains: Remains = { undiscovered: failed, failures: [], counts: new Map(), finalizers: new Map(), podGraceMs: 0 };
    const deletable = resources.filter((resource) => resource.namespaced && ['delete', 'list'].every((verb) => resource.verbs.includes(verb)));
    const isPods = (resource: ServedResource) => resource.group === '' && resource.plural === 'pods';
    for (const resource of [...deletable.filter(isPods), ...deletable.filter((each) => !isPods(each))]) {
      // What pods use (network policies, secrets) stays until they are gone.
      if (remains.podGraceMs > 0) return remains;
      try {
        await this.#emptyKind(namespace, resource, remains);
      } catch (error) {
        remains.failures.push(`${groupResource(resource)}: ${errorText(error)}`);
      }
    }
    return remains;
  }

  async #emptyKind(namespace: string, resource: ServedResource, remains: Remains): Promise<void> {
    const { client } = this.#plane;
    const kind = resource as Resource<Unstructured>;
    const before = await client.list(kind, { namespace });
    if (before.items.length === 0) return;
    if (resource.verbs.includes('deletecollection')) await client.deleteCollection(kind, { namespace }, { propagationPolicy: 'Background' });
    else for (const item of before.items) await client.delete(kind, { namespace, name: item.metadata.name ?? '' }, { propagationPolicy: 'Background' });
    const after = await client.list(kind, { namespace });
    if (after.items.length === 0) return;
    remains.counts.set(groupResource(resource), after.items.length);
    for (const item of after.items) {
      for (const finalizer of item.metadata.finalizers ?? []) remains.finalizers.set(finalizer, (remains.finalizers.get(finalizer) ?? 0) + 1);
      if (resource.group === '' && resource.plural === 'pods') remains.podGraceMs = Math.max(remains.podGraceMs, 1, (item.metadata.deletionGracePeriodSeconds ?? 30) * 1000);
    }
  }
}
