/**
 * Who owns the replica count, seen through `…/scale`. The Scale shows the owners of the one field it has; what its write
 * makes of them goes back into the entries of the object. An owner by update is another manager there than here,
 * because the API version is part of who it is: its share of the count moves to an entry of its own, without a time.
 * That is why even a write that changes no number can change the object, as on a real server.
 */
import type { ManagedFieldsEntry } from '#apimachinery/meta';
import { difference, fromFieldsV1, intersection, isEmptySet, setOf, toFieldsV1, type FieldSet } from '#apimachinery/managedfields';

const SCALE_VERSION = 'autoscaling/v1';
const COUNT_IN_SCALE = setOf(['f:spec', 'f:replicas']);

/** The managed fields of a Scale: the owners of the object's replica count, whose path is `steps`. */
export function scaleManagers(parent: readonly ManagedFieldsEntry[] | undefined, steps: readonly string[]): ManagedFieldsEntry[] {
  const count = countIn(steps);
  return (parent ?? [])
    .filter((entry) => owns(entry, count))
    .map((entry) => ({ ...entry, apiVersion: SCALE_VERSION, fieldsV1: toFieldsV1(COUNT_IN_SCALE) }));
}

/** The managed fields of the object at `apiVersion` after a write of its Scale that left the entries `scale`. */
export function parentManagers(parent: readonly ManagedFieldsEntry[] | undefined, scale: readonly ManagedFieldsEntry[] | undefined, { steps, apiVersion }: { steps: readonly string[]; apiVersion: string }): ManagedFieldsEntry[] {
  const count = countIn(steps);
  const before = new Map((parent ?? []).map((entry) => [identity(entry), entry]));
  const owners = new Map((scale ?? []).map((entry) => [identity(entry), entry]));
  const result: ManagedFieldsEntry[] = [];
  for (const [id, entry] of before) {
    if (!owns(entry, count) || owners.delete(id)) {
      result.push(entry);
      continue;
    }
    const rest = difference(fromFieldsV1(entry.fieldsV1), count);
    if (!isEmptySet(rest)) result.push({ ...entry, fieldsV1: toFieldsV1(rest) });
  }
  for (const [id, entry] of owners) {
    if (!owns(entry, COUNT_IN_SCALE)) continue;
    const { time: _time, ...rest } = entry;
    const time = before.get(id)?.time;
    result.push({ ...rest, apiVersion, fieldsV1: toFieldsV1(count), ...(time ? { time } : {}) });
  }
  return result.sort(compareEntries);
}

function countIn(steps: readonly string[]): FieldSet {
  return setOf(steps.map((step) => `f:${step}`));
}

function owns(entry: ManagedFieldsEntry, count: FieldSet): boolean {
  return !isEmptySet(intersection(fromFieldsV1(entry.fieldsV1), count));
}

function identity({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  return JSON.stringify([manager ?? '', operation, operation === 'Apply' ? '' : apiVersion, subresource ?? '']);
}

function compareEntries(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  const keys: ((entry: ManagedFieldsEntry) => string)[] = [(e) => e.operation ?? '', (e) => e.time ?? '', (e) => e.manager ?? '', (e) => e.apiVersion ?? '', (e) => e.subresource ?? ''];
  for (const key of keys) if (key(a) !== key(b)) return key(a) < key(b) ? -1 : 1;
  return 0;
}
