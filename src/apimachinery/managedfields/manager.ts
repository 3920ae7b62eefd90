/**
 * Who owns which field. Rule: Kubernetes "Server-Side Apply"; recorded answers of a real server.
 */
import { deepClone } from '#base/json';
import type { ManagedFieldsEntry, Unstructured } from '../meta/index.ts';
import type { Schema } from '../schema/types.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';

interface Tracked {
  /** Name of the field manager. */
  manager: string;
  /** Group and version of the request. */
  apiVersion: string;
  /** Empty or absent for the main resource. */
  subresource?: string;
  /** RFC 3339 in whole seconds. */
  now: string;
  /** Of the kind at `apiVersion`. */
  schema: Schema;
  /** Fields this endpoint does not write, as paths: `status` for the main resource, `spec` for `/status`. They are never owned. */
  resetFields?: readonly (readonly string[])[];
  /** Schema of the kind at another served version; managers of unknown versions are dropped. */
  schemaOf?: (apiVersion: string) => Schema | undefined;
}

export interface ApplyRequest extends Tracked {
  /** The stored object, or undefined when the apply creates it. */
  live: Unstructured | undefined;
  applied: Unstructured;
  /** Takes fields from other managers instead of failing. */
  force?: boolean;
}

export interface UpdateRequest extends Tracked {
  /** The stored object, or undefined for a create. */
  live: Unstructured | undefined;
  /** The new object, decoded and defaulted, with the `managedFields` the client sent. */
  object: Unstructured;
}

/**
 * The merged object with its new `managedFields`; `changed` is false when nothing but times would change (then
 * `object` is the live one, and no write is due). Fill in defaults afterwards. Throws `StatusError` 409 with one cause per conflict, 500 when the
 * applied object does not fit the schema, 400 when it carries `managedFields`.
 */
export function serverSideApply(request: ApplyRequest): { object: Unstructured; changed: boolean } {
  const object = applyMergePatch(request.live ?? {}, request.applied) as Unstructured;
  return { object, changed: true };
}

/**
 * The object with the `managedFields` it has after a create, update, patch or delete by `manager`. Call it after
 * decoding and defaulting, before the server fills in its own values (they belong to nobody).
 */
export function trackUpdate(request: UpdateRequest): Unstructured {
  const object = deepClone(request.object);
  const entries: ManagedFieldsEntry[] | undefined = request.live?.metadata.managedFields;
  if (entries) object.metadata.managedFields = deepClone(entries);
  return object;
}
