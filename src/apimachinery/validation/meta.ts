/** Validation of `metadata`, of label selectors, labels and annotations. */
import { parseApiVersion, type ObjectMeta } from '../meta/index.ts';
import { at, child, duplicate, forbidden, invalid, required, tooLong, type FieldError } from './field-error.ts';
import { dns1123Label, labelValue, qualifiedName } from './names.ts';

/** Says what is wrong with a name; `prefix` is true for `generateName`, whose end does not count. */
export type NameCheck = (name: string, prefix: boolean) => string[];

export interface MetaOptions {
  namespaced: boolean;
  checkName: NameCheck;
  path?: string;
}

/** A prefix may end in a dash: something follows. */
function maskTrailingDash(prefix: string): string {
  return prefix.length > 1 && prefix.endsWith('-') ? `${prefix.slice(0, -2)}a` : prefix;
}

/** Bytes of all keys and values of annotations together. */
export const ANNOTATIONS_SIZE_MAX = 256 * 1024;

export function validateObjectMeta(meta: ObjectMeta, { namespaced, checkName, path = 'metadata' }: MetaOptions): FieldError[] {
  const errors: FieldError[] = [];
  if (meta.generateName) for (const message of checkName(maskTrailingDash(meta.generateName), true)) errors.push(invalid(child(path, 'generateName'), meta.generateName, message));
  if (!meta.name) errors.push(required(child(path, 'name'), 'name or generateName is required'));
  else for (const message of checkName(meta.name, false)) errors.push(invalid(child(path, 'name'), meta.name, message));
  if (namespaced) {
    if (!meta.namespace) errors.push(required(child(path, 'namespace')));
    else for (const message of dns1123Label(meta.namespace)) errors.push(invalid(child(path, 'namespace'), meta.namespace, message));
  } else if (meta.namespace) {
    errors.push(forbidden(child(path, 'namespace'), 'not allowed on this type'));
  }
  return [...errors, ...validateCommon(meta, path), ...validateFinalizers(meta.finalizers ?? [], child(path, 'finalizers'))];
}

function validateCommon(meta: ObjectMeta, path: string): FieldError[] {
  return [
    ...((meta.generation ?? 0) < 0 ? [invalid(child(path, 'generation'), meta.generation, 'must be greater than or equal to 0')] : []),
    ...validateLabels(meta.labels, child(path, 'labels')),
    ...validateAnnotations(meta.annotations, child(path, 'annotations')),
    ...validateOwners(meta.ownerReferences ?? [], child(path, 'ownerReferences')),
  ];
}

export function validateLabels(labels: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...qualifiedName(key).map((message) => invalid(path, key, message)),
    ...labelValue(value).map((message) => invalid(path, value, message)),
  ]);
}

export function validateAnnotations(annotations: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  const entries = Object.entries(annotations ?? {});
  const errors = entries.flatMap(([key]) => qualifiedName(key.toLowerCase()).map((message) => invalid(path, key, message)));
  const size = entries.reduce((sum, [key, value]) => sum + utf8Length(key) + utf8Length(value), 0);
  return size > ANNOTATIONS_SIZE_MAX ? [...errors, tooLong(path, ANNOTATIONS_SIZE_MAX)] : errors;
}

/** Length in UTF-8 without making the bytes. */
function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) length += code >= 0x800 && (code < 0xd800 || code > 0xdfff) ? 2 : 1;
  }
  return length;
}

function validateOwners(owners: NonNullable<ObjectMeta['ownerReferences']>, path: string): FieldError[] {
  const errors = owners.flatMap((owner): FieldError[] => {
    const { group, version } = parseApiVersion(owner.apiVersion ?? '');
    const isEvent = owner.kind === 'Event' && version === 'v1' && (group === '' || group === 'events.k8s.io');
    return [
      ...(version ? [] : [invalid(child(path, 'apiVersion'), owner.apiVersion ?? '', 'version must not be empty')]),
      ...(['kind', 'name', 'uid'] as const).flatMap((field) => (owner[field] ? [] : [invalid(child(path, field), owner[field] ?? '', 'must not be empty')])),
      ...(isEvent ? [invalid(path, owner, `${group}/${version}, Kind=Event is disallowed from being an owner`)] : []),
    ];
  });
  const [first, ...others] = owners.filter((owner) => owner.controller).map(({ kind, name }) => `${kind}/${name}`);
  for (const other of others) errors.push(invalid(path, owners, `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${other}`));
  return errors;
}

const STANDARD_FINALIZERS = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

function validateFinalizers(finalizers: readonly string[], path: string): FieldError[] {
  const errors = finalizers.flatMap((name, index) => qualifiedName(name).map((message) => invalid(at(path, index), name, message)));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalid(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  return errors;
}

/** Warnings about finalizers without a domain: `metadata.finalizers: "x": prefer a domain-qualified finalizer name …`. */
export function finalizerWarnings(finalizers: readonly string[] | undefined): string[] {
  return (finalizers ?? [])
    .filter((name) => !name.includes('/') && !STANDARD_FINALIZERS.has(name))
    .map((name) => `metadata.finalizers: ${JSON.stringify(name)}: prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers`);
}

/** What an update may not change. */
export function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta, path = 'metadata'): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp) {
    const fresh = (meta.finalizers ?? []).filter((name) => !old.finalizers?.includes(name));
    if (fresh.length > 0) errors.push(forbidden(child(path, 'finalizers'), `no new finalizers can be added if the object is being deleted, found new finalizers []string{${fresh.map((name) => JSON.stringify(name)).join(', ')}}`));
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) errors.push(invalid(child(path, 'generation'), meta.generation ?? 0, 'must not be decremented'));
  if (!meta.resourceVersion) errors.push(invalid(child(path, 'resourceVersion'), meta.resourceVersion ?? '', 'must be specified for an update'));
  for (const field of ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if (meta[field] !== old[field]) errors.push(invalid(child(path, field), meta[field], 'field is immutable'));
  }
  return [...errors, ...validateCommon(meta, path)];
}

interface SelectorShape {
  matchLabels?: Record<string, string>;
  matchExpressions?: readonly { key?: string; operator?: string; values?: readonly string[] }[];
}

/** A `metav1.LabelSelector` inside an object. */
export function validateLabelSelector(selector: SelectorShape | undefined, path: string): FieldError[] {
  const errors = validateLabels(selector?.matchLabels, child(path, 'matchLabels'));
  for (const [index, { key = '', operator = '', values = [] }] of (selector?.matchExpressions ?? []).entries()) {
    const base = at(child(path, 'matchExpressions'), index);
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) errors.push(required(child(base, 'values'), "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) errors.push(forbidden(child(base, 'values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else {
      errors.push(invalid(child(base, 'operator'), operator, 'not a valid selector operator'));
    }
    errors.push(...qualifiedName(key).map((message) => invalid(child(base, 'key'), key, message)));
    for (const [position, value] of values.entries()) errors.push(...labelValue(value).map((message) => invalid(at(child(base, 'values'), position), value, message)));
  }
  return errors;
}

/** Keys that occur a second time in a list. */
export function duplicatesOf(values: readonly string[], path: string): FieldError[] {
  return values.flatMap((value, index) => (values.indexOf(value) < index ? [duplicate(at(path, index), value)] : []));
}
