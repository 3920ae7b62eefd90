/** Values of objects as CEL sees them: integers are 64 bits wide, times are times, names that CEL cannot spell are escaped. */
import { isRecord } from '#base/json';
import { hasFormat } from './formats.ts';
import type { Schema } from './types.ts';

const RESERVED = new Set(['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while']);

/** A field's name in rules. Rule: kubernetes.io "Escaping"; names it cannot express are left out (`undefined`). */
export function celName(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  const escaped = name.replace(/__/g, '__underscores__').replace(/\./g, '__dot__').replace(/-/g, '__dash__').replace(/\//g, '__slash__');
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(escaped) ? escaped : undefined;
}

export function toCel(schema: Schema, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number') return schema.type === 'number' ? value : Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value === 'string') return textToCel(schema, value);
  if (Array.isArray(value)) return value.map((item) => toCel(schema.items ?? {}, item));
  return isRecord(value) ? mapToCel(schema, value) : value;
}

function textToCel(schema: Schema, value: string): unknown {
  if ((schema.format === 'date-time' || schema.format === 'date') && hasFormat(schema.format, value)) return new Date(schema.format === 'date' ? `${value}T00:00:00Z` : value);
  if (schema.format === 'byte') return new Uint8Array(Array.from(atob(value), (char) => char.charCodeAt(0)));
  return value;
}

function mapToCel(schema: Schema, object: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const isMap = !schema.properties && schema.type === 'object';
  for (const [name, member] of Object.entries(object)) {
    if (member === undefined) continue;
    const property = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    const element = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {};
    // Keys of maps are values, not names: they keep their spelling.
    const key = isMap ? name : celName(name);
    if (key !== undefined) Object.defineProperty(result, key, { value: toCel(property ?? element, member), enumerable: true, configurable: true, writable: true });
  }
  return result;
}
