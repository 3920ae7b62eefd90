/** Validation of the kinds of the core group that make no pods. Rule: Kubernetes API reference; recorded answers of a real server. */
import { deepEqual } from '#base/json';
import { isQuantity, parseQuantity } from '#apimachinery/quantity';
import { configMapKey, dns1123Subdomain, qualifiedName, tooLong } from '#apimachinery/validation';
import { validateLimitOrder } from './details.ts';
import { validateTaints } from './pod.ts';
import { at, child, forbidden, immutable, invalid, isSet, NOT_NEGATIVE, notSupported, oneOf, problems, required, struct, structs, text, texts, type FieldError, type Struct } from './support.ts';

/** Bytes of all values of a ConfigMap or Secret. */
const CONTENT_SIZE_MAX = 1024 * 1024;

const utf8 = new TextEncoder();
const sizeOfText = (value: unknown) => utf8.encode(text(value)).length;
const sizeOfBase64 = (value: unknown) => Math.floor((text(value).replace(/=+$/, '').length * 3) / 4);

export function validateConfigMap(object: Struct): FieldError[] {
  const data = struct(object['data']);
  const binary = struct(object['binaryData']);
  const size = Object.values(data).reduce<number>((sum, value) => sum + sizeOfText(value), 0) + Object.values(binary).reduce<number>((sum, value) => sum + sizeOfBase64(value), 0);
  return [
    ...Object.keys(data).flatMap((key) => [...problems(at('data', key), key, configMapKey(key)), ...(key in binary ? [invalid(at('data', key), key, 'duplicate of key present in binaryData')] : [])]),
    ...Object.keys(binary).flatMap((key) => problems(at('binaryData', key), key, configMapKey(key))),
    ...(size > CONTENT_SIZE_MAX ? [tooLong('[]', CONTENT_SIZE_MAX)] : []),
  ];
}

/** `fields` cannot change once `immutable` is set, nor can that. */
export function validateImmutableContent(object: Struct, old: Struct, fields: readonly string[]): FieldError[] {
  if (old['immutable'] !== true) return [];
  const message = 'field is immutable when `immutable` is set';
  return [
    ...(object['immutable'] === true ? [] : [forbidden('immutable', message)]),
    ...fields.filter((field) => !deepEqual(object[field], old[field])).map((field) => forbidden(field, message)),
  ];
}

const SECRET_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

export function validateSecret(object: Struct): FieldError[] {
  const data = struct(object['data']);
  const type = text(object['type']);
  const annotations = struct(struct(object['metadata'])['annotations']);
  const size = Object.values(data).reduce<number>((sum, value) => sum + sizeOfBase64(value), 0);
  const account = 'kubernetes.io/service-account.name';
  return [
    ...Object.keys(data).flatMap((key) => problems(at('data', key), key, configMapKey(key))),
    ...(size > CONTENT_SIZE_MAX ? [tooLong('data', CONTENT_SIZE_MAX)] : []),
    ...(type === 'kubernetes.io/service-account-token' && !annotations[account] ? [required(at('metadata.annotations', account))] : []),
    ...(SECRET_KEYS[type] ?? []).filter((key) => !(key in data)).map((key) => required(at('data', key))),
    ...(type === 'kubernetes.io/basic-auth' && !('username' in data) && !('password' in data) ? [required(at('data', 'username')), required(at('data', 'password'))] : []),
  ];
}

export function validateSecretUpdate(object: Struct, old: Struct): FieldError[] {
  return [...immutable('type', object['type'], old['type']), ...validateImmutableContent(object, old, ['data'])];
}

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

export function validateClaim(object: Struct): FieldError[] {
  const spec = struct(object['spec']);
  const requests = struct(struct(spec['resources'])['requests']);
  const storage = requests['storage'];
  return [
    ...(texts(spec['accessModes']).length === 0 ? [required('spec.accessModes', 'at least 1 access mode is required')] : accessModes(spec, 'spec.accessModes')),
    ...(isSet(storage) ? positive(at('spec.resources', 'storage'), storage) : [required(at('spec.resources', 'storage'))]),
    ...(spec['storageClassName'] ? problems('spec.storageClassName', spec['storageClassName'], dns1123Subdomain(text(spec['storageClassName']))) : []),
    ...oneOf('spec.volumeMode', spec['volumeMode'], ['Block', 'Filesystem']),
  ];
}

