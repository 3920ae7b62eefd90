/** Validation of the kinds that make pods. Rule: Kubernetes API reference, apps/v1 and batch/v1; recorded answers of a real server. */
import { deepEqual } from '#base/json';
import { matchesSelector, type LabelSelector } from '#apimachinery/labels';
import { validateLabelSelector } from '#apimachinery/validation';
import { validatePodTemplate } from './pod.ts';
import { scheduleErrors, timeZoneErrors } from './schedule.ts';
import { child, forbidden, immutable, intOrPercent, invalid, isSet, labelsOf, nonNegative, notSupported, number, oneOf, percentAtMost100, required, struct, structs, text, type FieldError, type Struct } from './support.ts';

/** The selector, the template, and that they fit; `kind` goes into messages. */
function selectorAndTemplate(spec: Struct, kind: string, activeDeadlineOwner: string): FieldError[] {
  const template = struct(spec['template']);
  const labels = struct(template['metadata'])['labels'];
  const errors: FieldError[] = [];
  if (!isSet(spec['selector'])) errors.push(required('spec.selector'));
  else errors.push(...checkSelector(spec, kind, labels));
  errors.push(...validatePodTemplate(template, 'spec.template'));
  const pod = struct(template['spec']);
  if (isSet(pod['restartPolicy']) && pod['restartPolicy'] !== 'Always') errors.push(notSupported('spec.template.spec.restartPolicy', pod['restartPolicy'], ['Always']));
  if (isSet(pod['activeDeadlineSeconds'])) errors.push(forbidden('spec.template.spec.activeDeadlineSeconds', `activeDeadlineSeconds in ${activeDeadlineOwner} is not Supported`));
  return errors;
}

