/** What Go writes for values that were never set. Rule: encoding/json and the struct tags of k8s.io/api. */
import type { GoField, Schema } from './types.ts';

/** The zero value of a builtin type as it stands on the wire. */
export function zeroOf(schema: Schema): unknown {
  switch (schema.go?.codec) {
    case 'quantity':
      return '0';
    case 'intOrString':
      return 0;
    case undefined:
      break;
    default:
      return null;
  }
  if (schema.go?.fields) return zeroStruct(schema, schema.go.fields);
  if (schema.type === 'string') return '';
  if (schema.type === 'integer' || schema.type === 'number') return 0;
  return schema.type === 'boolean' ? false : null;
}

function zeroStruct(schema: Schema, fields: ReadonlyMap<string, GoField>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, field] of fields) {
    const value = zeroField(schema.properties?.[name] ?? {}, field);
    if (value !== undefined) result[name] = value;
  }
  return result;
}

/** What is written for an absent field; undefined when nothing is. */
export function zeroField(schema: Schema, field: GoField): unknown {
  if (isStructLike(schema) && !field.pointer) return field.omitZero ? undefined : zeroOf(schema);
  if (!field.always) return undefined;
  return field.pointer ? null : zeroOf(schema);
}

/** Structs, and types with a codec of their own that are structs in Go: `omitempty` does not leave them out. */
function isStructLike({ go }: Schema): boolean {
  return go?.fields !== undefined || go?.codec === 'time' || go?.codec === 'microTime' || go?.codec === 'quantity' || go?.codec === 'intOrString';
}
