/**
 * Watches every deletable kind (metadata only) and carries out what graph.ts decides. Kinds come and go
 * with CustomResourceDefinitions, so discovery is repeated when those change.
 */
import { errorText } from '#base/log';
import type { KubeObject, Unstructured } from '#apimachinery/meta';
import { groupResource, type Resource } from '#apimachinery/resource';
import { isConflict, isNotFound } from '#apimachinery/status';
import { customResourceDefinitions } from '#api/builtin';
import type { Client } from '#kube/client';
import type { Informer } from '#kube/cache';
import { ControlLoop, type ControlPlane } from '#embedded/controlloop';
import { servedResources, type ServedResource } from '../discovery.ts';
import { blockingDependents, DependencyGraph, FOREGROUND, graphNode, judge, ORPHAN, type GraphNode, type OwnerState } from './graph.ts';

/** Kinds that own nothing and belong to nothing, and change too often to watch for nothing. */
const IGNORED = new Set(['events', 'events.events.k8s.io']);
/** How long a new object with an owner nobody has seen is left alone. */
const UNKNOWN_OWNER_MS = 1000;
const DISCOVERY_DELAY_MS = 200;

/** How the collector makes a watcher of one kind that nobody else watches; kept apart from the shared pool because it keeps metadata only. */
export type WatchMetadata = (resource: Resource<Unstructured>, signal: AbortSignal) => Informer<Unstructured>;

export class GarbageCollector {
  readonly #plane: ControlPlane;
  readonly #watch: WatchMetadata;
  readonly #graph = new DependencyGraph();
  readonly #kinds = new Map<string, { resource: ServedResource; abort: AbortController }>();
  readonly #byKind = new Map<string, ServedResource>();
  readonly #loop: ControlLoop;
  #signal: AbortSignal | undefined;

  constructor(plane: ControlPlane, watch: WatchMetadata) {
    this.#plane = plane;
    this.#watch = watch;
    const crds = plane.informers.of(customResourceDefinitions);
    this.#loop = new ControlLoop({
      name: 'garbagecollector',
      plane,
      concurrency: 8,
      sources: [{ informer: crds, map: () => [{ name: 'discovery' }], delayMs: DISCOVERY_DELAY_MS }],
      reconcile: (key, signal) => (key.name === 'discovery' && !key.namespace ? this.#discover(signal) : this.#reconcile(key.name)),
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    await this.#loop.start(signal);
    this.#loop.add('discovery');
  }

  async #discover(signal: AbortSignal): Promise<void> {
    const { resources } = await servedResources(this.#plane.client);
    const wanted = resources.filter((resource) => ['list', 'watch', 'delete'].every((verb) => resource.verbs.includes(verb)) && !IGNORED.has(groupResource(resource)));
    const names = new Set(wanted.map(groupResource));
    for (const [name, { abort }] of this.#kinds) {
      if (names.has(name)) continue;
      abort.abort();
      this.#kinds.delete(name);
    }
    for (const resource of wanted) if (!this.#kinds.has(groupResource(resource))) this.#follow(resource, signal);
  }

  #follow(resource: ServedResource, signal: AbortSignal): void {
    const abort = new AbortController();
    this.#kinds.set(groupResource(resource), { resource, abort });
    this.#byKind.set(`${resource.group}/${resource.kind}`, resource);
    const shared = this.#plane.informers.has(resource);
    const informer = shared ? this.#plane.informers.of(resource as Resource<Unstructured>) : this.#watch(resource, AbortSignal.any([signal, abort.signal]));
    informer.addHandler({
      onAdd: (object) => this.#seen(resource, object),
      onUpdate: (previous, object) => this.#changed(resource, previous, object),
      onDelete: (object) => this.#gone(object),
    });
  }

  #changed(resource: ServedResource, previous: KubeObject, object: KubeObject): void {
    const same = previous.metadata.ownerReferences === object.metadata.ownerReferences || JSON.stringify(previous.metadata.ownerReferences) === JSON.stringify(object.metadata.ownerReferences);
    const deletion = object.metadata.deletionTimestamp !== undefined;
    if (same && !deletion) return;
    this.#seen(resource, object);
  }

  #seen(resource: ServedResource, object: KubeObject): void {
    const node = graphNode(resource, object);
    const before = this.#graph.get(node.uid);
    this.#graph.put(node);
    // The owner of a new object may be on its way, or be added by the writer's next breath: no verdict at once.
    const strangers = before === undefined && node.owners.some((owner) => !this.#graph.get(owner.uid));
    if (node.owners.length > 0) this.#queue(node.uid, strangers ? UNKNOWN_OWNER_MS : 0);
    if (!node.deleting) return this.#ownersChanged(before, node);
    if (node.finalizers.includes(FOREGROUND) || node.finalizers.includes(ORPHAN)) this.#queue(node.uid);
    if (node.finalizers.includes(FOREGROUND)) for (const dependent of this.#graph.dependents(node.uid)) this.#queue(dependent.uid);
    this.#ownersChanged(before, node);
  }

  /** A dependent that lost a reference may have been the last to block its former owner. */
  #ownersChanged(before: GraphNode | undefined, node: GraphNode): void {
    for (const { uid } of before?.owners ?? []) if (!node.owners.some((owner) => owner.uid === uid)) this.#queue(uid);
  }

