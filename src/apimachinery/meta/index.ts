/**
 * The grammar every Kubernetes object shares: type, metadata, owners, conditions, lists.
 * Rule: Kubernetes API conventions (sig-architecture, "Metadata", "Typical status properties").
 */

export interface TypeMeta {
  apiVersion?: string;
  kind?: string;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntry {
  manager?: string;
  operation?: 'Apply' | 'Update';
  apiVersion?: string;
  time?: string;
  fieldsType?: string;
  fieldsV1?: Record<string, unknown>;
  subresource?: string;
}

export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: ManagedFieldsEntry[];
}

/** Any Kubernetes object as plain JSON. */
export interface KubeObject extends TypeMeta {
  metadata: ObjectMeta;
}

/** A Kubernetes object of unknown kind, with free access to its fields. */
export interface Unstructured extends KubeObject {
  [field: string]: unknown;
}

export interface ListMeta {
  resourceVersion?: string;
  continue?: string;
  remainingItemCount?: number;
}

export interface ObjectList<T> extends TypeMeta {
  metadata: ListMeta;
  items: T[];
}

/** An entry of `status.conditions` (metav1.Condition; Fleet adds lastUpdateTime). */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  lastUpdateTime?: string;
  observedGeneration?: number;
}

/** Where an object lives: namespace (absent for cluster-scoped kinds) and name. */
export interface ObjectKey {
  namespace?: string;
  name: string;
}

export function keyOf(object: KubeObject): ObjectKey {
  const { namespace, name = '' } = object.metadata;
  return namespace ? { namespace, name } : { name };
}

/** `namespace/name`, or `name` for cluster-scoped objects: the form used in queues, logs and messages. */
export function keyText(key: ObjectKey): string {
  return key.namespace ? `${key.namespace}/${key.name}` : key.name;
}

/** The inverse of {@link keyText}. */
export function parseKey(text: string): ObjectKey {
  const slash = text.indexOf('/');
  return slash < 0 ? { name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** `Kind/namespace/name`, the subject with which every error message begins. */
export function subject(object: KubeObject): string {
  return `${object.kind ?? 'Object'}/${keyText(keyOf(object))}`;
}

/** Splits `apps/v1` into group and version; the core group is the empty string. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

export function formatApiVersion(group: string, version: string): string {
  return group ? `${group}/${version}` : version;
}

export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller);
}

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/**
 * The conditions with one set. Times change only when something else does, so that setting an equal
 * condition yields an equal list (and no API write). `now` is RFC 3339.
 */
export function setCondition(conditions: readonly Condition[] | undefined, wanted: Omit<Condition, 'lastTransitionTime' | 'lastUpdateTime'>, now: string): Condition[] {
  const current = conditions ?? [];
  const existing = findCondition(current, wanted.type);
  const same =
    existing &&
    existing.status === wanted.status &&
    (existing.reason ?? '') === (wanted.reason ?? '') &&
    (existing.message ?? '') === (wanted.message ?? '') &&
    existing.observedGeneration === wanted.observedGeneration;
  if (same) return [...current];
  const transitioned = existing?.status !== wanted.status;
  const next: Condition = {
    ...wanted,
    lastTransitionTime: transitioned ? now : (existing?.lastTransitionTime ?? now),
    lastUpdateTime: now,
  };
  return existing ? current.map((condition) => (condition === existing ? next : condition)) : [...current, next];
}
