/**
 * Reads `facts.generated.json` (written by tools/gen-builtin-schemas.ts) and expands types into schemas on
 * first use. One process has one copy, however many servers it runs.
 *
 * The format. A type is `{n: definition, p: {field: F}, a: 1 for an atomic map}`; `F` is a type expression,
 * or `[expression, flags, extra]`. Expressions: `s` string, `b` boolean, `i` int32, `l` int64, `d` double,
 * `y` bytes, `t`/`u` time (seconds/microseconds), `q` quantity, `o` int or string, `f` field set, `r` any
 * object, `j` any value, `[X` list, `{X` map of strings to X, `#N` type number N, `AN`/`BN`/`SN` type N or a
 * list, boolean, names; `s:Name` a named Go string. Flags: `r` required, `!` written when empty, `z` left out when
 * zero, `*` pointer. Extra: `l` list type or map keys, `m` map type, `s` patch strategy, `k` merge key, `d`
 * default, `e` enum.
 */
import type { GoField, Schema } from '#apimachinery/schema';
import data from './facts.generated.json' with { type: 'json' };

interface Extra {
  l?: string | string[];
  m?: string;
  s?: string;
  k?: string;
  d?: unknown;
  e?: string[];
}

type FieldFacts = string | [string, string, Extra?];

interface TypeFacts {
  n: string;
  p?: Record<string, FieldFacts>;
  x?: string;
  a?: number;
}

export interface KindFacts {
  g: string;
  v: string;
  k: string;
  p: string;
  s: string;
  c?: number;
  b?: string;
  n?: string[];
  t?: string[];
  h?: string;
  u?: string[][];
  d: number;
}

interface Facts {
  kinds: KindFacts[];
  bodies: Record<string, number>;
  types: TypeFacts[];
}

const facts = data as unknown as Facts;
const expanded: (Schema | undefined)[] = [];

export const kindFacts: readonly KindFacts[] = facts.kinds;

/** Type number of a kind that is only a body, by `group/version/Kind`. */
export function bodyType(gvk: string): number | undefined {
  return facts.bodies[gvk];
}

/** OpenAPI definition name of a type. */
export function definitionName(type: number): string {
  return facts.types[type]?.n ?? '';
}

/** Last part of the Go package, as the codec prints it: `v1`. */
function packageOf(definition: string): string {
  return definition.split('.').at(-2) ?? '';
}

/** The schema of a type; the same object each time. */
export function schemaOfType(number: number): Schema {
  const known = expanded[number];
  if (known) return known;
  const type = facts.types[number];
  if (!type) throw new Error(`builtin type ${number} does not exist`);
  const name = type.n.slice(type.n.lastIndexOf('.') + 1);
  const fields = new Map<string, GoField>();
  const schema: Schema = { type: 'object', go: { definition: type.n, struct: name, type: `${packageOf(type.n)}.${name}`, fields } };
  expanded[number] = schema;
  if (type.a) schema['x-kubernetes-map-type'] = 'atomic';
  const properties: Record<string, Schema> = {};
  const required: string[] = [];
  schema.properties = properties;
  for (const [field, value] of Object.entries(type.p ?? {})) {
    const [expression, flags, extra] = typeof value === 'string' ? [value, ''] : value;
    if (flags.includes('r')) required.push(field);
    fields.set(field, { always: flags.includes('!'), omitZero: flags.includes('z'), pointer: flags.includes('*') });
    properties[field] = withExtra(expand(expression, packageOf(type.n)), extra, flags);
  }
  if (required.length > 0) schema.required = required;
  return schema;
}

