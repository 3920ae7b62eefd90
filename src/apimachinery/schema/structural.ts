/**
 * What makes the schema of a CustomResourceDefinition one that a server accepts: it is *structural* (every
 * field has a type; value validations add no types), its extensions fit together, its defaults are valid.
 * Rule: apiextensions.k8s.io/v1, "Specifying a structural schema"; recorded answers of a real server.
 */
import { deepClone, isRecord } from '#base/json';
import { at, child, forbidden, invalid, notSupported, required, type FieldError } from '../validation/index.ts';
import { applyDefaults } from './default.ts';
import { compilePattern } from './pattern.ts';
import { pruneObject } from './prune.ts';
import type { Schema, ValidationRule } from './types.ts';
import { validateSchema } from './validate.ts';

type Level = 'root' | 'field' | 'item';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
/** JSON Schema keywords that Kubernetes does not take. */
const UNSUPPORTED = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'];

/** Every problem of a schema; `path` is where it stands in the definition. */
export function schemaErrors(schema: Schema, path: string): FieldError[] {
  return [...keywordErrors(schema, path), ...structuralSchemaErrors(schema, path), ...defaultErrors(schema, path)];
}

/** Why a schema is not structural: the messages of the `NonStructuralSchema` condition; empty when it is. */
export function structuralSchemaErrors(schema: Schema, path: string): FieldError[] {
  return structural(schema, path, 'root');
}

function structural(schema: Schema, path: string, level: Level): FieldError[] {
  const errors: FieldError[] = [];
  if (schema.type === 'array' && !schema.items) errors.push(required(child(path, 'items'), 'must be specified'));
  errors.push(...typeErrors(schema, path, level));
  if (schema.pattern) errors.push(...patternErrors(schema.pattern, path));
  for (const [name, property] of Object.entries(schema.properties ?? {})) errors.push(...structural(property, at(child(path, 'properties'), name), 'field'));
  if (schema.items) errors.push(...structural(schema.items, child(path, 'items'), 'item'));
  if (isRecord(schema.additionalProperties)) errors.push(...structural(schema.additionalProperties, child(path, 'additionalProperties'), 'field'));
  return [...errors, ...combinationErrors(schema, path)];
}

function typeErrors(schema: Schema, path: string, level: Level): FieldError[] {
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  const open = schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields'];
  const errors: FieldError[] = [];
  if (embedded && schema.type !== 'object') errors.push(schema.type ? invalid(child(path, 'type'), schema.type, 'must be object if x-kubernetes-embedded-resource is true') : required(child(path, 'type'), 'must be object if x-kubernetes-embedded-resource is true'));
  else if (!schema.type && (!open || level === 'root')) {
    const where = { root: 'must not be empty at the root', item: 'must not be empty for specified array items', field: 'must not be empty for specified object fields' }[level];
    errors.push(required(child(path, 'type'), where));
  } else if (level === 'root' && schema.type !== 'object') errors.push(invalid(child(path, 'type'), schema.type, 'must be object at the root'));
  if (level === 'root' && schema.additionalProperties !== undefined) errors.push(forbidden(child(path, 'additionalProperties'), 'must not be used at the root'));
  if (embedded && schema.additionalProperties !== undefined) errors.push(forbidden(child(path, 'additionalProperties'), 'must not be used if x-kubernetes-embedded-resource is set'));
  if (embedded && !schema['x-kubernetes-preserve-unknown-fields'] && Object.keys(schema.properties ?? {}).length === 0) {
    errors.push(required(child(path, 'properties'), 'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'));
  }
  if (schema['x-kubernetes-int-or-string'] && schema['x-kubernetes-preserve-unknown-fields']) errors.push(invalid(child(path, 'x-kubernetes-preserve-unknown-fields'), true, 'must be false if x-kubernetes-int-or-string is true'));
  return errors;
}

function patternErrors(pattern: string, path: string): FieldError[] {
  try {
    compilePattern(pattern);
    return [];
  } catch (error) {
    return [invalid(child(path, 'pattern'), pattern, `must be a valid regular expression, but isn't: ${(error as Error).message}`)];
  }
}

