/**
 * Defaulting by schema. Rule: apiextensions.k8s.io/v1, "Defaulting" and "Defaulting and Nullable": a default
 * replaces an absent value and, where the schema is not nullable, an explicit null; other such nulls vanish.
 * Works in place.
 */
import { deepClone, isRecord } from '#base/json';
import type { Schema } from './types.ts';

/** Fills in, in place, the `default` of absent fields (and of `null` where the schema is not nullable). */
export function applyDefaults(schema: Schema, value: unknown): void {
  if (Array.isArray(value)) {
    const list = value as unknown[];
    const items = schema.items;
    if (!items) return;
    for (const [index, item] of list.entries()) {
      if (item === null && !items.nullable && items.default !== undefined) list[index] = deepClone(items.default);
      applyDefaults(items, list[index]);
    }
  } else if (isRecord(value)) {
    defaultMap(schema, value);
  }
}

function defaultMap(schema: Schema, object: Record<string, unknown>): void {
  for (const [key, property] of Object.entries(schema.properties ?? {})) defaultMember(property, object, key);
  if (typeof schema.additionalProperties !== 'object') return;
  for (const key of Object.keys(object)) {
    if (!schema.properties || !Object.hasOwn(schema.properties, key)) defaultMember(schema.additionalProperties, object, key);
  }
}

function defaultMember(schema: Schema, object: Record<string, unknown>, key: string): void {
  const present = Object.hasOwn(object, key) && object[key] !== undefined;
  const isNull = present && object[key] === null && !schema.nullable;
  if (isNull && !isOpen(schema)) delete object[key];
  if ((!present || isNull) && schema.default !== undefined) object[key] = deepClone(schema.default);
  if (Object.hasOwn(object, key)) applyDefaults(schema, object[key]);
}

/** A field of any type may be null. */
function isOpen(schema: Schema): boolean {
  return !schema.type && schema['x-kubernetes-preserve-unknown-fields'] === true && schema.default === undefined;
}
