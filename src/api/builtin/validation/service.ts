/** Validation of Services. Which field goes with which type decides most of it. Rule: Kubernetes API reference, Service v1; answers of real servers. */
import { isCidr, isIpv4, isIpv6 } from '#apimachinery/schema';
import { dns1123Label, dns1123Subdomain, duplicate, qualifiedName, validateLabels } from '#apimachinery/validation';
import { portNameOrNumber } from './container.ts';
import { at, child, forbidden, invalid, isSet, labelsOf, notSupported, number, oneOf, port, problems, required, struct, structs, text, texts, type FieldError, type Struct } from './support.ts';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const FAMILIES = ['IPv4', 'IPv6'];
/** Port of the kubelet, which a load balancer would expose. */
const KUBELET_PORT = 10_250;
const AFFINITY_SECONDS_MAX = 86_400;
const ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'";
const BAD_IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const BAD_CIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

const isIp = (value: string) => isIpv4(value) || isIpv6(value);

export function validateService(object: Struct): FieldError[] {
  const spec = struct(object['spec']);
  const ports = structs(spec['ports']);
  const type = text(spec['type']);
  return [
    ...(ports.length === 0 && spec['clusterIP'] !== 'None' && type !== 'ExternalName' ? [required('spec.ports')] : []),
    ...validateType(spec, type, ports),
    ...validatePorts(ports, type),
    ...validateLabels(labelsOf(spec['selector']), 'spec.selector'),
    ...validateAffinity(spec),
    ...(type === 'ExternalName' ? [] : validateAddresses(spec)),
    ...texts(spec['externalIPs']).flatMap((ip, index) => externalIp(at('spec.externalIPs', index), ip)),
    ...(TYPES.includes(type) ? [] : [type === '' ? required('spec.type') : notSupported('spec.type', type, TYPES)]),
    ...validateBalancer(spec, type),
    ...validateTraffic(spec, type),
  ];
}

