/**
 * Door of structural schemas: what an object may contain, and what follows from that. Everything here works on
 * plain JSON and reports by field path in the API server's words.
 */
export type { Schema, ValidationRule, GoFacts, GoField } from './types.ts';
export { validateSchema, type ValidateOptions } from './validate.ts';
export { pruneObject } from './prune.ts';
export { applyDefaults } from './default.ts';
export { findUnknownFields, findDuplicateFields } from './strict.ts';
export { validateRules, type RuleOptions } from './cel.ts';
export { validateCustomResourceDefinition, validateCustomResourceDefinitionUpdate, defaultCustomResourceDefinition, structuralSchemaErrors } from './crd.ts';
