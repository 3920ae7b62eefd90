/**
 * Strategic merge patch: a merge patch that knows, from the schema, which lists merge by key. Rule:
 * Kubernetes "Strategic merge patch" (sig-api-machinery), recorded answers of a real server.
 *
 * Directives: `$patch: delete | replace | merge` in maps and list items, `$deleteFromPrimitiveList/field`,
 * `$setElementOrder/field`, `$retainKeys`. The order of a merged list: items of the patch keep the patch's
 * order, others keep theirs, and an old item precedes a patched one only when it did so before.
 */
import { canonicalJson, deepClone, deepEqual, isRecord } from '#base/json';
import { StatusError } from '../status/index.ts';
import type { Schema } from '../schema/types.ts';
import { requireObjectPatch } from './json-type.ts';

type Item = Record<string, unknown>;

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_PRIMITIVES = '$deleteFromPrimitiveList/';
const ELEMENT_ORDER = '$setElementOrder/';

/** The patched copy. Throws `StatusError` for a malformed patch. */
export function applyStrategicMergePatch<T = unknown>(document: T, patch: unknown, schema: Schema): T {
  requireObjectPatch(patch);
  return (mergeMap(isRecord(document) ? document : {}, patch, schema) ?? {}) as T;
}

/** `undefined` when the patch deletes the map. */
function mergeMap(original: Item, patch: Item, schema: Schema | undefined): Item | undefined {
  const directive = patch[DIRECTIVE];
  if (directive !== undefined) {
    if (directive === 'delete') return {};
    if (directive === 'replace') return withoutDirectives(patch);
    if (directive !== 'merge') throw internal(`unknown patch type: ${typeof directive === 'string' ? directive : JSON.stringify(directive)} in map: ${goMap(patch)}`);
  }
  const result: Item = { ...original };
  retainKeys(result, patch);
  deletePrimitives(result, patch);
  for (const [key, value] of Object.entries(patch)) {
    if (key === DIRECTIVE || key === RETAIN_KEYS || key.startsWith(DELETE_PRIMITIVES)) continue;
    if (key.startsWith(ELEMENT_ORDER)) {
      const field = key.slice(ELEMENT_ORDER.length);
      if (!Object.hasOwn(patch, field)) orderOnly(result, field, asList(value, 'setElementOrder list'), fieldSchema(schema, field));
      continue;
    }
    if (value === null) delete result[key];
    else result[key] = mergeField(result[key], value, fieldSchema(schema, key), patch[`${ELEMENT_ORDER}${key}`]);
  }
  return result;
}

