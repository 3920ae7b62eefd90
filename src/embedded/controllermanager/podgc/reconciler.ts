/**
 * Removes pods that nobody else will: pods of nodes that no longer exist, unscheduled pods that were told
 * to go, pods on nodes with the `out-of-service` taint, and finished pods beyond a threshold.
 */
import { keyOf, type ObjectKey } from '#apimachinery/meta';
import { isConflict, isNotFound } from '#apimachinery/status';
import { rfc3339 } from '#base/clock';
import { nodes, pods, type Node, type Pod } from '#api/builtin';
import type { Informer } from '#kube/cache';
import { ControlLoop, isTerminated, timeMs, withCondition, type ControlPlane } from '#embedded/controlloop';

export interface PodGcSettings {
  /** `--terminated-pod-gc-threshold`, default 12,500; 0 keeps all. */
  terminatedPodsMax: number;
  /** How long a node must be gone before its pods are; default 40 s. */
  nodeGoneMs: number;
}

const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

export class PodGarbageCollector {
  readonly #plane: ControlPlane;
  readonly #settings: PodGcSettings;
  readonly #nodes: Informer<Node>;
  readonly #pods: Informer<Pod>;
  readonly #goneSinceMs = new Map<string, number>();
  readonly loop: ControlLoop;

  constructor(plane: ControlPlane, settings: PodGcSettings) {
    this.#plane = plane;
    this.#settings = settings;
    this.#nodes = plane.informers.of(nodes);
    this.#pods = plane.informers.of(pods);
    this.loop = new ControlLoop({
      name: 'podgc',
      plane,
      sources: [
        { informer: this.#pods, changed: (before, after) => before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp || before.spec?.nodeName !== after.spec?.nodeName || (!isTerminated(before) && isTerminated(after)) },
        { informer: this.#nodes, map: (node) => this.#pods.byIndex('node', node.metadata.name ?? '').map(keyOf), changed: (before, after) => before.spec?.taints !== after.spec?.taints },
      ],
      reconcile: (key) => this.#reconcile(key),
    });
  }

  async #reconcile(key: ObjectKey): Promise<number | undefined> {
    const pod = this.#pods.get(key);
    if (!pod) return undefined;
    if (isTerminated(pod)) await this.#trimTerminated();
    const name = pod.spec?.nodeName;
    if (!name) {
      if (pod.metadata.deletionTimestamp) await this.#remove(pod);
      return undefined;
    }
    const node = this.#nodes.get({ name });
    if (node) {
      this.#goneSinceMs.delete(name);
      const outOfService = node.spec?.taints?.some((taint) => taint.key === OUT_OF_SERVICE);
      if (outOfService && pod.metadata.deletionTimestamp) await this.#remove(pod, 'PodGC: node is out-of-service');
      return undefined;
    }
    const nowMs = this.#plane.clock.monotonicMs();
    const since = this.#goneSinceMs.get(name) ?? nowMs;
    this.#goneSinceMs.set(name, since);
    const leftMs = since + this.#settings.nodeGoneMs - nowMs;
    if (leftMs > 0) return leftMs;
    await this.#remove(pod, 'PodGC: node no longer exists');
    return undefined;
  }

  async #trimTerminated(): Promise<void> {
    const { terminatedPodsMax } = this.#settings;
    if (terminatedPodsMax === 0) return;
    const finished = this.#pods.list().filter(isTerminated);
    if (finished.length <= terminatedPodsMax) return;
    const oldest = finished.sort((a, b) => (timeMs(a.metadata.creationTimestamp) ?? 0) - (timeMs(b.metadata.creationTimestamp) ?? 0));
    for (const pod of oldest.slice(0, finished.length - terminatedPodsMax)) await this.#remove(pod);
  }

  async #remove(pod: Pod, disruption?: string): Promise<void> {
    const { client, clock } = this.#plane;
    try {
      if (disruption && !isTerminated(pod)) {
        const now = rfc3339(clock.wallMs());
        const [condition] = withCondition([], { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message: disruption }, now);
        await client.patch(pods, keyOf(pod), { type: 'strategic', body: { metadata: { uid: pod.metadata.uid }, status: { phase: 'Failed', conditions: [condition] } } }, { subresource: 'status' });
      }
      await client.delete(pods, keyOf(pod), { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid ?? '' } });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}
