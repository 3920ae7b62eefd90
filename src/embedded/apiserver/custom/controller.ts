/**
 * What happens to CustomResourceDefinitions after they are written, as the real server's own controllers do:
 * names are accepted or refused, the definition becomes Established and its resources are served; a deleted
 * one takes its objects with it before it goes.
 */
import { rfc3339 } from '#base/clock';
import { deepEqual } from '#base/json';
import { errorText, type Log } from '#base/log';
import { structuralSchemaErrors } from '#apimachinery/schema';
import { LOOPBACK } from '../auth/user.ts';
import { decodeEntry } from '../registry/codec.ts';
import { deleteObject } from '../registry/delete.ts';
import type { Deps } from '../registry/deps.ts';
import { NO_MANAGER } from '../registry/managers.ts';
import type { ResourceType } from '../registry/types.ts';
import { updateObject } from '../registry/update.ts';
import { customTypes, type Origin } from './strategy.ts';
import { CLEANUP_FINALIZER } from '../strategies/crd.ts';
import type { CrdCondition, CrdNames, CustomResourceDefinition } from './types.ts';

export const CRD_COLLECTION = 'apiextensions.k8s.io/customresourcedefinitions';

export class CustomResources {
  readonly #deps: Deps;
  readonly #log: Log;
  readonly #crdType: ResourceType;
  readonly #served = new Map<string, ResourceType[]>();
  #unsubscribe: (() => void) | undefined;

  constructor(deps: Deps, log: Log) {
    this.#deps = deps;
    this.#log = log;
    this.#crdType = deps.resources.get('apiextensions.k8s.io', 'v1', 'customresourcedefinitions') as ResourceType;
  }

