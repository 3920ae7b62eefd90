/** Validation of pods and pod templates. Rule: Kubernetes API reference, `PodSpec`; recorded answers of a real server. */
import { deepEqual } from '#base/json';
import { dns1123Label, dns1123Subdomain, duplicate, qualifiedName, validateAnnotations, validateLabels, labelValue } from '#apimachinery/validation';
import { validateContainers } from './container.ts';
import { podSpecDifference } from './pod-difference.ts';
import { at, child, forbidden, inRange, invalid, isSet, labelsOf, nonNegative, notSupported, number, oneOf, problems, required, struct, structs, text, type FieldError, type Struct } from './support.ts';

const INT32_MAX = 2 ** 31 - 1;
const VOLUME_NAME = 'name';

export function validatePodTemplate(template: Struct, path: string): FieldError[] {
  const metadata = struct(template['metadata']);
  const base = child(path, 'metadata');
  return [
    ...validateLabels(labelsOf(metadata['labels']), child(base, 'labels')),
    ...validateAnnotations(labelsOf(metadata['annotations']), child(base, 'annotations')),
    ...validatePodSpec(struct(template['spec']), child(path, 'spec')),
    ...(structs(struct(template['spec'])['ephemeralContainers']).length > 0 ? [forbidden(child(path, 'spec', 'ephemeralContainers'), 'ephemeral containers not allowed in pod template')] : []),
  ];
}

