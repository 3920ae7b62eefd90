/**
 * Strategies of builtin kinds. What all of them share is driven by facts (`#api/builtin`): decoding, defaults,
 * validation, which fields an endpoint writes. The few things a kind does on its own are hooks in `kinds.ts`.
 */
import { deepClone, deepEqual, getPath, isRecord } from '#base/json';
import { formatApiVersion, type Unstructured } from '#apimachinery/meta';
import { findDuplicateFields } from '#apimachinery/schema';
import {
  builtinWarnings, decodeBuiltin, defaultBuiltin, resetFieldsOf, selectableFieldsOf, validateBuiltinCreate, validateBuiltinUpdate, type BuiltinKind,
} from '#api/builtin';
import { DecodeFailure, type Decoded, type FieldValidation, type ResourceType, type Strategy } from '../registry/types.ts';
import { checkEnvelope } from './envelope.ts';
import { checkBuiltinKind } from './conversion.ts';
import { kindHooks, type KindHooks } from './kinds.ts';

export function builtinType(kind: BuiltinKind): ResourceType {
  return {
    group: kind.group,
    version: kind.version,
    kind: kind.kind,
    listKind: `${kind.kind}List`,
    plural: kind.plural,
    singular: kind.singular,
    shortNames: kind.shortNames,
    categories: kind.categories,
    namespaced: kind.namespaced,
    verbs: kind.verbs,
    subresources: kind.subresources,
    // events.k8s.io shows the same objects as the core group.
    collection: kind.kind === 'Event' ? 'core/events' : `${kind.group || 'core'}/${kind.plural}`,
    strategy: builtinStrategy(kind),
  };
}

function builtinStrategy(kind: BuiltinKind): Strategy {
  const hooks = kindHooks(kind.group, kind.kind);
  const reset = new Map<string, readonly (readonly string[])[]>();
  const resetFields = (subresource: string) => {
    let paths = reset.get(subresource);
    if (!paths) reset.set(subresource, (paths = resetFieldsOf(kind, subresource)));
    return paths;
  };
  const selectable = selectableFieldsOf(kind);
  const selectableFields = Object.keys(selectable);
  return {
    get schema() {
      return kind.schema;
    },
    strategicPatch: true,
    resetFields,
    decode: (document, fieldValidation, text) => decode(kind, checkEnvelope(document), fieldValidation, text),
    default: (object) => defaultBuiltin(kind, object),
    prepareForCreate(object, context) {
      for (const path of resetFields('')) deletePath(object, path);
      if (hooks.generation) object.metadata.generation = 1;
      hooks.prepareForCreate?.(object, context);
    },
    prepareForUpdate(object, old, context) {
      for (const path of resetFields(context.subresource)) copyPath(object, old, path);
      hooks.prepareForUpdate?.(object, old, context);
      if (hooks.generation && !NO_GENERATION.has(context.subresource) && changesGeneration(hooks, object, old)) object.metadata.generation = (old.metadata.generation ?? 0) + 1;
    },
    validateCreate: (object) => [...validateBuiltinCreate(kind, object), ...(hooks.validateCreate?.(object) ?? [])],
    validateUpdate: (object, old, { subresource }) => validateBuiltinUpdate(kind, object, old, subresource),
    warnings: (object, old) => [...builtinWarnings(kind, object), ...(hooks.warnings?.(object, old) ?? [])],
    allowCreateOnUpdate: hooks.allowCreateOnUpdate ?? false,
    allowUnconditionalUpdate: hooks.allowUnconditionalUpdate ?? true,
    ...(hooks.planDelete ? { planDelete: hooks.planDelete } : {}),
    ...(hooks.gracePeriod ? { gracePeriod: hooks.gracePeriod } : {}),
    selectableFields,
    ...(selectableFields.length > 0 ? { fields: (object: Unstructured) => Object.fromEntries(Object.entries(selectable).map(([name, value]) => [name, value(object)])) } : {}),
    returnDeletedObject: hooks.returnDeletedObject ?? false,
    normalise(object) {
      const { object: clean } = decodeBuiltin(kind, object);
      for (const key of Object.keys(object)) if (!(key in clean)) delete object[key];
      Object.assign(object, clean);
    },
  };
}

/** Writes through these are no change of what is wanted. */
const NO_GENERATION = new Set(['status', 'binding', 'finalize']);

function decode(kind: BuiltinKind, document: Unstructured, fieldValidation: FieldValidation, text: string): Decoded {
  checkBuiltinKind(kind, document);
  const named = { ...document, kind: kind.kind, apiVersion: document.apiVersion ?? formatApiVersion(kind.group, kind.version) };
  let decoded: ReturnType<typeof decodeBuiltin>;
  try {
    decoded = decodeBuiltin(kind, named);
  } catch (error) {
    throw new DecodeFailure((error as Error).message);
  }
  kindHooks(kind.group, kind.kind).convert?.(decoded.object);
  if (fieldValidation === 'Ignore') return { object: decoded.object, warnings: [] };
  const problems = [...findDuplicateFields(text), ...decoded.unknown];
  if (fieldValidation === 'Strict' && problems.length > 0) throw new DecodeFailure(`strict decoding error: ${problems.join(', ')}`);
  return { object: decoded.object, warnings: problems };
}

function changesGeneration(hooks: KindHooks, object: Unstructured, old: Unstructured): boolean {
  if (hooks.generation === 'spec') return !deepEqual(object['spec'], old['spec']);
  if (hooks.generation === 'never') return false;
  return !deepEqual(contentOf(object), contentOf(old));
}

/** Everything but type, metadata and status. */
function contentOf(object: Unstructured): Record<string, unknown> {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, status: _status, ...rest } = object;
  return rest;
}

function deletePath(object: Unstructured, path: readonly string[]): void {
  const parent = getPath(object, ...path.slice(0, -1));
  if (isRecord(parent)) delete parent[path.at(-1) as string];
}

/** Makes the value at a path what it was. */
function copyPath(object: Unstructured, old: Unstructured, path: readonly string[]): void {
  const value = getPath(old, ...path);
  if (value === undefined) return deletePath(object, path);
  let parent: Record<string, unknown> = object;
  for (const step of path.slice(0, -1)) {
    if (!isRecord(parent[step])) parent[step] = {};
    parent = parent[step] as Record<string, unknown>;
  }
  parent[path.at(-1) as string] = deepClone(value);
}
