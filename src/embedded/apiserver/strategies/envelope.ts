/** What every document must be before anybody looks at its kind: an object whose type fields are text. */
import { isRecord } from '#base/json';
import type { Unstructured } from '#apimachinery/meta';
import { DecodeFailure } from '../registry/types.ts';

/** The document as an object; throws {@link DecodeFailure} in the words of Go's codec. */
export function checkEnvelope(document: unknown): Unstructured {
  const refuse = (value: unknown, where: string) => new DecodeFailure(`couldn't get version/kind; json parse error: json: cannot unmarshal ${goKind(value)} into Go ${where}`);
  if (!isRecord(document)) throw refuse(document, 'value of type map[string]interface {}');
  for (const field of ['kind', 'apiVersion']) {
    const value = document[field];
    if (value !== undefined && value !== null && typeof value !== 'string') throw refuse(value, `struct field .${field} of type string`);
  }
  const { metadata } = document;
  if (metadata === undefined || metadata === null) return { ...document, metadata: {} } as Unstructured;
  if (!isRecord(metadata)) throw new DecodeFailure(`json: cannot unmarshal ${goKind(metadata)} into Go struct field .metadata of type v1.ObjectMeta`);
  return document as unknown as Unstructured;
}

/** What Go's decoder calls a JSON value. */
export function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}
