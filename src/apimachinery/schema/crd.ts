/** CustomResourceDefinition (`apiextensions.k8s.io/v1`): defaults, and what makes one invalid. */
import type { FieldError } from '../validation/index.ts';
import type { Unstructured } from '../meta/index.ts';
import type { Schema } from './types.ts';

/** Fills in, in place, what a server fills in on every write. */
export function defaultCustomResourceDefinition(_crd: Unstructured): void {
  // Nothing yet.
}

export function validateCustomResourceDefinition(_crd: Unstructured): FieldError[] {
  return [];
}

export function validateCustomResourceDefinitionUpdate(_crd: Unstructured, _old: Unstructured): FieldError[] {
  return [];
}

/** Why a schema is not structural: the messages of the `NonStructuralSchema` condition; empty when it is. */
export function structuralSchemaErrors(_schema: Schema, _path: string): FieldError[] {
  return [];
}
