/**
 * kustomize's strategic merge: as Kubernetes', except that items a patch adds to a list come first. Keys of
 * lists come from the builtin schemas, from CRDs, or from a custom OpenAPI document.
 */
import { deepClone, deepEqual, isRecord } from '#base/json';
import { builtinSchema } from '#api/builtin';
import { gvkOf } from './resource.ts';
import { KustomizeError, type KubeManifest } from './types.ts';

/** The part of a schema that merging needs. */
export interface MergeSchema {
  properties?: Record<string, MergeSchema>;
  additionalProperties?: unknown;
  items?: MergeSchema;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-patch-strategy'?: string;
  'x-kubernetes-patch-merge-key'?: string;
  [keyword: string]: unknown;
}

/** Schemas beyond the builtin ones, by `group/version/kind`. */
export type SchemaLookup = ReadonlyMap<string, MergeSchema>;

export function schemaFor(object: KubeManifest, extra: SchemaLookup): MergeSchema | undefined {
  const { group, version, kind } = gvkOf(object);
  return extra.get(`${group}/${version}/${kind}`) ?? (builtinSchema(group, version, kind) as MergeSchema | undefined);
}

/** The merged copy; `undefined` when the patch deletes the whole. */
export function strategicMerge(target: KubeManifest, patch: KubeManifest, schema: MergeSchema | undefined): KubeManifest | undefined {
  return mergeMap(target, patch, schema) as KubeManifest | undefined;
}

type Item = Record<string, unknown>;

function mergeMap(target: Item, patch: Item, schema: MergeSchema | undefined): Item | undefined {
  switch (patch['$patch']) {
    case 'delete':
      return undefined;
    case 'replace':
      return clean(patch);
    case undefined:
    case 'merge':
      break;
    default:
      throw new KustomizeError(`unknown patch strategy ${JSON.stringify(patch['$patch'])}`);
  }
  const merged: Item = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue;
    const result = mergeValue(merged[key], value, fieldSchema(schema, key));
    if (result === undefined) delete merged[key];
    else merged[key] = result;
  }
  return merged;
}

function fieldSchema(schema: MergeSchema | undefined, key: string): MergeSchema | undefined {
  const property = schema?.properties?.[key];
  if (property) return property;
  return isRecord(schema?.additionalProperties) ? (schema.additionalProperties as MergeSchema) : undefined;
}

function mergeValue(target: unknown, patch: unknown, schema: MergeSchema | undefined): unknown {
  if (patch === null) return undefined;
  if (isRecord(patch)) {
    if (isRecord(target)) return mergeMap(target, patch, schema);
    return mergeMap({}, patch, schema);
  }
  if (Array.isArray(patch)) return mergeList(Array.isArray(target) ? target : undefined, patch, schema);
  return patch;
}

function clean(value: Item): Item {
  const { $patch: _directive, ...rest } = value;
  return deepClone(rest);
}

function mergeList(target: readonly unknown[] | undefined, patch: readonly unknown[], schema: MergeSchema | undefined): unknown[] {
  const strategy = schema?.['x-kubernetes-patch-strategy'] ?? '';
  if (!strategy.split(',').includes('merge')) return listWithoutDirectives(patch);
  const keys = schema?.['x-kubernetes-list-map-keys'] ?? [schema?.['x-kubernetes-patch-merge-key'] ?? ''].filter((key) => key !== '');
  if (patch.some((item) => isRecord(item) && item['$patch'] === 'replace' && Object.keys(item).length === 1)) {
    return patch.filter((item) => !(isRecord(item) && item['$patch'] === 'replace')).map((item) => deepClone(item));
  }
  if (keys.length === 0 || patch.some((item) => !isRecord(item))) return mergePrimitives(target ?? [], patch);
  return mergeItems({ target: (target ?? []).filter(isRecord), patch: patch.filter(isRecord), keys, schema: schema?.items });
}

function listWithoutDirectives(patch: readonly unknown[]): unknown[] {
  return patch.filter((item) => !(isRecord(item) && item['$patch'] !== undefined && Object.keys(item).length === 1)).map((item) => (isRecord(item) ? mergeMap({}, item, undefined) : deepClone(item)));
}

function mergePrimitives(target: readonly unknown[], patch: readonly unknown[]): unknown[] {
  return [...patch, ...target.filter((item) => !patch.some((other) => deepEqual(item, other)))];
}

interface ItemMerge {
  target: readonly Item[];
  patch: readonly Item[];
  keys: readonly string[];
  schema: MergeSchema | undefined;
}

/**
 * By one key: patched and added items first, in the patch's order, the others behind them. By several keys:
 * added items first, the others at their places; an item that differs from a present one only in lacking a
 * key, or in having it, is dropped. Both orders are kustomize's (measured).
 */
function mergeItems(merge: ItemMerge): unknown[] {
  const { target, patch, keys } = merge;
  const used = keys.filter((key) => patch.some((item) => item[key] !== undefined) || target.some((item) => item[key] !== undefined));
  return used.length > 1 ? mergeByKeys({ ...merge, keys: used }) : mergeByKey({ ...merge, keys: used });
}

function mergeByKey({ target, patch, keys, schema }: ItemMerge): unknown[] {
  const key = keys[0] ?? '';
  const first: Item[] = [];
  const touched = new Set<Item>();
  for (const item of patch) {
    const present = target.filter((candidate) => deepEqual(candidate[key], item[key]));
    for (const candidate of present) touched.add(candidate);
    const merged = mergeMap(present[0] ?? {}, item, schema);
    if (merged) first.push(merged);
  }
  return [...first, ...target.filter((item) => !touched.has(item))];
}

function mergeByKeys({ target, patch, keys, schema }: ItemMerge): unknown[] {
  const added: Item[] = [];
  const kept: (Item | undefined)[] = [...target];
  for (const item of patch) {
    const index = target.findIndex((candidate) => keys.every((key) => deepEqual(candidate[key], item[key])));
    if (index >= 0) kept[index] = mergeMap(target[index] as Item, item, schema);
    else if (!target.some((candidate) => keys.every((key) => candidate[key] === undefined || item[key] === undefined || deepEqual(candidate[key], item[key])))) {
      const merged = mergeMap({}, item, schema);
      if (merged) added.push(merged);
    }
  }
  return [...added, ...kept.filter((item) => item !== undefined)];
}
