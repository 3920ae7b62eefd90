/** JSON types by the names Go's codec gives them in errors. */
import { isRecord } from '#base/json';
import { StatusError } from '../status/index.ts';

export function jsonTypeName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** A server takes only objects as merge and strategic merge patches (RFC 7386 would let others replace the document): 400 otherwise. */
export function requireObjectPatch(patch: unknown): asserts patch is Record<string, unknown> {
  if (!isRecord(patch)) throw new StatusError(400, 'BadRequest', `error decoding patch: json: cannot unmarshal ${jsonTypeName(patch)} into Go value of type map[string]interface {}`);
}
