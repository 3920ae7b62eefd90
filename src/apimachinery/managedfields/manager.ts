/**
 * Who owns which field, and what follows from it when somebody applies or updates. Rule: Kubernetes
 * "Server-Side Apply"; recorded answers of a real server. Pure: objects in, objects out; time is given.
 *
 * An apply: 1. merge the applied object into the live one; 2. remove what this manager applied before, applies
 * no more, and nobody else owns; 3. take from others what changed (a conflict unless forced). An update: what it
 * changed or added becomes its own, what it removed is nobody's.
 */
import { deepEqual } from '#base/json';
import { parseApiVersion, type ManagedFieldsEntry, type Unstructured } from '../meta/index.ts';
import { withObjectMeta } from '../schema/object-meta.ts';
import type { Schema } from '../schema/types.ts';
import { zeroOf } from '../schema/zero.ts';
import { StatusError } from '../status/index.ts';
import { conflictError, type Conflict } from './conflict.ts';
import { difference, differenceWithDescendants, EMPTY_SET, equalSets, fieldElement, intersection, isEmptySet, setOf, union, type FieldSet } from './field-set.ts';
import { allowedByLastApplied, withLastApplied, KUBECTL } from './last-applied.ts';
import { capped, decodeManagers, encodeManagers, managerId, withoutEmpty, type Manager, type Managers } from './managers.ts';
import { compareTyped, mergeTyped, removeFields, toFieldSet, withDeclaredParents, type Comparison } from './typed.ts';
import { typedErrors } from './validate-typed.ts';

export interface TrackedRequest {
  /** Name of the field manager. */
  manager: string;
  /** Group and version of the request. */
  apiVersion: string;
  /** Empty or absent for the main resource. */
  subresource?: string;
  /** RFC 3339 in whole seconds. */
  now: string;
  /** Of the kind at `apiVersion`; a schema without `metadata` (custom resources) is completed. */
  schema: Schema;
  /** Fields this endpoint does not write, as paths: `status` for the main resource, `spec` for `/status`. They are never owned. */
  resetFields?: readonly (readonly string[])[];
  /** Whether a version is still served; managers of other versions are dropped. Default: all are. */
  isServed?: (apiVersion: string) => boolean;
}

export interface ApplyRequest extends TrackedRequest {
  /** The stored object, or undefined when the apply creates it. */
  live: Unstructured | undefined;
  applied: Unstructured;
  /** Takes fields from other managers instead of failing. */
  force?: boolean;
}

export interface UpdateRequest extends TrackedRequest {
  /** The stored object, or undefined for a create. */
  live: Unstructured | undefined;
  /** The new object, decoded and defaulted, with the `managedFields` the client sent. */
  object: Unstructured;
}

/** Belong to nobody: the server or the URL decides them. */
const SERVER_FIELDS = setOf(
  ['f:apiVersion'], ['f:kind'], ['f:metadata'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map((name) => ['f:metadata', `f:${name}`]),
);

/** Owns what an object had before its first apply. */
const BEFORE_FIRST_APPLY = 'before-first-apply';

/**
 * The merged object with its new `managedFields`; `changed` is false when nothing but times would change (then
 * `object` is the live one, and no write is due). Fill in defaults afterwards. Throws `StatusError` 409 with one
 * cause per conflict, 500 when the applied object does not fit the schema, 400 when it carries `managedFields`
 * or another version.
 */
export function serverSideApply(given: ApplyRequest): { object: Unstructured; changed: boolean } {
  const request = { ...given, schema: withObjectMeta(given.schema) };
  checkApplied(request);
  try {
    return applyOnce(request, request.force ?? false);
  } catch (error) {
    if (request.manager !== KUBECTL || request.force || !(error instanceof ApplyConflict)) throw error;
    return retryForKubectl(request, error);
  }
}

/** Carries the fields, so that kubectl's own earlier writes can be told from those of others. */
class ApplyConflict extends StatusError {
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    const { code, reason, message, details } = conflictError(conflicts);
    super(code, reason, message, details);
    this.conflicts = conflicts;
  }
}

/** `kubectl apply` may take over what its client-side form has written and nobody has changed since. */
function retryForKubectl(request: ApplyRequest, error: ApplyConflict): { object: Unstructured; changed: boolean } {
  const allowed = request.live ? allowedByLastApplied(request.live, request.schema, request.apiVersion) : undefined;
  if (!allowed) throw error;
  const rest = error.conflicts.map(({ manager, fields }) => ({ manager, fields: difference(fields, allowed) })).filter(({ fields }) => !isEmptySet(fields));
  if (rest.length > 0) throw new ApplyConflict(rest);
  return applyOnce(request, true);
}

