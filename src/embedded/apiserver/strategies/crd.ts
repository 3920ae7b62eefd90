/** CustomResourceDefinitions: the status they begin with, and a delete that takes their objects first. */
import { rfc3339 } from '#base/clock';
import type { Unstructured } from '#apimachinery/meta';
import { defaultCustomResourceDefinition } from '#apimachinery/schema';
import type { CrdCondition, CustomResourceDefinition } from '../custom/types.ts';
import type { KindHooks } from './kinds.ts';

export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

export const crdHooks: KindHooks = {
  generation: 'spec',
  allowUnconditionalUpdate: false,
  prepareForCreate(object) {
    defaultCustomResourceDefinition(object);
    const storage = (object as CustomResourceDefinition).spec?.versions?.filter((version) => version.storage).slice(0, 1).map(({ name }) => name) ?? [];
    object['status'] = { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: storage };
  },
  prepareForUpdate(object, old, { subresource }) {
    if (subresource !== '') return;
    defaultCustomResourceDefinition(object);
    object['status'] = old['status'];
  },
  planDelete,
};

function planDelete(old: Unstructured, finalizers: string[], nowMs: number): { object: Unstructured; update: boolean; remove: boolean } {
  const crd = old as CustomResourceDefinition;
  const now = rfc3339(nowMs);
  if (crd.metadata.deletionTimestamp) return { object: crd, update: false, remove: finalizers.length === 0 };
  const terminating: CrdCondition = {
    type: 'Terminating',
    status: 'True',
    lastTransitionTime: now,
    reason: 'InstanceDeletionPending',
    message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
  };
  const metadata = { ...crd.metadata, deletionTimestamp: now, finalizers: [...new Set([...finalizers, CLEANUP_FINALIZER])] };
  const conditions = [...(crd.status?.conditions ?? []).filter(({ type }) => type !== 'Terminating'), terminating];
  return { object: { ...crd, metadata, status: { ...crd.status, conditions } }, update: true, remove: false };
}