export function validatePodSpec(spec: Struct, path: string): FieldError[] {
  const volumes = structs(spec['volumes']);
  const names = new Set(volumes.map((volume) => text(volume[VOLUME_NAME])));
  return [
    ...validateVolumes(volumes, child(path, 'volumes')),
    ...validateContainers(spec, path, names),
    ...oneOf(child(path, 'restartPolicy'), spec['restartPolicy'], ['Always', 'OnFailure', 'Never'], true),
    ...oneOf(child(path, 'dnsPolicy'), spec['dnsPolicy'], ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'], true),
    ...validateLabels(labelsOf(spec['nodeSelector']), child(path, 'nodeSelector')),
    ...validateNames(spec, path),
    ...(isSet(spec['terminationGracePeriodSeconds']) ? nonNegative(spec, path, 'terminationGracePeriodSeconds') : []),
    ...(isSet(spec['activeDeadlineSeconds']) ? inRange(child(path, 'activeDeadlineSeconds'), spec['activeDeadlineSeconds'], 1, INT32_MAX) : []),
    ...validateTolerations(structs(spec['tolerations']), child(path, 'tolerations')),
    ...validateSpread(structs(spec['topologySpreadConstraints']), child(path, 'topologySpreadConstraints')),
    ...validateAffinity(struct(spec['affinity']), child(path, 'affinity')),
    ...validateGates(structs(spec['schedulingGates']), child(path, 'schedulingGates')),
    ...oneOf(child(path, 'preemptionPolicy'), spec['preemptionPolicy'], ['Never', 'PreemptLowerPriority']),
  ];
}

function validateNames(spec: Struct, path: string): FieldError[] {
  const optional = (field: string, check: (value: string) => string[]) => (spec[field] ? problems(child(path, field), spec[field], check(text(spec[field]))) : []);
  return [
    ...optional('serviceAccountName', dns1123Subdomain),
    ...optional('nodeName', dns1123Subdomain),
    ...optional('hostname', dns1123Label),
    ...optional('subdomain', dns1123Label),
    ...optional('priorityClassName', dns1123Subdomain),
    ...optional('runtimeClassName', dns1123Subdomain),
  ];
}

function validateGates(gates: Struct[], path: string): FieldError[] {
  const seen = new Set<string>();
  return gates.flatMap((gate, index) => {
    const name = text(gate['name']);
    const repeated = seen.has(name) ? [duplicate(at(path, index), name)] : [];
    seen.add(name);
    return [...problems(child(at(path, index), 'name'), name, qualifiedName(name)), ...repeated];
  });
}

/** Fields of a volume that are no source. */
const NO_SOURCE = new Set(['name']);

function validateVolumes(volumes: Struct[], path: string): FieldError[] {
  const seen = new Set<string>();
  return volumes.flatMap((volume, index) => {
    const base = at(path, index);
    const name = text(volume['name']);
    const errors = [...validateSource(volume, base)];
    if (name === '') errors.push(required(child(base, 'name')));
    else errors.push(...problems(child(base, 'name'), name, dns1123Label(name)));
    if (name !== '' && seen.has(name)) errors.push(duplicate(child(base, 'name'), name));
    seen.add(name);
    return errors;
  });
}

function validateSource(volume: Struct, path: string): FieldError[] {
  const sources = Object.keys(volume).filter((field) => !NO_SOURCE.has(field) && isSet(volume[field]));
  if (sources.length === 0) return [required(path, 'must specify a volume type')];
  const errors: FieldError[] = sources.slice(1).map((field) => forbidden(child(path, field), 'may not specify more than 1 volume type'));
  const source = struct(volume[sources[0] ?? '']);
  const base = child(path, sources[0] ?? '');
  const mandatory: Readonly<Record<string, readonly string[]>> = { secret: ['secretName'], configMap: ['name'], persistentVolumeClaim: ['claimName'], hostPath: ['path'], nfs: ['server', 'path'], csi: ['driver'] };
  for (const field of mandatory[sources[0] ?? ''] ?? []) if (!source[field]) errors.push(required(child(base, field)));
  if (isSet(source['defaultMode'])) errors.push(...fileMode(child(base, 'defaultMode'), source['defaultMode']));
  return errors;
}

function fileMode(path: string, value: unknown): FieldError[] {
  return number(value) < 0 || number(value) > 0o777 ? [invalid(path, value, 'must be a number between 0 and 0777 (octal), both inclusive')] : [];
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

function validateTolerations(tolerations: Struct[], path: string): FieldError[] {
  return tolerations.flatMap((toleration, index) => {
    const base = at(path, index);
    const { key, operator, value, effect, tolerationSeconds } = toleration;
    const errors: FieldError[] = key ? problems(child(base, 'key'), key, qualifiedName(text(key))) : [];
    if (!key && operator !== 'Exists') errors.push(invalid(child(base, 'operator'), operator ?? '', 'operator must be Exists when `key` is empty, which means "match all values and all keys"'));
    if (isSet(tolerationSeconds) && effect !== 'NoExecute') errors.push(invalid(child(base, 'effect'), effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    if (!isSet(operator) || operator === '' || operator === 'Equal') errors.push(...problems(child(base, 'operator'), value ?? '', labelValue(text(value))));
    else if (operator === 'Exists') {
      if (value) errors.push(invalid(child(base, 'operator'), toleration, 'value must be empty when `operator` is \'Exists\''));
    } else errors.push(notSupported(child(base, 'operator'), operator, ['Equal', 'Exists']));
    return [...errors, ...oneOf(child(base, 'effect'), effect, EFFECTS)];
  });
}

export function validateTaints(taints: Struct[], path: string): FieldError[] {
  const seen = new Set<string>();
  return taints.flatMap((taint, index) => {
    const base = at(path, index);
    const id = `${text(taint['key'])}:${text(taint['effect'])}`;
    const repeated = seen.has(id) ? [duplicate(base, taint)] : [];
    seen.add(id);
    return [
      ...problems(child(base, 'key'), taint['key'] ?? '', qualifiedName(text(taint['key']))),
      ...problems(child(base, 'value'), taint['value'] ?? '', labelValue(text(taint['value']))),
      ...oneOf(child(base, 'effect'), taint['effect'], EFFECTS, true),
      ...repeated,
    ];
  });
}

function validateSpread(constraints: Struct[], path: string): FieldError[] {
  return constraints.flatMap((constraint, index) => {
    const base = at(path, index);
    const errors: FieldError[] = [];
    if (number(constraint['maxSkew']) <= 0) errors.push(invalid(child(base, 'maxSkew'), number(constraint['maxSkew']), 'must be greater than zero'));
    if (!constraint['topologyKey']) errors.push(required(child(base, 'topologyKey'), 'can not be empty'));
    else errors.push(...problems(child(base, 'topologyKey'), constraint['topologyKey'], qualifiedName(text(constraint['topologyKey']))));
    const when = constraint['whenUnsatisfiable'];
    if (when !== 'DoNotSchedule' && when !== 'ScheduleAnyway') errors.push(notSupported(child(base, 'whenUnsatisfiable'), when ?? '', ['DoNotSchedule', 'ScheduleAnyway']));
    return errors;
  });
}

function validateAffinity(affinity: Struct, path: string): FieldError[] {
  const terms = (kind: string) => {
    const value = struct(affinity[kind]);
    const needed = structs(value['requiredDuringSchedulingIgnoredDuringExecution']).map((term, index) => ({ term, base: at(child(path, kind, 'requiredDuringSchedulingIgnoredDuringExecution'), index) }));
    const preferred = structs(value['preferredDuringSchedulingIgnoredDuringExecution']).map((term, index) => ({ term: struct(term['podAffinityTerm']), base: child(at(child(path, kind, 'preferredDuringSchedulingIgnoredDuringExecution'), index), 'podAffinityTerm') }));
    return [...needed, ...preferred];
  };
  return [...terms('podAffinity'), ...terms('podAntiAffinity')].flatMap(({ term, base }) => (term['topologyKey'] ? problems(child(base, 'topologyKey'), term['topologyKey'], qualifiedName(text(term['topologyKey']))) : [required(child(base, 'topologyKey'), 'can not be empty')]));
}

const POD_UPDATE = 'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** An update of a pod may change images, deadlines, gates and added tolerations; the message ends with the difference. */
export function validatePodUpdate(pod: Struct, old: Struct): FieldError[] {
  const spec = struct(pod['spec']);
  const before = struct(old['spec']);
  const errors: FieldError[] = [];
  if (structs(spec['containers']).length !== structs(before['containers']).length) return [forbidden('spec.containers', 'pod updates may not add or remove containers')];
  const oldTolerations = structs(before['tolerations']);
  const kept = structs(spec['tolerations']);
  const onlyAdded = oldTolerations.every((toleration) => kept.some((other) => deepEqual(withoutSeconds(toleration), withoutSeconds(other))));
  if (!onlyAdded) errors.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'));
  const munged = mask(spec, before);
  if (!deepEqual(munged, before)) errors.push(forbidden('spec', `${POD_UPDATE}\n${podSpecDifference(before, munged)}`));
  return errors;
}

function withoutSeconds({ tolerationSeconds: _seconds, ...rest }: Struct): Struct {
  return rest;
}

/** What may change, in a pod that is not held back by scheduling gates. */
const MUTABLE = ['activeDeadlineSeconds', 'tolerations', 'schedulingGates'];

/** The new spec with what may change made equal to what was. */
function mask(spec: Struct, before: Struct): Struct {
  const images = (field: string) => structs(spec[field]).map((container, index) => ({ ...container, image: structs(before[field])[index]?.['image'] }));
  const result: Struct = { ...spec, containers: images('containers'), ...(spec['initContainers'] ? { initContainers: images('initContainers') } : {}) };
  const same = number(before['terminationGracePeriodSeconds']) < 0 && spec['terminationGracePeriodSeconds'] === 1 ? [...MUTABLE, 'terminationGracePeriodSeconds'] : MUTABLE;
  for (const field of same) {
    if (before[field] === undefined) delete result[field];
    else result[field] = before[field];
  }
  return result;
}
