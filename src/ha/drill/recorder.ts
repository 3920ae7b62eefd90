/**
 * Watches what only a leader writes, and the lease, and notes when each arrived. How a guarded write is
 * recognised: the controllers stamp the epoch on what they write and raise its generation; the agent puts
 * its epoch into the status of BundleDeployments and into the journal of Helm releases.
 */
import { leases, type Secret, secrets, configMaps, pods } from '#api/builtin';
import { annotation, type BundleDeployment, bundleDeployments, bundles, label } from '#api/fleet';
import type { Clock } from '#base/clock';
import { deepEqual } from '#base/json';
import type { Log } from '#base/log';
import type { Random } from '#base/random';
import { keyOf, keyText, type KubeObject } from '#apimachinery/meta';
import { JOURNAL_ANNOTATION } from '#core/release';
import { createInformer, type EventHandler, type Informer, type InformerOptions } from '#kube/cache';
import type { Client } from '#kube/client';
import { decodeLock } from '#kube/leaderelection';
import type { DrillTarget, GuardedWrite, LeaseSample, Mark } from './types.ts';

/** Kept of one run; at a write every few milliseconds this is many minutes. */
const WRITES_MAX = 200_000;

export interface RecorderDeps {
  clock: Clock;
  random: Random;
  log: Log;
}

/** What the probe's objects are called, so that they can be watched. */
export interface ProbeScope {
  /** Label that all probe Bundles (and their BundleDeployments) carry, with its value. */
  label: readonly [name: string, value: string];
  /** Where the workload and its releases lie in the Fleet Cluster. */
  namespace: string;
}

export class Recorder {
  readonly #target: DrillTarget;
  readonly #deps: RecorderDeps;
  readonly #informers: Pick<Informer<KubeObject>, 'start' | 'waitForSync'>[] = [];
  writes: GuardedWrite[] = [];
  leases: LeaseSample[] = [];
  marks: Mark[] = [];
  vanished: string[] = [];
  /** Deletions are the drill's own while it cleans up. */
  expectDeletions = false;

  constructor(target: DrillTarget, deps: RecorderDeps) {
    this.#target = target;
    this.#deps = deps;
  }

  /** Resolves when all watches stand. Without a probe there is only the lease to watch. */
  async start(scope: ProbeScope | undefined, signal: AbortSignal): Promise<void> {
    const { client, namespace, lease, component } = this.#target;
    this.#watch(client, { resource: leases, namespace, fieldSelector: `metadata.name=${lease}` }, both((object) => this.#sawLease(object)));
    this.#watch(client, { resource: pods, namespace, labelSelector: `app=${component.app}` }, {});
    if (scope && component.name === 'gitjob') this.#watchBundles(scope);
    else if (scope) this.#watchDeployments(scope);
    if (scope && component.name === 'agent') this.#watchReleases(scope);
    for (const informer of this.#informers) informer.start(signal);
    await Promise.all(this.#informers.map((informer) => informer.waitForSync(signal)));
  }

  /** Forgets what was seen; watches go on. */
  reset(): void {
    this.writes = [];
    this.leases = this.leases.slice(-1);
    this.marks = [];
    this.vanished = [];
  }

  mark(text: string): void {
    this.marks.push({ atMs: this.#deps.clock.monotonicMs(), text });
  }

  get newestLease(): LeaseSample | undefined {
    return this.leases.at(-1);
  }

  #watchDeployments({ label: [name, value], namespace }: ProbeScope): void {
    const { upstream, fleetCluster, component } = this.#target;
    const seen = (before: BundleDeployment | undefined, after: BundleDeployment) => (component.name === 'agent' ? this.#sawStatus(before, after) : this.#sawSpec('deployments', before, after));
    this.#watch<BundleDeployment>(upstream, { resource: bundleDeployments, namespace: fleetCluster.deploymentNamespace, labelSelector: `${name}=${value}` }, {
      onAdd: (object) => seen(undefined, object),
      onUpdate: seen,
      onDelete: (object) => this.#sawDeletion('BundleDeployment', object),
    });
    this.#watch(fleetCluster.client, { resource: configMaps, namespace, labelSelector: 'fleet.cattle.io/drill=true' }, { onDelete: (object) => this.#sawDeletion('ConfigMap', object) });
  }

  #watchReleases({ namespace }: ProbeScope): void {
    this.#watch(this.#target.fleetCluster.client, { resource: secrets, namespace, labelSelector: 'owner=helm', transform: ({ data: _data, ...rest }) => rest }, {
      onAdd: (secret) => this.#sawRelease(undefined, secret),
      onUpdate: (before, after) => this.#sawRelease(before, after),
    });
  }

  #watchBundles({ label: [name, value] }: ProbeScope): void {
    this.#watch(this.#target.upstream, { resource: bundles, namespace: this.#target.fleetCluster.namespace, labelSelector: `${name}=${value}` }, {
      onAdd: (object) => this.#sawSpec('bundles', undefined, object),
      onUpdate: (before, after) => this.#sawSpec('bundles', before, after),
      onDelete: (object) => this.#sawDeletion('Bundle', object),
    });
  }

  #watch<T extends KubeObject>(client: Client, options: InformerOptions<T>, handler: EventHandler<NoInfer<T>>): void {
    const informer = createInformer(options, { reader: client, ...this.#deps });
    informer.addHandler(handler);
    this.#informers.push(informer);
  }

  #sawLease(object: KubeObject): void {
    const record = decodeLock('leases', object);
    if (!record) return;
    this.leases.push({ atMs: this.#deps.clock.monotonicMs(), holder: record.holder, epoch: record.transitions, evidence: record.evidence, gapMs: record.gapMs });
  }

  #sawSpec(stream: string, before: KubeObject | undefined, after: KubeObject): void {
    if (before && before.metadata.generation === after.metadata.generation) return;
    this.#write(stream, Number(after.metadata.annotations?.[annotation.epoch]), after);
  }

  #sawStatus(before: BundleDeployment | undefined, after: BundleDeployment): void {
    if (after.status?.agentEpoch === undefined || deepEqual(before?.status, after.status)) return;
    this.#write('statuses', after.status.agentEpoch, after);
  }

  /** A record whose journal stands still was marked superseded by a later operation: the epoch in it is not the writer's. */
  #sawRelease(before: Secret | undefined, secret: Secret): void {
    if (before && before.metadata.annotations?.[JOURNAL_ANNOTATION] === secret.metadata.annotations?.[JOURNAL_ANNOTATION]) return;
    try {
      const journal = JSON.parse(secret.metadata.annotations?.[JOURNAL_ANNOTATION] ?? '{}') as { epoch?: number };
      this.#write('releases', journal.epoch ?? Number.NaN, secret);
    } catch {
      // Not a journal of ours: somebody else's release.
    }
  }

  #sawDeletion(kind: string, object: KubeObject): void {
    if (!this.expectDeletions) this.vanished.push(`${kind}/${keyText(keyOf(object))}`);
  }

  #write(stream: string, epoch: number, object: KubeObject): void {
    if (!Number.isInteger(epoch) || this.writes.length >= WRITES_MAX) return;
    this.writes.push({ atMs: this.#deps.clock.monotonicMs(), stream, epoch, subject: `${object.kind ?? stream}/${object.metadata.labels?.[label.bundleName] ?? object.metadata.name ?? ''}` });
  }
}

function both<T>(seen: (object: T) => void): EventHandler<T> {
  return { onAdd: seen, onUpdate: (_before, after) => seen(after) };
}
