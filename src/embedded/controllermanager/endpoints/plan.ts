/**
 * Which addresses stand behind a Service: as EndpointSlices, and as the older Endpoints. Pure. Rule:
 * "Services, Load Balancing, and Networking": ready pods serve; terminating ones are listed in slices but
 * not ready; `publishNotReadyAddresses` makes all of them ready.
 */
import { matchesSelector } from '#apimachinery/labels';
import type { DiscoveryEndpointPort, Endpoint, EndpointAddress, EndpointPort, EndpointSlice, Endpoints, Pod, Service, ServicePort } from '#api/builtin';
import { isReady, isTerminated } from '#embedded/controlloop';

/** One slice per set of resolved ports; beyond this many endpoints the rest is left out. */
const ENDPOINTS_MAX = 1000;

/** A Service whose endpoints are ours to compute. */
export function isSelecting(service: Service): boolean {
  return service.spec?.selector !== undefined && Object.keys(service.spec.selector).length > 0 && service.spec.type !== 'ExternalName';
}

/** Pods that belong behind the Service: they match, have an address and have not finished. */
export function podsBehind(service: Service, pods: readonly Pod[]): Pod[] {
  const selector = { matchLabels: { ...service.spec?.selector } };
  return pods
    .filter((pod) => matchesSelector(selector, pod.metadata.labels) && pod.status?.podIP && !isTerminated(pod))
    .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
    .slice(0, ENDPOINTS_MAX);
}

/** The port a pod serves a service port on; undefined when a named port is not there. */
export function resolvePort(port: ServicePort, pod: Pod): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target === 0 ? port.port : target;
  const ports = pod.spec?.containers.flatMap((container) => container.ports ?? []) ?? [];
  return ports.find((each) => each.name === target && (each.protocol ?? 'TCP') === (port.protocol ?? 'TCP'))?.containerPort;
}

interface PortGroup {
  ports: { name: string; port: number; protocol: string; appProtocol?: string }[];
  pods: Pod[];
}

/** Pods that resolve the Service's ports alike. */
function groups(service: Service, pods: readonly Pod[]): PortGroup[] {
  const byPorts = new Map<string, PortGroup>();
  for (const pod of pods) {
    const ports = (service.spec?.ports ?? []).flatMap((port) => {
      const number = resolvePort(port, pod);
      return number === undefined ? [] : [{ name: port.name ?? '', port: number, protocol: port.protocol ?? 'TCP', ...(port.appProtocol ? { appProtocol: port.appProtocol } : {}) }];
    });
    const key = JSON.stringify(ports);
    const group = byPorts.get(key) ?? { ports, pods: [] };
    group.pods.push(pod);
    byPorts.set(key, group);
  }
  return [...byPorts.values()];
}

/** Ports and endpoints of each slice the Service should have. */
export function sliceContents(service: Service, pods: readonly Pod[]): Pick<EndpointSlice, 'ports' | 'endpoints'>[] {
  const found = groups(service, pods);
  if (found.length === 0) found.push({ ports: (service.spec?.ports ?? []).map((port) => ({ name: port.name ?? '', port: port.port, protocol: port.protocol ?? 'TCP' })), pods: [] });
  return found.map(({ ports, pods: members }) => ({
    ports: ports.map((port): DiscoveryEndpointPort => ({ ...port })),
    endpoints: members.map((pod) => endpointOf(service, pod)),
  }));
}

function endpointOf(service: Service, pod: Pod): Endpoint {
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const serving = isReady(pod);
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  return {
    addresses: [pod.status?.podIP ?? ''],
    conditions: { ready: service.spec?.publishNotReadyAddresses === true || (serving && !terminating), serving, terminating },
    ...(pod.spec?.hostname && pod.spec.subdomain === service.metadata.name ? { hostname: pod.spec.hostname } : {}),
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', name, namespace, uid },
  };
}

/** The subsets of the older Endpoints object; terminating pods are not in it. */
export function endpointSubsets(service: Service, pods: readonly Pod[]): NonNullable<Endpoints['subsets']> {
  return groups(service, pods.filter((pod) => !pod.metadata.deletionTimestamp)).map(({ ports, pods: members }) => {
    const publish = service.spec?.publishNotReadyAddresses === true;
    const ready = members.filter((pod) => publish || isReady(pod)).map(addressOf);
    const unready = members.filter((pod) => !publish && !isReady(pod)).map(addressOf);
    return {
      ...(ready.length > 0 ? { addresses: ready } : {}),
      ...(unready.length > 0 ? { notReadyAddresses: unready } : {}),
      ports: ports.map(({ name, ...port }): EndpointPort => ({ ...(name ? { name } : {}), ...port })),
    };
  });
}

function addressOf(pod: Pod): EndpointAddress {
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  return { ip: pod.status?.podIP ?? '', ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}), targetRef: { kind: 'Pod', name, namespace, uid } };
}
