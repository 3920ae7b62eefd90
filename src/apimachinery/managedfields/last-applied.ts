/**
 * Living together with `kubectl apply` of the client-side kind, which keeps what it applied in an annotation.
 * Rule: Kubernetes "Server-Side Apply", "Migration between client-side and server-side apply".
 */
import { isRecord } from '#base/json';
import type { Unstructured } from '../meta/index.ts';
import type { Schema } from '../schema/types.ts';
import { difference, type FieldSet } from './field-set.ts';
import { compareTyped, toFieldSet } from './typed.ts';

/** The only manager these rules are for. */
export const KUBECTL = 'kubectl';
export const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
/** Bytes of all annotations that a server takes; a longer annotation is left empty. */
const ANNOTATION_SIZE_MAX = 256 * 1024;

/** Fields the annotation lists that still have the values it lists; undefined without a usable annotation. */
export function allowedByLastApplied(live: Unstructured, schema: Schema, apiVersion: string): FieldSet | undefined {
  const text = live.metadata.annotations?.[LAST_APPLIED_ANNOTATION];
  if (!text) return undefined;
  try {
    const applied: unknown = JSON.parse(text);
    if (!isRecord(applied) || applied['apiVersion'] !== apiVersion) return undefined;
    const { added, modified, removed } = compareTyped(schema, applied, live);
    return difference(difference(difference(toFieldSet(schema, applied), modified), added), removed);
  } catch {
    return undefined;
  }
}

/** Keeps an existing annotation current, so that a later client-side apply knows what was applied last. */
export function withLastApplied(object: Unstructured, applied: Unstructured): Unstructured {
  const annotations = object.metadata.annotations;
  if (annotations?.[LAST_APPLIED_ANNOTATION] === undefined) return object;
  const { [LAST_APPLIED_ANNOTATION]: _gone, ...rest } = applied.metadata.annotations ?? {};
  const clean = { ...applied, metadata: { ...applied.metadata, ...(applied.metadata.annotations ? { annotations: rest } : {}) } };
  const text = `${JSON.stringify(clean)}\n`;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [LAST_APPLIED_ANNOTATION]: text.length > ANNOTATION_SIZE_MAX ? '' : text } } };
}
