/**
 * Lets claims and volumes that are being deleted go once nobody uses them: the API server puts a finalizer
 * on each. Rule: "Storage Object in Use Protection".
 */
import { keyOf, type KubeObject, type ObjectKey } from '#apimachinery/meta';
import type { Resource } from '#apimachinery/resource';
import { isNotFound } from '#apimachinery/status';
import { persistentVolumeClaims, persistentVolumes, pods, type PersistentVolumeClaim, type Pod } from '#api/builtin';
import { ControlLoop, isTerminated, type ControlPlane } from '#embedded/controlloop';

const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection';
const VOLUME_FINALIZER = 'kubernetes.io/pv-protection';

/** Whether some pod that has not finished mounts the claim. Pure. */
export function isClaimUsed(claim: PersistentVolumeClaim, all: readonly Pod[]): boolean {
  return all.some((pod) => !isTerminated(pod) && pod.spec?.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === claim.metadata.name));
}

export function claimProtection(plane: ControlPlane): ControlLoop {
  const claims = plane.informers.of(persistentVolumeClaims);
  const running = plane.informers.of(pods);
  const claimsOf = (pod: Pod): ObjectKey[] => (pod.spec?.volumes ?? []).flatMap((volume) => (volume.persistentVolumeClaim ? [{ namespace: pod.metadata.namespace ?? '', name: volume.persistentVolumeClaim.claimName }] : []));
  return new ControlLoop({
    name: 'pvc-protection',
    plane,
    sources: [{ informer: claims }, { informer: running, map: claimsOf, changed: (before, after) => isTerminated(before) !== isTerminated(after) }],
    async reconcile(key) {
      const claim = claims.get(key);
      if (!claim?.metadata.deletionTimestamp || isClaimUsed(claim, running.byIndex('namespace', key.namespace ?? ''))) return;
      await letGo(plane, persistentVolumeClaims, claim, CLAIM_FINALIZER);
    },
  });
}

export function volumeProtection(plane: ControlPlane): ControlLoop {
  const volumes = plane.informers.of(persistentVolumes);
  const claims = plane.informers.of(persistentVolumeClaims);
  return new ControlLoop({
    name: 'pv-protection',
    plane,
    sources: [{ informer: volumes }, { informer: claims, map: (claim) => (claim.spec?.volumeName ? [{ name: claim.spec.volumeName }] : []), changed: () => false }],
    async reconcile(key) {
      const volume = volumes.get(key);
      const reference = volume?.spec?.claimRef;
      const claim = reference ? claims.get({ namespace: reference.namespace ?? '', name: reference.name ?? '' }) : undefined;
      if (!volume?.metadata.deletionTimestamp || (claim && claim.metadata.uid === reference?.uid)) return;
      await letGo(plane, persistentVolumes, volume, VOLUME_FINALIZER);
    },
  });
}

async function letGo<T extends KubeObject>(plane: ControlPlane, resource: Resource<T>, object: T, finalizer: string): Promise<void> {
  if (!object.metadata.finalizers?.includes(finalizer)) return;
  const finalizers = object.metadata.finalizers.filter((each) => each !== finalizer);
  const body = { metadata: { uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion, finalizers } };
  await plane.client.patch(resource, keyOf(object), { type: 'merge', body }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}
