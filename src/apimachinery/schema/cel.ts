/** Validation rules in CEL (`x-kubernetes-validations`). */
import type { FieldError } from '../validation/index.ts';
import type { Schema } from './types.ts';

export interface RuleOptions {
  path?: string;
  /** The stored value: transition rules (those that mention `oldSelf`) run only when there is one. */
  old?: unknown;
}

/** Violations of the rules below `schema`. */
export function validateRules(_schema: Schema, _value: unknown, _options: RuleOptions = {}): FieldError[] {
  return [];
}
