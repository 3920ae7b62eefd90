/** eq, ne, lt, le, gt, ge of text/template: basic kinds only, no silent conversion between int and float. */
import { FunctionError } from './errors.ts';
import { formatValue } from './format.ts';
import { compareStrings, GoInt, GoStruct, typeName } from './value.ts';

type BasicKind = 'bool' | 'float' | 'int' | 'string' | 'none';

function basicKind(value: unknown): BasicKind {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'number':
      return 'float';
    case 'string':
      return 'string';
    default:
      return value instanceof GoInt ? 'int' : 'none';
  }
}

function incompatible(a: unknown, b: unknown): FunctionError {
  return new FunctionError(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);
}

const INVALID = 'invalid type for comparison';

export function equalAny(first: unknown, others: readonly unknown[]): boolean {
  if (others.length === 0) throw new FunctionError('missing argument for comparison');
  return others.some((other) => equal(first, other));
}

export function equal(a: unknown, b: unknown): boolean {
  const kindA = basicKind(a);
  const kindB = basicKind(b);
  if (kindA !== kindB) {
    if (a !== null && b !== null) throw incompatible(a, b);
    return false;
  }
  if (a instanceof GoInt && b instanceof GoInt) return a.value === b.value;
  if (kindA !== 'none') return a === b;
  return equalOthers(a, b);
}

function equalOthers(a: unknown, b: unknown): boolean {
  if (a === null || b === null) return a === b;
  const sameKind = Array.isArray(a) === Array.isArray(b) && a instanceof GoStruct === b instanceof GoStruct;
  if (!sameKind) throw new FunctionError(`non-comparable types ${formatValue(a)}: ${typeName(a)}, ${typeName(b)}: ${formatValue(b)}`);
  if (a instanceof GoStruct && b instanceof GoStruct) return a === b || (a.text() !== undefined && a.goType === b.goType && a.text() === b.text());
  throw new FunctionError(`non-comparable type ${formatValue(b)}: ${typeName(b)}`);
}

export function less(a: unknown, b: unknown): boolean {
  const kindA = basicKind(a);
  const kindB = basicKind(b);
  if (kindA === 'none' || kindB === 'none') throw new FunctionError(INVALID);
  if (kindA !== kindB) throw incompatible(a, b);
  if (kindA === 'bool') throw new FunctionError(INVALID);
  if (a instanceof GoInt && b instanceof GoInt) return a.value < b.value;
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b) < 0;
  return (a as number) < (b as number);
}

export function lessOrEqual(a: unknown, b: unknown): boolean {
  return less(a, b) || equal(a, b);
}
