/** How changes of pods reach the workloads that own them, or might adopt them. */
import { controllerOf, keyOf, type KubeObject, type ObjectKey } from '#apimachinery/meta';
import { matchesSelector, type LabelSelector } from '#apimachinery/labels';
import type { Pod } from '#api/builtin';
import type { Informer } from '#kube/cache';

type Selecting = KubeObject & { spec?: { selector?: LabelSelector } };

/** The pod's controller when it is of `kind`; for an orphan, every object of the informer that selects it. */
export function ownersOfPod<T extends Selecting>(pod: Pod, kind: string, owners: Informer<T>): ObjectKey[] {
  return ownersOf(pod, kind, owners);
}

/** The same for any child with labels (ReplicaSets under Deployments, ControllerRevisions). */
export function ownersOf<T extends Selecting>(child: KubeObject, kind: string, owners: Informer<T>): ObjectKey[] {
  const controller = controllerOf(child);
  const namespace = child.metadata.namespace ?? '';
  if (controller) return controller.kind === kind ? [{ namespace, name: controller.name }] : [];
  if (!child.metadata.labels) return [];
  return owners.list(namespace).filter((owner) => matchesSelector(owner.spec?.selector, child.metadata.labels)).map(keyOf);
}
