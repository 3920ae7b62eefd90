/**
 * Checking the rules of a CustomResourceDefinition before anybody uses it: do they parse, and do the fields
 * they name exist? Types are declared from the schema. Messages follow the real server's compiler where a rule
 * names an unknown field or variable; other findings carry our engine's words in the same frame.
 */
import type { Environment } from '@marcbachmann/cel-js';
import { isRecord } from '#base/json';
import { at, child, invalid, type FieldError } from '../validation/index.ts';
import { newEnvironment, withSafeMatches } from './cel.ts';
import { celName } from './cel-value.ts';
import { OBJECT_META_SCHEMA } from './object-meta.ts';
import type { Schema, ValidationRule } from './types.ts';

/** Errors of every rule below the schema; `path` is where the schema stands in the definition. */
export function compileRuleErrors(schema: Schema, path: string): FieldError[] {
  const root = isRecord(schema.properties) ? { ...schema, properties: { ...schema.properties, apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object', properties: { name: OBJECT_META_SCHEMA.properties?.['name'] ?? {}, generateName: {} } } } } : schema;
  return check(root, path);
}

function check(schema: Schema, path: string): FieldError[] {
  const rules = schema['x-kubernetes-validations'] ?? [];
  return [
    ...(rules.length > 0 ? checkRules(schema, rules, path) : []),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, property]) => check(property, at(child(path, 'properties'), name))),
    ...(schema.items ? check(schema.items, child(path, 'items')) : []),
    ...(typeof schema.additionalProperties === 'object' ? check(schema.additionalProperties, child(path, 'additionalProperties')) : []),
  ];
}

function checkRules(schema: Schema, rules: readonly ValidationRule[], path: string): FieldError[] {
  const env = newEnvironment(false);
  const type = declare(schema, env, { count: 0 });
  env.registerVariable('self', type);
  const plain = env.clone().registerVariable('oldSelf', type);
  const optional = env.clone().registerVariable('oldSelf', `optional<${type}>`);
  return rules.flatMap((rule, index) => {
    const scope = rule.optionalOldSelf ? optional : plain;
    const base = at(child(path, 'x-kubernetes-validations'), index);
    return [...problemsOf(scope, rule, 'rule', base), ...(rule.messageExpression ? problemsOf(scope, rule, 'messageExpression', base) : [])];
  });
}

/** The CEL type of a schema; structs get a name of their own. */
function declare(schema: Schema, env: Environment, names: { count: number }): string {
  if (schema['x-kubernetes-int-or-string']) return 'dyn';
  switch (schema.type) {
    case 'string':
      return schema.format === 'date-time' || schema.format === 'date' ? 'google.protobuf.Timestamp' : schema.format === 'byte' ? 'bytes' : 'string';
    case 'integer':
      return 'int';
    case 'number':
      return 'double';
    case 'boolean':
      return 'bool';
    case 'array':
      return `list<${schema.items ? declare(schema.items, env, names) : 'dyn'}>`;
    case 'object':
      return declareObject(schema, env, names);
    default:
      return 'dyn';
  }
}

function declareObject(schema: Schema, env: Environment, names: { count: number }): string {
  if (typeof schema.additionalProperties === 'object') return `map<string, ${declare(schema.additionalProperties, env, names)}>`;
  const fields: Record<string, string> = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const key = celName(name);
    if (key !== undefined) fields[key] = declare(property, env, names);
  }
  if (Object.keys(fields).length === 0 && schema['x-kubernetes-preserve-unknown-fields']) return 'dyn';
  names.count += 1;
  const name = `Object${names.count}`;
  // A type without fields would accept any; this one accepts none that a rule could name.
  env.registerType(name, { fields: Object.keys(fields).length > 0 ? fields : { __none__: 'int' } });
  return name;
}

function problemsOf(env: Environment, rule: ValidationRule, part: 'rule' | 'messageExpression', path: string): FieldError[] {
  const text = rule[part] ?? '';
  const safe = withSafeMatches(text);
  const result = env.check(safe);
  if (result.valid) {
    const wanted = part === 'rule' ? 'bool' : 'string';
    if (result.type === wanted || result.type === 'dyn') return [];
    return [invalid(child(path, part), shown(rule), part === 'rule' ? 'must evaluate to a bool' : 'messageExpression must evaluate to a string')];
  }
  const { summary = '', start = 0 } = describe(result.error);
  return [invalid(child(path, part), shown(rule), `${part === 'rule' ? 'compilation failed' : 'messageExpression compilation failed'}: ${frame(text, summary, Math.min(start, text.length))}`)];
}

function describe(error: unknown): { summary?: string; start?: number } {
  if (!(error instanceof Error)) return {};
  const summary = 'summary' in error ? String(error.summary) : error.message;
  const range = 'range' in error && isRecord(error.range) ? error.range : {};
  const start = typeof range['start'] === 'number' ? range['start'] : 0;
  const field = /^No such key: (.*)$/.exec(summary);
  // The real compiler points at the dot before the field.
  if (field) return { summary: `undefined field '${field[1]}'`, start: start - 1 };
  const variable = /^Unknown variable: (.*)$/.exec(summary);
  if (variable) return { summary: `undeclared reference to '${variable[1]}' (in container '')`, start };
  const overload = /^no such overload: (\S+) (\S+) (\S+)$/.exec(summary);
  if (overload) return { summary: `found no matching overload for '_${overload[2]}_' applied to '(${overload[1]}, ${overload[3]})'`, start };
  return { summary, start };
}

function frame(text: string, summary: string, start: number): string {
  const line = text.slice(0, start).split('\n').length;
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const column = start - lineStart;
  return `ERROR: <input>:${line}:${column + 1}: ${summary}\n | ${text.split('\n')[line - 1]}\n | ${'.'.repeat(column)}^`;
}

/** A rule as the server's own form prints it. */
function shown(rule: ValidationRule): unknown {
  return { Rule: rule.rule, Message: rule.message ?? '', MessageExpression: rule.messageExpression ?? '', Reason: rule.reason ?? null, FieldPath: rule.fieldPath ?? '', OptionalOldSelf: rule.optionalOldSelf ?? null };
}
