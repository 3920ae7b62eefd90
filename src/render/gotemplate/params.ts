/** Which values a function parameter takes, and what a literal becomes for it (Go's assignability, reduced to the types that occur). */
import type { BoolNode, NumberNode, StringNode } from './ast.ts';
import { nodeText } from './ast.ts';
import { GoInt, GoStruct, type IntKind, isMap, typeName } from './value.ts';

export type LiteralNode = NumberNode | StringNode | BoolNode;

/**
 * May `value` be passed where `type` stands? Types are Go's names; `any` is interface{}, `value` is
 * reflect.Value (both take everything).
 */
export function assignable(value: unknown, type: string): boolean {
  if (type === 'any' || type === 'value') return true;
  if (value === null || value === undefined) return type.startsWith('map[') || type.startsWith('[]') || type.startsWith('*') || type === 'error';
  const actual = typeName(value);
  if (actual === type) return true;
  // A named collection type goes where its plain form is wanted.
  if (type === 'map[string]interface {}') return actual === 'common.Values' && isMap(value);
  if (type === '[]string') return actual === 'common.VersionSet';
  if (type === 'error') return value instanceof GoStruct && value.goKind === 'error';
  return false;
}

type LiteralResult = { value: unknown } | { problem: string };

const INT_KINDS = new Set(['int', 'int8', 'int16', 'int32', 'int64']);
const UINT_KINDS = new Set(['uint', 'uint8', 'uint16', 'uint32', 'uint64']);

export function literalFor(node: LiteralNode, type: string): LiteralResult {
  if (type === 'any' || type === 'value') {
    if (node.type === 'bool') return { value: node.value };
    if (node.type === 'string') return { value: node.text };
    return node.ideal === undefined ? { problem: `${node.text} overflows int` } : { value: node.ideal };
  }
  if (type === 'string') return node.type === 'string' ? { value: node.text } : expected('string', node);
  if (type === 'bool') return node.type === 'bool' ? { value: node.value } : expected('bool', node);
  if (type === 'float64') return node.type === 'number' && node.float !== undefined ? { value: node.float } : expected('float', node);
  const kind = type === 'time.Duration' ? 'int64' : type;
  if (INT_KINDS.has(kind)) return node.type === 'number' && node.int !== undefined ? { value: named(node.int, kind, type) } : expected('integer', node);
  if (UINT_KINDS.has(kind)) return node.type === 'number' && node.uint !== undefined ? { value: new GoInt(node.uint, kind as IntKind) } : expected('unsigned integer', node);
  return { problem: `can't handle ${nodeText(node)} for arg of type ${type}` };
}

function named(value: bigint, kind: string, type: string): GoInt {
  return new GoInt(value, kind as IntKind, kind === type ? undefined : type);
}

function expected(what: string, node: LiteralNode): LiteralResult {
  return { problem: `expected ${what}; found ${nodeText(node)}` };
}
