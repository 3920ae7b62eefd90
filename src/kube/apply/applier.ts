/** The {@link Applier}: install order, server-side apply, and an account of what came of it. */
import { mapLimit, TimeoutError } from '#base/async';
import { sleep, type Clock } from '#base/clock';
import { findCondition, type Condition, type KubeObject, type Unstructured } from '#apimachinery/meta';
import type { Resource } from '#apimachinery/resource';
import { isConflict, isNotFound, StatusError } from '#apimachinery/status';
import { NoMatchError, type Client, type RestMapper } from '#kube/client';
import { byInstallRank } from './order.ts';
import type { Applier, ApplyOptions, Change, ChangeSet, ObjectReference, PruneOptions, WaitOptions } from './types.ts';

const CONCURRENCY = 4;
const CRD_TIMEOUT_MS = 30_000;
const CRD_INTERVAL_MS = 100;
const WAIT_INTERVAL_MS = 500;
/** Attempts at one object that somebody else keeps changing. */
const CONFLICTS_MAX = 6;
/**
 * A resourceVersion that no object can have: etcd's first revision comes before any write. The server compares
 * versions only with an object that exists, so it means "create, but do not change". Source: kube-apiserver,
 * registry/generic/registry/store.go, Update.
 */
const NEVER = '1';

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

  /** Writes over what was seen and nothing else; what has changed meanwhile is looked at again. */
  async #applyPlaced(resource: Resource, object: Unstructured, options: ApplyOptions): Promise<Change> {
    const reference = referenceOf(object);
    const write = { fieldManager: options.fieldManager, force: options.force ?? true, dryRun: options.dryRun ?? false, ...(options.signal ? { signal: options.signal } : {}) };
    let before = options.known?.(reference) ?? (await this.read(reference, options.signal));
    const live = await this.#retried(
      async () => {
        try {
          return await this.#client.apply(resource, onlyOver(object, before), write);
        } catch (error) {
          if (!options.recreate || !before || !isImmutable(error)) throw error;
          await this.#recreate(resource, before, options);
          return this.#client.apply(resource, onlyOver(object, undefined), write);
        }
      },
      async () => {
        before = await this.read(reference, options.signal);
      },
    );
    const same = before !== undefined && before.metadata.uid === live.metadata.uid && before.metadata.resourceVersion === live.metadata.resourceVersion;
    return { action: before === undefined ? 'created' : same ? 'unchanged' : 'configured', reference, live };
  }

  /** Busy objects (a status that changes all the time) are read and tried again; what still conflicts then is the caller's to retry. */
  async #retried<T>(attempt: () => Promise<T>, look: () => Promise<void>): Promise<T> {
    for (let conflicts = 1; ; conflicts++) {
      try {
        return await attempt();
      } catch (error) {
        if (conflicts >= CONFLICTS_MAX || !isVersionConflict(error)) throw error;
        await look();
      }
    }
  }

  async #recreate(resource: Resource, before: Unstructured, options: ApplyOptions): Promise<void> {
    const signal = options.signal ? { signal: options.signal } : {};
    const reference = referenceOf(before);
    const { uid } = before.metadata;
    await this.#client.delete(resource, keyIn(resource, reference), { propagationPolicy: 'Background', ...(uid ? { preconditions: { uid } } : {}), ...signal });
    await this.wait([reference], (live) => live === undefined || live.metadata.uid !== uid, { timeoutMs: CRD_TIMEOUT_MS, intervalMs: CRD_INTERVAL_MS, ...signal });
  }

  async #deleteOne(reference: ObjectReference, options: PruneOptions): Promise<Change> {
    try {
      const resource = await this.#mapper.resourceFor(reference);
      let live = await this.read(reference, options.signal);
      return await this.#retried(
        async () => {
          if (!live) return { action: 'skipped', reference, reason: 'already gone' };
          const reason = options.keep?.(live);
          if (reason) return { action: 'skipped', reference, reason };
          const { uid, resourceVersion } = live.metadata;
          await this.#client.delete(resource, keyIn(resource, reference), {
            propagationPolicy: options.propagationPolicy ?? 'Background',
            ...(uid && resourceVersion ? { preconditions: { uid, resourceVersion } } : {}),
            ...(options.dryRun ? { dryRun: true } : {}),
            ...(options.signal ? { signal: options.signal } : {}),
          });
          return { action: 'deleted', reference };
        },
        async () => {
          live = await this.read(reference, options.signal);
        },
      );
    } catch (error) {
      if (isNotFound(error) || error instanceof NoMatchError) return { action: 'skipped', reference, reason: 'already gone' };
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

/**
 * The object as a body that takes effect only over the version that was seen (or only where nothing was), so
 * that an apply which a former leader left on the wire cannot undo what its successor wrote (docs/adr/0010).
 */
export function onlyOver<T extends KubeObject>(object: T, seen: KubeObject | undefined): T {
  return { ...object, metadata: { ...object.metadata, resourceVersion: seen ? (seen.metadata.resourceVersion ?? '') : NEVER } };
}

/** The object has changed since it was read; another manager's claim on a field is a conflict of another kind. */
function isVersionConflict(error: unknown): boolean {
  return isConflict(error) && !(error as StatusError).details?.causes?.some(({ reason }) => reason === 'FieldManagerConflict');
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
