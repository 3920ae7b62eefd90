/**
 * Objects seen through their schema: which fields they have, how two of them differ, how one merges into
 * another, and one without some of its fields. The four walks behind server-side apply. Rule: Kubernetes
 * "Server-Side Apply"; recorded answers of a real server.
 */
import { deepClone, deepEqual, isRecord } from '#base/json';
import type { Schema } from '../schema/types.ts';
import { atomOf, isDeclaredField, itemElement, memberSchema, UNKNOWN_SCHEMA, type Atom } from './atom.ts';
import { EMPTY_SET, FieldSetBuilder, fieldElement, type FieldSet } from './field-set.ts';

type ListAtom = Extract<Atom, { kind: 'list' }>;

const memberOf = (schema: Schema, name: string): Schema => memberSchema(schema, name) ?? UNKNOWN_SCHEMA;
const isEmptyValue = (value: unknown): boolean => value === null || value === undefined || (Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0);

/** Items with their elements; an item that occurs twice is one entry with several values. */
function itemsByElement(atom: ListAtom, list: unknown): Map<string, unknown[]> {
  const result = new Map<string, unknown[]>();
  for (const item of Array.isArray(list) ? (list as unknown[]) : []) {
    const element = itemElement(atom, item);
    const values = result.get(element);
    if (values) values.push(item);
    else result.set(element, [item]);
  }
  return result;
}

// --- the fields of a value ----------------------------------------------------------------------------

export function toFieldSet(schema: Schema, value: unknown): FieldSet {
  const builder = new FieldSetBuilder();
  collect(schema, value, [], builder);
  return builder.freeze();
}

function collect(schema: Schema, value: unknown, path: readonly string[], into: FieldSetBuilder): void {
  const atom = atomOf(schema, value);
  if (atom.kind === 'scalar' || atom.atomic) return into.add(path);
  if (atom.kind === 'list') {
    for (const [element, values] of itemsByElement(atom, value)) {
      const itemPath = [...path, element];
      if (values.length === 1) collect(atom.items, values[0], itemPath, into);
      into.add(itemPath);
    }
  } else if (isRecord(value)) {
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined) continue;
      const memberPath = [...path, fieldElement(name)];
      collect(memberOf(atom.schema, name), member, memberPath, into);
      if (member === null || (isRecord(member) && Object.keys(member).length === 0) || !isDeclaredField(atom.schema, name)) into.add(memberPath);
    }
  }
}

/** The set with every declared field that has descendants in it: removing such a field's content removes the field. */
export function withDeclaredParents(set: FieldSet, schema: Schema): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [element, child] of set.children) {
    const name = element.slice(2);
    const isField = element.startsWith('f:');
    const below = isField ? (memberSchema(schema, name) ?? UNKNOWN_SCHEMA) : (schema.items ?? UNKNOWN_SCHEMA);
    const inner = withDeclaredParents(child, below);
    children.set(element, isField && child.children.size > 0 && isDeclaredField(schema, name) ? { member: true, children: inner.children } : inner);
  }
  return { member: set.member, children };
}

// --- differences --------------------------------------------------------------------------------------

export interface Comparison {
  added: FieldSet;
  modified: FieldSet;
  removed: FieldSet;
}

interface Difference {
  added: FieldSetBuilder;
  modified: FieldSetBuilder;
  removed: FieldSetBuilder;
}

export function compareTyped(schema: Schema, before: unknown, after: unknown): Comparison {
  const difference: Difference = { added: new FieldSetBuilder(), modified: new FieldSetBuilder(), removed: new FieldSetBuilder() };
  compareAt(schema, { before, after, path: [] }, difference);
  return { added: difference.added.freeze(), modified: difference.modified.freeze(), removed: difference.removed.freeze() };
}

interface Pair {
  before: unknown;
  after: unknown;
  path: readonly string[];
}

function compareAt(schema: Schema, pair: Pair, out: Difference): void {
  const { before, after, path } = pair;
  if (before === after) return;
  const atom = atomOf(schema, after ?? before);
  const leaf = atom.kind === 'scalar' || atom.atomic || (isEmptyValue(before) && isEmptyValue(after)) || isMixed(schema, before, after);
  if (leaf) {
    if (before !== undefined && after !== undefined && !deepEqual(before, after)) out.modified.add(path);
  } else if (atom.kind === 'list') {
    compareItems(atom, pair, out);
  } else {
    const left = isRecord(before) ? before : {};
    const right = isRecord(after) ? after : {};
    for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
      compareAt(memberOf(atom.schema, name), { before: left[name], after: right[name], path: [...path, fieldElement(name)] }, out);
    }
  }
  if (before === undefined) out.added.add(path);
  else if (after === undefined) out.removed.add(path);
}