function accessModes(spec: Struct, path: string): FieldError[] {
  return texts(spec['accessModes']).filter((mode) => !ACCESS_MODES.includes(mode)).map((mode) => notSupported(path, mode, ACCESS_MODES));
}

function positive(path: string, amount: unknown): FieldError[] {
  return typeof amount === 'string' && isQuantity(amount) && parseQuantity(amount).unscaled <= 0n ? [invalid(path, amount, 'must be greater than zero')] : [];
}

export function validateClaimUpdate(object: Struct, old: Struct): FieldError[] {
  const fixed = (value: Struct) => {
    const { resources: _resources, volumeName: _name, volumeAttributesClassName: _class, ...rest } = struct(value['spec']);
    return rest;
  };
  return deepEqual(fixed(object), fixed(old)) ? [] : [forbidden('spec', 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims')];
}

const NOT_A_SOURCE = new Set(['capacity', 'accessModes', 'persistentVolumeReclaimPolicy', 'storageClassName', 'mountOptions', 'volumeMode', 'nodeAffinity', 'claimRef', 'volumeAttributesClassName']);

export function validateVolume(object: Struct): FieldError[] {
  const spec = struct(object['spec']);
  const sources = Object.keys(spec).filter((field) => !NOT_A_SOURCE.has(field));
  return [
    ...(texts(spec['accessModes']).length === 0 ? [required('spec.accessModes')] : accessModes(spec, 'spec.accessModes')),
    ...(Object.keys(struct(spec['capacity'])).length === 0 ? [required('spec.capacity')] : []),
    ...oneOf('spec.persistentVolumeReclaimPolicy', spec['persistentVolumeReclaimPolicy'], ['Delete', 'Recycle', 'Retain']),
    ...(sources.length === 0 ? [required('spec', 'must specify a volume type')] : []),
    ...sources.slice(1).map((field) => forbidden(child('spec', field), 'may not specify more than 1 volume type')),
  ];
}

export function validateNode(object: Struct): FieldError[] {
  const spec = struct(object['spec']);
  return validateTaints(structs(spec['taints']), 'spec.taints');
}

export function validateNodeUpdate(object: Struct, old: Struct): FieldError[] {
  const spec = struct(object['spec']);
  const before = struct(old['spec']);
  return ['podCIDR', 'providerID'].flatMap((field) => (before[field] && before[field] !== spec[field] ? [forbidden(`spec.${field}`, 'node updates may not change ' + field + ' except from "" to valid')] : []));
}

export function validateEvent(object: Struct): FieldError[] {
  const involved = text(struct(object['involvedObject'])['namespace']);
  const namespace = text(struct(object['metadata'])['namespace']);
  const expected = involved === '' ? 'default' : involved;
  return namespace === expected || (involved === '' && namespace === 'kube-system') ? [] : [invalid('involvedObject.namespace', involved, 'does not match event.namespace')];
}

export function validateQuota(object: Struct): FieldError[] {
  return amounts(struct(struct(object['spec'])['hard']), 'spec.hard');
}

function amounts(values: Struct, path: string): FieldError[] {
  return Object.entries(values).flatMap(([name, amount]) => [
    ...problems(at(path, name), name, qualifiedName(name)),
    ...(typeof amount === 'string' && isQuantity(amount) && parseQuantity(amount).unscaled < 0n ? [invalid(at(path, name), amount, NOT_NEGATIVE)] : []),
  ]);
}

export function validateLimitRange(object: Struct): FieldError[] {
  return structs(struct(object['spec'])['limits']).flatMap((item, index) => {
    const base = at('spec.limits', index);
    return [...['max', 'min', 'default', 'defaultRequest'].flatMap((field) => amounts(struct(item[field]), child(base, field))), ...validateLimitOrder(item, base)];
  });
}
