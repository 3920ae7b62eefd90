/**
 * The Node object and its heartbeats: registered on start, a Lease renewed every few seconds, conditions
 * posted when they differ from what the API has. Nothing is sent while the node is offline.
 */
import { rfc3339, rfc3339Micro, type Clock, type Timer } from '#base/clock';
import { errorText, type Log } from '#base/log';
import { isAlreadyExists, isNotFound } from '#apimachinery/status';
import { leases, nodes, type Lease, type Node, type NodeCondition } from '#api/builtin';
import type { Client } from '#kube/client';

export interface NodeFactsOptions {
  name: string;
  address: string;
  labels?: Readonly<Record<string, string>>;
  capacity?: Readonly<Record<string, string>>;
  /** Shown by `kubectl get nodes`. */
  kubeletVersion: string;
}

export interface NodeStatusDeps {
  client: Client;
  clock: Clock;
  log: Log;
  leaseRenewMs: number;
  online(): boolean;
}

const LEASE_NAMESPACE = 'kube-node-lease';
const RETRY_MS = 500;
/** A renewal that takes longer than this is given up, so that the next one is not late. */
const REQUEST_MS = 5000;
const CAPACITY: Readonly<Record<string, string>> = { cpu: '4', memory: '8Gi', 'ephemeral-storage': '50Gi', pods: '110' };

export class NodeStatusPoster {
  readonly #facts: NodeFactsOptions;
  readonly #deps: NodeStatusDeps;
  readonly #bootID: string;
  #timer: Timer | undefined;
  #lease: Lease | undefined;
  #uid = '';
  #stopped = true;

  constructor(facts: NodeFactsOptions, deps: NodeStatusDeps, bootID: string) {
    this.#facts = facts;
    this.#deps = deps;
    this.#bootID = bootID;
  }

  /** Registers the node (or takes up its object) and begins to beat. Resolves after the first beat. */
  async start(): Promise<void> {
    this.#stopped = false;
    this.#lease = undefined;
    await this.#beat();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Posts readiness again when the control plane has another opinion. */
  async observed(node: Node): Promise<void> {
    const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
    if (this.#stopped || !this.#deps.online() || (ready && ready.status === 'True')) return;
    await this.#post().catch((error: unknown) => this.#deps.log.debug('node status was not posted', { node: this.#facts.name, error: errorText(error) }));
  }

  async #beat(): Promise<void> {
    if (this.#stopped) return;
    let delayMs = this.#deps.leaseRenewMs;
    if (this.#deps.online()) {
      try {
        if (!this.#lease) await this.#register();
        await this.#renew();
      } catch (error) {
        this.#lease = undefined;
        delayMs = RETRY_MS;
        this.#deps.log.debug('heartbeat failed', { node: this.#facts.name, error: errorText(error) });
      }
    }
    if (!this.#stopped) this.#timer = this.#deps.clock.after(delayMs, () => void this.#beat());
  }

  async #register(): Promise<void> {
    const { client } = this.#deps;
    const { name, labels = {} } = this.#facts;
    const standard = { 'beta.kubernetes.io/arch': 'amd64', 'beta.kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64', 'kubernetes.io/os': 'linux', 'kubernetes.io/hostname': name };
    try {
      const made = await client.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { ...standard, ...labels } }, spec: {} });
      this.#uid = made.metadata.uid ?? '';
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    await this.#post();
  }

  async #post(): Promise<void> {
    const { client } = this.#deps;
    const node = await client.get(nodes, { name: this.#facts.name });
    this.#uid = node.metadata.uid ?? '';
    const status = { ...node.status, ...this.#status(node.status?.conditions) };
    await client.patch(nodes, { name: this.#facts.name }, { type: 'strategic', body: { status } }, { subresource: 'status' });
  }

  #status(present: readonly NodeCondition[] = []): NonNullable<Node['status']> {
    const capacity = { ...CAPACITY, ...this.#facts.capacity };
    const now = rfc3339(this.#deps.clock.wallMs());
    const wanted: NodeCondition[] = [
      { type: 'MemoryPressure', status: 'False', reason: 'KubeletHasSufficientMemory', message: 'kubelet has sufficient memory available' },
      { type: 'DiskPressure', status: 'False', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
      { type: 'PIDPressure', status: 'False', reason: 'KubeletHasSufficientPID', message: 'kubelet has sufficient PID available' },
      { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
    ];
    const conditions = wanted.map((condition) => {
      const before = present.find((each) => each.type === condition.type);
      return { ...condition, lastHeartbeatTime: now, lastTransitionTime: before?.status === condition.status ? (before.lastTransitionTime ?? now) : now };
    });
    return {
      capacity,
      allocatable: capacity,
      conditions,
      addresses: [{ type: 'InternalIP', address: this.#facts.address }, { type: 'Hostname', address: this.#facts.name }],
      nodeInfo: {
        architecture: 'amd64', bootID: this.#bootID, containerRuntimeVersion: 'fleet-ts://0.1.0', kernelVersion: 'embedded', kubeProxyVersion: '', kubeletVersion: this.#facts.kubeletVersion,
        machineID: this.#facts.name, operatingSystem: 'linux', osImage: 'fleet-ts embedded Kubernetes', systemUUID: this.#facts.name,
      },
    };
  }

  async #renew(): Promise<void> {
    const { client, clock, leaseRenewMs } = this.#deps;
    const name = this.#facts.name;
    const spec = { holderIdentity: name, leaseDurationSeconds: Math.max(1, Math.round((leaseRenewMs * 4) / 1000)), renewTime: rfc3339Micro(clock.wallMs()) };
    const options = { timeoutMs: REQUEST_MS };
    if (this.#lease) {
      this.#lease = await client.update(leases, { ...this.#lease, spec: { ...this.#lease.spec, ...spec } }, options);
      return;
    }
    const key = { namespace: LEASE_NAMESPACE, name };
    const present = await client.get(leases, key, options).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name, uid: this.#uid }];
    this.#lease = present
      ? await client.update(leases, { ...present, spec: { ...present.spec, ...spec } }, options)
      : await client.create(leases, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...key, ownerReferences }, spec }, options);
  }
}
