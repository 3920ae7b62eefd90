/**
 * Parts of objects that few clients write: ports and blocks of NetworkPolicies, hosts of Ingresses, metrics of
 * HorizontalPodAutoscalers, limits, Events of their own group. Rule: Kubernetes API reference; answers of real servers.
 */
import { compareQuantities, isQuantity, parseQuantity } from '#apimachinery/quantity';
import { isCidr } from '#apimachinery/schema';
import { dns1123Label, dns1123Subdomain, qualifiedName, wildcardDns1123Subdomain } from '#apimachinery/validation';
import { at, child, forbidden, invalid, isSet, notSupported, number, port, problems, required, struct, structs, text, texts, type FieldError, type Struct } from './support.ts';

export function validatePolicyPort(entry: Struct, path: string): FieldError[] {
  const { port: value, endPort } = entry;
  const errors = typeof value === 'number' ? port(child(path, 'port'), value) : [];
  if (!isSet(endPort)) return errors;
  const end = child(path, 'endPort');
  if (!isSet(value)) return [invalid(end, endPort, 'may not be specified when `port` is not specified')];
  if (typeof value !== 'number') return [...errors, invalid(end, endPort, 'may not be specified when `port` is non-numeric')];
  if (number(endPort) < value) errors.push(invalid(end, endPort, 'must be greater than or equal to `port`'));
  return [...errors, ...port(end, endPort)];
}

/** Exceptions from an address block lie inside it and are smaller. */
export function validateExceptions(block: Struct, path: string): FieldError[] {
  const cidr = text(block['cidr']);
  return texts(block['except']).flatMap((except, index) => {
    const base = at(child(path, 'except'), index);
    if (!isCidr(except)) return [invalid(base, except, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')];
    return isCidr(cidr) && !isStrictlyInside(except, cidr) ? [invalid(base, except, 'must be a strict subset of `cidr`')] : [];
  });
}

/** IPv4 only; blocks of IPv6 count as inside. */
function isStrictlyInside(inner: string, outer: string): boolean {
  const [innerIp = '', innerBits = ''] = inner.split('/');
  const [outerIp = '', outerBits = ''] = outer.split('/');
  if (innerIp.includes(':') || outerIp.includes(':')) return innerIp.includes(':') === outerIp.includes(':');
  const value = (ip: string) => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(outerBits));
  return Number(innerBits) > Number(outerBits) && Math.floor(value(innerIp) / size) === Math.floor(value(outerIp) / size);
}

export function validateIngressTls(spec: Struct): FieldError[] {
  return structs(spec['tls']).flatMap((tls, index) =>
    texts(tls['hosts']).flatMap((host, position) => problems(`spec.tls[${index}].hosts[${position}]`, host, host.includes('*') ? wildcardDns1123Subdomain(host) : dns1123Subdomain(host))),
  );
}

export function validateIngressClass(object: Struct): FieldError[] {
  const controller = text(struct(object['spec'])['controller']);
  if (controller === '') return [required('spec.controller')];
  const [domain = '', ...rest] = controller.split('/');
  if (domain === '' || rest.join('/') === '') return [invalid('spec.controller', controller, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  return problems('spec.controller', domain, dns1123Subdomain(domain));
}

export function validateRuntimeClass(object: Struct): FieldError[] {
  const handler = text(object['handler']);
  return handler === '' ? [required('handler')] : problems('handler', handler, dns1123Label(handler));
}

const METRIC_FIELDS: Readonly<Record<string, string>> = { ContainerResource: 'containerResource', External: 'external', Object: 'object', Pods: 'pods', Resource: 'resource' };

export function validateMetrics(spec: Struct): FieldError[] {
  return structs(spec['metrics']).flatMap((metric, index) => {
    const base = at('spec.metrics', index);
    const type = text(metric['type']);
    if (type === '') return [required(child(base, 'type'), 'must specify a metric source type')];
    const field = METRIC_FIELDS[type];
    if (field === undefined) return [notSupported(child(base, 'type'), type, Object.keys(METRIC_FIELDS))];
    if (!isSet(metric[field])) return [required(child(base, field), 'must populate information for the given metric source')];
    return type === 'Resource' ? validateResourceMetric(struct(metric[field]), child(base, field)) : [];
  });
}

function validateResourceMetric(source: Struct, path: string): FieldError[] {
  const target = struct(source['target']);
  const { averageUtilization, averageValue } = target;
  const base = child(path, 'target');
  const errors: FieldError[] = source['name'] ? [] : [required(child(path, 'name'), 'must specify a resource name')];
  if (!target['type']) errors.push(required(child(base, 'type'), 'must specify a metric target type'));
  if (isSet(averageUtilization) && number(averageUtilization) < 1) errors.push(invalid(child(base, 'averageUtilization'), averageUtilization, 'must be greater than 0'));
  if (!isSet(averageUtilization) && !isSet(averageValue)) errors.push(required(child(base, 'averageUtilization'), 'must set either a target raw value or a target utilization'));
  if (isSet(averageUtilization) && isSet(averageValue)) errors.push(forbidden(child(base, 'averageValue'), 'may not set both a target raw value and a target utilization'));
  return errors;
}

/** The smallest amount of a LimitRange may not be above the greatest. */
export function validateLimitOrder(item: Struct, path: string): FieldError[] {
  const min = struct(item['min']);
  const max = struct(item['max']);
  return Object.entries(min).flatMap(([name, least]) => {
    const most = max[name];
    if (!isQuantity(text(least)) || !isQuantity(text(most)) || compareQuantities(parseQuantity(text(least)), parseQuantity(text(most))) <= 0) return [];
    return [invalid(at(child(path, 'min'), name), least, `min value ${text(least)} is greater than max value ${text(most)}`)];
  });
}

const EVENT_TEXT_MAX = 128;
const EVENT_NOTE_MAX = 1024;

/** Events of events.k8s.io must say everything that those of the core group may leave out. */
export function validateNewEvent(object: Struct): FieldError[] {
  const controller = text(object['reportingController']);
  const errors: FieldError[] = isSet(object['eventTime']) ? [] : [required('eventTime')];
  errors.push(...(controller === '' ? [required('reportingController')] : problems('reportingController', controller, qualifiedName(controller))));
  for (const field of ['reportingInstance', 'action', 'reason']) {
    if (text(object[field]) === '') errors.push(required(field));
    else if (text(object[field]).length > EVENT_TEXT_MAX) errors.push(invalid(field, '', `can have at most ${EVENT_TEXT_MAX} characters`));
  }
  if (text(object['note']).length > EVENT_NOTE_MAX) errors.push(invalid('message', '', `can have at most ${EVENT_NOTE_MAX} characters`));
  if (!['Normal', 'Warning'].includes(text(object['type']))) errors.push(invalid('type', '', `has invalid value: ${text(object['type'])}`));
  return errors;
}