/** Inside `allOf`, `anyOf`, `oneOf` and `not` only values may be judged, and only fields that are specified outside. */
function combinationErrors(schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const keyword of ['allOf', 'anyOf', 'oneOf'] as const) {
    for (const [index, option] of (schema[keyword] ?? []).entries()) errors.push(...nestedErrors(option, at(child(path, keyword), index), schema['x-kubernetes-int-or-string'] === true));
  }
  if (schema.not) errors.push(...nestedErrors(schema.not, child(path, 'not'), false));
  return errors;
}

const NESTED_UNDEFINED = ['default', 'x-kubernetes-list-type', 'x-kubernetes-map-type'] as const;
const NESTED_EMPTY = ['title', 'description', 'x-kubernetes-list-map-keys', 'x-kubernetes-validations'] as const;
const NESTED_FALSE = ['nullable', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource', 'x-kubernetes-int-or-string'] as const;

function nestedErrors(schema: Schema, path: string, typesAllowed: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (schema.type && !typesAllowed) errors.push(forbidden(child(path, 'type'), 'must be empty to be structural'));
  if (schema.additionalProperties !== undefined) errors.push(forbidden(child(path, 'additionalProperties'), 'must be undefined to be structural'));
  for (const field of NESTED_UNDEFINED) if (schema[field] !== undefined) errors.push(forbidden(child(path, field), 'must be undefined to be structural'));
  for (const field of NESTED_EMPTY) if (schema[field] !== undefined && schema[field].length > 0) errors.push(forbidden(child(path, field), 'must be empty to be structural'));
  for (const field of NESTED_FALSE) if (schema[field]) errors.push(forbidden(child(path, field), 'must be false to be structural'));
  for (const [name, property] of Object.entries(schema.properties ?? {})) errors.push(...nestedErrors(property, at(child(path, 'properties'), name), false));
  if (schema.items) errors.push(...nestedErrors(schema.items, child(path, 'items'), false));
  return [...errors, ...combinationErrors(schema, path)];
}

/** Keywords and extensions of one schema and all below it. */
function keywordErrors(schema: Schema, path: string): FieldError[] {
  const raw = schema as Record<string, unknown>;
  const errors: FieldError[] = [];
  if (schema.type === 'null') errors.push(forbidden(child(path, 'type'), 'type cannot be set to null, use nullable as an alternative'));
  if (schema.type && !TYPES.includes(schema.type)) errors.push(notSupported(child(path, 'type'), schema.type, TYPES));
  for (const keyword of UNSUPPORTED) if (raw[keyword] !== undefined) errors.push(forbidden(child(path, keyword), `${keyword} is not supported`));
  if (schema.uniqueItems) errors.push(forbidden(child(path, 'uniqueItems'), 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'));
  if (schema.properties && Object.keys(schema.properties).length > 0 && (schema.additionalProperties === false || isRecord(schema.additionalProperties))) {
    errors.push(forbidden(child(path, 'additionalProperties'), 'additionalProperties and properties are mutual exclusive'));
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) errors.push(invalid(child(path, 'x-kubernetes-preserve-unknown-fields'), false, 'must be true or undefined'));
  errors.push(...mapErrors(schema, path), ...listErrors(schema, path), ...ruleErrors(schema['x-kubernetes-validations'] ?? [], path));
  for (const [name, property] of Object.entries(schema.properties ?? {})) errors.push(...keywordErrors(property, at(child(path, 'properties'), name)));
  if (schema.items) errors.push(...keywordErrors(schema.items, child(path, 'items')));
  if (isRecord(schema.additionalProperties)) errors.push(...keywordErrors(schema.additionalProperties, child(path, 'additionalProperties')));
  return errors;
}

function typeMustBe(schema: Schema, path: string, type: string, detail: string): FieldError[] {
  if (schema.type === type) return [];
  return [schema.type ? invalid(child(path, 'type'), schema.type, detail) : required(child(path, 'type'), detail)];
}

function mapErrors(schema: Schema, path: string): FieldError[] {
  const mapType = schema['x-kubernetes-map-type'];
  if (mapType === undefined) return [];
  return [
    ...typeMustBe(schema, path, 'object', 'must be object if x-kubernetes-map-type is specified'),
    ...(['atomic', 'granular'].includes(mapType) ? [] : [notSupported(child(path, 'x-kubernetes-map-type'), mapType, ['atomic', 'granular'])]),
  ];
}

function listErrors(schema: Schema, path: string): FieldError[] {
  const listType = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const errors: FieldError[] = listType === undefined ? [] : typeMustBe(schema, path, 'array', 'must be array if x-kubernetes-list-type is specified');
  if (listType !== undefined && !['atomic', 'set', 'map'].includes(listType)) errors.push(notSupported(child(path, 'x-kubernetes-list-type'), listType, ['atomic', 'set', 'map']));
  if (keys.length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    errors.push(listType === undefined ? required(child(path, 'x-kubernetes-list-type'), detail) : invalid(child(path, 'x-kubernetes-list-type'), listType, detail));
  }
  return listType === 'map' ? [...errors, ...mapListErrors(schema, keys, path)] : errors;
}

function mapListErrors(schema: Schema, keys: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const keysPath = child(path, 'x-kubernetes-list-map-keys');
  if (keys.length === 0) errors.push(required(keysPath, 'must not be empty if x-kubernetes-list-type is map'));
  if (!schema.items) return [...errors, required(child(path, 'items'), 'must have a schema if x-kubernetes-list-type is map')];
  if (schema.items.type !== 'object') return [...errors, invalid(child(path, 'items', 'type'), schema.items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map")];
  for (const key of keys) {
    const property = schema.items.properties?.[key];
    if (!property) errors.push(invalid(keysPath, keys, 'entries must all be names of item properties'));
    else if (property.type === 'array' || property.type === 'object') errors.push(invalid(child(at(child(path, 'items', 'properties'), key), 'type'), schema.items.type, "must be a scalar type if parent array's x-kubernetes-list-type is map"));
    else if (property.default === undefined && !schema.items.required?.includes(key)) errors.push(required(child(at(child(path, 'items', 'properties'), key), 'default'), 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'));
  }
  if (new Set(keys).size < keys.length) errors.push(invalid(keysPath, keys, 'must not contain duplicate entries'));
  return errors;
}

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

function ruleErrors(rules: readonly ValidationRule[], path: string): FieldError[] {
  return rules.flatMap((rule, index) => {
    const base = at(child(path, 'x-kubernetes-validations'), index);
    const errors: FieldError[] = [];
    if (rule.rule.trim() === '') errors.push(required(child(base, 'rule'), 'rule is not specified'));
    else if (rule.message && rule.message.trim() === '') errors.push(invalid(child(base, 'message'), rule.message, 'must be non-empty if specified'));
    else if (/\n/.test(rule.message?.trim() ?? '')) errors.push(invalid(child(base, 'message'), rule.message, 'must not contain line breaks'));
    else if (/\n/.test(rule.rule.trim()) && !rule.message?.trim()) errors.push(required(child(base, 'message'), 'message must be specified if rule contains line breaks'));
    if (rule.messageExpression && rule.messageExpression.trim() === '') errors.push(required(child(base, 'messageExpression'), 'messageExpression must be non-empty if specified'));
    if (rule.reason !== undefined && !REASONS.includes(rule.reason)) errors.push(notSupported(child(base, 'reason'), rule.reason, REASONS));
    return errors;
  });
}

/** A default must fit its own schema, after pruning and defaulting inside it. */
function defaultErrors(schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (schema.default !== undefined) {
    const base = child(path, 'default');
    const holder: Record<string, unknown> = { value: deepClone(schema.default) };
    const unknown = pruneObject({ type: 'object', properties: { value: schema } }, holder);
    if (unknown.length > 0) errors.push(invalid(base, schema.default, 'must not have unknown fields'));
    else {
      applyDefaults(schema, holder['value']);
      errors.push(...validateSchema(schema, holder['value'], { path: base }));
    }
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) errors.push(...defaultErrors(property, at(child(path, 'properties'), name)));
  if (schema.items) errors.push(...defaultErrors(schema.items, child(path, 'items')));
  if (isRecord(schema.additionalProperties)) errors.push(...defaultErrors(schema.additionalProperties, child(path, 'additionalProperties')));
  return errors;
}
