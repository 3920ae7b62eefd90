/** Nothing is created in namespaces that are absent or Terminating; the system's own namespaces stay. */
import { forbidden, notFound } from '../errors.ts';
import { decodeEntry } from '../registry/codec.ts';
import type { AdmissionRequest } from '../registry/deps.ts';
import type { View } from './admission.ts';

const NAMESPACES = { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces' };
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

export function checkNamespaceLifecycle({ storage }: Pick<View, 'storage'>, { operation, type, namespace, name }: AdmissionRequest): void {
  const isNamespace = type.group === '' && type.plural === 'namespaces';
  if (operation === 'DELETE') {
    if (isNamespace && IMMORTAL.has(name)) throw forbidden(NAMESPACES, name, 'this namespace may not be deleted');
    return;
  }
  if (operation !== 'CREATE' || !type.namespaced || isNamespace) return;
  const entry = storage.head('core/namespaces', namespace);
  if (!entry) throw notFound(NAMESPACES, namespace);
  if (!decodeEntry(entry, NAMESPACES).metadata.deletionTimestamp) return;
  throw forbidden(type, name, `unable to create new content in namespace ${namespace} because it is being terminated`, [
    { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' },
  ]);
}
