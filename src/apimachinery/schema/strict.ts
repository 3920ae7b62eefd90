/** What `fieldValidation=Strict|Warn` complains about. */
import type { Schema } from './types.ts';

/** Messages `unknown field "spec.x"` of fields the schema does not know, sorted by path. */
export function findUnknownFields(_schema: Schema, _object: unknown): string[] {
  return [];
}

/** Messages `duplicate field "data.x"` of keys that occur twice in one object of a JSON text. */
export function findDuplicateFields(_text: string): string[] {
  return [];
}
