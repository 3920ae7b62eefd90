/**
 * Door of structural schemas: what an object may contain, and what follows from that. Everything here works on
 * plain JSON and reports by field path in the API server's words.
 */
export type { Schema, ValidationRule, GoFacts, GoField } from './types.ts';
export { validateSchema, type ValidateOptions } from './validate.ts';
export { findUnknownFields, pruneObject } from './prune.ts';
export { applyDefaults } from './default.ts';
export { findDuplicateFields } from './strict.ts';
export { validateListUniqueness } from './lists.ts';
export { OBJECT_META_SCHEMA, withObjectMeta } from './object-meta.ts';
export { isCidr, isIpv4, isIpv6 } from './formats.ts';
export { validateRules, type RuleOptions } from './cel.ts';
export { validateCustomResourceDefinition, validateCustomResourceDefinitionUpdate, defaultCustomResourceDefinition } from './crd.ts';
export { structuralSchemaErrors } from './structural.ts';
export { zeroField, zeroOf } from './zero.ts';