function checkApplied({ applied, apiVersion, schema }: ApplyRequest): void {
  if (applied.metadata?.managedFields !== undefined && applied.metadata.managedFields !== null) throw new StatusError(400, 'BadRequest', 'metadata.managedFields must be nil');
  if (applied.apiVersion !== apiVersion) {
    throw new StatusError(400, 'BadRequest', `Incorrect version specified in apply patch. Specified patch version: ${applied.apiVersion ?? ''}, expected: ${apiVersion}`);
  }
  const errors = typedErrors(schema, applied);
  if (errors.length === 0) return;
  const { group, version } = parseApiVersion(apiVersion);
  const subject = `${applied.metadata?.namespace ?? ''}/${applied.metadata?.name ?? ''}; ${group}/${version}, Kind=${applied.kind ?? ''}`;
  const text = errors.length === 1 ? errors[0] : `errors:\n${errors.map((message) => `  ${message}`).join('\n')}`;
  throw new StatusError(500, '', `failed to create typed patch object (${subject}): ${text}`);
}

function applyOnce(request: ApplyRequest, force: boolean): { object: Unstructured; changed: boolean } {
  const { schema, now, apiVersion } = request;
  const live = request.live ? withoutManagedFields(request.live) : emptyObject(request.applied, schema);
  const existing = beforeFirstApply(request, live, readable(request.live?.metadata.managedFields));
  const self: Manager = { name: request.manager, operation: 'Apply', apiVersion, subresource: request.subresource ?? '', time: undefined, fields: EMPTY_SET };
  const id = managerId(self);
  const last = existing.get(id);
  // The server's own fields count until the end: `metadata.name`, applied each time, keeps `metadata` in place.
  const fields = differenceWithDescendants(toFieldSet(schema, request.applied), resetSet(request));
  const managers: Managers = new Map(existing).set(id, { ...self, time: last?.time, fields });
  const merged = mergeTyped(schema, live, request.applied);
  const pruned = (last ? prune(schema, merged, { last: last.fields, managers }) : merged) as Unstructured;
  const owned = transfer(managers, { id, comparison: filtered(compareTyped(schema, live, pruned), request), force, isServed: request.isServed });
  const sameObject = deepEqual(live, pruned);
  const mine = owned.get(id);
  if (mine) owned.set(id, { ...mine, fields: difference(mine.fields, SERVER_FIELDS), time: sameObject ? last?.time : now });
  const object = request.manager === KUBECTL && request.live ? withLastApplied(pruned, request.applied) : pruned;
  const result = withManagers(object, withoutEmpty(owned));
  const changed = !request.live || !deepEqual(object, live) || !sameManagers(request.live.metadata.managedFields, result.metadata.managedFields);
  return changed ? { object: result, changed } : { object: request.live ?? result, changed };
}

/** An object that nobody tracked so far belongs to one placeholder. */
function beforeFirstApply(request: ApplyRequest, live: Unstructured, managers: Managers): Managers {
  if (managers.size > 0 || !request.live) return managers;
  const everything = compareTyped(request.schema, emptyObject(live, request.schema), live);
  const fields = stripped(union(everything.added, everything.modified), request);
  const placeholder: Manager = { name: BEFORE_FIRST_APPLY, operation: 'Update', apiVersion: request.apiVersion, subresource: request.subresource ?? '', time: request.now, fields };
  return withoutEmpty(new Map([[managerId(placeholder), placeholder]]));
}

/** Removes what the manager applied last time, unless somebody (its new self included) owns it. */
function prune(schema: Schema, merged: unknown, { last, managers }: { last: FieldSet; managers: Managers }): unknown {
  if (isEmptySet(last)) return merged;
  const lastFields = withDeclaredParents(last, schema);
  const pruned = removeFields(schema, merged, lastFields);
  const mergedFields = withDeclaredParents(toFieldSet(schema, merged), schema);
  const managed = [...managers.values()].reduce((all, manager) => union(all, manager.fields), EMPTY_SET);
  const kept = union(withDeclaredParents(toFieldSet(schema, pruned), schema), withDeclaredParents(managed, schema));
  const restored = removeFields(schema, merged, difference(mergedFields, kept));
  const dangling = difference(mergedFields, withDeclaredParents(toFieldSet(schema, restored), schema));
  return removeFields(schema, merged, intersection(dangling, lastFields));
}

interface Transfer {
  id: string;
  comparison: Comparison;
  force: boolean;
  isServed: ((apiVersion: string) => boolean) | undefined;
}

