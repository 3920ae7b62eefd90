/**
 * Sets of fields of an object, as trees. An edge is a path element in its wire form (`f:spec`,
 * `k:{"name":"web"}`, `v:"x"`, `i:0`); a node says whether the path up to it is in the set. The root stands for
 * the whole object and is never a member itself. All operations return new sets. Rule: `FieldsV1` in the
 * Kubernetes API reference.
 */
import { isRecord } from '#base/json';

export interface FieldSet {
  readonly member: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

const NONE: ReadonlyMap<string, FieldSet> = new Map();
export const EMPTY_SET: FieldSet = { member: false, children: NONE };
const LEAF: FieldSet = { member: true, children: NONE };

export const isEmptySet = (set: FieldSet): boolean => !set.member && set.children.size === 0;

function node(member: boolean, children: Map<string, FieldSet>): FieldSet {
  if (children.size > 0) return { member, children };
  return member ? LEAF : EMPTY_SET;
}

/** Collects paths while a tree is walked; `freeze` ends it. */
export class FieldSetBuilder {
  #member = false;
  readonly #children = new Map<string, FieldSetBuilder>();

  add(path: readonly string[]): void {
    if (path.length > 0) this.#add(path, 0);
  }

  #add(path: readonly string[], from: number): void {
    const element = path[from];
    if (element === undefined) {
      this.#member = true;
      return;
    }
    let next = this.#children.get(element);
    if (!next) {
      next = new FieldSetBuilder();
      this.#children.set(element, next);
    }
    next.#add(path, from + 1);
  }

  freeze(): FieldSet {
    return node(this.#member, new Map([...this.#children].map(([element, child]) => [element, child.freeze()])));
  }
}

export function setOf(...paths: (readonly string[])[]): FieldSet {
  const builder = new FieldSetBuilder();
  for (const path of paths) builder.add(path);
  return builder.freeze();
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a)) return b;
  if (isEmptySet(b)) return a;
  const children = new Map(a.children);
  for (const [element, child] of b.children) {
    const existing = children.get(element);
    children.set(element, existing ? union(existing, child) : child);
  }
  return node(a.member || b.member, children);
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    const shared = other ? intersection(child, other) : EMPTY_SET;
    if (!isEmptySet(shared)) children.set(element, shared);
  }
  return node(a.member && b.member, children);
}

/** The paths of `a` that are not in `b`; what lies below a path of `b` stays. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(b)) return a;
  const children = new Map<string, FieldSet>();
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    const rest = other ? difference(child, other) : child;
    if (!isEmptySet(rest)) children.set(element, rest);
  }
  return node(a.member && !b.member, children);
}

/** Like {@link difference}, but a path of `b` takes everything below it along. */
export function differenceWithDescendants(a: FieldSet, b: FieldSet): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    const rest = !other ? child : other.member ? EMPTY_SET : differenceWithDescendants(child, other);
    if (!isEmptySet(rest)) children.set(element, rest);
  }
  return node(a.member && !b.member, children);
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  if (a.member !== b.member || a.children.size !== b.children.size) return false;
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (!other || !equalSets(child, other)) return false;
  }
  return true;
}

/** All paths, parents before children, siblings in sorted order. */
export function pathsOf(set: FieldSet): string[][] {
  const paths: string[][] = [];
  const visit = (current: FieldSet, prefix: string[]) => {
    if (current.member && prefix.length > 0) paths.push(prefix);
    for (const [element, child] of sorted(current)) visit(child, [...prefix, element]);
  };
  visit(set, []);
  return paths;
}

function sorted(set: FieldSet): [string, FieldSet][] {
  return [...set.children].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** The wire form, with sorted keys. */
export function toFieldsV1(set: FieldSet): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  if (set.member && set.children.size > 0) result['.'] = {};
  for (const [element, child] of sorted(set)) result[element] = toFieldsV1(child);
  return result;
}

/** Throws an `Error` for a key that is no path element. */
export function fromFieldsV1(fields: unknown): FieldSet {
  return parseNode(fields, false);
}

function parseNode(fields: unknown, inner: boolean): FieldSet {
  if (!isRecord(fields)) throw new Error('fieldsV1: an object is expected');
  const children = new Map<string, FieldSet>();
  let member = inner && Object.keys(fields).length === 0;
  for (const [key, value] of Object.entries(fields)) {
    if (key === '.') member = inner;
    else children.set(canonicalElement(key), parseNode(value, true));
  }
  return node(member, children);
}

function canonicalElement(key: string): string {
  if (key.startsWith('f:')) return key;
  if (key.startsWith('k:')) return keyElement(JSON.parse(key.slice(2)) as Record<string, unknown>);
  if (key.startsWith('v:') || key.startsWith('i:')) return `${key.slice(0, 2)}${JSON.stringify(JSON.parse(key.slice(2)))}`;
  throw new Error(`fieldsV1: unknown path element ${JSON.stringify(key)}`);
}

export const fieldElement = (name: string): string => `f:${name}`;
export const valueElement = (value: unknown): string => `v:${JSON.stringify(value)}`;

/** The element of a list item by its keys. */
export function keyElement(keys: Readonly<Record<string, unknown>>): string {
  const members = Object.keys(keys).sort().map((name) => `${JSON.stringify(name)}:${JSON.stringify(keys[name])}`);
  return `k:{${members.join(',')}}`;
}

/** A path as conflicts show it: `.spec.containers[name="a"].image`. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join('');
}

export function elementText(element: string): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case 'k': {
      const keys = JSON.parse(rest) as Record<string, unknown>;
      return `[${Object.keys(keys).map((name) => `${name}=${JSON.stringify(keys[name])}`).join(',')}]`;
    }
    case 'v':
      return `[=${rest}]`;
    case 'i':
      return `[${rest}]`;
    default:
      return `.${rest}`;
  }
}
