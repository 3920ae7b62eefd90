/**
 * What the generic registry needs to know of a kind: its addresses, and a strategy with the few things in
 * which kinds differ. A new kind is a strategy, never a new handler.
 */
import type { Unstructured } from '#apimachinery/meta';
import type { Schema } from '#apimachinery/schema';
import type { FieldError } from '#apimachinery/validation';

export interface SubresourceType {
  name: string;
  verbs: readonly string[];
  kind: string;
  group?: string;
  version?: string;
}

/** One served version of a resource. */
export interface ResourceType {
  group: string;
  version: string;
  kind: string;
  listKind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  categories: readonly string[];
  namespaced: boolean;
  verbs: readonly string[];
  subresources: readonly SubresourceType[];
  /** Where objects of all versions live; `''` for kinds that are not stored (reviews). */
  collection: string;
  strategy: Strategy;
  /** Set for kinds that come from a CustomResourceDefinition. */
  custom?: { columns: readonly PrinterColumn[]; storageVersion: boolean; scale?: ScalePaths; uid: string; selectable: readonly string[]; deprecated?: string; view?: (object: Unstructured) => void };
}

export interface PrinterColumn {
  name: string;
  type: string;
  format?: string;
  description?: string;
  priority?: number;
  jsonPath: string;
}

export interface ScalePaths {
  specReplicasPath: string;
  statusReplicasPath: string;
  labelSelectorPath?: string;
}

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** A document does not fit its kind; the caller words it for where the document came from. */
export class DecodeFailure extends Error {
  override name = 'DecodeFailure';
  /** What the document says it is, when that is the trouble. */
  readonly found: { kind: string; version: string } | undefined;

  constructor(message: string, found?: { kind: string; version: string }) {
    super(message);
    this.found = found;
  }
}

export interface Decoded {
  object: Unstructured;
  warnings: string[];
}

/** Who asks, when, and through which subresource (`''`: the object itself). */
export interface WriteContext {
  now: string;
  subresource: string;
  dryRun: boolean;
}

/**
 * How one kind differs from the others. `decode`, `default` and `prepare…` may change the object they get;
 * `validate…` and `fields` must not. `prepareForUpdate` gets the stored object, which it must not change.
 */
export interface Strategy {
  /** Shape and merge rules of the kind at this version. */
  schema: Schema;
  /** What an endpoint does not write, and nobody owns through it. */
  resetFields(subresource: string): readonly (readonly string[])[];
  /** Whether strategic merge patches are understood. */
  strategicPatch: boolean;
  /** Checks JSON types, drops or reports unknown fields. Throws {@link DecodeFailure}, or a StatusError for another kind. */
  decode(document: unknown, fieldValidation: FieldValidation, text: string): Decoded;
  default(object: Unstructured): void;
  prepareForCreate(object: Unstructured, context: WriteContext): void;
  prepareForUpdate(object: Unstructured, old: Unstructured, context: WriteContext): void;
  validateCreate(object: Unstructured): FieldError[];
  validateUpdate(object: Unstructured, old: Unstructured, context: WriteContext): FieldError[];
  warnings?(object: Unstructured, old: Unstructured | undefined): string[];
  /** Whether PUT may create a missing object. */
  allowCreateOnUpdate: boolean;
  /** Whether an update without resourceVersion is accepted. */
  allowUnconditionalUpdate: boolean;
  /** A delete that is neither graceful nor at once; undefined: the usual way. */
  planDelete?: ((old: Unstructured, finalizers: string[], nowMs: number) => { object: Unstructured; update: boolean; remove: boolean } | undefined) | undefined;
  /** Seconds of grace, or undefined when objects of the kind are deleted at once. */
  gracePeriod?(object: Unstructured, requested: number | undefined): number | undefined;
  /** Names of field selectors besides metadata.name and metadata.namespace. */
  selectableFields: readonly string[];
  /** Their values. */
  fields?(object: Unstructured): Record<string, string>;
  /** Whether a delete answers with the object instead of a Status. */
  returnDeletedObject: boolean;
  /** Canonical form before storage (drops what the real server would not write). */
  normalise(object: Unstructured): void;
}
