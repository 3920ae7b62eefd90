/**
 * A few words with which the schemas of our kinds are written: each returns a node of an OpenAPI v3
 * structural schema (KEP-1693). Kept tiny on purpose; what it cannot say is written as a literal.
 */

export interface SchemaNode {
  type?: 'object' | 'array' | 'string' | 'integer' | 'boolean' | 'number';
  description?: string;
  properties?: Record<string, SchemaNode>;
  additionalProperties?: SchemaNode;
  items?: SchemaNode;
  required?: string[];
  enum?: string[];
  format?: string;
  nullable?: boolean;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  'x-kubernetes-preserve-unknown-fields'?: true;
  'x-kubernetes-int-or-string'?: true;
  'x-kubernetes-map-type'?: 'atomic';
  'x-kubernetes-validations'?: { rule: string; message: string }[];
}

export const string: SchemaNode = { type: 'string' };
export const bool: SchemaNode = { type: 'boolean' };
export const int: SchemaNode = { type: 'integer' };
export const int64: SchemaNode = { type: 'integer', format: 'int64' };
export const dateTime: SchemaNode = { type: 'string', format: 'date-time' };
/** Free-form object, kept as it is. */
export const free: SchemaNode = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
/** Anything at all, kept as it is. */
export const any: SchemaNode = { 'x-kubernetes-preserve-unknown-fields': true };
export const intOrString: SchemaNode = { 'x-kubernetes-int-or-string': true };
export const strings: SchemaNode = { type: 'array', items: string };
export const stringMap: SchemaNode = { type: 'object', additionalProperties: string };

export function object(properties: Record<string, SchemaNode>, ...required: string[]): SchemaNode {
  return { type: 'object', properties, ...(required.length ? { required } : {}) };
}

export function list(items: SchemaNode): SchemaNode {
  return { type: 'array', items };
}

export function map(value: SchemaNode): SchemaNode {
  return { type: 'object', additionalProperties: value };
}

export function nullable(node: SchemaNode): SchemaNode {
  return { ...node, nullable: true };
}

export function oneOf(...values: string[]): SchemaNode {
  return { type: 'string', enum: values };
}

export function described(description: string, node: SchemaNode): SchemaNode {
  return { ...node, description };
}

/**
 * A duration of Fleet's API: "0" or a Go duration without days, at most 2562047h (facts: Fleet CRDs, CEL rule).
 */
export const duration: SchemaNode = {
  type: 'string',
  minLength: 1,
  maxLength: 32,
  'x-kubernetes-validations': [
    {
      rule: "self == '0' || self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$')",
      message: 'must be "0" or a duration with units ns, us, ms, s, m, h, such as "15s" or "1h30m"',
    },
  ],
};

export const labelSelector: SchemaNode = nullable({
  ...object({
    matchLabels: stringMap,
    matchExpressions: list(object({ key: string, operator: string, values: strings }, 'key', 'operator')),
  }),
  'x-kubernetes-map-type': 'atomic',
});

export const conditions: SchemaNode = list(
  object(
    { type: string, status: string, reason: string, message: string, lastUpdateTime: string, lastTransitionTime: string, observedGeneration: int64 },
    'type',
    'status',
  ),
);
