/**
 * Watches for signs of life of nodes and carries out plan.ts. A sign of life is any change of the node's
 * Lease or of its status heartbeat, dated by this process's monotonic clock: clocks of nodes do not count.
 * One timer per node, for the moment its grace would end; nothing polls.
 */
import { rfc3339, type Timer } from '#base/clock';
import { deepEqual } from '#base/json';
import { keyOf, keyText } from '#apimachinery/meta';
import { isConflict, isNotFound } from '#apimachinery/status';
import { leases, nodes, pods, type Lease, type Node, type Pod } from '#api/builtin';
import type { Informer } from '#kube/cache';
import { ControlLoop, EventRecorder, isTerminated, timeMs, withCondition, type ControlPlane } from '#embedded/controlloop';
import { deletePod } from '../workload/pods.ts';
import { evictionOf, isFullDisruption, podsToSilence, readyStatus, silencedConditions, wantedNoExecuteTaints, wantedNoScheduleTaints } from './plan.ts';

const LEASE_NAMESPACE = 'kube-node-lease';
/** A timer that fires later than this tells that the whole process stood still. */
const STALL_MS = 1000;

export interface NodeLifecycleSettings {
  /** `--node-monitor-grace-period`, default 50 s. */
  nodeMonitorGraceMs: number;
  /** `--node-startup-grace-period`, default 60 s: for nodes that have never posted a status. */
  nodeStartupGraceMs: number;
}

export class NodeLifecycleController {
  readonly #plane: ControlPlane;
  readonly #settings: NodeLifecycleSettings;
  readonly #nodes: Informer<Node>;
  readonly #pods: Informer<Pod>;
  readonly #lastSignMs = new Map<string, number>();
  readonly #graceTimers = new Map<string, Timer>();
  readonly #events: EventRecorder;
  readonly #nodeLoop: ControlLoop;
  readonly #evictionLoop: ControlLoop;
  readonly #leases: Informer<Lease>;
  readonly #startedMs: number;

