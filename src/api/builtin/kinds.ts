/**
 * What an API server knows about each builtin kind. The facts come from generated data, expanded on first
 * use and shared by every server in the process.
 */
import type { Unstructured } from '#apimachinery/meta';
import type { Schema } from '#apimachinery/schema';
import type { FieldError } from '#apimachinery/validation';
import { applyBuiltinDefaults } from './defaults.ts';
import { decodeObject, type Decoded } from './decode.ts';
import { SELECTABLE_FIELDS } from './selectable-fields.ts';
import { validateChanged, validateNew } from './validation/index.ts';
import { bodyType, definitionName, kindFacts, schemaOfType, type KindFacts } from './facts.ts';

export type { Decoded } from './decode.ts';

type KindName = Pick<BuiltinKind, 'group' | 'version' | 'kind'>;

export interface BuiltinSubresource {
  /** e.g. `status`, `scale`, `log`. */
  name: string;
  /** Kind and group version of its bodies, when they differ from the parent's. */
  kind: string;
  group: string;
  version: string;
  verbs: readonly string[];
}

export interface BuiltinKind {
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  categories: readonly string[];
  namespaced: boolean;
  verbs: readonly string[];
  storageVersionHash?: string;
  subresources: readonly BuiltinSubresource[];
  /** Name of the OpenAPI definition, e.g. `io.k8s.api.apps.v1.Deployment`. */
  definition: string;
  /** Expanded on first use. */
  readonly schema: Schema;
}

const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

function expandKind(facts: KindFacts): BuiltinKind {
  return {
    group: facts.g,
    version: facts.v,
    kind: facts.k,
    plural: facts.p,
    singular: facts.s,
    shortNames: facts.n ?? [],
    categories: facts.t ?? [],
    namespaced: !facts.c,
    verbs: facts.b?.split(',') ?? ALL_VERBS,
    ...(facts.h ? { storageVersionHash: facts.h } : {}),
    subresources: (facts.u ?? []).map(([name = '', kind = '', verbs = '', group = facts.g, version = facts.v]) => ({ name, kind, group, version, verbs: verbs.split(',') })),
    definition: definitionName(facts.d),
    get schema() {
      return schemaOfType(facts.d);
    },
  };
}

let kinds: readonly BuiltinKind[] | undefined;
let byPlural: ReadonlyMap<string, BuiltinKind> | undefined;

/** Every builtin kind this code base serves, in discovery order. */
export function builtinKinds(): readonly BuiltinKind[] {
  kinds ??= kindFacts.map(expandKind);
  return kinds;
}

/** By group, version and plural. */
export function findBuiltin(group: string, version: string, plural: string): BuiltinKind | undefined {
  byPlural ??= new Map(builtinKinds().map((kind) => [`${kind.group}/${kind.version}/${kind.plural}`, kind]));
  return byPlural.get(`${group}/${version}/${plural}`);
}

let byKind: ReadonlyMap<string, number> | undefined;

/** Schema of any builtin type by group, version and kind: also of kinds that are only bodies (`Scale`, `DeleteOptions`, `Eviction`, `Binding`, `TokenRequest`). */
export function builtinSchema(group: string, version: string, kind: string): Schema | undefined {
  byKind ??= new Map(kindFacts.map((facts) => [`${facts.g}/${facts.v}/${facts.k}`, facts.d]));
  const key = `${group}/${version}/${kind}`;
  const type = byKind.get(key) ?? bodyType(key);
  return type === undefined ? undefined : schemaOfType(type);
}

/**
 * A body as a typed server holds it: unknown fields dropped (and reported), nulls and empty optional fields
 * dropped, fields that are always written present. Throws an `Error` with the codec's message
 * (`json: cannot unmarshal …`, or a quantity's) for values of the wrong type.
 */
export function decodeBuiltin(kind: KindName, object: Unstructured): Decoded {
  const schema = builtinSchema(kind.group, kind.version, kind.kind);
  return schema ? decodeObject(schema, object) : { object, unknown: [] };
}

/** Fills in, in place, the defaults of the kind (also inside pod templates). The object must have been decoded. */
export function defaultBuiltin(kind: KindName, object: Unstructured): void {
  const schema = builtinSchema(kind.group, kind.version, kind.kind);
  if (schema) applyBuiltinDefaults(schema, object);
}

/** The schema of a custom resource with the `apiVersion`, `kind` and `metadata` that every object has: what field ownership needs. */
export function customResourceSchema(schema: Schema): Schema {
  const base = builtinSchema('', 'v1', 'ConfigMap')?.properties ?? {};
  const { apiVersion = {}, kind = {}, metadata = {} } = base;
  return { ...schema, type: 'object', properties: { ...schema.properties, apiVersion, kind, metadata } };
}

/** Violations of a new object of the kind, metadata included; in the words of a real server. */
export function validateBuiltinCreate(kind: KindName, object: Unstructured): FieldError[] {
  return validateNew({ ...kind, namespaced: isNamespaced(kind) }, object);
}

/** Violations of an update: immutable fields and everything a create checks. `subresource` is empty for the main resource. */
export function validateBuiltinUpdate(kind: KindName, object: Unstructured, old: Unstructured, subresource = ''): FieldError[] {
  return validateChanged({ ...kind, namespaced: isNamespaced(kind) }, object, old, subresource);
}

function isNamespaced({ group, version, kind }: KindName): boolean {
  return kindFacts.some((facts) => facts.g === group && facts.v === version && facts.k === kind && !facts.c);
}

/** Paths an endpoint of the kind does not write (`[['status']]` for the main resource): reset to the stored value and never owned. */
export function resetFieldsOf(kind: KindName, subresource: string): readonly (readonly string[])[] {
  const facts = kindFacts.find(({ g, v, k }) => g === kind.group && v === kind.version && k === kind.kind);
  const hasStatus = facts?.u?.some(([name]) => name === 'status') ?? false;
  if (subresource === 'status') return [['spec']];
  return subresource === '' && hasStatus ? [['status']] : [];
}

/** The fields a kind can be selected by besides name and namespace, with the value of each for an object. */
export function selectableFieldsOf(kind: KindName): Readonly<Record<string, (object: Unstructured) => string>> {
  return SELECTABLE_FIELDS[`${kind.group}/${kind.kind}`] ?? {};
}
