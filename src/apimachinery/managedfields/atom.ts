/**
 * What a schema says about ownership at one place: a scalar, a list (atomic, or with items that are owned one
 * by one), or a map (atomic or granular). Where the schema leaves the type open, the value decides. Rule:
 * Kubernetes "Server-Side Apply", "Merge strategy".
 */
import { isRecord } from '#base/json';
import type { Schema } from '../schema/types.ts';
import { keyElement, valueElement } from './field-set.ts';

export type Scalar = 'string' | 'number' | 'boolean' | 'any';

export type Atom =
  | { kind: 'scalar'; scalar: Scalar }
  | { kind: 'list'; atomic: boolean; keys: readonly string[]; items: Schema }
  | { kind: 'map'; atomic: boolean; schema: Schema };

/** Nothing is known: the shape of the value decides; lists are atomic, maps granular. */
export const UNKNOWN_SCHEMA: Schema = { 'x-kubernetes-preserve-unknown-fields': true };

const isOpen = (schema: Schema): boolean =>
  schema.go?.codec === 'any' || schema.go?.codec?.startsWith('schemaOr') === true || (!schema.type && !schema['x-kubernetes-int-or-string']);

export function atomOf(schema: Schema, value: unknown): Atom {
  if (schema['x-kubernetes-int-or-string']) return { kind: 'scalar', scalar: 'any' };
  if (isOpen(schema)) return atomOfValue(value);
  switch (schema.type) {
    case 'array': {
      const listType = schema['x-kubernetes-list-type'];
      const keys = schema['x-kubernetes-list-map-keys'] ?? [];
      return { kind: 'list', atomic: listType !== 'set' && listType !== 'map', keys: listType === 'map' ? keys : [], items: schema.items ?? UNKNOWN_SCHEMA };
    }
    case 'object':
      return { kind: 'map', atomic: schema['x-kubernetes-map-type'] === 'atomic', schema };
    case 'integer':
    case 'number':
      return { kind: 'scalar', scalar: 'number' };
    case 'boolean':
      return { kind: 'scalar', scalar: 'boolean' };
    default:
      return { kind: 'scalar', scalar: 'string' };
  }
}

function atomOfValue(value: unknown): Atom {
  if (Array.isArray(value)) return { kind: 'list', atomic: true, keys: [], items: UNKNOWN_SCHEMA };
  return isRecord(value) ? { kind: 'map', atomic: false, schema: UNKNOWN_SCHEMA } : { kind: 'scalar', scalar: 'any' };
}

/** A declared field, as opposed to the key of a map. */
export function isDeclaredField(schema: Schema, name: string): boolean {
  return schema.properties !== undefined && Object.hasOwn(schema.properties, name);
}

/** The schema of a member of a map, or undefined when it may not be there. */
export function memberSchema(schema: Schema, name: string): Schema | undefined {
  const property = isDeclaredField(schema, name) ? schema.properties?.[name] : undefined;
  if (property) return property;
  if (typeof schema.additionalProperties === 'object') return schema.additionalProperties;
  const open = schema.additionalProperties === true || schema['x-kubernetes-preserve-unknown-fields'] || schema['x-kubernetes-embedded-resource'] || (!schema.properties && schema.additionalProperties === undefined);
  return open ? UNKNOWN_SCHEMA : undefined;
}

/** How a list item is told from its siblings. Throws an `Error` for an item that has no such key. */
export function itemElement(atom: Extract<Atom, { kind: 'list' }>, item: unknown): string {
  if (atom.keys.length === 0) return setElement(item);
  if (item === null || item === undefined) throw new Error('associative list with keys may not have a null element');
  if (!isRecord(item)) throw new Error('associative list with keys may not have non-map elements');
  const keys: Record<string, unknown> = {};
  for (const name of atom.keys) {
    const value = item[name] ?? atom.items.properties?.[name]?.default;
    if (value === undefined) throw new Error(`associative list with keys has an element that omits key field ${JSON.stringify(name)} (and doesn't have default value)`);
    keys[name] = value;
  }
  return keyElement(keys);
}

function setElement(item: unknown): string {
  if (item === null || item === undefined) throw new Error("associative list without keys has an element that's an explicit null");
  if (Array.isArray(item)) throw new Error('not supported: associative list with lists as elements');
  if (isRecord(item)) throw new Error("associative list without keys has an element that's a map type");
  return valueElement(item);
}
