/**
 * Which validators belong to which kind: names, content, and what an update may not change. A kind that is not
 * listed has its metadata validated and nothing else.
 */
import type { Unstructured } from '#apimachinery/meta';
import { validateCustomResourceDefinition, validateCustomResourceDefinitionUpdate } from '#apimachinery/schema';
import { dns1123Label, dns1123Subdomain, validateObjectMeta, validateObjectMetaUpdate, type FieldError, type NameCheck } from '#apimachinery/validation';
import { validateConfigMap, validateClaim, validateClaimUpdate, validateEvent, validateImmutableContent, validateLimitRange, validateNode, validateNodeUpdate, validateQuota, validateSecret, validateSecretUpdate, validateVolume } from './core.ts';
import { validateIngressClass, validateNewEvent, validateRuntimeClass } from './details.ts';
import { validatePodSpec, validatePodUpdate } from './pod.ts';
import {
  rbacName, validateAutoscaler, validateDisruptionBudget, validateEndpointSlice, validateEndpointSliceUpdate, validateIngress, validateLease, validateNetworkPolicy,
  validatePriorityClass, validatePriorityClassUpdate, validateRole, validateRoleBinding, validateRoleBindingUpdate, validateStorageClass, validateStorageClassUpdate,
} from './policies.ts';
import { validateService, validateServiceUpdate } from './service.ts';
import { struct, type Struct } from './support.ts';
import {
  validateCronJob, validateDaemonSet, validateDeployment, validateJob, validateJobUpdate, validateReplicaSet, validateReplicationController,
  validateSelectorUpdate, validateStatefulSet, validateStatefulSetUpdate,
} from './workloads.ts';

interface KindRules {
  name?: NameCheck;
  content?: (object: Struct) => FieldError[];
  update?: (object: Struct, old: Struct) => FieldError[];
  /** The content is not judged again on updates, because it may not change but for what `update` allows. */
  contentOnCreateOnly?: boolean;
}

const RBAC = 'rbac.authorization.k8s.io';
/** Longest name of a CronJob: its Jobs get eleven characters more. */
const CRON_JOB_NAME_MAX = 52;

const RULES: Readonly<Record<string, KindRules>> = {
  '/Pod': { content: (pod) => validatePodSpec(struct(pod['spec']), 'spec'), update: validatePodUpdate, contentOnCreateOnly: true },
  '/ConfigMap': { content: validateConfigMap, update: (object, old) => validateImmutableContent(object, old, ['data', 'binaryData']) },
  '/Secret': { content: validateSecret, update: validateSecretUpdate },
  '/Service': { name: dns1123Label, content: validateService, update: validateServiceUpdate },
  '/Namespace': { name: dns1123Label },
  '/Node': { content: validateNode, update: validateNodeUpdate },
  '/Event': { content: validateEvent },
  '/PersistentVolumeClaim': { content: validateClaim, update: validateClaimUpdate },
  '/PersistentVolume': { content: validateVolume },
  '/ReplicationController': { content: validateReplicationController },
  '/ResourceQuota': { content: validateQuota },
  '/LimitRange': { content: validateLimitRange },
  'apps/Deployment': { content: validateDeployment, update: validateSelectorUpdate },
  'apps/ReplicaSet': { content: validateReplicaSet, update: validateSelectorUpdate },
  'apps/DaemonSet': { content: validateDaemonSet, update: validateSelectorUpdate },
  'apps/StatefulSet': { content: validateStatefulSet, update: validateStatefulSetUpdate },
  'batch/Job': { content: validateJob, update: validateJobUpdate },
  'batch/CronJob': { name: cronJobName, content: validateCronJob },
  'policy/PodDisruptionBudget': { content: validateDisruptionBudget },
  'scheduling.k8s.io/PriorityClass': { content: validatePriorityClass, update: validatePriorityClassUpdate },
  'coordination.k8s.io/Lease': { content: validateLease },
  'discovery.k8s.io/EndpointSlice': { content: validateEndpointSlice, update: validateEndpointSliceUpdate },
  'autoscaling/HorizontalPodAutoscaler': { content: validateAutoscaler },
  'events.k8s.io/Event': { content: validateNewEvent, contentOnCreateOnly: true },
  'networking.k8s.io/IngressClass': { content: validateIngressClass },
  'node.k8s.io/RuntimeClass': { content: validateRuntimeClass },
  'networking.k8s.io/Ingress': { content: validateIngress },
  'networking.k8s.io/NetworkPolicy': { content: validateNetworkPolicy },
  'storage.k8s.io/StorageClass': { content: validateStorageClass, update: validateStorageClassUpdate },
  [`${RBAC}/Role`]: { name: rbacName, content: (object) => validateRole(object, true) },
  [`${RBAC}/ClusterRole`]: { name: rbacName, content: (object) => validateRole(object, false) },
  [`${RBAC}/RoleBinding`]: { name: rbacName, content: (object) => validateRoleBinding(object, true), update: validateRoleBindingUpdate },
  [`${RBAC}/ClusterRoleBinding`]: { name: rbacName, content: (object) => validateRoleBinding(object, false), update: validateRoleBindingUpdate },
  'apiextensions.k8s.io/CustomResourceDefinition': {
    content: (object) => validateCustomResourceDefinition(object as Unstructured),
    update: (object, old) => validateCustomResourceDefinitionUpdate(object as Unstructured, old as Unstructured),
    contentOnCreateOnly: true,
  },
};

function cronJobName(name: string): string[] {
  return name.length > CRON_JOB_NAME_MAX ? [...dns1123Subdomain(name), 'must be no more than 52 characters'] : dns1123Subdomain(name);
}

const NONE: KindRules = {};

function rulesOf(group: string, kind: string): KindRules {
  return RULES[`${group}/${kind}`] ?? NONE;
}

export interface ValidatedKind {
  group: string;
  kind: string;
  namespaced: boolean;
}

export function validateNew({ group, kind, namespaced }: ValidatedKind, object: Unstructured): FieldError[] {
  const rules = rulesOf(group, kind);
  return [...validateObjectMeta(object.metadata, { namespaced, checkName: rules.name ?? dns1123Subdomain }), ...(rules.content?.(object) ?? [])];
}

/** Metadata errors are told twice, as the real server does: once by its generic part, once by the kind's. */
export function validateChanged({ group, kind }: ValidatedKind, object: Unstructured, old: Unstructured, subresource: string): FieldError[] {
  const rules = rulesOf(group, kind);
  const meta = validateObjectMetaUpdate(object.metadata, old.metadata);
  if (kind === 'Pod' && subresource === 'ephemeralcontainers') {
    // Only what this endpoint writes is judged.
    return [...meta, ...meta, ...validatePodSpec(struct(object['spec']), 'spec').filter((error) => error.field.startsWith('spec.ephemeralContainers'))];
  }
  if (subresource !== '') return [...meta, ...meta];
  return [...meta, ...meta, ...(rules.contentOnCreateOnly ? [] : (rules.content?.(object) ?? [])), ...(rules.update?.(object, old) ?? [])];
}