  #gone(object: KubeObject): void {
    const uid = object.metadata.uid ?? '';
    const node = this.#graph.get(uid);
    const dependents = this.#graph.dependents(uid);
    this.#graph.remove(uid);
    for (const dependent of dependents) this.#queue(dependent.uid);
    for (const owner of node?.owners ?? []) this.#queue(owner.uid);
  }

  #queue(uid: string, delayMs = 0): void {
    this.#loop.add({ namespace: 'uid', name: uid }, delayMs);
  }

  async #reconcile(uid: string): Promise<void> {
    const node = this.#graph.get(uid);
    if (!node || this.#signal?.aborted) return;
    try {
      if (node.deleting && node.finalizers.includes(ORPHAN)) await this.#orphanDependents(node);
      else if (node.deleting && node.finalizers.includes(FOREGROUND)) await this.#foreground(node);
      else if (!node.deleting && node.owners.length > 0) await this.#collect(node);
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) this.#plane.log.debug('collection failed', { object: node.key.name, kind: node.resource.kind, error: errorText(error) });
      throw error;
    }
  }

  async #collect(node: GraphNode): Promise<void> {
    const states = new Map<string, OwnerState>();
    for (const owner of node.owners) states.set(owner.uid, await this.#ownerState(node, owner));
    const blocking = blockingDependents(node, this.#graph.dependents(node.uid));
    const verdict = judge(node, states, blocking.length > 0);
    if (verdict.kind === 'release') await removeOwners(this.#plane.client, node, verdict.uids);
    if (verdict.kind === 'delete') await this.#plane.client.delete(node.resource, node.key, { preconditions: { uid: node.uid }, propagationPolicy: verdict.policy });
  }

  /** The graph's word when the owner is in it; otherwise the server's, since the graph may lag. */
  async #ownerState(node: GraphNode, owner: { uid: string; apiVersion: string; kind: string; name: string }): Promise<OwnerState> {
    const known = this.#graph.get(owner.uid);
    if (known) {
      // An owner in another namespace than its dependent does not count.
      if (known.resource.namespaced && known.key.namespace !== node.key.namespace) return 'absent';
      return known.deleting && known.finalizers.includes(FOREGROUND) ? 'waiting' : 'solid';
    }
    const group = owner.apiVersion.includes('/') ? owner.apiVersion.split('/')[0] : '';
    const resource = this.#byKind.get(`${group}/${owner.kind}`);
    // A kind that nobody serves (any more) cannot be judged; wait for it to appear.
    if (!resource) return 'solid';
    if (resource.namespaced && !node.key.namespace) return 'solid';
    try {
      const live = await this.#plane.client.get(resource as Resource<Unstructured>, { ...(resource.namespaced ? { namespace: node.key.namespace ?? '' } : {}), name: owner.name });
      if (live.metadata.uid !== owner.uid) return 'absent';
      return live.metadata.deletionTimestamp && live.metadata.finalizers?.includes(FOREGROUND) ? 'waiting' : 'solid';
    } catch (error) {
      if (isNotFound(error)) return 'absent';
      throw error;
    }
  }

  async #foreground(node: GraphNode): Promise<void> {
    const dependents = this.#graph.dependents(node.uid);
    if (blockingDependents(node, dependents).length === 0) return removeFinalizer(this.#plane.client, node, FOREGROUND);
    for (const dependent of dependents) if (!dependent.deleting) this.#queue(dependent.uid);
  }

  async #orphanDependents(node: GraphNode): Promise<void> {
    for (const dependent of this.#graph.dependents(node.uid)) {
      await removeOwners(this.#plane.client, dependent, [node.uid]).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
    await removeFinalizer(this.#plane.client, node, ORPHAN);
  }
}

async function removeOwners(client: Client, node: GraphNode, uids: readonly string[]): Promise<void> {
  const resource = node.resource as Resource<Unstructured>;
  const live = await client.get(resource, node.key);
  if (live.metadata.uid !== node.uid) return;
  const ownerReferences = (live.metadata.ownerReferences ?? []).filter((owner) => !uids.includes(owner.uid));
  const value = ownerReferences.length > 0 ? ownerReferences : null;
  await client.patch(resource, node.key, { type: 'merge', body: { metadata: { uid: node.uid, resourceVersion: live.metadata.resourceVersion, ownerReferences: value } } });
}

async function removeFinalizer(client: Client, node: GraphNode, finalizer: string): Promise<void> {
  const resource = node.resource as Resource<Unstructured>;
  const live = await client.get(resource, node.key);
  if (live.metadata.uid !== node.uid || !live.metadata.finalizers?.includes(finalizer)) return;
  const finalizers = live.metadata.finalizers.filter((each) => each !== finalizer);
  await client.patch(resource, node.key, { type: 'merge', body: { metadata: { uid: node.uid, resourceVersion: live.metadata.resourceVersion, finalizers } } });
}
