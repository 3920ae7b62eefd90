/** Sprig's lists. Functions never change their argument; must-variants report what the others panic about. */
import { FunctionError } from '../errors.ts';
import { fn, type FunctionTable } from '../functions.ts';
import { compareStrings, elementType, GoInt, kindName, NIL_SLICE, strings, typed, typeName } from '../value.ts';
import { deepEqualGo } from './deep.ts';
import { isEmpty, strslice, strval, toNumber } from './cast.ts';

type List = readonly unknown[];

/** A function under its name and its must-name; both fail alike here, because Sprig's panics are errors too. */
function both(name: string, table: FunctionTable[string]): FunctionTable {
  return { [name]: table, [`must${name[0]?.toUpperCase()}${name.slice(1)}`]: table };
}

export const LIST_FUNCTIONS: FunctionTable = {
  tuple: fn(['...any'], (...items: unknown[]) => items),
  list: fn(['...any'], (...items: unknown[]) => items),
  ...both('append', fn(['any', 'any'], (list: unknown, item: unknown) => [...asList(list, 'Cannot push on type'), item])),
  ...both('push', fn(['any', 'any'], (list: unknown, item: unknown) => [...asList(list, 'Cannot push on type'), item])),
  ...both('prepend', fn(['any', 'any'], (list: unknown, item: unknown) => [item, ...asList(list, 'Cannot prepend on type')])),
  ...both('first', fn(['any'], (list: unknown) => asList(list, 'Cannot find first on type')[0] ?? null)),
  ...both('last', fn(['any'], (list: unknown) => asList(list, 'Cannot find last on type').at(-1) ?? null)),
  ...both('rest', fn(['any'], (list: unknown) => orNil(list, asList(list, 'Cannot find rest on type').slice(1)))),
  ...both('initial', fn(['any'], (list: unknown) => orNil(list, asList(list, 'Cannot find initial on type').slice(0, -1)))),
  ...both('reverse', fn(['any'], (list: unknown) => [...asList(list, 'Cannot find reverse on type')].reverse())),
  ...both('compact', fn(['any'], (list: unknown) => asList(list, 'Cannot compact on type').filter((item) => !isEmpty(item)))),
  ...both('uniq', fn(['any'], (list: unknown) => unique(asList(list, 'Cannot find uniq on type')))),
  ...both('without', fn(['any', '...any'], (list: unknown, ...omit: unknown[]) => asList(list, 'Cannot find without on type').filter((item) => !omit.some((other) => deepEqualGo(item, other))))),
  ...both('has', fn(['any', 'any'], (needle: unknown, list: unknown) => list !== null && asList(list, 'Cannot find has on type').some((item) => deepEqualGo(item, needle)))),
  ...both('slice', fn(['any', '...any'], slice)),
  ...both('chunk', fn(['int', 'any'], (size: GoInt, list: unknown) => chunk(size.number(), asList(list, 'Cannot chunk type')))),
  concat: fn(['...any'], (...lists: unknown[]) => lists.flatMap((list) => asList(list, 'Cannot concat type', ' as list'))),
  sortAlpha: fn(['any'], (list: unknown) => strings(Array.isArray(list) ? strslice(list).sort(compareStrings) : [strval(list)])),
  all: fn(['...any'], (...values: unknown[]) => values.every((value) => !isEmpty(value))),
  any: fn(['...any'], (...values: unknown[]) => values.some((value) => !isEmpty(value))),
  coalesce: fn(['...any'], (...values: unknown[]) => values.find((value) => !isEmpty(value)) ?? null),
};

function asList(value: unknown, problem: string, ending = ''): List {
  if (Array.isArray(value)) return value;
  if (value instanceof Uint8Array) return Array.from(value, (byte) => new GoInt(byte, 'uint8'));
  throw new FunctionError(value === null ? `${problem} nil${ending}` : `${problem} ${kindName(value)}${ending}`);
}

/** What is left of an empty list is nil. */
function orNil(list: unknown, rest: List): List {
  return Array.isArray(list) && list.length === 0 ? NIL_SLICE : rest;
}

function unique(list: List): unknown[] {
  const kept: unknown[] = [];
  for (const item of list) if (!kept.some((other) => deepEqualGo(item, other))) kept.push(item);
  return kept;
}

function slice(list: unknown, ...indexes: unknown[]): unknown {
  const items = asList(list, 'list should be type of slice or array but');
  if (items.length === 0) return null;
  const start = indexes.length > 0 ? toNumber(indexes[0]) : 0;
  const end = indexes.length > 1 ? toNumber(indexes[1]) : items.length;
  if (start < 0 || end < start || end > items.length) throw new FunctionError('reflect.Value.Slice: slice index out of bounds');
  const part = items.slice(start, end);
  return Array.isArray(list) && elementType(list) !== 'interface {}' ? typed(part, typeName(list)) : part;
}

function chunk(size: number, list: List): unknown[] {
  if (size < 1) throw new FunctionError('runtime error: integer divide by zero');
  const chunks: unknown[] = [];
  for (let i = 0; i < list.length; i += size) chunks.push(list.slice(i, i + size));
  return typed(chunks, '[][]interface {}');
}

