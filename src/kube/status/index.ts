/**
 * One status write per reconcile, and none when nothing changed. The write is a merge patch that carries
 * only what differs, guarded by resourceVersion: a patch that was delayed on the wire under an older
 * leader cannot land over a newer one's (it fails with Conflict, and the key is reconciled again).
 */
import { keyOf, type KubeObject } from '#apimachinery/meta';
import type { Resource } from '#apimachinery/resource';
import { deepEqual, isRecord } from '#base/json';
import type { Writer } from '../client/index.ts';

/**
 * Writes `wanted` into `object.status` where it differs; keys that `wanted` does not name are left alone,
 * nested keys that it lacks are removed. Returns whether a request was made. Throws Conflict when the
 * object has changed since it was read.
 */
export async function patchStatus<T extends KubeObject & { status?: object }>(
  client: Writer,
  resource: Resource<T>,
  object: T,
  wanted: Partial<NonNullable<T['status']>>,
): Promise<boolean> {
  const status = mergePatchBetween(object.status ?? {}, wanted);
  if (status === undefined) return false;
  const body = { metadata: { resourceVersion: object.metadata.resourceVersion }, status };
  await client.patch(resource, keyOf(object), { type: 'merge', body }, { subresource: 'status' });
  return true;
}

/** The RFC 7386 patch that turns `current` into `wanted` for the keys `wanted` names; undefined when none is needed. */
export function mergePatchBetween(current: object, wanted: object): Record<string, unknown> | undefined {
  const before = current as Record<string, unknown>;
  const patch: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(wanted)) {
    const change = changeOf(before[key], value);
    if (change !== undefined) patch[key] = change;
  }
  return Object.keys(patch).length > 0 ? patch : undefined;
}

/** What to write for one key; undefined for nothing, null to remove it. */
function changeOf(before: unknown, after: unknown): unknown {
  if (after === undefined || after === null) return before === undefined || before === null ? undefined : null;
  if (deepEqual(before, after)) return undefined;
  if (!isRecord(before) || !isRecord(after)) return after;
  const removed = Object.fromEntries(Object.keys(before).filter((key) => after[key] === undefined).map((key) => [key, null]));
  return { ...removed, ...mergePatchBetween(before, after) };
}
