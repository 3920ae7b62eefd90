/**
 * JSON Patch as a Kubernetes API server applies it. Rule: RFC 6902 for the operations; the answers for a
 * patch that is malformed or does not fit are the recorded ones of a real server: 400 for a body that is no
 * patch, 422 with a fixed text for an operation that fails, 413 for too many operations.
 */
import { applyPatch, type Operation } from 'rfc6902';
import { deepClone, isRecord } from '#base/json';
import { StatusError } from '../status/index.ts';
import { jsonTypeName } from './json-type.ts';

export interface JsonPatchOperation {
  op: string;
  path: string;
  value?: unknown;
  from?: string;
}

/** More operations than this in one patch are refused, so that one request stays cheap. */
export const JSON_PATCH_OPERATIONS_MAX = 10_000;

/** The patched copy. Throws `StatusError` for operations that are malformed or do not apply. */
export function applyJsonPatch<T = unknown>(document: T, operations: unknown): T {
  const checked = checkOperations(operations);
  const holder = { document: deepClone(document) };
  for (const operation of checked) applyOne(holder, operation);
  return holder.document;
}

function checkOperations(operations: unknown): JsonPatchOperation[] {
  if (!Array.isArray(operations)) {
    throw new StatusError(400, 'BadRequest', `error decoding patch: json: cannot unmarshal ${jsonTypeName(operations)} into Go value of type jsonpatch.Patch`);
  }
  if (operations.length > JSON_PATCH_OPERATIONS_MAX) {
    throw new StatusError(413, 'RequestEntityTooLarge', `The allowed maximum operations in a JSON patch is ${JSON_PATCH_OPERATIONS_MAX}, got ${operations.length}`);
  }
  return operations.map((operation: unknown) => {
    if (!isRecord(operation)) {
      throw new StatusError(400, 'BadRequest', `error decoding patch: json: cannot unmarshal ${jsonTypeName(operation)} into Go value of type jsonpatch.Operation`);
    }
    return operation as unknown as JsonPatchOperation;
  });
}

function applyOne(holder: { document: unknown }, { op, path, value, from }: JsonPatchOperation): void {
  if (typeof op !== 'string' || typeof path !== 'string') throw rejected();
  // One document below a member of `holder`, so that the whole document can be replaced, too.
  const below = (pointer: string) => `/document${pointer}`;
  if (path !== '' && !path.startsWith('/')) throw rejected();
  if (op === 'remove' && path === '') throw rejected();
  const operation = { op, path: below(path), ...(from === undefined ? {} : { from: below(from) }), ...(value === undefined && op === 'test' ? { value: null } : { value: deepClone(value ?? null) }) };
  const [error] = applyPatch(holder, [operation as Operation]);
  if (error) throw rejected();
}

/** The server does not tell which operation failed. */
function rejected(): StatusError {
  return new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}
