/**
 * Namespaces are deleted in two steps: a delete marks them Terminating, the namespace controller empties them
 * and then clears `spec.finalizers` through the finalize subresource.
 */
import { rfc3339 } from '#base/clock';
import type { Unstructured } from '#apimachinery/meta';
import type { KindHooks } from './kinds.ts';

interface Namespace extends Unstructured {
  spec?: { finalizers?: string[] };
  status?: { phase?: string };
}

export const namespaceHooks: KindHooks = {
  returnDeletedObject: true,
  planDelete,
  prepareForCreate(object) {
    const namespace = object as Namespace;
    namespace.status = { phase: 'Active' };
    const finalizers = new Set([...(namespace.spec?.finalizers ?? []), 'kubernetes']);
    namespace.spec = { ...namespace.spec, finalizers: [...finalizers] };
  },
  prepareForUpdate(object, old, { subresource }) {
    if (subresource === 'finalize') object['status'] = old['status'];
    else object['spec'] = old['spec'];
  },
};

function planDelete(old: Unstructured, finalizers: string[], nowMs: number): { object: Unstructured; update: boolean; remove: boolean } {
  const namespace = old as Namespace;
  if (namespace.metadata.deletionTimestamp) {
    const waits = (namespace.spec?.finalizers?.length ?? 0) + (namespace.metadata.finalizers?.length ?? 0) > 0;
    return { object: old, update: false, remove: !waits };
  }
  const metadata = { ...namespace.metadata, deletionTimestamp: rfc3339(nowMs), ...(finalizers.length > 0 ? { finalizers } : {}) };
  return { object: { ...namespace, metadata, status: { ...namespace.status, phase: 'Terminating' } }, update: true, remove: false };
}

/** The canonical label every namespace carries. */
export function labelNamespace(object: Unstructured): void {
  const name = object.metadata.name ?? '';
  if (name) object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': name };
}
