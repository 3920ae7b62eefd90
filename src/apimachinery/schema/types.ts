/**
 * The schema of an object: the part of OpenAPI v3 that Kubernetes calls *structural*, with its
 * `x-kubernetes-*` extensions. The `openAPIV3Schema` of a CustomResourceDefinition is such a value as it
 * stands; builtin kinds get theirs from generated facts (`#api/builtin`), where types refer to each other
 * and the graph may have cycles. A schema is immutable once handed out.
 */

export interface ValidationRule {
  rule: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

export interface Schema {
  type?: string;
  format?: string;
  title?: string;
  description?: string;
  default?: unknown;
  nullable?: boolean;
  enum?: unknown[];
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  required?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  not?: Schema;
  externalDocs?: unknown;
  example?: unknown;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: 'granular' | 'atomic';
  'x-kubernetes-validations'?: ValidationRule[];
  /** Builtin kinds only: how strategic merge treats the list or map (`merge`, `replace`, `retainKeys`, comma-separated). */
  'x-kubernetes-patch-strategy'?: string;
  'x-kubernetes-patch-merge-key'?: string;
  /** Builtin kinds only: what Go's JSON codec does with values of this type. */
  go?: GoFacts;
}

/**
 * What the wire form of a builtin kind owes to the Go struct behind it: names for error messages, and
 * which fields are written although they are empty.
 */
export interface GoFacts {
  /** Full name of a struct in OpenAPI documents, e.g. `io.k8s.api.apps.v1.DeploymentSpec`. */
  definition?: string;
  /** Struct name without package, e.g. `DeploymentSpec`; absent for types that are no structs. */
  struct?: string;
  /** The type as the codec prints it in errors, e.g. `v1.Container`, `int32`. */
  type: string;
  /** Types with a JSON form of their own. */
  codec?: 'time' | 'microTime' | 'quantity' | 'intOrString' | 'bytes' | 'any' | 'schemaOrList' | 'schemaOrBoolean' | 'schemaOrNames';
  /** Structs only, in the order in which Go writes them. */
  fields?: Map<string, GoField>;
}

export interface GoField {
  /** Written even when empty (no `omitempty`). */
  always: boolean;
  /** Left out when all of a nested struct is empty (`omitzero`). */
  omitZero: boolean;
  /** A pointer: absent and empty are two things. */
  pointer: boolean;
}