/** Others lose what changed and what is gone. Throws when they would lose changes to an unforced apply. */
function transfer(managers: Managers, { id, comparison, force, isServed }: Transfer): Managers {
  const changed = union(comparison.modified, comparison.added);
  const conflicts: Conflict[] = [];
  const result: Managers = new Map();
  for (const [other, manager] of managers) {
    if (isServed && !isServed(manager.apiVersion)) continue;
    const taken = other === id ? EMPTY_SET : intersection(manager.fields, changed);
    if (!isEmptySet(taken)) conflicts.push({ manager, fields: taken });
    const rest = difference(manager.fields, taken);
    result.set(other, { ...manager, fields: other === id ? rest : difference(rest, comparison.removed) });
  }
  if (!force && conflicts.length > 0) throw new ApplyConflict(conflicts);
  return withoutEmpty(result);
}

/**
 * The object with the `managedFields` it has after a create, update, patch or delete by `manager`. Call it after
 * decoding and defaulting, before the server fills in its own values (they belong to nobody).
 */
export function trackUpdate(given: UpdateRequest): Unstructured {
  const request = { ...given, schema: withObjectMeta(given.schema) };
  const { schema, apiVersion } = request;
  const object = withoutManagedFields(request.object);
  const managers = sentOrStored(request);
  if (managers.size === 0 && request.live) return object;
  const live = request.live ? withoutManagedFields(request.live) : emptyObject(object, schema);
  const comparison = filtered(compareTyped(schema, live, object), request);
  const owned = transfer(managers, { id: '', comparison, force: true, isServed: request.isServed });
  const taken = difference(stripped(union(comparison.modified, comparison.added), request), EMPTY_SET);
  if (!isEmptySet(taken)) {
    const self = { name: request.manager, operation: 'Update' as const, apiVersion, subresource: request.subresource ?? '' };
    const previous = owned.get(managerId(self));
    owned.set(managerId(self), { ...self, time: request.now, fields: union(taken, previous?.fields ?? EMPTY_SET) });
  }
  return withManagers(object, capped(owned));
}

/** A client may write `managedFields` itself (never through a subresource); an empty list, or one empty entry, resets them. */
function sentOrStored({ object, live, subresource }: UpdateRequest): Managers {
  const stored = live?.metadata.managedFields;
  const sent = object.metadata.managedFields;
  if (subresource || sent === undefined || sent === null) return readable(stored);
  if (sent.length === 0 || (sent.length === 1 && Object.keys(sent[0] ?? {}).length === 0)) return new Map();
  try {
    const managers = decodeManagers(sent);
    return managers.size > 0 ? managers : readable(stored);
  } catch {
    return readable(stored);
  }
}

/** Entries that cannot be read count as none. */
function readable(entries: readonly ManagedFieldsEntry[] | undefined): Managers {
  try {
    return decodeManagers(entries);
  } catch {
    return new Map();
  }
}

/** What a new object is compared with: a builtin kind starts out with its empty structs, so nobody owns those. */
function emptyObject({ apiVersion, kind }: Unstructured, schema: Schema): Unstructured {
  const zero = schema.go?.fields ? (zeroOf(schema) as Record<string, unknown>) : {};
  return { ...zero, ...(apiVersion === undefined ? {} : { apiVersion }), ...(kind === undefined ? {} : { kind }), metadata: {} };
}

function withoutManagedFields(object: Unstructured): Unstructured {
  const { managedFields: _gone, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function withManagers(object: Unstructured, managers: Managers): Unstructured {
  if (managers.size === 0) return object;
  return { ...object, metadata: { ...object.metadata, managedFields: encodeManagers(managers) } };
}

function resetSet({ resetFields = [] }: TrackedRequest): FieldSet {
  return setOf(...resetFields.map((path) => path.map(fieldElement)));
}

function stripped(set: FieldSet, request: TrackedRequest): FieldSet {
  return difference(differenceWithDescendants(set, resetSet(request)), SERVER_FIELDS);
}

function filtered({ added, modified, removed }: Comparison, request: TrackedRequest): Comparison {
  const reset = resetSet(request);
  const without = (set: FieldSet) => differenceWithDescendants(set, reset);
  return { added: without(added), modified: without(modified), removed: without(removed) };
}

/** Equal but for times. */
function sameManagers(a: readonly ManagedFieldsEntry[] | undefined, b: readonly ManagedFieldsEntry[] | undefined): boolean {
  const left = readable(a);
  const right = readable(b);
  return left.size === right.size && [...left].every(([id, manager]) => {
    const other = right.get(id);
    return other !== undefined && other.apiVersion === manager.apiVersion && equalSets(other.fields, manager.fields);
  });
}