  constructor(plane: ControlPlane, settings: NodeLifecycleSettings) {
    this.#plane = plane;
    this.#settings = settings;
    this.#nodes = plane.informers.of(nodes);
    this.#pods = plane.informers.of(pods);
    this.#leases = plane.informers.of(leases);
    this.#events = new EventRecorder(plane, 'node-controller');
    this.#startedMs = plane.clock.monotonicMs();
    // Before the loops, so that a sign of life is known when its node is looked at.
    this.#watchSigns();
    this.#nodeLoop = new ControlLoop({ name: 'nodelifecycle', plane, sources: [{ informer: this.#nodes, changed: meaningful }], reconcile: (key) => this.#reconcileNode(key.name) });
    this.#evictionLoop = new ControlLoop({
      name: 'tainteviction',
      plane,
      concurrency: 8,
      sources: [{ informer: this.#pods, changed: (before, after) => before.spec?.nodeName !== after.spec?.nodeName || !deepEqual(before.spec?.tolerations, after.spec?.tolerations) }],
      reconcile: (key) => this.#evict(this.#pods.get(key)),
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#graceTimers.forEach((timer) => timer.cancel()), { once: true });
    await Promise.all([this.#nodeLoop.start(signal), this.#evictionLoop.start(signal)]);
  }

  #watchSigns(): void {
    const alive = (name: string) => this.#signOfLife(name);
    this.#leases.addHandler({
      onAdd: (lease) => lease.metadata.namespace === LEASE_NAMESPACE && alive(lease.metadata.name ?? ''),
      onUpdate: (before, lease) => lease.metadata.namespace === LEASE_NAMESPACE && before.spec?.renewTime !== lease.spec?.renewTime && alive(lease.metadata.name ?? ''),
    });
    this.#nodes.addHandler({
      onAdd: (node) => alive(node.metadata.name ?? ''),
      onUpdate: (before, node) => heartbeat(before) !== heartbeat(node) && alive(node.metadata.name ?? ''),
      onDelete: (node) => this.#forget(node.metadata.name ?? ''),
    });
  }

  #signOfLife(name: string): void {
    this.#lastSignMs.set(name, this.#plane.clock.monotonicMs());
    if (!this.#graceTimers.has(name)) this.#armGrace(name, this.#settings.nodeMonitorGraceMs);
  }

  /** One timer that looks at the last sign of life when it fires, instead of being moved at every sign. */
  #armGrace(name: string, delayMs: number): void {
    const { clock } = this.#plane;
    const dueMs = clock.monotonicMs() + delayMs;
    this.#graceTimers.set(name, clock.after(delayMs, () => {
      this.#graceTimers.delete(name);
      // This process itself was held up: what it did not hear in the meantime proves nothing.
      const stalled = clock.monotonicMs() - dueMs > STALL_MS;
      const leftMs = stalled ? this.#settings.nodeMonitorGraceMs / 2 : this.#graceLeftMs(name);
      if (leftMs > 0) this.#armGrace(name, leftMs);
      else this.#nodeLoop.add({ name });
    }));
  }

  #graceLeftMs(name: string): number {
    const since = this.#lastSignMs.get(name) ?? this.#startedMs;
    const { nodeMonitorGraceMs, nodeStartupGraceMs } = this.#settings;
    const node = this.#nodes.get({ name });
    const graceMs = node && readyStatus(node) === undefined ? Math.max(nodeStartupGraceMs, nodeMonitorGraceMs) : nodeMonitorGraceMs;
    return since + graceMs - this.#plane.clock.monotonicMs();
  }

  #forget(name: string): void {
    this.#graceTimers.get(name)?.cancel();
    this.#graceTimers.delete(name);
    this.#lastSignMs.delete(name);
  }

  async #reconcileNode(name: string): Promise<void> {
    const node = this.#nodes.get({ name });
    if (!node) return;
    if (this.#graceLeftMs(name) <= 0 && (await this.#silence(node))) return;
    if (readyStatus(node) !== 'True' && node.status?.conditions?.length) await this.#silencePods(name);
    const all = this.#nodes.list();
    const disrupted = isFullDisruption(all);
    await this.#taint(node, disrupted);
    for (const pod of this.#pods.byIndex('node', name)) this.#evictionLoop.add(keyText(keyOf(pod)));
    // Whether the cluster as a whole is disrupted depends on every node.
    for (const other of all) if (other !== node && this.#taintsDiffer(other, disrupted)) this.#nodeLoop.add({ name: other.metadata.name ?? '' });
  }

  async #silence(node: Node): Promise<boolean> {
    const now = rfc3339(this.#plane.clock.wallMs());
    const conditions = silencedConditions(node, now);
    if (deepEqual(conditions, node.status?.conditions)) return false;
    await this.#plane.client.update(nodes, { ...node, status: { ...node.status, conditions } }, { subresource: 'status' });
    this.#events.record(node, { type: 'Normal', reason: 'NodeNotReady', message: `Node ${node.metadata.name} status is now: NodeNotReady` });
    await this.#silencePods(node.metadata.name ?? '');
    return true;
  }

  async #silencePods(name: string): Promise<void> {
    const now = rfc3339(this.#plane.clock.wallMs());
    for (const pod of podsToSilence(this.#pods.byIndex('node', name))) {
      const ready = withCondition(pod.status?.conditions, { type: 'Ready', status: 'False' }, now).filter((condition) => condition.type === 'Ready');
      await this.#plane.client.patch(pods, keyOf(pod), { type: 'strategic', body: { metadata: { uid: pod.metadata.uid }, status: { conditions: ready } } }, { subresource: 'status' }).catch(ignoreGone);
    }
  }

  #taintsDiffer(node: Node, disrupted: boolean): boolean {
    return !deepEqual(wantedNoExecuteTaints(node, !disrupted, ''), node.spec?.taints ?? []);
  }

  /** First NoSchedule, then NoExecute, as two writes: no pod may be sent here while others are being told to leave. */
  async #taint(node: Node, disrupted: boolean): Promise<void> {
    const now = rfc3339(this.#plane.clock.wallMs());
    let current = node;
    for (const wanted of [(each: Node) => wantedNoScheduleTaints(each, now), (each: Node) => wantedNoExecuteTaints(each, !disrupted, now)]) {
      const taints = wanted(current);
      if (deepEqual(taints, current.spec?.taints ?? [])) continue;
      current = await this.#plane.client.update(nodes, { ...current, spec: { ...current.spec, taints } });
    }
  }

  async #evict(pod: Pod | undefined): Promise<number | undefined> {
    const node = pod?.spec?.nodeName ? this.#nodes.get({ name: pod.spec.nodeName }) : undefined;
    if (!pod || !node || pod.metadata.deletionTimestamp || isTerminated(pod)) return undefined;
    const { clock, client } = this.#plane;
    const eviction = evictionOf(pod, node.spec?.taints ?? [], (taint) => timeMs(taint.timeAdded) ?? clock.wallMs());
    if (eviction.kind === 'stay') return undefined;
    const waitMs = eviction.atMs - clock.wallMs();
    if (waitMs > 0) return waitMs;
    const now = rfc3339(clock.wallMs());
    const [target] = withCondition([], { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' }, now);
    await client.patch(pods, keyOf(pod), { type: 'strategic', body: { metadata: { uid: pod.metadata.uid }, status: { conditions: [target] } } }, { subresource: 'status' }).catch(ignoreGone);
    await deletePod(client, pod);
    this.#events.record(pod, { type: 'Normal', reason: 'TaintManagerEviction', message: `Marking for deletion Pod ${keyText(keyOf(pod))}` });
    return undefined;
  }
}

function ignoreGone(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error)) throw error;
}

function heartbeat(node: Node): string {
  return JSON.stringify(node.status?.conditions?.map((condition) => condition.lastHeartbeatTime));
}

function meaningful(before: Node, after: Node): boolean {
  const view = (node: Node) => [node.spec, node.status?.conditions?.map(({ type, status }) => [type, status])];
  return !deepEqual(view(before), view(after));
}
