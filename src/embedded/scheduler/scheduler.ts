/**
 * The loop around {@link placePod}: pods without a node are placed one at a time, highest priority first,
 * and bound. What was bound but is not yet in the cache is assumed, so that the next pod sees it. A pod
 * that fits nowhere says so in its PodScheduled condition and waits for a change that could help it.
 */
import { rfc3339, type Timer } from '#base/clock';
import { errorText } from '#base/log';
import { controllerOf, keyOf, keyText, parseKey, type KubeObject, type ObjectKey } from '#apimachinery/meta';
import { isConflict, isNotFound } from '#apimachinery/status';
import { namespaces, nodes, pods, replicaSets, services, statefulSets, type Binding, type Node, type Pod } from '#api/builtin';
import type { Resource } from '#apimachinery/resource';
import type { Informer } from '#kube/cache';
import { EventRecorder, isTerminated, podCondition, timeMs, withCondition, type ControlPlane } from '#embedded/controlloop';
import { placePod, type NodeInfo, type Snapshot } from './place.ts';

const SCHEDULER_NAME = 'default-scheduler';
const RETRY_MS = 1000;

export class SchedulerController {
  readonly #plane: ControlPlane;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #events: EventRecorder;
  readonly #waiting = new Set<string>();
  readonly #unschedulable = new Set<string>();
  readonly #assumed = new Map<string, Pod>();
  readonly #timers = new Set<Timer>();
  #signal: AbortSignal | undefined;
  #running = false;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
    this.#pods = plane.informers.of(pods);
    this.#nodes = plane.informers.of(nodes);
    this.#events = new EventRecorder(plane, SCHEDULER_NAME);
    for (const resource of [namespaces, services, replicaSets, statefulSets]) plane.informers.of(resource as Resource<KubeObject>);
    this.#pods.addHandler({ onAdd: (pod) => this.#seen(undefined, pod), onUpdate: (previous, pod) => this.#seen(previous, pod), onDelete: (pod) => this.#gone(pod) });
    this.#nodes.addHandler({ onAdd: () => this.#retryAll(), onUpdate: (previous, node) => this.#nodeChanged(previous, node), onDelete: () => this.#retryAll() });
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#plane.informers.waitForSync(signal);
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#timers.forEach((timer) => timer.cancel()), { once: true });
    this.#wake();
  }

  #seen(previous: Pod | undefined, pod: Pod): void {
    const key = keyText(keyOf(pod));
    if (pod.spec?.nodeName) {
      this.#assumed.delete(pod.metadata.uid ?? '');
      this.#forget(key);
      if (isTerminated(pod) !== (previous !== undefined && isTerminated(previous)) || pod.metadata.labels !== previous?.metadata.labels) this.#retryAll();
      return;
    }
    if ((pod.spec?.schedulerName ?? SCHEDULER_NAME) !== SCHEDULER_NAME || isTerminated(pod) || pod.metadata.deletionTimestamp) return this.#forget(key);
    // A status write of our own must not wake the pod it is about.
    if (this.#unschedulable.has(key) && previous && previous.metadata.generation === pod.metadata.generation && previous.spec?.schedulingGates?.length === pod.spec?.schedulingGates?.length) return;
    this.#unschedulable.delete(key);
    this.#waiting.add(key);
    this.#wake();
  }

  #gone(pod: Pod): void {
    this.#assumed.delete(pod.metadata.uid ?? '');
    this.#forget(keyText(keyOf(pod)));
    if (pod.spec?.nodeName) this.#retryAll();
  }

  #nodeChanged(previous: Node, node: Node): void {
    const relevant = (each: Node) => JSON.stringify([each.metadata.labels, each.spec, each.status?.allocatable]);
    if (relevant(previous) !== relevant(node)) this.#retryAll();
  }

  #forget(key: string): void {
    this.#waiting.delete(key);
    this.#unschedulable.delete(key);
  }

  /** Something changed that may make room. */
  #retryAll(): void {
    if (this.#unschedulable.size === 0) return;
    for (const key of this.#unschedulable) this.#waiting.add(key);
    this.#unschedulable.clear();
    this.#wake();
  }

  #wake(): void {
    if (this.#running || !this.#signal || this.#signal.aborted || this.#waiting.size === 0) return;
    this.#running = true;
    void this.#drain().finally(() => {
      this.#running = false;
      this.#wake();
    });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.size > 0 && !this.#signal?.aborted) {
      const key = this.#next();
      this.#waiting.delete(key);
      const pod = this.#pods.get(parseKey(key));
      if (!pod || pod.spec?.nodeName || this.#assumed.has(pod.metadata.uid ?? '')) continue;
      try {
        await this.#schedule(pod, key);
      } catch (error) {
        if (isNotFound(error)) continue;
        if (!isConflict(error)) this.#plane.log.warn('scheduling failed', { pod: key, error: errorText(error) });
        this.#retryLater(key);
      }
    }
  }

  /** The pod with the highest priority, then the oldest. */
  #next(): string {
    const rank = (key: string): [number, number, string] => {
      const pod = this.#pods.get(parseKey(key));
      return [-(pod?.spec?.priority ?? 0), timeMs(pod?.metadata.creationTimestamp) ?? 0, key];
    };
    if (this.#waiting.size === 1) return this.#waiting.values().next().value ?? '';
    const ranked = [...this.#waiting].map((key) => ({ key, rank: rank(key) }));
    ranked.sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1]);
    return ranked[0]?.key ?? '';
  }

  async #schedule(pod: Pod, key: string): Promise<void> {
    if (pod.spec?.schedulingGates?.length) {
      this.#unschedulable.add(key);
      return this.#condition(pod, 'SchedulingGated', 'Scheduling is blocked due to non-empty scheduling gates');
    }
    const placement = placePod(pod, this.#snapshot(), this.#plane.random);
    if (placement.kind === 'unschedulable') {
      this.#unschedulable.add(key);
      return this.#condition(pod, 'Unschedulable', placement.message);
    }
    this.#assumed.set(pod.metadata.uid ?? '', { ...pod, spec: { ...pod.spec, nodeName: placement.name } as never });
    try {
      await this.#bind(pod, placement.name);
    } catch (error) {
      this.#assumed.delete(pod.metadata.uid ?? '');
      throw error;
    }
  }

  async #bind(pod: Pod, node: string): Promise<void> {
    const { name = '', namespace = '', uid = '' } = pod.metadata;
    const binding: Binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid }, target: { apiVersion: 'v1', kind: 'Node', name: node } };
    await this.#plane.client.create(pods, binding as unknown as Pod, { subresource: 'binding' });
    this.#events.record(pod, { type: 'Normal', reason: 'Scheduled', message: `Successfully assigned ${keyText(keyOf(pod))} to ${node}` });
  }

  async #condition(pod: Pod, reason: string, message: string): Promise<void> {
    const present = podCondition(pod, 'PodScheduled');
    if (present?.status === 'False' && present.reason === reason && present.message === message) return;
    this.#events.record(pod, { type: 'Warning', reason: 'FailedScheduling', message });
    const now = rfc3339(this.#plane.clock.wallMs());
    const conditions = withCondition(pod.status?.conditions, { type: 'PodScheduled', status: 'False', reason, message }, now);
    await this.#plane.client.patch(pods, keyOf(pod), { type: 'strategic', body: { metadata: { uid: pod.metadata.uid }, status: { conditions: conditions.filter((each) => each.type === 'PodScheduled') } } }, { subresource: 'status' });
  }

  #retryLater(key: string): void {
    const timer = this.#plane.clock.after(RETRY_MS, () => {
      this.#timers.delete(timer);
      this.#waiting.add(key);
      this.#wake();
    });
    this.#timers.add(timer);
  }

  #snapshot(): Snapshot {
    const byNode = new Map<string, Pod[]>();
    const put = (pod: Pod) => {
      const name = pod.spec?.nodeName;
      if (!name || isTerminated(pod)) return;
      const list = byNode.get(name);
      if (list) list.push(pod);
      else byNode.set(name, [pod]);
    };
    for (const pod of this.#pods.list()) if (!this.#assumed.has(pod.metadata.uid ?? '')) put(pod);
    for (const pod of this.#assumed.values()) put(pod);
    const infos: NodeInfo[] = this.#nodes.list().map((node) => ({ node, pods: byNode.get(node.metadata.name ?? '') ?? [] }));
    const spaces = this.#plane.informers.of(namespaces).list();
    return { nodes: infos, namespaces: new Map(spaces.map((space) => [space.metadata.name ?? '', space])), groupOf: (pod) => this.#groupOf(pod) };
  }

  /** The labels by which the pod's Services and controller select it, merged; they define its group for default spreading. */
  #groupOf(pod: Pod): Record<string, string> | undefined {
    const { namespace = '', labels = {} } = pod.metadata;
    const group: Record<string, string> = {};
    for (const service of this.#plane.informers.of(services).list(namespace)) {
      const selector = service.spec?.selector;
      if (selector && Object.keys(selector).length > 0 && Object.entries(selector).every(([key, value]) => labels[key] === value)) Object.assign(group, selector);
    }
    const owner = controllerOf(pod);
    const key: ObjectKey = { namespace, name: owner?.name ?? '' };
    if (owner?.kind === 'ReplicaSet') Object.assign(group, this.#plane.informers.of(replicaSets).get(key)?.spec?.selector.matchLabels);
    if (owner?.kind === 'StatefulSet') Object.assign(group, this.#plane.informers.of(statefulSets).get(key)?.spec?.selector.matchLabels);
    return Object.keys(group).length > 0 ? group : undefined;
  }
}
