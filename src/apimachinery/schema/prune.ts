/**
 * Pruning: what a schema does not specify is not stored. Rule: apiextensions.k8s.io/v1, "Controlling
 * pruning". One walk either removes the unknown fields or only names them.
 */
import { isRecord } from '#base/json';
import { parseApiVersion } from '../meta/index.ts';
import { StatusError } from '../status/index.ts';
import { OBJECT_META_SCHEMA, withObjectMeta } from './object-meta.ts';
import type { Schema } from './types.ts';

interface Pruning {
  remove: boolean;
  unknown: string[];
}

const TYPE_META: Readonly<Record<string, Schema>> = { apiVersion: {}, kind: {}, metadata: OBJECT_META_SCHEMA };

/**
 * Removes, in place, every field the schema does not specify and returns their paths (`spec.foo`,
 * `spec.list[0].bar`) in sorted order. `apiVersion`, `kind` and `metadata` of the root and of embedded
 * resources are known; nulls in their metadata go. Throws `StatusError` 400 for embedded metadata of a wrong type.
 */
export function pruneObject(schema: Schema, object: Record<string, unknown>): string[] {
  const pruning: Pruning = { remove: true, unknown: [] };
  const refusal = embeddedRefusal(schema, object, '');
  if (refusal !== undefined) {
    const { version } = parseApiVersion(textOf(object['apiVersion']));
    const kind = textOf(object['kind']);
    throw new StatusError(400, 'BadRequest', `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${refusal}`);
  }
  visitMap(withObjectMeta(schema), object, '', pruning);
  return pruning.unknown.sort();
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Messages `unknown field "spec.x"` of fields the schema does not know, sorted by path; nothing is changed. */
export function findUnknownFields(schema: Schema, object: unknown): string[] {
  const pruning: Pruning = { remove: false, unknown: [] };
  visit(withObjectMeta(schema), object, '', pruning);
  return pruning.unknown.sort().map((path) => `unknown field ${JSON.stringify(path)}`);
}

function visit(schema: Schema, value: unknown, path: string, pruning: Pruning): void {
  if (Array.isArray(value)) {
    for (const [index, item] of (value as unknown[]).entries()) if (schema.items) visit(schema.items, item, `${path}[${index}]`, pruning);
  } else if (isRecord(value)) {
    visitMap(schema, value, path, pruning);
  }
}

function visitMap(schema: Schema, object: Record<string, unknown>, path: string, pruning: Pruning): void {
  const preserve = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true;
  for (const key of Object.keys(object)) {
    const below = path === '' ? key : `${path}.${key}`;
    const member = memberOf(schema, key);
    if (member) visit(member, object[key], below, pruning);
    const isNullMeta = schema === OBJECT_META_SCHEMA && object[key] === null;
    if (pruning.remove && (isNullMeta || (!member && !preserve))) delete object[key];
    if (!member && !preserve) pruning.unknown.push(below);
  }
}

function memberOf(schema: Schema, key: string): Schema | undefined {
  if (schema['x-kubernetes-embedded-resource'] && Object.hasOwn(TYPE_META, key)) return TYPE_META[key];
  if (schema.properties && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/** What is wrong with the metadata of an embedded resource, in the words of Go's codec. */
function embeddedRefusal(schema: Schema, value: unknown, path: string): string | undefined {
  if (Array.isArray(value)) {
    for (const [index, item] of (value as unknown[]).entries()) {
      const found = schema.items && embeddedRefusal(schema.items, item, `${path}[${index}]`);
      if (found) return found;
    }
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const metadata = value['metadata'];
  if (schema['x-kubernetes-embedded-resource'] && metadata !== undefined && metadata !== null) {
    const wrong = metadataRefusal(metadata);
    if (wrong) return `${path === '' ? 'metadata' : `${path}.metadata`}: Invalid value: ${JSON.stringify(metadata)}: ${wrong}`;
  }
  for (const [key, member] of Object.entries(value)) {
    const below = key === 'metadata' && schema['x-kubernetes-embedded-resource'] ? undefined : memberOf(schema, key);
    const found = below && embeddedRefusal(below, member, path === '' ? key : `${path}.${key}`);
    if (found) return found;
  }
  return undefined;
}

const GO_TYPES: Readonly<Record<string, string>> = { string: 'string', integer: 'int64', object: 'map[string]string', array: '[]string' };

function metadataRefusal(metadata: unknown): string | undefined {
  if (!isRecord(metadata)) return `json: cannot unmarshal ${typeof metadata} into Go value of type v1.ObjectMeta`;
  for (const [name, property] of Object.entries(OBJECT_META_SCHEMA.properties ?? {})) {
    const value = metadata[name];
    if (value === undefined || value === null) continue;
    const actual = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    const fits = property.type === 'integer' ? actual === 'number' : actual === property.type;
    if (!fits) return `json: cannot unmarshal ${actual} into Go struct field ObjectMeta.${name} of type ${GO_TYPES[property.type ?? ''] ?? 'string'}`;
  }
  return undefined;
}
