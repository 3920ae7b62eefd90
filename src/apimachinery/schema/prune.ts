/** Pruning: removing what the schema does not specify. */
import type { Schema } from './types.ts';

/**
 * Removes, in place, every field the schema does not specify and returns their paths (`spec.foo`,
 * `spec.list[0].bar`) in sorted order. At the root `apiVersion`, `kind` and `metadata` always stay.
 */
export function pruneObject(_schema: Schema, _object: Record<string, unknown>): string[] {
  return [];
}
