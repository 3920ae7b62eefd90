/**
 * Validation rules in CEL (`x-kubernetes-validations`): evaluation against values. Rule: kubernetes.io
 * "Validation rules"; recorded answers of a real server.
 *
 * One environment serves all schemas: values are converted by their schema, so that rules can be evaluated
 * without declared types. What a rule may cost is bounded before it runs, because it cannot be interrupted.
 */
import { Environment, Optional, type ASTNode, type ParseResult } from '@marcbachmann/cel-js';
import { deepEqual, isRecord } from '#base/json';
import { at, child, duplicate, forbidden, invalid, OMIT_VALUE, required, type FieldError } from '../validation/index.ts';
import { registerLibrary, registerSets, SAFE_MATCHES } from './cel-library.ts';
import { toCel } from './cel-value.ts';
import { itemKey } from './lists.ts';
import type { Schema, ValidationRule } from './types.ts';

export interface RuleOptions {
  path?: string;
  /** The stored value: transition rules (those that mention `oldSelf`) run only when there is one. */
  old?: unknown;
}

/** Steps that nested comprehensions of one rule may take over one value. */
export const RULE_STEPS_MAX = 2_000_000;
/** Rules kept compiled. */
const RULES_MAX = 2000;

interface Compiled {
  evaluate: ParseResult;
  usesOldSelf: boolean;
  /** How deep loops over lists and maps are nested. */
  depth: number;
}

let environment: Environment | undefined;
const compiled = new Map<string, Compiled>();

/** A fresh environment with the Kubernetes library. */
export function newEnvironment(unlistedVariablesAreDyn: boolean): Environment {
  return registerSets(registerLibrary(new Environment({ unlistedVariablesAreDyn, enableOptionalTypes: true, homogeneousAggregateLiterals: false })));
}

/** Throws the engine's error for text that is no rule. */
export function compileRule(text: string): Compiled {
  const known = compiled.get(text);
  if (known) return known;
  environment ??= newEnvironment(true);
  const evaluate = environment.parse(withSafeMatches(text));
  const { usesOldSelf, depth } = inspectRule(evaluate.ast);
  const result = { evaluate, usesOldSelf, depth };
  if (compiled.size >= RULES_MAX) compiled.clear();
  compiled.set(text, result);
  return result;
}

/** Calls of `matches` become calls of the linear-time one; text inside string literals stays. */
export function withSafeMatches(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\.matches(?=\s*\()/g, (_, literal: string | undefined) => literal ?? `.${SAFE_MATCHES}`);
}

const LOOPS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

function inspectRule(ast: ASTNode): { usesOldSelf: boolean; depth: number } {
  let usesOldSelf = false;
  const visit = (node: unknown): number => {
    if (Array.isArray(node)) return Math.max(0, ...node.map(visit));
    if (!isNode(node)) return 0;
    if (node.op === 'id' && node.args === 'oldSelf') usesOldSelf = true;
    const below = visit(node.args);
    const isLoop = node.op === 'rcall' && Array.isArray(node.args) && LOOPS.has(String(node.args[0]));
    return below + (isLoop ? 1 : 0);
  };
  return { depth: visit(ast), usesOldSelf };
}

