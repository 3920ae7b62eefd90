/** Validation of containers. Rule: Kubernetes API reference, `Container`; recorded answers of a real server. */
import { compareQuantities, isQuantity, parseQuantity } from '#apimachinery/quantity';
import { dns1123Label, duplicate, envVarName, notFound, portName, qualifiedName } from '#apimachinery/validation';
import { at, child, forbidden, invalid, isSet, nonNegative, NOT_NEGATIVE, number, oneOf, port, problems, required, struct, structs, text, type FieldError, type Struct } from './support.ts';

/** All three lists of containers of a pod; names are unique across them. */
export function validateContainers(spec: Struct, path: string, volumes: ReadonlySet<string>): FieldError[] {
  const seen = new Set<string>();
  const errors: FieldError[] = [];
  const containers = structs(spec['containers']);
  if (containers.length === 0) errors.push(required(child(path, 'containers')));
  for (const field of ['containers', 'initContainers', 'ephemeralContainers']) {
    for (const [index, container] of structs(spec[field]).entries()) {
      const base = at(child(path, field), index);
      const name = text(container['name']);
      if (name !== '' && seen.has(name)) errors.push(duplicate(child(base, 'name'), name));
      seen.add(name);
      errors.push(...validateContainer(container, base, volumes));
      if (field === 'initContainers' && container['restartPolicy'] !== 'Always') {
        for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle']) if (isSet(container[probe])) errors.push(forbidden(child(base, probe), 'may not be set for init containers without restartPolicy=Always'));
      }
    }
  }
  return errors;
}

function validateContainer(container: Struct, path: string, volumes: ReadonlySet<string>): FieldError[] {
  const name = text(container['name']);
  const image = text(container['image']);
  return [
    ...(name === '' ? [required(child(path, 'name'))] : problems(child(path, 'name'), name, dns1123Label(name))),
    ...(image === '' ? [required(child(path, 'image'))] : image.trim() === image ? [] : [invalid(child(path, 'image'), image, 'must not have leading or trailing whitespace')]),
    ...oneOf(child(path, 'terminationMessagePolicy'), container['terminationMessagePolicy'], ['FallbackToLogsOnError', 'File'], true),
    ...oneOf(child(path, 'imagePullPolicy'), container['imagePullPolicy'], ['Always', 'IfNotPresent', 'Never'], true),
    ...validatePorts(structs(container['ports']), child(path, 'ports')),
    ...validateEnv(structs(container['env']), child(path, 'env')),
    ...validateEnvFrom(structs(container['envFrom']), child(path, 'envFrom')),
    ...validateMounts(structs(container['volumeMounts']), child(path, 'volumeMounts'), volumes),
    ...['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((field) => (isSet(container[field]) ? validateProbe(struct(container[field]), child(path, field), field) : [])),
    ...['postStart', 'preStop'].flatMap((field) => {
      const handler = struct(container['lifecycle'])[field];
      return isSet(handler) ? validateHandler(struct(handler), child(path, 'lifecycle', field), ['exec', 'httpGet', 'tcpSocket', 'sleep']) : [];
    }),
    ...validateResources(struct(container['resources']), child(path, 'resources')),
  ];
}

function validatePorts(ports: Struct[], path: string): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap((entry, index) => {
    const base = at(path, index);
    const name = text(entry['name']);
    const errors: FieldError[] = [];
    if (name !== '') {
      const wrong = portName(name);
      errors.push(...problems(child(base, 'name'), name, wrong));
      if (wrong.length === 0 && names.has(name)) errors.push(duplicate(child(base, 'name'), name));
      names.add(name);
    }
    if (!entry['containerPort']) errors.push(required(child(base, 'containerPort')));
    else errors.push(...port(child(base, 'containerPort'), entry['containerPort']));
    if (entry['hostPort']) errors.push(...port(child(base, 'hostPort'), entry['hostPort']));
    return [...errors, ...oneOf(child(base, 'protocol'), entry['protocol'], ['SCTP', 'TCP', 'UDP'], true)];
  });
}

const VALUE_SOURCES = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'];

function validateEnv(env: Struct[], path: string): FieldError[] {
  return env.flatMap((entry, index) => {
    const base = at(path, index);
    const name = text(entry['name']);
    const errors: FieldError[] = name === '' ? [required(child(base, 'name'))] : problems(child(base, 'name'), name, envVarName(name));
    if (!isSet(entry['valueFrom'])) return errors;
    const source = struct(entry['valueFrom']);
    const used = VALUE_SOURCES.filter((field) => isSet(source[field]));
    if (used.length === 0) errors.push(invalid(child(base, 'valueFrom'), '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'));
    else if (text(entry['value']) !== '') errors.push(invalid(child(base, 'valueFrom'), '', 'may not be specified when `value` is not empty'));
    if (used.length > 1) errors.push(invalid(child(base, 'valueFrom'), '', 'may not have more than one field specified at a time'));
    for (const field of ['configMapKeyRef', 'secretKeyRef']) if (isSet(source[field]) && !struct(source[field])['key']) errors.push(required(child(base, 'valueFrom', field, 'key')));
    if (isSet(source['fieldRef']) && !struct(source['fieldRef'])['fieldPath']) errors.push(required(child(base, 'valueFrom', 'fieldRef', 'fieldPath')));
    return errors;
  });
}

