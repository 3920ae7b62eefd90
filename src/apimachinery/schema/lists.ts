/** Lists whose items have an identity (`x-kubernetes-list-type: map | set`), and their uniqueness. */
import { canonicalJson, isRecord } from '#base/json';
import { at, child, duplicate, type FieldError } from '../validation/index.ts';
import type { Schema } from './types.ts';

/** The identity of an item as text: its keys (absent ones by their defaults), or its whole value. */
export function itemKey(schema: Schema, item: unknown): string {
  return canonicalJson(keysOf(schema, item));
}

function keysOf(schema: Schema, item: unknown): unknown {
  const names = schema['x-kubernetes-list-map-keys'];
  if (schema['x-kubernetes-list-type'] !== 'map' || !names || !isRecord(item)) return item;
  const keys: Record<string, unknown> = {};
  for (const name of names) {
    const value = item[name] ?? schema.items?.properties?.[name]?.default;
    if (value !== undefined) keys[name] = value;
  }
  return keys;
}

/** `Duplicate value` errors of sets and maps anywhere in the value. */
export function validateListUniqueness(schema: Schema, value: unknown, path = ''): FieldError[] {
  if (Array.isArray(value)) {
    const listType = schema['x-kubernetes-list-type'];
    const list = value as unknown[];
    const own = listType === 'set' || listType === 'map' ? repeated(schema, list, path) : [];
    return schema.items ? [...own, ...list.flatMap((item, index) => validateListUniqueness(schema.items ?? {}, item, at(path, index)))] : own;
  }
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    const property = schema.properties && Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
    if (property) return validateListUniqueness(property, member, child(path, key));
    return typeof schema.additionalProperties === 'object' ? validateListUniqueness(schema.additionalProperties, member, at(path, key)) : [];
  });
}

function repeated(schema: Schema, list: readonly unknown[], path: string): FieldError[] {
  const seen = new Map<string, number>();
  return list.flatMap((item, index) => {
    const key = itemKey(schema, item);
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    // Each repeated identity is told once, at its second item.
    return count === 2 ? [duplicate(at(path, index), keysOf(schema, item))] : [];
  });
}
