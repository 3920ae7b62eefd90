/** Structural equality and copying over Go values. */
import { GoInt, GoStruct, isMap, typed, typeName, type GoMap } from '../value.ts';

/** reflect.DeepEqual: types count, so int 1 and float64 1 differ. */
export function deepEqualGo(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || a === undefined || b === undefined) return (a ?? null) === (b ?? null);
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  if (typeName(a) !== typeName(b)) return false;
  if (a instanceof GoInt && b instanceof GoInt) return a.value === b.value;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return a.length === b.length && a.every((byte, i) => byte === b[i]);
  if (a instanceof GoStruct && b instanceof GoStruct) return a.text() !== undefined ? a.text() === b.text() : deepEqualGo(a.fields(), b.fields());
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => deepEqualGo(item, b[i]));
  return isMap(a) && isMap(b) && equalMaps(a, b);
}

function equalMaps(a: GoMap, b: GoMap): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && deepEqualGo(a[key], b[key]));
}

/** A copy that shares nothing mutable. */
export function deepCopyGo<T>(value: T): T {
  if (Array.isArray(value)) return keepType(value, value.map(deepCopyGo)) as T;
  if (!isMap(value)) return value;
  const copy: GoMap = {};
  for (const key of Object.keys(value)) Object.defineProperty(copy, key, { value: deepCopyGo(value[key]), writable: true, enumerable: true, configurable: true });
  return keepType(value, copy) as T;
}

function keepType<T extends object>(original: object, copy: T): T {
  const type = typeName(original);
  return type === '[]interface {}' || type === 'map[string]interface {}' ? copy : typed(copy, type);
}
