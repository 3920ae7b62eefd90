/**
 * What an API server knows about each builtin kind. The facts come from generated data, expanded on first
 * use and shared by every server in the process.
 */
import type { Unstructured } from '#apimachinery/meta';
import type { Schema } from '#apimachinery/schema';
import type { FieldError } from '#apimachinery/validation';

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

/** Every builtin kind this code base serves, in discovery order. */
export function builtinKinds(): readonly BuiltinKind[] {
  return [];
}

/** By group, version and plural. */
export function findBuiltin(_group: string, _version: string, _plural: string): BuiltinKind | undefined {
  return undefined;
}

/** Schema of any builtin type by group, version and kind: also of kinds that are only bodies (`Scale`, `DeleteOptions`, `Eviction`, `Binding`, `TokenRequest`). */
export function builtinSchema(_group: string, _version: string, _kind: string): Schema | undefined {
  return undefined;
}

export interface Decoded {
  object: Unstructured;
  /** `unknown field "spec.x"` messages, sorted. */
  unknown: string[];
}

/**
 * A body as a typed server holds it: unknown fields dropped (and reported), nulls and empty optional fields
 * dropped, fields that are always written present. Throws an `Error` with the codec's message
 * (`json: cannot unmarshal …`, or a quantity's) for values of the wrong type.
 */
export function decodeBuiltin(_kind: Pick<BuiltinKind, 'group' | 'version' | 'kind'>, object: Unstructured): Decoded {
  return { object, unknown: [] };
}

/** Fills in, in place, the defaults of the kind (also inside pod templates). The object must have been decoded. */
export function defaultBuiltin(_kind: Pick<BuiltinKind, 'group' | 'version' | 'kind'>, _object: Unstructured): void {
  // Nothing yet.
}

/** Violations of a new object of the kind, metadata included; in the order and words of a real server. */
export function validateBuiltinCreate(_kind: Pick<BuiltinKind, 'group' | 'version' | 'kind'>, _object: Unstructured): FieldError[] {
  return [];
}

/** Violations of an update: immutable fields and everything a create checks. `subresource` is empty for the main resource. */
export function validateBuiltinUpdate(_kind: Pick<BuiltinKind, 'group' | 'version' | 'kind'>, _object: Unstructured, _old: Unstructured, _subresource = ''): FieldError[] {
  return [];
}

/** Paths an endpoint of the kind does not write (`[['status']]` for the main resource): reset to the stored value and never owned. */
export function resetFieldsOf(_kind: Pick<BuiltinKind, 'group' | 'version' | 'kind'>, subresource: string): readonly (readonly string[])[] {
  return subresource === 'status' ? [['spec']] : subresource === '' ? [['status']] : [];
}

/** The fields a kind can be selected by besides name and namespace, with the value of each for an object. */
export function selectableFieldsOf(_kind: Pick<BuiltinKind, 'group' | 'version' | 'kind'>): Readonly<Record<string, (object: Unstructured) => string>> {
  return {};
}
