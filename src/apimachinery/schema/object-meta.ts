/** The schema of `metadata`, which every object has whatever its own schema says. Rule: metav1.ObjectMeta. */
import type { Schema } from './types.ts';

const text: Schema = { type: 'string' };
const texts: Schema = { type: 'object', additionalProperties: text };

export const OBJECT_META_SCHEMA: Schema = {
  type: 'object',
  properties: {
    name: text,
    generateName: text,
    namespace: text,
    selfLink: text,
    uid: text,
    resourceVersion: text,
    generation: { type: 'integer', format: 'int64' },
    creationTimestamp: { type: 'string', format: 'date-time' },
    deletionTimestamp: { type: 'string', format: 'date-time' },
    deletionGracePeriodSeconds: { type: 'integer', format: 'int64' },
    labels: texts,
    annotations: texts,
    ownerReferences: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      items: {
        type: 'object',
        'x-kubernetes-map-type': 'atomic',
        properties: { apiVersion: text, kind: text, name: text, uid: text, controller: { type: 'boolean' }, blockOwnerDeletion: { type: 'boolean' } },
      },
    },
    finalizers: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
    managedFields: {
      type: 'array',
      items: {
        type: 'object',
        properties: { manager: text, operation: text, apiVersion: text, time: text, fieldsType: text, fieldsV1: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, subresource: text },
      },
    },
  },
};

const complete = new WeakMap<Schema, Schema>();

/** The schema of a whole object: `apiVersion`, `kind` and `metadata` are always there, and always the same. */
export function withObjectMeta(schema: Schema): Schema {
  // Builtin kinds have typed metadata already.
  if (schema.go) return schema;
  let result = complete.get(schema);
  if (!result) {
    result = { ...schema, type: 'object', properties: { ...schema.properties, apiVersion: text, kind: text, metadata: OBJECT_META_SCHEMA } };
    complete.set(schema, result);
  }
  return result;
}
