/**
 * What a storage provisioner would do for claims: make a volume of the size asked for and bind the two. The
 * volumes hold nothing; they let charts with claims become ready. Off unless the settings turn it on.
 */
import { keyOf, type ObjectKey } from '#apimachinery/meta';
import { isAlreadyExists, isNotFound } from '#apimachinery/status';
import { persistentVolumeClaims, persistentVolumes, type PersistentVolume, type PersistentVolumeClaim } from '#api/builtin';
import type { Informer } from '#kube/cache';
import { ControlLoop, type ControlPlane } from '#embedded/controlloop';

/** The volume for a claim. Pure. */
export function volumeFor(claim: PersistentVolumeClaim): PersistentVolume {
  const { name = '', namespace = '', uid = '' } = claim.metadata;
  const { resources, accessModes = ['ReadWriteOnce'], storageClassName } = claim.spec ?? {};
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `pvc-${uid}`, annotations: { 'pv.kubernetes.io/provisioned-by': 'fleet-ts' } },
    spec: {
      capacity: { storage: resources?.requests?.['storage'] ?? '1Gi' },
      accessModes,
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid },
      persistentVolumeReclaimPolicy: 'Delete',
      hostPath: { path: `/fleet-ts/${uid}` },
      ...(storageClassName ? { storageClassName } : {}),
    },
  } as PersistentVolume;
}

export class VolumeProvisioner {
  readonly #plane: ControlPlane;
  readonly #claims: Informer<PersistentVolumeClaim>;
  readonly #volumes: Informer<PersistentVolume>;
  readonly loop: ControlLoop;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
    this.#claims = plane.informers.of(persistentVolumeClaims);
    this.#volumes = plane.informers.of(persistentVolumes);
    this.loop = new ControlLoop({
      name: 'volumes',
      plane,
      sources: [{ informer: this.#claims }, { informer: this.#volumes, map: (volume) => (volume.spec?.claimRef ? [{ namespace: volume.spec.claimRef.namespace ?? '', name: volume.spec.claimRef.name ?? '' }] : []) }],
      reconcile: (key) => this.#reconcile(key),
    });
  }

  async #reconcile(key: ObjectKey): Promise<void> {
    const claim = this.#claims.get(key);
    for (const volume of this.#volumes.list()) {
      const reference = volume.spec?.claimRef;
      const orphaned = reference?.namespace === key.namespace && reference?.name === key.name && reference?.uid !== claim?.metadata.uid;
      if (orphaned && volume.spec?.persistentVolumeReclaimPolicy === 'Delete') await this.#remove(volume);
    }
    if (!claim || claim.metadata.deletionTimestamp || claim.status?.phase === 'Bound') return;
    await this.#bind(claim);
  }

  async #bind(claim: PersistentVolumeClaim): Promise<void> {
    const { client } = this.#plane;
    const volume = volumeFor(claim);
    try {
      const made = await client.create(persistentVolumes, volume);
      await client.update(persistentVolumes, { ...made, status: { ...made.status, phase: 'Bound' } }, { subresource: 'status' });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    const named = claim.spec?.volumeName ? claim : await client.patch(persistentVolumeClaims, keyOf(claim), { type: 'merge', body: { metadata: { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } }, spec: { volumeName: volume.metadata.name } } });
    const status = { phase: 'Bound', accessModes: volume.spec?.accessModes ?? [], capacity: volume.spec?.capacity ?? {} };
    await client.update(persistentVolumeClaims, { ...named, status }, { subresource: 'status' });
  }

  async #remove(volume: PersistentVolume): Promise<void> {
    await this.#plane.client.delete(persistentVolumes, keyOf(volume), { preconditions: { uid: volume.metadata.uid ?? '' } }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}
