/**
 * Go values as JavaScript holds them.
 *
 *   Go                         here
 *   nil interface              null
 *   no value (reflect.Value{}) undefined
 *   bool, string, float64      boolean, string, number
 *   int, int64, uint, …        GoInt
 *   []any, map[string]any      array, plain object; other element types carry a hidden type name
 *   []byte                     Uint8Array
 *   structs and named types    GoStruct
 *
 * A YAML or JSON number is a float64 for Helm, hence a plain number here: values come in as plain data and
 * leave as plain data.
 *
 * Go strings are bytes. A byte that is not UTF-8 is kept as a lone surrogate U+DC80–U+DCFF, so that
 * cutting a string in the middle of a character loses nothing.
 */

export type IntKind = 'int' | 'int8' | 'int16' | 'int32' | 'int64' | 'uint' | 'uint8' | 'uint16' | 'uint32' | 'uint64';

/** An integer with its Go type. Values wrap around as Go's do. */
export class GoInt {
  readonly kind: IntKind;
  readonly value: bigint;
  /** A named type, e.g. `time.Duration`. */
  readonly named: string | undefined;

  constructor(value: bigint | number, kind: IntKind = 'int', named?: string) {
    const bits = intBits(kind);
    const exact = typeof value === 'bigint' ? value : BigInt(Math.trunc(value));
    this.value = kind.startsWith('u') ? BigInt.asUintN(bits, exact) : BigInt.asIntN(bits, exact);
    this.kind = kind;
    this.named = named;
  }

  get unsigned(): boolean {
    return this.kind.startsWith('u');
  }

  number(): number {
    return Number(this.value);
  }

  /** JSON and template text. */
  toString(): string {
    return this.value.toString();
  }

  toJSON(): number {
    return Number(this.value);
  }
}

function intBits(kind: IntKind): number {
  const digits = /\d+$/.exec(kind);
  return digits ? Number(digits[0]) : 64;
}

export function int(value: number | bigint): GoInt {
  return new GoInt(value, 'int');
}

export function int64(value: number | bigint): GoInt {
  return new GoInt(value, 'int64');
}

/** Types a function parameter may have; see {@link assignable}. */
export type ParamType = string;

export interface GoFunction {
  readonly params: readonly ParamType[];
  /** The last parameter repeats. */
  readonly variadic: boolean;
  readonly call: (...args: never[]) => unknown;
}

/** A Go struct, or a named type with methods, as templates see it. */
export abstract class GoStruct {
  /** `time.Time`, `*semver.Version`. */
  abstract readonly goType: string;
  /** What kindOf says. */
  readonly goKind: string = 'struct';
  /** Exported fields in order of declaration. */
  fields(): Readonly<Record<string, unknown>> {
    return {};
  }
  method(_name: string): GoFunction | undefined {
    return undefined;
  }
  /** The String or Error method; `undefined` prints the fields. */
  text(): string | undefined {
    return undefined;
  }
  /** What JSON makes of it. */
  json(): unknown {
    return this.fields();
  }
  truth(): boolean {
    return true;
  }
}

const GO_TYPE = Symbol('go type');

/** Marks an array or object with a Go type other than `[]interface {}` or `map[string]interface {}`. */
export function typed<T extends object>(collection: T, goType: string): T {
  Object.defineProperty(collection, GO_TYPE, { value: goType, configurable: true });
  return collection;
}

export function strings(list: readonly string[]): string[] {
  return typed([...list], '[]string');
}

/** A slice that is nil: prints as `[]`, but is null in JSON and YAML. */
export const NIL_SLICE: readonly unknown[] = Object.freeze([]);

export type GoMap = Record<string, unknown>;

export function isMap(value: unknown): value is GoMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof GoInt) && !(value instanceof GoStruct) && !(value instanceof Uint8Array);
}

export function typeName(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
      return 'float64';
    case 'object':
      return objectType(value);
    default:
      return '<nil>';
  }
}

function objectType(value: object | null): string {
  if (value === null) return '<nil>';
  if (value instanceof GoInt) return value.named ?? value.kind;
  if (value instanceof GoStruct) return value.goType;
  if (value instanceof Uint8Array) return '[]uint8';
  const marked = (value as Record<symbol, unknown>)[GO_TYPE];
  if (typeof marked === 'string') return marked;
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

export function kindName(value: unknown): string {
  if (value === null || value === undefined) return 'invalid';
  if (value instanceof GoInt) return value.kind;
  if (value instanceof GoStruct) return value.goKind;
  if (Array.isArray(value) || value instanceof Uint8Array) return 'slice';
  if (typeof value === 'object') return 'map';
  return typeName(value);
}

/** The element type of a typed collection, to know what a missing entry is. */
export function elementType(collection: object): string {
  return objectType(collection).replace(/^(?:map\[[^\]]*\]|\[\])/, '');
}

/** The zero value of a type, as an absent map entry yields it. */
export function zeroOf(type: string): unknown {
  switch (type) {
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'int':
      return int(0);
    case 'float64':
      return 0;
    case 'engine.files':
    case 'uint8':
      return new Uint8Array();
    default:
      return null;
  }
}

export function isTrue(value: unknown): boolean {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string':
      return value !== '';
    case 'number':
      return value !== 0;
    case 'object':
      return objectTruth(value);
    default:
      return false;
  }
}

function objectTruth(value: object | null): boolean {
  if (value === null) return false;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length > 0;
  if (value instanceof GoInt) return value.value !== 0n;
  if (value instanceof GoStruct) return value.truth();
  for (const _ in value) return true;
  return false;
}

/** Go's string order: by UTF-8 bytes, which is by code point. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

// Surrogates stand for characters above U+FFFF and sort after the rest of the basic plane.
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

export function sortedKeys(map: GoMap): string[] {
  return Object.keys(map).sort(compareStrings);
}

/** Assignment that cannot reach a prototype. */
export function setKey(map: GoMap, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
  else map[key] = value;
}

export function getKey(map: GoMap, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
