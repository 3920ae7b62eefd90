/** Defaulting by schema. */
import type { Schema } from './types.ts';

/** Fills in, in place, the `default` of absent fields (and of `null` where the schema is not nullable). */
export function applyDefaults(_schema: Schema, _value: unknown): void {
  // Nothing yet.
}
