/**
 * JSON Merge Patch. Rule: RFC 7386. Objects merge key by key, `null` removes a key, everything else (lists
 * too) replaces.
 */
import { deepClone, deepEqual, isRecord } from '#base/json';

/** The patched document; neither argument is changed. */
export function applyMergePatch<T = unknown>(document: T, patch: unknown): T {
  return merge(document, patch) as T;
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return deepClone(patch);
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null) delete result[key];
    else if (value !== undefined) setOwn(result, key, merge(Object.hasOwn(result, key) ? result[key] : undefined, value));
  }
  return result;
}

/** Plain assignment would let the key `__proto__` change the prototype. */
function setOwn(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
  else record[key] = value;
}

/**
 * The smallest merge patch that turns `from` into `to`; `undefined` when they are equal. A `null` inside `to`
 * cannot be expressed (RFC 7386) and is treated as absent.
 */
export function createMergePatch(from: unknown, to: unknown): unknown {
  if (!isRecord(from) || !isRecord(to)) return deepEqual(from, to) ? undefined : deepClone(to);
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(from)) if (from[key] !== undefined && isAbsent(to, key)) setOwn(patch, key, null);
  for (const key of Object.keys(to)) {
    if (isAbsent(to, key)) continue;
    const change = Object.hasOwn(from, key) ? createMergePatch(from[key], to[key]) : deepClone(to[key]);
    if (change !== undefined) setOwn(patch, key, change);
  }
  return Object.keys(patch).length > 0 ? patch : undefined;
}

function isAbsent(record: Record<string, unknown>, key: string): boolean {
  return !Object.hasOwn(record, key) || record[key] === undefined || record[key] === null;
}
