/**
 * How objects lie in storage: JSON without `apiVersion` and `kind`, `metadata` first. Both are added when an
 * object leaves, so that every served version shares the same bytes, and a list joins them without parsing.
 */
import type { Entry } from '#embedded/storage';
import { formatApiVersion, type Unstructured } from '#apimachinery/meta';
import type { ResourceType } from './types.ts';

/** What selectors need of an entry, kept beside it so that lists and watches do not parse. */
export interface Attributes {
  labels: Readonly<Record<string, string>>;
  fields: Readonly<Record<string, string>>;
}

const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({});

/** The stored bytes of an object at a revision. */
export function encodeObject(object: Unstructured, revision: number): Uint8Array {
  const { apiVersion: _, kind: __, metadata, ...rest } = object;
  return Buffer.from(JSON.stringify({ metadata: { ...metadata, resourceVersion: String(revision) }, ...rest }));
}

/** A fresh object, with the kind and version of `type`; the caller may change it. */
export function decodeEntry(entry: Pick<Entry, 'value'>, type: Addressed): Unstructured {
  const { metadata, ...rest } = JSON.parse(textOf(entry.value)) as Unstructured;
  const object = { kind: type.kind, apiVersion: formatApiVersion(type.group, type.version), metadata, ...rest };
  type.custom?.view?.(object);
  return object;
}

type Addressed = Pick<ResourceType, 'group' | 'version' | 'kind'> & { custom?: ResourceType['custom'] | undefined };

/** The wire bytes of a stored object. */
export function wireBytes(value: Uint8Array, type: Addressed): Buffer {
  if (type.custom?.view) return Buffer.from(JSON.stringify(decodeEntry({ value }, type)));
  return Buffer.concat([headOf(type), value.subarray(1)]);
}

/** `{"kind":…,"apiVersion":…,` — what stands before the first byte after the brace. */
export function headOf(type: Pick<ResourceType, 'group' | 'version' | 'kind'>): Buffer {
  return Buffer.from(`{"kind":${JSON.stringify(type.kind)},"apiVersion":${JSON.stringify(formatApiVersion(type.group, type.version))},`);
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** The attributes of an entry, computed once. */
export function attributesOf(entry: Entry, type: ResourceType): Attributes {
  let attributes = entry.memo as Attributes | undefined;
  if (!attributes) {
    attributes = attributesOfObject(decodeEntry(entry, type), type);
    entry.memo = attributes;
  }
  return attributes;
}

export function attributesOfObject(object: Unstructured, type: ResourceType): Attributes {
  const { name = '', namespace, labels } = object.metadata;
  const fields: Record<string, string> = { 'metadata.name': name, ...type.strategy.fields?.(object) };
  if (type.namespaced) fields['metadata.namespace'] = namespace ?? '';
  return { labels: labels ?? NO_LABELS, fields };
}
