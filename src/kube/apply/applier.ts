/** The {@link Applier}: install order, server-side apply, and an account of what came of it. */
import { mapLimit, TimeoutError } from '#base/async';
import { sleep, type Clock } from '#base/clock';
import { findCondition, type Condition, type Unstructured } from '#apimachinery/meta';
import type { Resource } from '#apimachinery/resource';
import { isNotFound, StatusError } from '#apimachinery/status';
import { NoMatchError, type Client, type RestMapper } from '#kube/client';
import { byInstallRank } from './order.ts';
import type { Applier, ApplyOptions, Change, ChangeSet, ObjectReference, PruneOptions, WaitOptions } from './types.ts';

const CONCURRENCY = 4;
const CRD_TIMEOUT_MS = 30_000;
const CRD_INTERVAL_MS = 100;
const WAIT_INTERVAL_MS = 500;

export interface ApplierOptions {
  /** A guarded client where there is leadership to respect. */
  client: Client;
  mapper: RestMapper;
  clock: Clock;
}

export function createApplier({ client, mapper, clock }: ApplierOptions): Applier {
  return new ServerSideApplier(client, mapper, clock);
}

export function referenceOf(object: Unstructured): ObjectReference {
  const { namespace, name = '' } = object.metadata;
  return { apiVersion: object.apiVersion ?? '', kind: object.kind ?? '', ...(namespace ? { namespace } : {}), name };
}

/** `Kind/namespace/name`. */
export function referenceText({ kind, namespace, name }: ObjectReference): string {
  return namespace ? `${kind}/${namespace}/${name}` : `${kind}/${name}`;
}

class ServerSideApplier implements Applier {
  readonly #client: Client;
  readonly #mapper: RestMapper;
  readonly #clock: Clock;

  constructor(client: Client, mapper: RestMapper, clock: Clock) {
    this.#client = client;
    this.#mapper = mapper;
    this.#clock = clock;
  }