function isNode(value: unknown): value is { op: string; args: unknown } {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

/** Violations of the rules below `schema`. */
export function validateRules(schema: Schema, value: unknown, { path = '', old }: RuleOptions = {}): FieldError[] {
  if (!hasRules(schema)) return [];
  const errors = (schema['x-kubernetes-validations'] ?? []).flatMap((rule) => applyRule(rule, schema, { value, path, old }));
  if (Array.isArray(value)) return [...errors, ...rulesOfItems(schema, value as unknown[], { path, old })];
  return isRecord(value) ? [...errors, ...rulesOfMembers(schema, value, { path, old })] : errors;
}

const withRules = new WeakMap<Schema, boolean>();

function hasRules(schema: Schema): boolean {
  let known = withRules.get(schema);
  if (known === undefined) {
    const below = [...Object.values(schema.properties ?? {}), ...(schema.items ? [schema.items] : []), ...(isRecord(schema.additionalProperties) ? [schema.additionalProperties as Schema] : [])];
    withRules.set(schema, false);
    known = (schema['x-kubernetes-validations']?.length ?? 0) > 0 || below.some(hasRules);
    withRules.set(schema, known);
  }
  return known;
}

/** Items of map lists are compared with the item of the same key; items of other lists have no past. */
function rulesOfItems(schema: Schema, list: unknown[], { path, old }: Required<Pick<RuleOptions, 'path'>> & RuleOptions): FieldError[] {
  const { items } = schema;
  if (!items || !hasRules(items)) return [];
  const before = schema['x-kubernetes-list-type'] === 'map' && Array.isArray(old) ? new Map((old as unknown[]).map((item) => [itemKey(schema, item), item])) : undefined;
  return list.flatMap((item, index) => validateRules(items, item, { path: at(path, index), old: before?.get(itemKey(schema, item)) }));
}

function rulesOfMembers(schema: Schema, object: Record<string, unknown>, { path, old }: Required<Pick<RuleOptions, 'path'>> & RuleOptions): FieldError[] {
  const before = isRecord(old) && schema['x-kubernetes-map-type'] !== 'atomic' ? old : {};
  return Object.entries(object).flatMap(([name, member]) => {
    const property = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    const previous = Object.hasOwn(before, name) ? before[name] : undefined;
    if (property) return validateRules(property, member, { path: child(path, name), old: previous });
    return typeof schema.additionalProperties === 'object' ? validateRules(schema.additionalProperties, member, { path: at(path, name), old: previous }) : [];
  });
}

interface Judged {
  value: unknown;
  path: string;
  old: unknown;
}

function applyRule(rule: ValidationRule, schema: Schema, judged: Judged): FieldError[] {
  const { value, path, old } = judged;
  const report = (detail: string) => [ruleError(rule, judged, detail)];
  let compiledRule: Compiled;
  try {
    compiledRule = compileRule(rule.rule);
  } catch (error) {
    return report(`compilation failed: ${summaryOf(error)}`);
  }
  const hasOld = old !== undefined && old !== null;
  if (compiledRule.usesOldSelf && !hasOld && !rule.optionalOldSelf) return [];
  // Ratcheting: what did not change is not judged again.
  if (!compiledRule.usesOldSelf && hasOld && deepEqual(old, value)) return [];
  if (largest(value) ** compiledRule.depth > RULE_STEPS_MAX) return report(`call cost exceeds limit for rule: ${rule.rule}`);
  const oldSelf = hasOld ? toCel(schema, old) : undefined;
  const variables = { self: toCel(schema, value), oldSelf: rule.optionalOldSelf ? (hasOld ? Optional.of(oldSelf) : Optional.none()) : oldSelf };
  try {
    if (compiledRule.evaluate(variables) === true) return [];
  } catch (error) {
    return report(`${summaryOf(error)} evaluating rule: ${rule.message?.trim() || rule.rule.trim()}`);
  }
  return [ruleError(rule, { value, path, old }, messageOf(rule, variables))];
}

function summaryOf(error: unknown): string {
  return error instanceof Error && 'summary' in error ? String(error.summary) : (error as Error).message;
}

function messageOf(rule: ValidationRule, variables: Record<string, unknown>): string {
  if (rule.messageExpression) {
    try {
      const text: unknown = compileRule(rule.messageExpression).evaluate(variables);
      if (typeof text === 'string' && text.trim() !== '' && !text.includes('\n')) return text.trim();
    } catch {
      // The fixed message, or the rule itself, has to do.
    }
  }
  return rule.message?.trim() || `failed rule: ${rule.rule.trim()}`;
}

/** Containers are too big to repeat in a message. */
function ruleError(rule: ValidationRule, { value, path }: Judged, detail: string): FieldError {
  const field = `${path}${rule.fieldPath ?? ''}`.replace(/^\./, '') || '<nil>';
  const shown = typeof value === 'object' && value !== null ? OMIT_VALUE : value;
  switch (rule.reason) {
    case 'FieldValueRequired':
      return required(field, detail);
    case 'FieldValueForbidden':
      return forbidden(field, detail);
    case 'FieldValueDuplicate':
      return duplicate(field, shown);
    default:
      return invalid(field, shown, detail);
  }
}

/** Members of the largest list or map in a value. */
function largest(value: unknown): number {
  if (Array.isArray(value)) return Math.max(value.length, ...value.map(largest));
  if (!isRecord(value)) return 1;
  const members = Object.values(value);
  return members.reduce<number>((most, member) => Math.max(most, largest(member)), members.length);
}