/** Where the schema leaves the type open, a change of shape changes the whole. */
function isMixed(schema: Schema, before: unknown, after: unknown): boolean {
  if (isEmptyValue(before) || isEmptyValue(after)) return false;
  return atomOf(schema, before).kind !== atomOf(schema, after).kind;
}

function compareItems(atom: ListAtom, { before, after, path }: Pair, out: Difference): void {
  const left = itemsByElement(atom, before);
  const right = itemsByElement(atom, after);
  for (const element of new Set([...left.keys(), ...right.keys()])) {
    const old = left.get(element) ?? [];
    const now = right.get(element) ?? [];
    const itemPath = [...path, element];
    if (old.length <= 1 && now.length <= 1) {
      compareAt(atom.items, { before: old[0], after: now[0], path: itemPath }, out);
    } else if (old.length >= 2 && now.length >= 2) {
      if (!deepEqual(old, now)) out.modified.add(itemPath);
    } else if (old.length >= 2) {
      if (now.length > 0) compareAt(atom.items, { before: undefined, after: now[0], path: itemPath }, out);
      out.removed.add(itemPath);
    } else {
      if (old.length > 0) compareAt(atom.items, { before: old[0], after: undefined, path: itemPath }, out);
      out.added.add(itemPath);
    }
  }
}

// --- merging ------------------------------------------------------------------------------------------

/** `live` overlaid with `applied`; neither is changed. Throws an `Error` for list items without keys. */
export function mergeTyped(schema: Schema, live: unknown, applied: unknown): unknown {
  if (applied === undefined) return live;
  if (live === undefined) return deepClone(applied);
  const atom = atomOf(schema, applied);
  const leaf = atom.kind === 'scalar' || atom.atomic || (isEmptyValue(live) && isEmptyValue(applied)) || isMixed(schema, live, applied);
  if (leaf) return deepClone(applied);
  if (atom.kind === 'list') return mergeItems(atom, live, applied);
  const result: Record<string, unknown> = isRecord(live) ? { ...live } : {};
  for (const [name, member] of Object.entries(isRecord(applied) ? applied : {})) {
    if (member !== undefined) result[name] = mergeTyped(memberOf(atom.schema, name), result[name], member);
  }
  return result;
}

/**
 * The order of a merged list: items of both stand in the applied order, each live-only item stays where it
 * is relative to the shared items before it, and applied-only items follow their predecessors.
 */
function mergeItems(atom: ListAtom, live: unknown, applied: unknown): unknown[] {
  const liveItems = (Array.isArray(live) ? (live as unknown[]) : []).map((item) => ({ item, element: itemElement(atom, item) }));
  const appliedItems = (Array.isArray(applied) ? (applied as unknown[]) : []).map((item) => ({ item, element: itemElement(atom, item) }));
  const left = itemsByElement(atom, live);
  const right = new Set(appliedItems.map(({ element }) => element));
  const shared = appliedItems.filter(({ element }) => left.has(element)).map(({ element }) => element);
  const merged = new Set<string>();
  const result: unknown[] = [];
  const takeApplied = ({ item, element }: { item: unknown; element: string }) => {
    const same = left.get(element) ?? [];
    merged.add(element);
    result.push(mergeTyped(atom.items, same.length === 1 ? same[0] : undefined, item));
    if (shared[0] === element) shared.shift();
  };
  let l = 0;
  let r = 0;
  while (l < liveItems.length || r < appliedItems.length) {
    const mine = liveItems[l];
    const theirs = appliedItems[r];
    if (mine && theirs && mine.element === theirs.element) {
      takeApplied(theirs);
      l += 1;
      r += 1;
    } else if (mine && theirs && right.has(mine.element) && shared[0] !== undefined && shared[0] !== mine.element) {
      l += 1;
    } else if (mine && !right.has(mine.element)) {
      result.push(mine.item);
      l += 1;
    } else {
      if (mine && merged.has(mine.element)) l += 1;
      if (theirs) {
        takeApplied(theirs);
        r += 1;
      }
    }
  }
  return result;
}

// --- removing -----------------------------------------------------------------------------------------

/** The value without the fields of the set. A container that loses its last member stays, empty. */
export function removeFields(schema: Schema, value: unknown, gone: FieldSet): unknown {
  if (gone.children.size === 0) return value;
  const atom = atomOf(schema, value);
  if (atom.kind === 'scalar') return value;
  if (atom.atomic) return Array.isArray(value) ? [] : {};
  if (atom.kind === 'list') {
    return (Array.isArray(value) ? (value as unknown[]) : []).flatMap((item) => {
      const sub = gone.children.get(itemElement(atom, item)) ?? EMPTY_SET;
      return sub.member ? [] : [removeFields(atom.items, item, sub)];
    });
  }
  if (!isRecord(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const sub = gone.children.get(fieldElement(name)) ?? EMPTY_SET;
    if (!sub.member) result[name] = removeFields(memberOf(atom.schema, name), member, sub);
  }
  return result;
}
