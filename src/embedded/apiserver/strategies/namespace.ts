/**
 * Namespaces are deleted in two steps: a delete marks them Terminating, the namespace controller empties them
 * and then clears `spec.finalizers` through the finalize subresource.
 */
import type { Unstructured } from '#apimachinery/meta';
import type { KindHooks } from './kinds.ts';

interface Namespace extends Unstructured {
  spec?: { finalizers?: string[] };
  status?: { phase?: string };
}

export const namespaceHooks: KindHooks = {
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

/** The canonical label every namespace carries. */
export function labelNamespace(object: Unstructured): void {
  const name = object.metadata.name ?? '';
  if (name) object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': name };
}
