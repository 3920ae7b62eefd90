/** Services: an update that leaves allocated values out means the ones there are. */
import { deepEqual } from '#base/json';
import type { Unstructured } from '#apimachinery/meta';

export interface ServicePort {
  port: number;
  protocol?: string;
  nodePort?: number;
}

export interface ServiceSpec {
  type?: string;
  clusterIP?: string;
  clusterIPs?: string[];
  ipFamilies?: string[];
  ipFamilyPolicy?: string;
  ports?: ServicePort[];
  externalTrafficPolicy?: string;
  healthCheckNodePort?: number;
  allocateLoadBalancerNodePorts?: boolean;
  loadBalancerClass?: string;
  externalIPs?: string[];
}

export interface Service extends Unstructured {
  spec: ServiceSpec;
}

/** `clusterIPs` follows `clusterIP` where only that is given. */
export function pairServiceAddresses(object: Unstructured): void {
  const spec = (object as Service).spec ?? {};
  if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
}

export function keepServiceAddresses(object: Unstructured, old: Unstructured): void {
  const spec = ((object as Service).spec ??= {});
  const before = (old as Service).spec;
  forgetOldType(spec, before);
  if (spec.type === 'ExternalName' || before.type === 'ExternalName') return;
  if (!spec.clusterIP && before.clusterIP) spec.clusterIP = before.clusterIP;
  if (!spec.clusterIPs?.length && before.clusterIPs && spec.clusterIP === before.clusterIP) spec.clusterIPs = before.clusterIPs;
  if (!spec.ipFamilies?.length && before.ipFamilies) spec.ipFamilies = before.ipFamilies;
  if (spec.ipFamilyPolicy === undefined && before.ipFamilyPolicy !== undefined) spec.ipFamilyPolicy = before.ipFamilyPolicy;
  if (!spec.healthCheckNodePort && before.healthCheckNodePort && spec.externalTrafficPolicy === 'Local') spec.healthCheckNodePort = before.healthCheckNodePort;
  pairServiceAddresses(object);
}

/** Who changes the type and leaves the rest as it was does not want what only the old type had. */
function forgetOldType(spec: ServiceSpec, before: ServiceSpec): void {
  const nodePorts = ({ type, allocateLoadBalancerNodePorts }: ServiceSpec) => type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false);
  const reachable = ({ type, externalIPs }: ServiceSpec) => type === 'NodePort' || type === 'LoadBalancer' || (type === 'ClusterIP' && (externalIPs?.length ?? 0) > 0);
  const healthCheck = ({ type, externalTrafficPolicy }: ServiceSpec) => type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
  if (before.type !== 'ExternalName' && spec.type === 'ExternalName') forgetSame(spec, before, ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']);
  if (nodePorts(before) && !nodePorts(spec)) for (const port of spec.ports ?? []) if (before.ports?.some((other) => other.nodePort === port.nodePort)) delete port.nodePort;
  if (healthCheck(before) && !healthCheck(spec)) forgetSame(spec, before, ['healthCheckNodePort']);
  if (before.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') forgetSame(spec, before, ['allocateLoadBalancerNodePorts', 'loadBalancerClass']);
  if (reachable(before) && !reachable(spec)) forgetSame(spec, before, ['externalTrafficPolicy']);
}

function forgetSame(spec: ServiceSpec, before: ServiceSpec, fields: readonly (keyof ServiceSpec)[]): void {
  for (const field of fields) if (deepEqual(spec[field], before[field])) delete spec[field];
}