function validateType(spec: Struct, type: string, ports: Struct[]): FieldError[] {
  if (type === 'ExternalName') return validateExternalName(spec);
  const none = spec['clusterIP'] === 'None' && (type === 'LoadBalancer' || type === 'NodePort');
  const exposed = type === 'LoadBalancer' ? ports.flatMap((entry, index) => (entry['port'] === KUBELET_PORT ? [invalid(`spec.ports[${index}].port`, KUBELET_PORT, `may not expose port ${KUBELET_PORT} externally since it is used by kubelet`)] : [])) : [];
  return [...exposed, ...(none ? [invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`)] : [])];
}

function validateExternalName(spec: Struct): FieldError[] {
  const name = text(spec['externalName']).replace(/\.$/, '');
  const unwanted = ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'].filter((field) => (Array.isArray(spec[field]) ? texts(spec[field]).length > 0 : isSet(spec[field])));
  return [
    ...unwanted.map((field) => forbidden(`spec.${field}`, 'may not be set for ExternalName services')),
    ...(name === '' ? [required('spec.externalName')] : problems('spec.externalName', name, dns1123Subdomain(name))),
  ];
}

function validatePorts(ports: Struct[], type: string): FieldError[] {
  const names = new Set<string>();
  const pairs = new Set<string>();
  const nodePorts = new Set<string>();
  return ports.flatMap((entry, index) => {
    const base = at('spec.ports', index);
    const name = text(entry['name']);
    const protocol = text(entry['protocol']);
    const nodePort = number(entry['nodePort']);
    const errors: FieldError[] = [];
    if (name === '' && ports.length > 1) errors.push(required(child(base, 'name')));
    if (name !== '') {
      errors.push(...problems(child(base, 'name'), name, dns1123Label(name)));
      if (names.has(name)) errors.push(duplicate(child(base, 'name'), name));
      names.add(name);
    }
    errors.push(...port(child(base, 'port'), number(entry['port'])));
    errors.push(...oneOf(child(base, 'protocol'), entry['protocol'], ['SCTP', 'TCP', 'UDP'], true));
    errors.push(...portNameOrNumber(child(base, 'targetPort'), entry['targetPort']));
    if (isSet(entry['appProtocol'])) errors.push(...problems(child(base, 'appProtocol'), entry['appProtocol'], qualifiedName(text(entry['appProtocol']))));
    if (nodePort !== 0 && type === 'ClusterIP') errors.push(forbidden(child(base, 'nodePort'), "may not be used when `type` is 'ClusterIP'"));
    if (nodePort !== 0 && nodePorts.has(`${protocol}/${nodePort}`)) errors.push(duplicate(child(base, 'nodePort'), nodePort));
    nodePorts.add(`${protocol}/${nodePort}`);
    const pair = `${protocol}/${number(entry['port'])}`;
    if (pairs.has(pair)) errors.push(duplicate(base, { port: entry['port'], protocol: entry['protocol'] }));
    pairs.add(pair);
    return errors;
  });
}

function validateAffinity(spec: Struct): FieldError[] {
  const errors = oneOf('spec.sessionAffinity', spec['sessionAffinity'], ['ClientIP', 'None'], true);
  const config = spec['sessionAffinityConfig'];
  const base = 'spec.sessionAffinityConfig';
  if (spec['sessionAffinity'] === 'None' && isSet(config)) errors.push(forbidden(base, 'must not be set when session affinity is None'));
  if (spec['sessionAffinity'] !== 'ClientIP') return errors;
  const seconds = struct(struct(config)['clientIP'])['timeoutSeconds'];
  if (typeof seconds === 'number' && (seconds <= 0 || seconds > AFFINITY_SECONDS_MAX)) {
    errors.push(invalid(`${base}.clientIP.timeoutSeconds`, seconds, `must be greater than 0 and less than or equal to ${AFFINITY_SECONDS_MAX}`));
  }
  return errors;
}

function validateAddresses(spec: Struct): FieldError[] {
  const addresses = texts(spec['clusterIPs']);
  const families = texts(spec['ipFamilies']);
  const first = text(spec['clusterIP']);
  const errors: FieldError[] = [];
  if (first !== '' && addresses.length > 0 && addresses[0] !== first) errors.push(invalid('spec.clusterIPs', addresses, 'first value must match `clusterIP`'));
  if (first === '' && addresses.length > 0) errors.push(invalid('spec.clusterIPs', addresses, 'must be empty when `clusterIP` is not specified'));
  for (const [index, family] of families.entries()) {
    if (!FAMILIES.includes(family)) errors.push(notSupported(at('spec.ipFamilies', index), family, FAMILIES));
    if (families.indexOf(family) < index) errors.push(duplicate(at('spec.ipFamilies', index), family));
  }
  errors.push(...oneOf('spec.ipFamilyPolicy', spec['ipFamilyPolicy'], ['PreferDualStack', 'RequireDualStack', 'SingleStack']));
  for (const [index, address] of addresses.entries()) {
    if (index === 0 && address === 'None') {
      if (addresses.length > 1) errors.push(invalid('spec.clusterIPs', addresses, "'None' must be the first and only value"));
    } else if (!isIp(address)) errors.push(invalid(at('spec.clusterIPs', index), address, BAD_IP));
  }
  if (addresses.length > 2) errors.push(invalid('spec.clusterIPs', addresses, 'may only hold up to 2 values'));
  return errors;
}

/** An address that only its own machine or link knows cannot be reached from outside. */
function externalIp(path: string, ip: string): FieldError[] {
  if (!isIp(ip)) return [invalid(path, ip, BAD_IP)];
  if (ip === '0.0.0.0' || ip === '::') return [invalid(path, ip, `may not be unspecified (${ip})`)];
  if (/^127\./.test(ip) || ip === '::1') return [invalid(path, ip, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')];
  if (/^169\.254\.|^fe[89ab]/i.test(ip)) return [invalid(path, ip, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)')];
  if (/^224\.0\.0\.|^ff02:/i.test(ip)) return [invalid(path, ip, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)')];
  return [];
}

function validateBalancer(spec: Struct, type: string): FieldError[] {
  const ranges = texts(spec['loadBalancerSourceRanges']);
  const balancer = type === 'LoadBalancer';
  const errors: FieldError[] = [];
  if (ranges.length > 0 && !balancer) errors.push(forbidden('spec.LoadBalancerSourceRanges', ONLY_LOAD_BALANCER));
  for (const [index, range] of ranges.entries()) if (!isCidr(range.trim())) errors.push(invalid(at('spec.LoadBalancerSourceRanges', index), range, BAD_CIDR));
  for (const field of ['allocateLoadBalancerNodePorts', 'loadBalancerClass']) if (isSet(spec[field]) && !balancer) errors.push(forbidden(`spec.${field}`, ONLY_LOAD_BALANCER));
  const name = spec['loadBalancerClass'];
  if (balancer && isSet(name)) errors.push(...problems('spec.loadBalancerClass', name, qualifiedName(text(name))));
  return errors;
}

function validateTraffic(spec: Struct, type: string): FieldError[] {
  const external = spec['externalTrafficPolicy'];
  const check = number(spec['healthCheckNodePort']);
  const reachable = type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && texts(spec['externalIPs']).length > 0);
  const errors: FieldError[] = [];
  if (reachable) errors.push(...oneOf('spec.externalTrafficPolicy', external, ['Cluster', 'Local'], true));
  else if (isSet(external) && external !== '') errors.push(invalid('spec.externalTrafficPolicy', external, 'may only be set for externally-accessible services'));
  if (check !== 0) {
    if (type === 'LoadBalancer' && external === 'Local') errors.push(...port('spec.healthCheckNodePort', check));
    else errors.push(invalid('spec.healthCheckNodePort', check, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"));
  }
  errors.push(...oneOf('spec.internalTrafficPolicy', spec['internalTrafficPolicy'], ['Cluster', 'Local']));
  errors.push(...oneOf('spec.trafficDistribution', spec['trafficDistribution'], ['PreferClose', 'PreferSameNode', 'PreferSameZone']));
  return errors;
}

export function validateServiceUpdate(object: Struct, old: Struct): FieldError[] {
  const spec = struct(object['spec']);
  const before = struct(old['spec']);
  if (spec['type'] === 'ExternalName' || before['type'] === 'ExternalName' || !before['clusterIP']) return [];
  return spec['clusterIP'] === before['clusterIP'] ? [] : [invalid('spec.clusterIPs[0]', spec['clusterIP'] ?? '', 'may not change once set')];
}