function checkSelector(spec: Struct, kind: string, labels: unknown): FieldError[] {
  const selector = struct(spec['selector']);
  const errors = validateLabelSelector(selector, 'spec.selector');
  const isEmpty = Object.keys(struct(selector['matchLabels'])).length === 0 && structs(selector['matchExpressions']).length === 0;
  if (isEmpty) errors.push(invalid('spec.selector', selector, `empty selector is invalid for ${kind}`));
  else if (errors.length === 0 && !matchesSelector(selector as LabelSelector, labelsOf(labels))) {
    errors.push(invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'));
  }
  return errors;
}

export function validateDeployment(object: Struct): FieldError[] {
  const spec = struct(object['spec']);
  const deadline = spec['progressDeadlineSeconds'];
  return [
    ...nonNegative(spec, 'spec', 'replicas', 'minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds'),
    ...selectorAndTemplate(spec, 'deployment', 'ReplicaSet'),
    ...validateStrategy(struct(spec['strategy']), 'spec.strategy'),
    ...(isSet(deadline) && number(deadline) <= number(spec['minReadySeconds']) ? [invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds')] : []),
  ];
}

const isZero = (value: unknown) => !isSet(value) || value === 0 || (typeof value === 'string' && Number.parseInt(value, 10) === 0);

function validateStrategy(strategy: Struct, path: string): FieldError[] {
  const base = child(path, 'rollingUpdate');
  if (strategy['type'] === 'Recreate') return isSet(strategy['rollingUpdate']) ? [forbidden(base, "may not be specified when strategy `type` is 'Recreate'")] : [];
  if (strategy['type'] !== 'RollingUpdate') return [notSupported(path, { Type: strategy['type'] ?? '', RollingUpdate: null }, ['Recreate', 'RollingUpdate'])];
  const { maxUnavailable, maxSurge } = struct(strategy['rollingUpdate']);
  return [
    ...intOrPercent(child(base, 'maxUnavailable'), maxUnavailable),
    ...intOrPercent(child(base, 'maxSurge'), maxSurge),
    ...(isZero(maxUnavailable) && isZero(maxSurge) ? [invalid(child(base, 'maxUnavailable'), maxUnavailable ?? 0, 'may not be 0 when `maxSurge` is 0')] : []),
    ...percentAtMost100(child(base, 'maxUnavailable'), maxUnavailable),
  ];
}

export function validateReplicaSet(object: Struct): FieldError[] {
  const spec = struct(object['spec']);
  return [...nonNegative(spec, 'spec', 'replicas', 'minReadySeconds'), ...selectorAndTemplate(spec, 'deployment', 'ReplicaSet')];
}

export function validateReplicationController(object: Struct): FieldError[] {
  const spec = struct(object['spec']);
  const template = struct(spec['template']);
  const selector = struct(spec['selector']);
  const labels = struct(struct(template['metadata'])['labels']);
  const fits = Object.entries(selector).every(([key, value]) => labels[key] === value);
  return [
    ...nonNegative(spec, 'spec', 'replicas', 'minReadySeconds'),
    ...(Object.keys(selector).length === 0 ? [required('spec.selector')] : []),
    ...(isSet(spec['template']) ? validatePodTemplate(template, 'spec.template') : [required('spec.template')]),
    ...(fits ? [] : [invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')]),
  ];
}

export function validateDaemonSet(object: Struct): FieldError[] {
  const spec = struct(object['spec']);
  const strategy = struct(spec['updateStrategy']);
  const { maxUnavailable, maxSurge } = struct(strategy['rollingUpdate']);
  const base = 'spec.updateStrategy.rollingUpdate';
  const rolling = strategy['type'] === 'RollingUpdate';
  return [
    ...selectorAndTemplate(spec, 'daemonset', 'DaemonSet'),
    ...nonNegative(spec, 'spec', 'minReadySeconds', 'revisionHistoryLimit'),
    ...(rolling || strategy['type'] === 'OnDelete' ? [] : [notSupported('spec.updateStrategy', { Type: strategy['type'] ?? '', RollingUpdate: null }, ['OnDelete', 'RollingUpdate'])]),
    ...(rolling ? [...intOrPercent(`${base}.maxUnavailable`, maxUnavailable), ...percentAtMost100(`${base}.maxUnavailable`, maxUnavailable), ...intOrPercent(`${base}.maxSurge`, maxSurge)] : []),
    ...(rolling && isZero(maxUnavailable) && isZero(maxSurge) ? [required(`${base}.maxUnavailable`, 'cannot be 0 when maxSurge is 0')] : []),
    ...(rolling && !isZero(maxUnavailable) && !isZero(maxSurge) ? [invalid(`${base}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero')] : []),
  ];
}

export function validateStatefulSet(object: Struct): FieldError[] {
  const spec = struct(object['spec']);
  const strategy = struct(spec['updateStrategy']);
  const policy = text(spec['podManagementPolicy']);
  return [
    ...(policy === 'OrderedReady' || policy === 'Parallel' ? [] : [policy === '' ? required('spec.podManagementPolicy') : invalid('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'")]),
    ...(strategy['type'] === 'RollingUpdate' || strategy['type'] === 'OnDelete' ? nonNegative(struct(strategy['rollingUpdate']), 'spec.updateStrategy.rollingUpdate', 'partition') : [strategy['type'] ? invalid('spec.updateStrategy', strategy, "must be 'RollingUpdate' or 'OnDelete'") : required('spec.updateStrategy')]),
    ...(strategy['type'] === 'OnDelete' && isSet(strategy['rollingUpdate']) ? [invalid('spec.updateStrategy.rollingUpdate', strategy['rollingUpdate'], "only allowed for updateStrategy 'RollingUpdate'")] : []),
    ...nonNegative(struct(spec['ordinals']), 'spec.ordinals', 'start'),
    ...(['whenDeleted', 'whenScaled'] as const).flatMap((field) => oneOf(`spec.persistentVolumeClaimRetentionPolicy.${field}`, struct(spec['persistentVolumeClaimRetentionPolicy'])[field], ['Delete', 'Retain'])),
    ...nonNegative(spec, 'spec', 'replicas', 'minReadySeconds', 'revisionHistoryLimit'),
    ...selectorAndTemplate(spec, 'statefulset', 'StatefulSet').filter((error) => !mountsOfClaims(spec, error)),
  ];
}

/** Mounts of claim templates name volumes that the controller adds later. */
function mountsOfClaims(spec: Struct, error: FieldError): boolean {
  if (error.type !== 'FieldValueNotFound') return false;
  return structs(spec['volumeClaimTemplates']).some((claim) => error.message === `Not found: ${JSON.stringify(struct(claim['metadata'])['name'])}`);
}

const STATEFULSET_MUTABLE = ['replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy', 'minReadySeconds'];

export function validateStatefulSetUpdate(object: Struct, old: Struct): FieldError[] {
  const fixed = (value: Struct) => Object.fromEntries(Object.entries(struct(value['spec'])).filter(([field]) => !STATEFULSET_MUTABLE.includes(field)));
  if (deepEqual(fixed(object), fixed(old))) return [];
  return [forbidden('spec', "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden")];
}

export function validateSelectorUpdate(object: Struct, old: Struct): FieldError[] {
  return immutable('spec.selector', struct(object['spec'])['selector'], struct(old['spec'])['selector']);
}

export function validateJob(object: Struct): FieldError[] {
  const spec = struct(object['spec']);
  return [...validateJobSelector(spec, struct(object['metadata'])), ...validateJobSpec(spec, 'spec')];
}

/** Runs after the server has added its own labels: whatever else the selector wants must be on the template. */
function validateJobSelector(spec: Struct, { uid, name }: Struct): FieldError[] {
  if (!isSet(spec['selector'])) return spec['manualSelector'] === true ? [required('spec.selector')] : [];
  const selector = struct(spec['selector']) as LabelSelector;
  const labels = labelsOf(struct(struct(spec['template'])['metadata'])['labels']);
  const errors = validateLabelSelector(struct(spec['selector']), 'spec.selector');
  if (errors.length > 0) return errors;
  const generated = Object.fromEntries(['controller-uid', 'job-name'].flatMap((label) => [`batch.kubernetes.io/${label}`, label].map((key) => [key, text(label === 'job-name' ? name : uid)])));
  if (spec['manualSelector'] !== true && !matchesSelector(selector, generated)) errors.push(invalid('spec.selector', selector, '`selector` not auto-generated'));
  if (!matchesSelector(selector, labels)) errors.push(invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'));
  return errors;
}

function validateJobSpec(spec: Struct, path: string): FieldError[] {
  const restart = struct(struct(spec['template'])['spec'])['restartPolicy'];
  const indexed = spec['completionMode'] === 'Indexed';
  const errors = [
    ...nonNegative(spec, path, 'parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished', 'backoffLimitPerIndex', 'maxFailedIndexes'),
    ...oneOf(child(path, 'completionMode'), spec['completionMode'], ['NonIndexed', 'Indexed']),
    ...oneOf(child(path, 'podReplacementPolicy'), spec['podReplacementPolicy'], ['Failed', 'TerminatingOrFailed']),
    ...(indexed && !isSet(spec['completions']) ? [required(child(path, 'completions'), 'when completion mode is Indexed')] : []),
    ...(!indexed && isSet(spec['backoffLimitPerIndex']) ? [invalid(child(path, 'backoffLimitPerIndex'), spec['backoffLimitPerIndex'], 'requires indexed completion mode')] : []),
    ...validatePodTemplate(struct(spec['template']), child(path, 'template')),
  ];
  if (restart === undefined || restart === 'Always') {
    errors.push(required(child(path, 'template', 'spec', 'restartPolicy'), 'valid values: "OnFailure", "Never"'));
  } else if (restart !== 'OnFailure' && restart !== 'Never') {
    errors.push(notSupported(child(path, 'template', 'spec', 'restartPolicy'), restart, ['OnFailure', 'Never']));
  }
  return errors;
}

export function validateJobUpdate(object: Struct, old: Struct): FieldError[] {
  const spec = struct(object['spec']);
  const before = struct(old['spec']);
  const fixed = ['selector', 'completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'];
  const mutableTemplate = before['suspend'] === true && !isSet(struct(old['status'])['startTime']);
  return [
    ...(spec['completionMode'] === 'Indexed' ? [] : immutable('spec.completions', spec['completions'], before['completions'])),
    ...fixed.flatMap((field) => immutable(`spec.${field}`, spec[field], before[field])),
    ...(mutableTemplate ? [] : immutable('spec.template', spec['template'], before['template'])),
  ];
}

/** Each Job of a CronJob gets a selector of its own. */
function generatedSelector(spec: Struct, path: string): FieldError[] {
  return [
    ...(isSet(spec['selector']) ? [invalid(child(path, 'selector'), spec['selector'], '`selector` will be auto-generated')] : []),
    ...(spec['manualSelector'] === true ? [notSupported(child(path, 'manualSelector'), true, ['nil', 'false'])] : []),
  ];
}

export function validateCronJob(object: Struct): FieldError[] {
  const spec = struct(object['spec']);
  const schedule = text(spec['schedule']);
  const template = struct(spec['jobTemplate']);
  return [
    ...(schedule === '' ? [required('spec.schedule')] : scheduleErrors(schedule)),
    ...nonNegative(spec, 'spec', 'startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'),
    ...oneOf('spec.concurrencyPolicy', spec['concurrencyPolicy'], ['Allow', 'Forbid', 'Replace'], true),
    ...timeZoneErrors(spec),
    ...generatedSelector(struct(template['spec']), 'spec.jobTemplate.spec'),
    ...validateJobSpec(struct(template['spec']), 'spec.jobTemplate.spec'),
  ];
}