function badDirective(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

function internal(message: string): StatusError {
  return new StatusError(500, '', message);
}

function asList(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw badDirective(`invalid patch format of ${what}`);
  return value;
}

function fieldSchema(schema: Schema | undefined, key: string): Schema | undefined {
  const property = schema?.properties?.[key];
  if (property) return property;
  return typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

function strategies(schema: Schema | undefined): string[] {
  return schema?.['x-kubernetes-patch-strategy']?.split(',') ?? [];
}

function mergeField(original: unknown, patch: unknown, schema: Schema | undefined, order: unknown): unknown {
  if (isRecord(patch)) {
    if (!isRecord(original) || strategies(schema).includes('replace')) return original === undefined || !isRecord(original) ? cleanNew(patch, schema) : withoutDirectives(patch);
    return mergeMap(original, patch, schema);
  }
  if (Array.isArray(patch)) {
    if (!strategies(schema).includes('merge')) return withoutListDirectives(patch);
    const current = Array.isArray(original) ? original : [];
    const merged = mergeList(current, patch, schema);
    if (order === undefined) return merged;
    const wanted = asList(order, 'setElementOrder list');
    checkOrder(patch, wanted, schema);
    return arrange(merged, { wanted, before: current, schema });
  }
  return patch;
}

/** A value that is not there yet still loses its nulls and directives on the way in. */
function cleanNew(patch: Item, schema: Schema | undefined): Item {
  return mergeMap({}, patch, schema) ?? {};
}

function retainKeys(result: Item, patch: Item): void {
  const keys = patch[RETAIN_KEYS];
  if (keys === undefined) return;
  if (!Array.isArray(keys)) throw badDirective('invalid patch format of retainKeys');
  for (const key of Object.keys(patch)) {
    if (!key.startsWith('$') && patch[key] !== null && !keys.includes(key)) throw new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
  }
  for (const key of Object.keys(result)) if (!keys.includes(key)) delete result[key];
}

function deletePrimitives(result: Item, patch: Item): void {
  for (const [key, value] of Object.entries(patch)) {
    if (!key.startsWith(DELETE_PRIMITIVES)) continue;
    const field = key.slice(DELETE_PRIMITIVES.length);
    const gone = asList(value, 'primitive list');
    const current = result[field];
    if (Array.isArray(current)) result[field] = current.filter((item) => !gone.some((other) => deepEqual(item, other)));
  }
}

/** Removes directives from a map that replaces another one; nulls go, too. */
function withoutDirectives(patch: Item): Item {
  const result: Item = {};
  for (const [key, value] of Object.entries(patch)) {
    if (key === DIRECTIVE || key === RETAIN_KEYS || key.startsWith(DELETE_PRIMITIVES) || key.startsWith(ELEMENT_ORDER)) continue;
    result[key] = deepClone(value);
  }
  return result;
}

/** An atomic list replaces the old one; a `$patch: replace` marker in it is only a marker. */
function withoutListDirectives(patch: unknown[]): unknown[] {
  return patch.filter((item) => !(isRecord(item) && DIRECTIVE in item && Object.keys(item).length === 1)).map((item) => deepClone(item));
}

function mergeList(original: unknown[], patch: unknown[], schema: Schema | undefined): unknown[] {
  const mergeKey = schema?.['x-kubernetes-patch-merge-key'];
  if (!mergeKey) return mergePrimitives(original, patch);
  if (patch.some((item) => isRecord(item) && item[DIRECTIVE] === 'replace')) {
    return patch.filter((item) => !(isRecord(item) && DIRECTIVE in item)).map((item) => deepClone(item));
  }
  const result: unknown[] = [...original];
  for (const item of patch) {
    if (!isRecord(item)) throw internal('expected a map[string]interface {}, but received a different type');
    mergeItem({ result, item, mergeKey, schema });
  }
  return arrange(result, { wanted: patch, before: original, schema });
}

interface ItemMerge {
  result: unknown[];
  item: Item;
  mergeKey: string;
  schema: Schema | undefined;
}

function mergeItem({ result, item, mergeKey, schema }: ItemMerge): void {
  const key = item[mergeKey];
  if (key === undefined) throw internal(`map: ${goMap(item)} does not contain declared merge key: ${mergeKey}`);
  const matches = (candidate: unknown) => isRecord(candidate) && deepEqual(candidate[mergeKey], key);
  if (item[DIRECTIVE] === 'delete') {
    for (let i = result.length - 1; i >= 0; i -= 1) if (matches(result[i])) result.splice(i, 1);
    return;
  }
  const index = result.findIndex(matches);
  const existing = result[index];
  if (index >= 0) result[index] = mergeMap(isRecord(existing) ? existing : {}, item, schema?.items);
  else result.push(cleanNew(item, schema?.items));
}

/** A map as Go prints it, for one message. */
function goMap(item: Item): string {
  const entries = Object.keys(item).sort().map((key) => `${key}:${typeof item[key] === 'string' ? item[key] : JSON.stringify(item[key])}`);
  return `map[${entries.join(' ')}]`;
}

function mergePrimitives(original: unknown[], patch: unknown[]): unknown[] {
  const fresh = patch.filter((item, index) => !original.some((other) => deepEqual(item, other)) && patch.findIndex((other) => deepEqual(item, other)) === index);
  return arrange([...original, ...fresh], { wanted: patch, before: original, schema: undefined });
}

function keyOfItem(schema: Schema | undefined): (item: unknown) => unknown {
  const mergeKey = schema?.['x-kubernetes-patch-merge-key'];
  return (item) => (mergeKey && isRecord(item) ? item[mergeKey] : item);
}

/** The patch's own items must stand in the order it asks for. */
function checkOrder(patch: unknown[], order: unknown[], schema: Schema | undefined): void {
  const keyOf = keyOfItem(schema);
  const wanted = order.map(keyOf);
  const positions = patch.filter((item) => !(isRecord(item) && DIRECTIVE in item)).map((item) => wanted.findIndex((key) => deepEqual(key, keyOf(item))));
  const inOrder = positions.every((position, index) => position >= 0 && (index === 0 || position > (positions[index - 1] ?? -1)));
  const print = (list: unknown[]) => `[${list.map((item) => (isRecord(item) ? goMap(item) : String(item))).join(' ')}]`;
  if (!inOrder) throw internal(`The order in patch list:\n${print(patch)}\n doesn't match $setElementOrder list:\n${print(order)}\n`);
}

function orderOnly(result: Item, field: string, order: unknown[], schema: Schema | undefined): void {
  const current = result[field];
  if (Array.isArray(current)) result[field] = arrange(current, { wanted: order, before: current, schema });
}

interface Arrangement {
  /** The order of the items that the patch names. */
  wanted: unknown[];
  /** The list before the patch: the order of all others. */
  before: unknown[];
  schema: Schema | undefined;
}

function arrange(items: unknown[], { wanted, before, schema }: Arrangement): unknown[] {
  const keyOf = keyOfItem(schema);
  const positions = (list: unknown[]) => new Map(list.map((item, index) => [canonicalJson(keyOf(item)), index]).reverse() as [string, number][]);
  const wantedAt = positions(wanted);
  const beforeAt = positions(before);
  const keyed = items.map((item) => ({ item, wanted: wantedAt.get(canonicalJson(keyOf(item))) ?? -1, before: beforeAt.get(canonicalJson(keyOf(item))) ?? -1 }));
  const named = keyed.filter((entry) => entry.wanted >= 0).sort((a, b) => a.wanted - b.wanted);
  const others = keyed.filter((entry) => entry.wanted < 0).sort((a, b) => a.before - b.before);
  const result: unknown[] = [];
  let taken = 0;
  for (const entry of named) {
    while (entry.before >= 0 && taken < others.length && (others[taken]?.before ?? -1) >= 0 && (others[taken]?.before ?? 0) < entry.before) {
      result.push(others[taken]?.item);
      taken += 1;
    }
    result.push(entry.item);
  }
  return [...result, ...others.slice(taken).map((entry) => entry.item)];
}