const LEAVES: Readonly<Record<string, Schema>> = {
  b: { type: 'boolean', go: { type: 'bool' } },
  i: { type: 'integer', format: 'int32', go: { type: 'int32' } },
  l: { type: 'integer', format: 'int64', go: { type: 'int64' } },
  d: { type: 'number', format: 'double', go: { type: 'float64' } },
  y: { type: 'string', format: 'byte', go: { type: '[]uint8', codec: 'bytes' } },
  t: { type: 'string', format: 'date-time', go: { type: 'v1.Time', codec: 'time' } },
  u: { type: 'string', format: 'date-time', go: { type: 'v1.MicroTime', codec: 'microTime' } },
  q: { 'x-kubernetes-int-or-string': true, go: { type: 'resource.Quantity', codec: 'quantity' } },
  o: { 'x-kubernetes-int-or-string': true, format: 'int-or-string', go: { type: 'intstr.IntOrString', codec: 'intOrString' } },
  f: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, go: { type: 'v1.FieldsV1', codec: 'any' } },
  r: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, go: { type: 'runtime.RawExtension', codec: 'any' } },
  j: { 'x-kubernetes-preserve-unknown-fields': true, go: { type: 'v1.JSON', codec: 'any' } },
};
const strings = new Map<string, Schema>();

function expand(expression: string, goPackage: string): Schema {
  const leaf = LEAVES[expression];
  if (leaf) return leaf;
  const rest = expression.slice(1);
  switch (expression[0]) {
    case 's':
    case 'y':
      return stringSchema(rest.slice(1), goPackage);
    case '#':
      return schemaOfType(Number(rest));
    case '[': {
      const items = expand(rest, goPackage);
      return { type: 'array', items, go: { type: `[]${items.go?.type ?? 'string'}` } };
    }
    case '{': {
      const additionalProperties = expand(rest, goPackage);
      return { type: 'object', additionalProperties, go: { type: `map[string]${additionalProperties.go?.type ?? 'string'}` } };
    }
    case 'A':
      return { ...schemaOfType(Number(rest)), go: { type: 'v1.JSONSchemaPropsOrArray', codec: 'schemaOrList' }, items: schemaOfType(Number(rest)) };
    case 'B':
      return { ...schemaOfType(Number(rest)), go: { type: 'v1.JSONSchemaPropsOrBool', codec: 'schemaOrBoolean' }, items: schemaOfType(Number(rest)) };
    case 'S':
      return { ...schemaOfType(Number(rest)), go: { type: 'v1.JSONSchemaPropsOrStringArray', codec: 'schemaOrNames' }, items: schemaOfType(Number(rest)) };
    default:
      throw new Error(`type expression ${JSON.stringify(expression)} is not known`);
  }
}

function stringSchema(name: string, goPackage: string): Schema {
  const type = name ? `${name === 'UID' ? 'types' : goPackage}.${name}` : 'string';
  let schema = strings.get(type);
  if (!schema) {
    schema = { type: 'string', go: { type } };
    strings.set(type, schema);
  }
  return schema;
}

/** What one field adds to the type of its value. A key without a default of its own counts as empty when absent. */
function withExtra(schema: Schema, extra: Extra | undefined, flags: string): Schema {
  const zero = flags.includes('!') && !flags.includes('*') ? zeroDefault(schema) : undefined;
  if (!extra && zero === undefined) return schema;
  const copy: Schema = { ...schema };
  if (zero !== undefined) copy.default = zero;
  if (typeof extra?.l === 'string') copy['x-kubernetes-list-type'] = extra.l as 'atomic' | 'set';
  if (Array.isArray(extra?.l)) {
    copy['x-kubernetes-list-type'] = 'map';
    copy['x-kubernetes-list-map-keys'] = extra.l;
  }
  if (extra?.m) copy['x-kubernetes-map-type'] = extra.m as 'atomic' | 'granular';
  if (extra?.s) copy['x-kubernetes-patch-strategy'] = extra.s;
  if (extra?.k) copy['x-kubernetes-patch-merge-key'] = extra.k;
  if (extra?.d !== undefined) copy.default = extra.d;
  if (extra?.e) copy.enum = extra.e;
  return copy;
}

function zeroDefault(schema: Schema): unknown {
  if (schema.go?.codec) return undefined;
  if (schema.type === 'string') return '';
  if (schema.type === 'integer' || schema.type === 'number') return 0;
  return schema.type === 'boolean' ? false : undefined;
}
