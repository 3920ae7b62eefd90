/** Small admission plugins: protection finalizers of volumes, the default storage class, the taint of new nodes. */
import type { Unstructured } from '#apimachinery/meta';
import { decodeEntry } from '../registry/codec.ts';
import type { View } from './admission.ts';

const NOT_READY = 'node.kubernetes.io/not-ready';
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
export const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection';
export const VOLUME_FINALIZER = 'kubernetes.io/pv-protection';

/** A node is not scheduled to before its kubelet says that it is ready. */
export function taintNewNode(object: Unstructured): void {
  const spec = (object['spec'] ??= {}) as { taints?: { key: string; effect: string }[] };
  if (spec.taints?.some(({ key, effect }) => key === NOT_READY && effect === 'NoSchedule')) return;
  spec.taints = [...(spec.taints ?? []), { key: NOT_READY, effect: 'NoSchedule' }];
}

export function protectClaim(object: Unstructured): void {
  addFinalizer(object, CLAIM_FINALIZER);
}

export function protectVolume(object: Unstructured): void {
  addFinalizer(object, VOLUME_FINALIZER);
}

function addFinalizer({ metadata }: Unstructured, finalizer: string): void {
  if (!metadata.finalizers?.includes(finalizer)) metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
}

export function setDefaultStorageClass({ storage }: View, object: Unstructured): void {
  const spec = (object['spec'] ??= {}) as { storageClassName?: string };
  if (spec.storageClassName !== undefined) return;
  const kind = { group: 'storage.k8s.io', version: 'v1', kind: 'StorageClass' };
  const preferred = storage
    .list('storage.k8s.io/storageclasses')
    .map((entry) => decodeEntry(entry, kind).metadata)
    .filter(({ annotations }) => annotations?.[DEFAULT_CLASS] === 'true')
    .sort((a, b) => Date.parse(b.creationTimestamp ?? '') - Date.parse(a.creationTimestamp ?? ''))[0];
  if (preferred?.name) spec.storageClassName = preferred.name;
}
