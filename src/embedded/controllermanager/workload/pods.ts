/** Making and removing the pods of a workload. */
import { keyOf, type KubeObject } from '#apimachinery/meta';
import type { Resource } from '#apimachinery/resource';
import { isNotFound } from '#apimachinery/status';
import { deepClone } from '#base/json';
import { pods, type Pod, type PodTemplateSpec } from '#api/builtin';
import type { Client } from '#kube/client';
import { controllerReference } from './ownership.ts';

/** A pod from a template, with a generated name and its owner's reference. */
export function podFromTemplate(template: PodTemplateSpec | undefined, owner: KubeObject, ownerResource: Resource<KubeObject>): Pod {
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${owner.metadata.name ?? ''}-`,
      namespace: owner.metadata.namespace ?? '',
      ...(labels ? { labels: { ...labels } } : {}),
      ...(annotations ? { annotations: { ...annotations } } : {}),
      ...(finalizers ? { finalizers: [...finalizers] } : {}),
      ownerReferences: [controllerReference(owner, ownerResource)],
    },
    ...(template?.spec ? { spec: deepClone(template.spec) } : {}),
  };
}

/** Deletes a pod by its UID; false when it was gone already. */
export async function deletePod(client: Client, pod: Pod): Promise<boolean> {
  try {
    await client.delete(pods, keyOf(pod), { preconditions: { uid: pod.metadata.uid ?? '' } });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/**
 * Makes `count` things in batches of 1, 2, 4, …, so that a quota or a webhook that refuses all of them is
 * asked once, not a hundred times. Stops at the first batch with a failure and rethrows it.
 */
export async function inGrowingBatches(count: number, make: (index: number) => Promise<void>): Promise<void> {
  for (let done = 0, size = 1; done < count; size *= 2) {
    const batch = Math.min(size, count - done);
    const results = await Promise.allSettled(Array.from({ length: batch }, (_, index) => make(done + index)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    done += batch;
  }
}