  /** Serves what is stored and follows every change from now on. */
  start(): void {
    const { storage } = this.#deps;
    for (const entry of storage.list(CRD_COLLECTION)) this.#sync(decodeEntry(entry, this.#crdType) as CustomResourceDefinition);
    this.#unsubscribe = storage.subscribe(CRD_COLLECTION, ({ type, entry }) => {
      const crd = decodeEntry(entry, this.#crdType) as CustomResourceDefinition;
      if (type === 'delete') this.#withdraw(crd.metadata.name ?? '');
      else this.#sync(crd);
    });
  }

  stop(): void {
    this.#unsubscribe?.();
  }

  #sync(crd: CustomResourceDefinition): void {
    const name = crd.metadata.name ?? '';
    if (crd.metadata.deletionTimestamp) {
      void this.#finalize(crd).catch((error: unknown) => this.#log.error('custom resource cleanup failed', { name, error: errorText(error) }));
      return;
    }
    const status = this.#statusOf(crd);
    if (!deepEqual(status, crd.status)) {
      void this.#writeStatus(name, status).catch((error: unknown) => this.#log.error('custom resource status failed', { name, error: errorText(error) }));
    }
    if (isTrue(status.conditions, 'Established') || this.#served.has(name)) this.#serve(name, crd);
  }

  #serve(name: string, crd: CustomResourceDefinition): void {
    this.#withdraw(name);
    const types = customTypes(crd.spec, originOf(crd));
    for (const type of types) this.#deps.resources.add(type);
    this.#served.set(name, types);
  }

  #withdraw(name: string): void {
    for (const type of this.#served.get(name) ?? []) this.#deps.resources.remove(type);
    this.#served.delete(name);
  }

  #statusOf(crd: CustomResourceDefinition): NonNullable<CustomResourceDefinition['status']> {
    const now = rfc3339(this.#deps.clock.wallMs());
    const problem = this.#nameConflict(crd);
    const accepted: CrdNames | undefined = problem ? crd.status?.acceptedNames : crd.spec.names;
    let conditions = [...(crd.status?.conditions ?? [])];
    const nonStructural = crd.spec.versions.flatMap(({ schema }, i) =>
      schema?.openAPIV3Schema ? structuralSchemaErrors(schema.openAPIV3Schema, `spec.versions[${i}].schema.openAPIV3Schema`) : [],
    );
    if (nonStructural.length > 0) {
      conditions = setCondition(conditions, { type: 'NonStructuralSchema', status: 'True', reason: 'Violations', message: nonStructural.map(({ field, message }) => `${field}: ${message}`).join('\n') }, now);
    } else conditions = conditions.filter(({ type }) => type !== 'NonStructuralSchema');
    conditions = problem
      ? setCondition(conditions, { type: 'NamesAccepted', status: 'False', ...problem }, now)
      : setCondition(conditions, { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }, now);
    if (!isTrue(conditions, 'Established')) {
      conditions = problem
        ? setCondition(conditions, { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }, now)
        : setCondition(conditions, { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' }, now);
    }
    const storage = crd.spec.versions.find((version) => version.storage)?.name;
    const stored = crd.status?.storedVersions ?? [];
    const storedVersions = storage && !stored.includes(storage) ? [...stored, storage] : stored;
    return { conditions, acceptedNames: accepted ?? { plural: '', kind: '' }, storedVersions };
  }

  /** Another definition of the group that already has one of the names. */
  #nameConflict(crd: CustomResourceDefinition): { reason: string; message: string } | undefined {
    const taken = new Map<string, string>();
    for (const entry of this.#deps.storage.list(CRD_COLLECTION)) {
      const other = decodeEntry(entry, this.#crdType) as CustomResourceDefinition;
      if (other.metadata.name === crd.metadata.name || other.spec.group !== crd.spec.group) continue;
      const names = other.status?.acceptedNames;
      if (!names) continue;
      for (const name of [names.plural, names.singular, ...(names.shortNames ?? [])]) if (name) taken.set(name, 'resource');
      for (const kind of [names.kind, names.listKind]) if (kind) taken.set(kind, 'kind');
    }
    const { plural, singular, shortNames = [], kind, listKind } = crd.spec.names;
    const checks: [string | undefined, string][] = [[plural, 'PluralConflict'], [singular, 'SingularConflict'], ...shortNames.map((name): [string, string] => [name, 'ShortNamesConflict']), [kind, 'KindConflict'], [listKind, 'ListKindConflict']];
    for (const [name, reason] of checks) if (name && taken.has(name)) return { reason, message: `${JSON.stringify(name)} is already in use` };
    return undefined;
  }

  async #writeStatus(name: string, status: NonNullable<CustomResourceDefinition['status']>): Promise<void> {
    await updateObject(this.#deps, {
      type: this.#crdType,
      namespace: '',
      name,
      subresource: 'status',
      user: LOOPBACK,
      manager: NO_MANAGER,
      dryRun: false,
      transform: (old) => ({ ...old, metadata: { ...old.metadata }, status }),
    });
  }

  /** Deletes every object, then lets the definition go. */
  async #finalize(crd: CustomResourceDefinition): Promise<void> {
    const name = crd.metadata.name ?? '';
    const finalizers = crd.metadata.finalizers ?? [];
    if (!finalizers.includes(CLEANUP_FINALIZER)) return;
    const [type] = this.#served.get(name) ?? customTypes(crd.spec, originOf(crd));
    if (type) await this.#deleteAll(type);
    this.#withdraw(name);
    const without = finalizers.filter((item) => item !== CLEANUP_FINALIZER);
    await updateObject(this.#deps, {
      type: this.#crdType,
      namespace: '',
      name,
      subresource: 'status',
      user: LOOPBACK,
      manager: NO_MANAGER,
      dryRun: false,
      transform: (old) => ({ ...old, metadata: { ...old.metadata, finalizers: without } }),
    });
  }

  async #deleteAll(type: ResourceType): Promise<void> {
    const { storage } = this.#deps;
    for (const entry of storage.list(type.collection)) {
      const { namespace = '', name = '' } = decodeEntry(entry, type).metadata;
      await deleteObject(this.#deps, { type, namespace, name, user: LOOPBACK, options: {} }).catch(() => {});
    }
    if (storage.count(type.collection) === 0) return;
    await new Promise<void>((resolve) => {
      const stop = storage.subscribe(type.collection, () => {
        if (storage.count(type.collection) > 0) return;
        stop();
        resolve();
      });
    });
  }
}

function originOf({ metadata }: CustomResourceDefinition): Origin {
  return { uid: metadata.uid ?? '', evolved: (metadata.generation ?? 1) > 1 };
}

function isTrue(conditions: readonly CrdCondition[] | undefined, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

function setCondition(conditions: CrdCondition[], wanted: CrdCondition, now: string): CrdCondition[] {
  const existing = conditions.find(({ type }) => type === wanted.type);
  if (!existing) return [...conditions, { ...wanted, lastTransitionTime: now }];
  const changed = existing.status !== wanted.status;
  const next = { ...wanted, lastTransitionTime: changed ? now : (existing.lastTransitionTime ?? now) };
  return conditions.map((condition) => (condition === existing ? next : condition));
}
