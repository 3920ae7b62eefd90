/** Validation of the smaller API groups. Rule: Kubernetes API reference; recorded answers of a real server. */
import { deepEqual } from '#base/json';
import { dns1123Label, dns1123Subdomain, dns1035Label, pathSegmentName, qualifiedName, tooMany, validateLabelSelector, wildcardDns1123Subdomain } from '#apimachinery/validation';
import { isIpv4, isIpv6, isCidr } from '#apimachinery/schema';
import { validateExceptions, validateIngressTls, validateMetrics, validatePolicyPort } from './details.ts';
import { at, child, forbidden, immutable, intOrPercent, invalid, isSet, NOT_NEGATIVE, notSupported, number, oneOf, port, problems, required, struct, structs, text, texts, type FieldError, type Struct } from './support.ts';

const RBAC_GROUP = 'rbac.authorization.k8s.io';

export function validateDisruptionBudget(object: Struct): FieldError[] {
  const spec = struct(object['spec']);
  const { minAvailable, maxUnavailable } = spec;
  return [
    ...(isSet(minAvailable) && isSet(maxUnavailable) ? [invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set')] : []),
    ...intOrPercent('spec.minAvailable', minAvailable),
    ...intOrPercent('spec.maxUnavailable', maxUnavailable),
    ...validateLabelSelector(struct(spec['selector']), 'spec.selector'),
    ...oneOf('spec.unhealthyPodEvictionPolicy', spec['unhealthyPodEvictionPolicy'], ['AlwaysAllow', 'IfHealthyBudget']),
  ];
}

/** A greater priority is the system's. */
const USER_PRIORITY_MAX = 1_000_000_000;
const SYSTEM_CLASSES: Readonly<Record<string, number>> = { 'system-cluster-critical': 2_000_000_000, 'system-node-critical': 2_000_001_000 };

export function validatePriorityClass(object: Struct): FieldError[] {
  const name = text(struct(object['metadata'])['name']);
  const value = number(object['value']);
  const policy = oneOf('preemptionPolicy', object['preemptionPolicy'], ['Never', 'PreemptLowerPriority']);
  if (SYSTEM_CLASSES[name] === value) return policy;
  return [
    ...(name.startsWith('system-') ? [forbidden('metadata.name', `priority class names with 'system-' prefix are reserved for system use only. error: ${name} is not a known system priority class`)] : []),
    ...(value > USER_PRIORITY_MAX ? [forbidden('value', `maximum allowed value of a user defined priority is ${USER_PRIORITY_MAX}`)] : []),
    ...policy,
  ];
}

export function validatePriorityClassUpdate(object: Struct, old: Struct): FieldError[] {
  return [
    ...(object['value'] === old['value'] ? [] : [forbidden('value', 'may not be changed in an update.')]),
    ...immutable('preemptionPolicy', object['preemptionPolicy'], old['preemptionPolicy']),
  ];
}

export function validateLease(object: Struct): FieldError[] {
  const spec = struct(object['spec']);
  const { leaseDurationSeconds, leaseTransitions } = spec;
  return [
    ...(isSet(leaseDurationSeconds) && number(leaseDurationSeconds) <= 0 ? [invalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0')] : []),
    ...(isSet(leaseTransitions) && number(leaseTransitions) < 0 ? [invalid('spec.leaseTransitions', leaseTransitions, NOT_NEGATIVE)] : []),
    ...(isSet(spec['strategy']) ? (spec['strategy'] === 'OldestEmulationVersion' ? [] : problems('spec.strategy', spec['strategy'], qualifiedName(text(spec['strategy'])))) : isSet(spec['preferredHolder']) && text(spec['preferredHolder']) !== '' ? [forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined')] : []),
  ];
}

export const rbacName = (name: string): string[] => pathSegmentName(name);

export function validateRole(object: Struct, namespaced: boolean): FieldError[] {
  return structs(object['rules']).flatMap((rule, index) => {
    const base = at('rules', index);
    const urls = texts(rule['nonResourceURLs']);
    const errors: FieldError[] = texts(rule['verbs']).length === 0 ? [required(child(base, 'verbs'), 'verbs must contain at least one value')] : [];
    if (urls.length > 0) {
      if (namespaced) errors.push(invalid(child(base, 'nonResourceURLs'), urls, 'namespaced rules cannot apply to non-resource URLs'));
      const both = ['apiGroups', 'resources', 'resourceNames'].some((field) => texts(rule[field]).length > 0);
      return both ? [...errors, invalid(child(base, 'nonResourceURLs'), urls, 'rules cannot apply to both regular resources and non-resource URLs')] : errors;
    }
    if (texts(rule['apiGroups']).length === 0) errors.push(required(child(base, 'apiGroups'), 'resource rules must supply at least one api group'));
    if (texts(rule['resources']).length === 0) errors.push(required(child(base, 'resources'), 'resource rules must supply at least one resource'));
    return errors;
  });
}

export function validateRoleBinding(object: Struct, namespaced: boolean): FieldError[] {
  const ref = struct(object['roleRef']);
  const name = text(ref['name']);
  return [
    ...(ref['apiGroup'] === RBAC_GROUP ? [] : [notSupported('roleRef.apiGroup', ref['apiGroup'] ?? '', [RBAC_GROUP])]),
    ...((namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']).includes(text(ref['kind'])) ? [] : [notSupported('roleRef.kind', ref['kind'] ?? '', namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'])]),
    ...(name === '' ? [required('roleRef.name')] : problems('roleRef.name', name, rbacName(name))),
    ...structs(object['subjects']).flatMap((subject, index) => validateSubject(subject, at('subjects', index), namespaced)),
  ];
}

function validateSubject(subject: Struct, path: string, namespaced: boolean): FieldError[] {
  const { name, kind, apiGroup = '', namespace } = subject;
  const errors: FieldError[] = name ? [] : [required(child(path, 'name'))];
  if (kind === 'ServiceAccount') {
    if (name) errors.push(...problems(child(path, 'name'), name, dns1123Subdomain(text(name))));
    if (apiGroup !== '') errors.push(notSupported(child(path, 'apiGroup'), apiGroup, ['']));
    if (!namespaced && !namespace) errors.push(required(child(path, 'namespace')));
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== RBAC_GROUP) errors.push(notSupported(child(path, 'apiGroup'), apiGroup, [RBAC_GROUP]));
  } else {
    errors.push(notSupported(child(path, 'kind'), kind ?? '', ['ServiceAccount', 'User', 'Group']));
  }
  return errors;
}

export function validateRoleBindingUpdate(object: Struct, old: Struct): FieldError[] {
  return deepEqual(object['roleRef'], old['roleRef']) ? [] : [invalid('roleRef', object['roleRef'], 'cannot change roleRef')];
}

export function validateAutoscaler(object: Struct): FieldError[] {
  const spec = struct(object['spec']);
  const { minReplicas, maxReplicas } = spec;
  const target = struct(spec['scaleTargetRef']);
  return [
    ...(isSet(minReplicas) && number(minReplicas) < 1 ? [invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1')] : []),
    ...(number(maxReplicas) === 0 ? [required('spec.maxReplicas', 'must be set and greater than 0')] : number(maxReplicas) < 1 ? [invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to 1')] : []),
    ...(isSet(minReplicas) && number(maxReplicas) >= 1 && number(maxReplicas) < number(minReplicas) ? [invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`')] : []),
    ...(['kind', 'name'] as const).flatMap((field) => (target[field] ? problems(`spec.scaleTargetRef.${field}`, target[field], pathSegmentName(text(target[field]))) : [required(`spec.scaleTargetRef.${field}`)])),
    ...validateMetrics(spec),
  ];
}

export function validateIngress(object: Struct): FieldError[] {
  const spec = struct(object['spec']);
  const rules = structs(spec['rules']);
  return [
    ...(rules.length === 0 && !isSet(spec['defaultBackend']) ? [invalid('spec', [], 'either `defaultBackend` or `rules` must be specified')] : []),
    ...(isSet(spec['defaultBackend']) ? validateBackend(struct(spec['defaultBackend']), 'spec.defaultBackend') : []),
    ...rules.flatMap((rule, index) => validateIngressRule(rule, at('spec.rules', index))),
    ...validateIngressTls(spec),
    ...(spec['ingressClassName'] ? problems('spec.ingressClassName', spec['ingressClassName'], dns1123Subdomain(text(spec['ingressClassName']))) : []),
  ];
}

function validateIngressRule(rule: Struct, path: string): FieldError[] {
  const host = text(rule['host']);
  const errors: FieldError[] = [];
  if (host !== '') {
    if (isIpv4(host) || isIpv6(host)) errors.push(invalid(child(path, 'host'), host, 'must be a DNS name, not an IP address'));
    errors.push(...problems(child(path, 'host'), host, host.includes('*') ? wildcardDns1123Subdomain(host) : dns1123Subdomain(host)));
  }
  if (!isSet(rule['http'])) return errors;
  const paths = structs(struct(rule['http'])['paths']);
  if (paths.length === 0) errors.push(required(child(path, 'http', 'paths')));
  return [...errors, ...paths.flatMap((entry, index) => validateIngressPath(entry, at(child(path, 'http', 'paths'), index)))];
}

const BAD_SEQUENCES = ['//', '/./', '/../', '%2f', '%2F'];
const BAD_ENDS = ['/..', '/.'];

function validateIngressPath(entry: Struct, path: string): FieldError[] {
  const value = text(entry['path']);
  const type = entry['pathType'];
  if (!isSet(type)) return [required(child(path, 'pathType'), 'pathType must be specified')];
  const base = child(path, 'path');
  const errors: FieldError[] = [];
  if (type === 'Exact' || type === 'Prefix') {
    if (!value.startsWith('/')) errors.push(invalid(base, value, 'must be an absolute path'));
    if (value.length > 0) {
      errors.push(...BAD_SEQUENCES.filter((bad) => value.includes(bad)).map((bad) => invalid(base, value, `must not contain '${bad}'`)));
      errors.push(...BAD_ENDS.filter((bad) => value.endsWith(bad)).map((bad) => invalid(base, value, `cannot end with '${bad}'`)));
    }
  } else if (type === 'ImplementationSpecific') {
    if (value.length > 0 && !value.startsWith('/')) errors.push(invalid(base, value, 'must be an absolute path'));
  } else {
    errors.push(notSupported(child(path, 'pathType'), type, ['Exact', 'ImplementationSpecific', 'Prefix']));
  }
  return [...errors, ...validateBackend(struct(entry['backend']), child(path, 'backend'))];
}

function validateBackend(backend: Struct, path: string): FieldError[] {
  const service = struct(backend['service']);
  if (isSet(backend['resource']) && isSet(backend['service'])) return [invalid(path, '', 'cannot set both resource and service backends')];
  if (isSet(backend['resource'])) return [];
  if (!isSet(backend['service'])) return [invalid(path, '', 'resource or service backend is required')];
  const name = text(service['name']);
  const errors = name === '' ? [required(child(path, 'service', 'name'))] : problems(child(path, 'service', 'name'), name, dns1035Label(name));
  const { name: portName, number: portNumber } = struct(service['port']);
  if (portName && portNumber) return [...errors, invalid(path, '', 'cannot set both port name & port number')];
  if (portNumber) return [...errors, ...port(child(path, 'service', 'port', 'number'), portNumber)];
  return portName ? errors : [...errors, required(path, 'port name or number is required')];
}

export function validateNetworkPolicy(object: Struct): FieldError[] {
  const spec = struct(object['spec']);
  const rules = (field: string, peers: string) =>
    structs(spec[field]).flatMap((rule, index) => {
      const base = at(`spec.${field}`, index);
      return [
        ...structs(rule['ports']).flatMap((entry, position) => {
          const path = at(child(base, 'ports'), position);
          return [...oneOf(child(path, 'protocol'), entry['protocol'], ['SCTP', 'TCP', 'UDP']), ...validatePolicyPort(entry, path)];
        }),
        ...structs(rule[peers]).flatMap((peer, position) => validatePeer(peer, at(child(base, peers), position))),
      ];
    });
  const types = texts(spec['policyTypes']);
  return [
    ...validateLabelSelector(struct(spec['podSelector']), 'spec.podSelector'),
    ...rules('ingress', 'from'),
    ...rules('egress', 'to'),
    ...(types.length > 2 ? [invalid('spec.policyTypes', types, 'may not specify more than two policyTypes')] : types.flatMap((type, index) => oneOf(at('spec.policyTypes', index), type, ['Ingress', 'Egress']))),
  ];
}

function validatePeer(peer: Struct, path: string): FieldError[] {
  const used = Object.keys(peer);
  if (used.length === 0) return [required(path, 'must specify a peer')];
  if (isSet(peer['ipBlock']) && used.length > 1) return [forbidden(path, 'may not specify both ipBlock and another peer')];
  const cidr = struct(peer['ipBlock'])['cidr'];
  if (isCidr(text(cidr))) return validateExceptions(struct(peer['ipBlock']), child(path, 'ipBlock'));
  return isSet(peer['ipBlock']) && !isCidr(text(cidr)) ? [cidr ? invalid(child(path, 'ipBlock', 'cidr'), cidr, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)') : required(child(path, 'ipBlock', 'cidr'))] : [];
}

const ENDPOINTS_MAX = 1000;
const ADDRESSES_MAX = 100;

export function validateEndpointSlice(object: Struct): FieldError[] {
  const type = text(object['addressType']);
  const endpoints = structs(object['endpoints']);
  return [
    ...oneOf('addressType', type, ['FQDN', 'IPv4', 'IPv6'], true),
    ...(endpoints.length > ENDPOINTS_MAX ? [tooMany('endpoints', endpoints.length, ENDPOINTS_MAX)] : []),
    ...endpoints.flatMap((endpoint, index) => {
      const base = child(at('endpoints', index), 'addresses');
      const addresses = texts(endpoint['addresses']);
      if (addresses.length === 0) return [required(base, 'must contain at least 1 address')];
      const wrong = addresses.filter((address) => (type === 'IPv4' && !isIpv4(address)) || (type === 'IPv6' && !isIpv6(address)));
      return [
        ...(addresses.length > ADDRESSES_MAX ? [tooMany(base, addresses.length, ADDRESSES_MAX)] : []),
        ...wrong.map((address) => invalid(base, address, type === 'IPv4' ? 'must be an IPv4 address' : 'must be an IPv6 address')),
        ...(endpoint['hostname'] ? problems(child(at('endpoints', index), 'hostname'), endpoint['hostname'], dns1123Label(text(endpoint['hostname']))) : []),
      ];
    }),
  ];
}

export function validateEndpointSliceUpdate(object: Struct, old: Struct): FieldError[] {
  return immutable('addressType', object['addressType'], old['addressType']);
}

export function validateStorageClass(object: Struct): FieldError[] {
  const provisioner = text(object['provisioner']);
  return [
    ...(provisioner === '' ? [required('provisioner')] : problems('provisioner', provisioner, qualifiedName(provisioner.toLowerCase()))),
    ...oneOf('reclaimPolicy', object['reclaimPolicy'], ['Delete', 'Retain']),
    ...oneOf('volumeBindingMode', object['volumeBindingMode'], ['Immediate', 'WaitForFirstConsumer'], true),
  ];
}

export function validateStorageClassUpdate(object: Struct, old: Struct): FieldError[] {
  const message = 'updates to %s are forbidden.';
  const changed = (field: string) => (deepEqual(object[field], old[field]) ? [] : [forbidden(field, message.replace('%s', field))]);
  return [...changed('parameters'), ...changed('provisioner'), ...changed('reclaimPolicy'), ...immutable('volumeBindingMode', object['volumeBindingMode'], old['volumeBindingMode'])];
}