  async apply(objects: readonly Unstructured[], options: ApplyOptions): Promise<ChangeSet> {
    const changes: Change[] = [];
    for (const group of byInstallRank(objects)) {
      if (!options.continueOnError && changes.some(({ action }) => action === 'failed')) {
        changes.push(...group.map((object): Change => ({ action: 'skipped', reference: referenceOf(object), reason: 'an earlier object failed' })));
        continue;
      }
      const done = await mapLimit(group, options.concurrency ?? CONCURRENCY, (object) => this.#applyOne(object, options));
      changes.push(...done);
      if (group[0]?.kind === 'CustomResourceDefinition' && !options.dryRun) await this.#established(done, options);
    }
    return { changes };
  }

  async prune(references: readonly ObjectReference[], options: PruneOptions = {}): Promise<ChangeSet> {
    const changes: Change[] = [];
    for (const group of byInstallRank(references).reverse()) {
      changes.push(...(await mapLimit(group, CONCURRENCY, (reference) => this.#deleteOne(reference, options))));
    }
    return { changes };
  }

  async read(reference: ObjectReference, signal?: AbortSignal): Promise<Unstructured | undefined> {
    try {
      const resource = await this.#mapper.resourceFor(reference);
      return await this.#client.get(resource, keyIn(resource, reference), signal ? { signal } : {});
    } catch (error) {
      if (isNotFound(error) || error instanceof NoMatchError) return undefined;
      throw error;
    }
  }

  async wait(references: readonly ObjectReference[], met: (live: Unstructured | undefined) => boolean, options: WaitOptions): Promise<void> {
    const { signal, timeoutMs, intervalMs = WAIT_INTERVAL_MS } = options;
    const untilMs = this.#clock.monotonicMs() + timeoutMs;
    for (const reference of references) {
      while (!met(await this.read(reference, signal))) {
        if (this.#clock.monotonicMs() >= untilMs) throw new TimeoutError(`${referenceText(reference)}: not there yet after ${timeoutMs} ms`);
        await sleep(this.#clock, intervalMs, signal);
      }
    }
  }

  /** The server's refusals become part of the account; everything else (abort, lost leadership) is thrown. */
  async #applyOne(object: Unstructured, options: ApplyOptions): Promise<Change> {
    let reference = referenceOf(object);
    try {
      const resource = await this.#mapper.resourceFor(object);
      const placed = place(resource, object, options.defaultNamespace);
      reference = referenceOf(placed);
      return await this.#applyPlaced(resource, placed, options);
    } catch (error) {
      if (error instanceof StatusError || error instanceof NoMatchError) return { action: 'failed', reference, error };
      throw error;
    }
  }

  async #applyPlaced(resource: Resource, object: Unstructured, options: ApplyOptions): Promise<Change> {
    const reference = referenceOf(object);
    const before = options.known?.(reference) ?? (await this.read(reference, options.signal));
    const write = { fieldManager: options.fieldManager, force: options.force ?? true, dryRun: options.dryRun ?? false, ...(options.signal ? { signal: options.signal } : {}) };
    const live = await this.#client.apply(resource, object, write).catch(async (error: unknown) => {
      if (!options.recreate || !isImmutable(error)) throw error;
      await this.#recreate(resource, reference, options);
      return this.#client.apply(resource, object, write);
    });
    const same = before !== undefined && before.metadata.uid === live.metadata.uid && before.metadata.resourceVersion === live.metadata.resourceVersion;
    return { action: before === undefined ? 'created' : same ? 'unchanged' : 'configured', reference, live };
  }

  async #recreate(resource: Resource, reference: ObjectReference, options: ApplyOptions): Promise<void> {
    const signal = options.signal ? { signal: options.signal } : {};
    await this.#client.delete(resource, keyIn(resource, reference), { propagationPolicy: 'Background', ...signal });
    await this.wait([reference], (live) => live === undefined, { timeoutMs: CRD_TIMEOUT_MS, intervalMs: CRD_INTERVAL_MS, ...signal });
  }

  async #deleteOne(reference: ObjectReference, options: PruneOptions): Promise<Change> {
    try {
      const live = await this.read(reference, options.signal);
      if (!live) return { action: 'skipped', reference, reason: 'already gone' };
      const reason = options.keep?.(live);
      if (reason) return { action: 'skipped', reference, reason };
      const resource = await this.#mapper.resourceFor(reference);
      const uid = live.metadata.uid;
      await this.#client.delete(resource, keyIn(resource, reference), {
        propagationPolicy: options.propagationPolicy ?? 'Background',
        ...(uid ? { preconditions: { uid } } : {}),
        ...(options.dryRun ? { dryRun: true } : {}),
        ...(options.signal ? { signal: options.signal } : {}),
      });
      return { action: 'deleted', reference };
    } catch (error) {
      if (isNotFound(error)) return { action: 'skipped', reference, reason: 'already gone' };
      if (error instanceof StatusError) return { action: 'failed', reference, error };
      throw error;
    }
  }

  /** Objects of a new kind are refused until its CRD is served. */
  async #established(changes: readonly Change[], options: ApplyOptions): Promise<void> {
    const applied = changes.filter(({ action }) => action === 'created' || action === 'configured').map(({ reference }) => reference);
    const timeoutMs = options.crdTimeoutMs ?? CRD_TIMEOUT_MS;
    await this.wait(applied, isEstablished, { timeoutMs, intervalMs: CRD_INTERVAL_MS, ...(options.signal ? { signal: options.signal } : {}) });
    if (applied.length > 0) this.#mapper.reset();
  }
}

function isEstablished(crd: Unstructured | undefined): boolean {
  const conditions = (crd?.['status'] as { conditions?: Condition[] } | undefined)?.conditions;
  return findCondition(conditions, 'Established')?.status === 'True';
}

function isImmutable(error: unknown): boolean {
  return error instanceof StatusError && error.reason === 'Invalid' && /immutable|may not change|updates to .* are forbidden/i.test(error.message);
}

function keyIn(resource: Resource, { namespace, name }: ObjectReference): { namespace?: string; name: string } {
  return resource.namespaced && namespace ? { namespace, name } : { name };
}

function place(resource: Resource, object: Unstructured, defaultNamespace: string | undefined): Unstructured {
  const { namespace, ...metadata } = object.metadata;
  if (!resource.namespaced) return namespace === undefined ? object : { ...object, metadata };
  const placed = namespace ?? defaultNamespace;
  return placed === undefined || placed === namespace ? object : { ...object, metadata: { ...object.metadata, namespace: placed } };
}
