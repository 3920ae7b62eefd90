/** Whether an applied object fits its schema well enough to be owned field by field; messages as the real server's. */
import { isRecord } from '#base/json';
import type { Schema } from '../schema/types.ts';
import { atomOf, itemElement, memberSchema, type Atom, type Scalar } from './atom.ts';
import { elementText, fieldElement } from './field-set.ts';

/** Messages with paths, e.g. `.nosuch: field not declared in schema`; empty when the object fits. */
export function typedErrors(schema: Schema, value: unknown): string[] {
  return check(schema, value).map(({ path, message }) => (path ? `${path}: ${message}` : message));
}

interface Problem {
  path: string;
  message: string;
}

const below = (element: string, problems: Problem[]): Problem[] => problems.map(({ path, message }) => ({ path: `${elementText(element)}${path}`, message }));
const problem = (message: string): Problem[] => [{ path: '', message }];

function check(schema: Schema, value: unknown): Problem[] {
  if (value === null || value === undefined) return [];
  const atom = atomOf(schema, value);
  switch (atom.kind) {
    case 'scalar':
      return checkScalar(atom.scalar, value);
    case 'list':
      return Array.isArray(value) ? checkItems(atom, value) : problem(`expected list, got &{${goValue(value)}}`);
    case 'map':
      if (!isRecord(value)) return problem(`expected map, got &{${goValue(value)}}`);
      for (const name of Object.keys(value)) {
        if (!memberSchema(atom.schema, name)) return below(fieldElement(name), problem('field not declared in schema'));
      }
      return Object.entries(value).flatMap(([name, member]) => below(fieldElement(name), check(memberSchema(atom.schema, name) ?? {}, member)));
  }
}

function checkItems(atom: Extract<Atom, { kind: 'list' }>, list: unknown[]): Problem[] {
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const [index, item] of list.entries()) {
    let element = `i:${index}`;
    if (!atom.atomic) {
      try {
        element = itemElement(atom, item);
      } catch (error) {
        return [...problems, ...problem(`element ${index}: ${(error as Error).message}`)];
      }
      if (seen.has(element)) problems.push(...problem(`duplicate entries for key ${elementText(element)}`));
      seen.add(element);
    }
    problems.push(...below(element, check(atom.items, item)));
  }
  return problems;
}

function checkScalar(scalar: Scalar, value: unknown): Problem[] {
  if (scalar === 'any') return typeof value === 'object' ? problem(`expected any scalar, got &{${goValue(value)}}`) : [];
  if (typeof value === scalar) return [];
  if (scalar === 'string') return problem(`expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`);
  if (scalar === 'number') return problem(`expected numeric (int or float), got ${goType(value)}`);
  return problem(`expected boolean, got &{${goValue(value)}}`);
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (isRecord(value)) return 'map[string]interface {}';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'number' ? (Number.isInteger(value) ? 'int64' : 'float64') : 'string';
}

/** Go's %v. */
function goValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (isRecord(value)) return `map[${Object.keys(value).sort().map((key) => `${key}:${goValue(value[key])}`).join(' ')}]`;
  if (value === null) return '<nil>';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Go's %#v. */
function goSyntax(value: unknown): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (isRecord(value)) return `map[string]interface {}{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${goSyntax(value[key])}`).join(', ')}}`;
  return value === null ? 'interface {}(nil)' : JSON.stringify(value);
}
