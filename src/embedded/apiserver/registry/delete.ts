/**
 * Delete: at once, after a grace period, or when the last finalizer is gone.
 * Rule: k8s.io/apiserver `registry/rest/delete.go` and `generic/registry/store.go`.
 *
 *   present ──delete──► gone                            no grace, no finalizers
 *      │                  ▲
 *      └──► Terminating ──┘  deletionTimestamp set; goes with the update that clears the last finalizer (update.ts),
 *                            or with a delete of grace 0 (the kubelet's)
 */
import { rfc3339 } from '#base/clock';
import type { Unstructured } from '#apimachinery/meta';
import { GuardError, type Entry } from '#embedded/storage';
import { conflict, MODIFIED, notFound } from '../errors.ts';
import type { UserInfo } from '../auth/user.ts';
import { attributesOfObject, decodeEntry, encodeObject } from './codec.ts';
import { storageKey, type Deps } from './deps.ts';
import type { ResourceType } from './types.ts';

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  orphanDependents?: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: boolean;
}

export interface DeleteRequest {
  type: ResourceType;
  namespace: string;
  name: string;
  user: UserInfo;
  options: DeleteOptions;
}

export interface DeleteResult {
  object: Unstructured;
  /** False while the object waits for finalizers or grace. */
  deleted: boolean;
  /** The object was Terminating already and stays as it is. */
  pending: boolean;
}

export async function deleteObject(deps: Deps, request: DeleteRequest): Promise<DeleteResult> {
  const { type, namespace, name, user, options } = request;
  const head = deps.storage.head(type.collection, storageKey(type, { namespace, name }));
  if (!head) throw notFound(type, name);
  const old = decodeEntry(head, type);
  const dryRun = options.dryRun ?? false;
  deps.admission.validate({ operation: 'DELETE', type, subresource: '', namespace, name, object: undefined, old, user, dryRun });
  checkPreconditions(type, old, options);
  const plan = planDelete(type, old, options, deps.clock.wallMs());
  const result = { object: plan.object, deleted: plan.remove, pending: !plan.update && !plan.remove };
  if (dryRun || result.pending) return result;
  return { ...result, object: await carryOut(deps, request, head, { old, plan }) };
}

interface DeletePlan {
  /** The object as it will be. */
  object: Unstructured;
  /** Whether that state is stored (and seen by watchers). */
  update: boolean;
  /** Whether the object goes now (after the update, if there is one). */
  remove: boolean;
}

/** What a delete does to an object; `old` is not changed. */
export function planDelete(type: ResourceType, old: Unstructured, options: DeleteOptions, wallMs: number): DeletePlan {
  const special = type.strategy.planDelete?.(old, finalizersOf(old, options), wallMs);
  if (special) return special;
  const metadata = { ...old.metadata };
  const object: Unstructured = { ...old, metadata };
  if (metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds !== undefined) {
    const current = metadata.deletionGracePeriodSeconds;
    const requested = options.gracePeriodSeconds;
    if (requested === undefined || requested >= current) return { object: old, update: false, remove: false };
    const shorter = Math.max(requested, 0);
    setTerminating(metadata, Date.parse(metadata.deletionTimestamp) - current * 1000, shorter);
    const waiting = setFinalizers(metadata, finalizersOf(old, options));
    return { object, update: true, remove: !waiting && shorter === 0 };
  }
  const grace = type.strategy.gracePeriod?.(old, options.gracePeriodSeconds);
  const waiting = setFinalizers(metadata, finalizersOf(old, options));
  if (grace === undefined && !waiting) return { object, update: false, remove: true };
  setTerminating(metadata, wallMs, grace ?? 0);
  if (metadata.generation) metadata.generation += 1;
  return { object, update: true, remove: !waiting && grace === 0 };
}

/** Whether there are any. */
function setFinalizers(metadata: Unstructured['metadata'], finalizers: string[]): boolean {
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  return finalizers.length > 0;
}

function setTerminating(metadata: Unstructured['metadata'], fromMs: number, graceSeconds: number): void {
  metadata.deletionTimestamp = rfc3339(fromMs + graceSeconds * 1000);
  metadata.deletionGracePeriodSeconds = graceSeconds;
}

/** The propagation policy becomes a finalizer that the garbage collector works off. */
function finalizersOf(old: Unstructured, options: DeleteOptions): string[] {
  const existing = old.metadata.finalizers ?? [];
  const others = existing.filter((item) => item !== 'orphan' && item !== 'foregroundDeletion');
  const policy = options.propagationPolicy;
  if (policy === 'Orphan' || options.orphanDependents === true) return [...others, 'orphan'];
  if (policy === 'Foreground') return [...others, 'foregroundDeletion'];
  if (policy === 'Background' || options.orphanDependents === false) return others;
  return existing;
}

function checkPreconditions(type: ResourceType, { metadata }: Unstructured, { preconditions }: DeleteOptions): void {
  const subject = { group: type.group, plural: type.kind };
  const { uid, resourceVersion } = preconditions ?? {};
  if (uid && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(subject, metadata.name ?? '', why);
  }
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(subject, metadata.name ?? '', why);
  }
}

async function carryOut(deps: Deps, { type, name }: DeleteRequest, head: Entry, { old, plan }: { old: Unstructured; plan: DeletePlan }): Promise<Unstructured> {
  const { object } = plan;
  try {
    let expected = head.revision;
    let last = old;
    const writes: Promise<Entry>[] = [];
    if (plan.update) {
      writes.push(deps.storage.write({ type: 'put', collection: type.collection, key: head.key, expected, encode: (revision) => encodeObject(object, (expected = revision)), memo: attributesOfObject(object, type) }));
      last = object;
    }
    // A tombstone is the last stored state: what watchers get with DELETED.
    if (plan.remove) writes.push(deps.storage.write({ type: 'delete', collection: type.collection, key: head.key, expected, encode: (revision) => encodeObject(last, revision), memo: attributesOfObject(last, type) }));
    const entries = await Promise.all(writes);
    return decodeEntry(entries.at(-1) as Entry, type);
  } catch (error) {
    if (error instanceof GuardError) throw conflict(type, name, MODIFIED);
    throw error;
  }
}
