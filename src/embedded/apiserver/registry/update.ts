/**
 * Update. The whole decision happens in one tick on the newest state (accepted writes included), so that an
 * update never loses a race and patches never need to be retried; only the wait for the disk is asynchronous.
 * Rule: k8s.io/apiserver `registry/rest/update.go` and `generic/registry/store.go`.
 */
import { deepEqual } from '#base/json';
import { rfc3339 } from '#base/clock';
import type { Unstructured } from '#apimachinery/meta';
import { invalid as invalidField } from '#apimachinery/validation';
import { GuardError, type Entry } from '#embedded/storage';
import { badRequest, conflict, invalid, MODIFIED, notFound } from '../errors.ts';
import type { UserInfo } from '../auth/user.ts';
import { createObject } from './create.ts';
import { attributesOfObject, decodeEntry, encodeObject } from './codec.ts';
import { storageKey, type Deps } from './deps.ts';
import { trackManager, type Manager } from './managers.ts';
import type { ResourceType, WriteContext } from './types.ts';

export interface UpdateRequest {
  type: ResourceType;
  namespace: string;
  name: string;
  subresource: string;
  user: UserInfo;
  manager: Manager;
  dryRun: boolean;
  /** Makes the new object from the stored one, which it must not change. Throws what is wrong with it. */
  transform: (old: Unstructured) => Unstructured;
  /** Makes the object when there is none (PUT of kinds that allow it, apply). */
  make?: () => Unstructured;
  /** A whole object that was sent names the object it means; a patch that changes the uid is just invalid. */
  uidIsPrecondition?: boolean;
  /** The kind whose name stands in conflicts, when it is not the resource. */
  conflictOn?: { group: string; plural: string };
}

export interface UpdateResult {
  object: Unstructured;
  created: boolean;
  /** What was stored before; absent when the object was created. */
  old?: Unstructured;
}

export async function updateObject(deps: Deps, request: UpdateRequest): Promise<UpdateResult> {
  const { type, namespace, name } = request;
  const key = storageKey(type, { namespace, name });
  const head = deps.storage.head(type.collection, key);
  if (!head) {
    if (!request.make) throw notFound(type, name);
    const { user, manager, dryRun } = request;
    const object = await createObject(deps, { type, namespace, object: request.make(), user, manager, dryRun });
    return { object, created: true };
  }
  const old = decodeEntry(head, type);
  const wanted = decide(deps, request, old);
  return { object: await storeChanged(deps, { request, head, old, wanted }), created: false, old };
}

function decide(deps: Deps, request: UpdateRequest, old: Unstructured): Unstructured {
  const { type, namespace, name, subresource, user, dryRun } = request;
  const wanted = request.transform(old);
  checkIdentity(type, request, wanted);
  checkVersion(request, wanted, old);
  wanted.metadata.resourceVersion = old.metadata.resourceVersion as string;
  const context: WriteContext = { now: rfc3339(deps.clock.wallMs()), subresource, dryRun };
  const object = trackManager({ live: old, object: wanted, type, manager: request.manager, context });
  const admission = { operation: 'UPDATE', type, subresource, namespace, name, object, old, user, dryRun } as const;
  deps.admission.mutate(admission);
  keepServerMetadata(object, old);
  type.strategy.prepareForUpdate(object, old, context);
  const findings = type.strategy.validateUpdate(object, old, context);
  if (findings.length > 0) throw invalid(type, name, findings);
  type.strategy.normalise(object);
  deps.admission.validate({ ...admission, object });
  return object;
}

async function storeChanged(deps: Deps, { request, head, old, wanted }: { request: UpdateRequest; head: Entry; old: Unstructured; wanted: Unstructured }): Promise<Unstructured> {
  const { type, dryRun } = request;
  wanted.metadata.resourceVersion = String(head.revision);
  const gone = isFinished(wanted);
  if (!gone && deepEqual(wanted, old)) {
    await deps.storage.settled();
    return wanted;
  }
  if (dryRun) return wanted;
  const write = { type: gone ? 'delete' : 'put', collection: type.collection, key: head.key, expected: head.revision, encode: (revision: number) => encodeObject(gone ? old : wanted, revision), memo: attributesOfObject(gone ? old : wanted, type) } as const;
  try {
    const entry = await deps.storage.write(write);
    wanted.metadata.resourceVersion = String(entry.revision);
    return wanted;
  } catch (error) {
    if (error instanceof GuardError) throw conflict(type, request.name, MODIFIED);
    throw error;
  }
}

/** An object that waits for deletion and has nothing left to wait for goes with the update that freed it. */
function isFinished({ metadata, spec }: Unstructured): boolean {
  if (!metadata.deletionTimestamp || (metadata.finalizers?.length ?? 0) > 0) return false;
  const pending = (spec as { finalizers?: unknown[] } | undefined)?.finalizers;
  return (metadata.deletionGracePeriodSeconds ?? 0) === 0 && !(Array.isArray(pending) && pending.length > 0);
}

function checkIdentity(type: ResourceType, { namespace, name }: UpdateRequest, object: Unstructured): void {
  const meta = object.metadata;
  if (meta.name && meta.name !== name) throw badRequest(`the name of the object (${meta.name}) does not match the name on the URL (${name})`);
  meta.name = name;
  if (!type.namespaced) {
    delete meta.namespace;
    return;
  }
  if (meta.namespace && meta.namespace !== namespace) throw badRequest('the namespace of the object does not match the namespace on the URL');
  meta.namespace = namespace;
}

function checkVersion(request: UpdateRequest, object: Unstructured, old: Unstructured): void {
  const { type, name, conflictOn } = request;
  const version = object.metadata.resourceVersion ?? '';
  if (version === '' || version === '0') {
    if (!type.strategy.allowUnconditionalUpdate) throw invalid({ group: type.group, kind: type.plural }, name, [invalidField('metadata.resourceVersion', 0, 'must be specified for an update')]);
  } else if (version !== old.metadata.resourceVersion) {
    throw conflict(conflictOn ?? type, name, MODIFIED);
  }
  const uid = object.metadata.uid;
  if (uid && uid !== old.metadata.uid && request.uidIsPrecondition) {
    const key = `/registry/${type.plural}/${storageKey(type, request)}`;
    throw conflict(conflictOn ?? type, name, `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`);
  }
}

/** What only the server writes keeps its value, whatever the client sends. */
function keepServerMetadata(object: Unstructured, old: Unstructured): void {
  const meta = object.metadata;
  const before = old.metadata;
  meta.resourceVersion = before.resourceVersion as string;
  meta.uid ??= before.uid as string;
  meta.creationTimestamp ??= before.creationTimestamp as string;
  delete (meta as Record<string, unknown>)['selfLink'];
  for (const field of ['generation', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if (before[field] === undefined) delete meta[field];
    else (meta as Record<string, unknown>)[field] = before[field];
  }
}