function validateEnvFrom(sources: Struct[], path: string): FieldError[] {
  return sources.flatMap((source, index) => {
    const used = ['configMapRef', 'secretRef'].filter((field) => isSet(source[field]));
    if (used.length === 0) return [invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`')];
    return used.length > 1 ? [invalid(at(path, index), '', 'may not have more than one field specified at a time')] : [];
  });
}

function validateMounts(mounts: Struct[], path: string, volumes: ReadonlySet<string>): FieldError[] {
  const points = new Set<string>();
  return mounts.flatMap((mount, index) => {
    const base = at(path, index);
    const name = text(mount['name']);
    const point = text(mount['mountPath']);
    const errors: FieldError[] = [];
    if (name === '') errors.push(required(child(base, 'name')));
    else if (!volumes.has(name)) errors.push(notFound(child(base, 'name'), name));
    if (point === '') errors.push(required(child(base, 'mountPath')));
    else if (points.has(point)) errors.push(invalid(child(base, 'mountPath'), point, 'must be unique'));
    points.add(point);
    return errors;
  });
}

function validateProbe(probe: Struct, path: string, kind: string): FieldError[] {
  const once = kind !== 'readinessProbe' && number(probe['successThreshold']) !== 1;
  return [
    ...validateHandler(probe, path, ['exec', 'httpGet', 'tcpSocket', 'grpc']),
    ...nonNegative(probe, path, 'initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'),
    ...(once ? [invalid(child(path, 'successThreshold'), number(probe['successThreshold']), 'must be 1')] : []),
  ];
}

function validateHandler(handler: Struct, path: string, kinds: readonly string[]): FieldError[] {
  const used = kinds.filter((kind) => isSet(handler[kind]));
  if (used.length === 0) return [required(path, 'must specify a handler type')];
  const errors: FieldError[] = used.slice(1).map((kind) => forbidden(child(path, kind), 'may not specify more than 1 handler type'));
  const value = struct(handler[used[0] ?? '']);
  const base = child(path, used[0] ?? '');
  if (used[0] === 'exec' && (!Array.isArray(value['command']) || value['command'].length === 0)) errors.push(required(child(base, 'command')));
  if (used[0] === 'httpGet') {
    if (!value['path']) errors.push(required(child(base, 'path')));
    errors.push(...oneOf(child(base, 'scheme'), value['scheme'], ['HTTP', 'HTTPS']));
  }
  if (used[0] === 'httpGet' || used[0] === 'tcpSocket') errors.push(...portNameOrNumber(child(base, 'port'), value['port']));
  return errors;
}

/** A port by number or by name. */
export function portNameOrNumber(path: string, value: unknown): FieldError[] {
  return typeof value === 'string' ? problems(path, value, portName(value)) : port(path, value ?? 0);
}

const STANDARD = /^(?:cpu|memory|ephemeral-storage|storage|hugepages-.+)$/;

/** Requests and limits: names, amounts, and requests within limits. */
export function validateResources(resources: Struct, path: string): FieldError[] {
  const limits = struct(resources['limits']);
  const requests = struct(resources['requests']);
  const errors = [...validateAmounts(limits, child(path, 'limits')), ...validateAmounts(requests, child(path, 'requests'))];
  for (const [name, amount] of Object.entries(requests)) {
    const limit = limits[name];
    if (typeof limit !== 'string' || typeof amount !== 'string' || !isQuantity(limit) || !isQuantity(amount)) continue;
    const compared = compareQuantities(parseQuantity(amount), parseQuantity(limit));
    if (compared > 0) errors.push(invalid(child(path, 'requests'), amount, `must be less than or equal to ${name} limit of ${limit}`));
  }
  return errors;
}

function validateAmounts(amounts: Struct, path: string): FieldError[] {
  return Object.entries(amounts).flatMap(([name, amount]) => {
    const base = at(path, name);
    const wrong = qualifiedName(name);
    const errors = problems(base, name, wrong);
    if (wrong.length === 0 && !name.includes('/') && !STANDARD.test(name)) {
      errors.push(invalid(base, name, 'must be a standard resource type or fully qualified'), invalid(base, name, 'must be a standard resource for containers'));
    }
    if (typeof amount === 'string' && isQuantity(amount) && parseQuantity(amount).unscaled < 0n) errors.push(invalid(base, amount, NOT_NEGATIVE));
    return errors;
  });
}

