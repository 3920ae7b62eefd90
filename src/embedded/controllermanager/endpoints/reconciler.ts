/** Keeps the EndpointSlices and the Endpoints of selecting Services as plan.ts wants them. */
import { deepEqual } from '#base/json';
import { controllerOf, keyOf, type ObjectKey } from '#apimachinery/meta';
import { isAlreadyExists, isNotFound } from '#apimachinery/status';
import { endpoints, endpointSlices, pods, services, type EndpointSlice, type Endpoints, type Pod, type Service } from '#api/builtin';
import type { Informer } from '#kube/cache';
import { ControlLoop, isReady, isTerminated, type ControlPlane } from '#embedded/controlloop';
import { controllerReference } from '../workload/ownership.ts';
import { endpointSubsets, isSelecting, podsBehind, sliceContents } from './plan.ts';

const SERVICE_NAME = 'kubernetes.io/service-name';
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const MANAGER = 'endpointslice-controller.k8s.io';

export class EndpointsController {
  readonly #plane: ControlPlane;
  readonly #services: Informer<Service>;
  readonly #pods: Informer<Pod>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #endpoints: Informer<Endpoints>;
  readonly loop: ControlLoop;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
    this.#services = plane.informers.of(services);
    this.#pods = plane.informers.of(pods);
    this.#slices = plane.informers.of(endpointSlices);
    this.#endpoints = plane.informers.of(endpoints);
    this.loop = new ControlLoop({
      name: 'endpoints',
      plane,
      sources: [
        { informer: this.#services },
        { informer: this.#pods, map: (pod) => this.#servicesOf(pod), changed: endpointChanged },
        { informer: this.#slices, map: (slice) => (slice.metadata.labels?.[SERVICE_NAME] ? [{ namespace: slice.metadata.namespace ?? '', name: slice.metadata.labels[SERVICE_NAME] }] : []) },
      ],
      reconcile: (key) => this.#reconcile(key),
    });
  }

  #servicesOf(pod: Pod): ObjectKey[] {
    const labels = pod.metadata.labels ?? {};
    return this.#services.list(pod.metadata.namespace).filter((service) => isSelecting(service) && Object.entries(service.spec?.selector ?? {}).every(([key, value]) => labels[key] === value)).map(keyOf);
  }

  async #reconcile(key: ObjectKey): Promise<void> {
    const service = this.#services.get(key);
    if (!service || service.metadata.deletionTimestamp || !isSelecting(service)) return;
    const behind = podsBehind(service, this.#pods.byIndex('namespace', key.namespace ?? ''));
    await this.#writeSlices(service, behind);
    await this.#writeEndpoints(service, behind);
  }

  async #writeSlices(service: Service, behind: readonly Pod[]): Promise<void> {
    const { client } = this.#plane;
    const { namespace = '', name = '' } = service.metadata;
    const present = this.#slices.list(namespace).filter((slice) => slice.metadata.labels?.[SERVICE_NAME] === name && slice.metadata.labels[MANAGED_BY] === MANAGER && controllerOf(slice)?.uid === service.metadata.uid);
    const wanted = sliceContents(service, behind);
    for (const [index, content] of wanted.entries()) {
      const slice = present[index];
      if (!slice) {
        const metadata = { generateName: `${name}-`, namespace, labels: { ...service.metadata.labels, [SERVICE_NAME]: name, [MANAGED_BY]: MANAGER }, ownerReferences: [controllerReference(service, services)] };
        await client.create(endpointSlices, { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, addressType: 'IPv4', ...content });
      } else if (!deepEqual([slice.ports ?? [], slice.endpoints ?? []], [content.ports, content.endpoints])) await client.update(endpointSlices, { ...slice, ...content });
    }
    for (const surplus of present.slice(wanted.length)) {
      await client.delete(endpointSlices, keyOf(surplus), { preconditions: { uid: surplus.metadata.uid ?? '' } }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
  }

  async #writeEndpoints(service: Service, behind: readonly Pod[]): Promise<void> {
    const { client } = this.#plane;
    const subsets = endpointSubsets(service, behind);
    const present = this.#endpoints.get(keyOf(service));
    if (present) {
      if (!deepEqual(present.subsets ?? [], subsets)) await client.update(endpoints, { ...present, subsets });
      return;
    }
    const { namespace = '', name = '', labels } = service.metadata;
    const metadata = { name, namespace, labels: { ...labels, 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' }, annotations: {} };
    await client.create(endpoints, { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets }).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
  }
}

function endpointChanged(before: Pod, after: Pod): boolean {
  const view = (pod: Pod) => [pod.metadata.labels, pod.status?.podIP, isReady(pod), isTerminated(pod), pod.metadata.deletionTimestamp !== undefined, pod.spec?.nodeName];
  return !deepEqual(view(before), view(after));
}
