/** What single builtin kinds do on their own when they are written. Rule: kubernetes `pkg/registry/<group>/<kind>/strategy.go`. */
import type { Unstructured } from '#apimachinery/meta';
import type { FieldError } from '#apimachinery/validation';
import type { Strategy, WriteContext } from '../registry/types.ts';
import { crdHooks } from './crd.ts';
import { namespaceHooks } from './namespace.ts';
import { podHooks } from './pod.ts';
import { secretHooks } from './secret.ts';
import { keepServiceAddresses, pairServiceAddresses } from './service.ts';
import { daemonSetHooks, jobHooks } from './workloads.ts';

export interface KindHooks {
  /** When `metadata.generation` grows: with the spec, with anything but metadata and status, or never after creation. */
  generation?: 'spec' | 'content' | 'never';
  /** Turns write-only fields into what they stand for, right after decoding. */
  convert?(object: Unstructured): void;
  prepareForCreate?(object: Unstructured, context: WriteContext): void;
  prepareForUpdate?(object: Unstructured, old: Unstructured, context: WriteContext): void;
  validateCreate?(object: Unstructured): FieldError[];
  warnings?(object: Unstructured, old: Unstructured | undefined): string[];
  allowCreateOnUpdate?: boolean;
  allowUnconditionalUpdate?: boolean;
  /** How a delete of this kind differs; undefined: the usual way. */
  planDelete?: Strategy['planDelete'];
  gracePeriod?: (object: Unstructured, requested: number | undefined) => number | undefined;
  returnDeletedObject?: boolean;
}

type Record_ = Record<string, unknown>;

const setStatus = (status: Record_) => (object: Unstructured) => {
  object['status'] = { ...status };
};

const RETURNED: KindHooks = { returnDeletedObject: true };
const GENERATION: KindHooks = { generation: 'spec' };
const CONTENT: KindHooks = { generation: 'content' };

const HOOKS: Readonly<Record<string, KindHooks>> = {
  Pod: podHooks,
  Namespace: namespaceHooks,
  Node: { allowCreateOnUpdate: false },
  Event: { allowCreateOnUpdate: true },
  Endpoints: { allowCreateOnUpdate: true },
  Secret: secretHooks,
  Service: { allowCreateOnUpdate: true, returnDeletedObject: true, prepareForCreate: pairServiceAddresses, prepareForUpdate: keepServiceAddresses },
  LimitRange: { allowCreateOnUpdate: true },
  PodTemplate: { ...RETURNED, generation: 'content' },
  ServiceAccount: RETURNED,
  ResourceQuota: RETURNED,
  ReplicationController: GENERATION,
  PersistentVolume: { returnDeletedObject: true, prepareForCreate: setStatus({ phase: 'Pending' }) },
  PersistentVolumeClaim: { returnDeletedObject: true, prepareForCreate: setStatus({ phase: 'Pending' }) },
  'apps/Deployment': GENERATION,
  'apps/ReplicaSet': GENERATION,
  'apps/StatefulSet': GENERATION,
  'apps/DaemonSet': daemonSetHooks,
  'batch/Job': jobHooks,
  'batch/CronJob': GENERATION,
  'policy/PodDisruptionBudget': { generation: 'spec', allowUnconditionalUpdate: false },
  'networking.k8s.io/Ingress': GENERATION,
  'networking.k8s.io/IngressClass': GENERATION,
  'networking.k8s.io/NetworkPolicy': GENERATION,
  'coordination.k8s.io/Lease': { allowCreateOnUpdate: true, allowUnconditionalUpdate: false },
  'discovery.k8s.io/EndpointSlice': CONTENT,
  'scheduling.k8s.io/PriorityClass': { generation: 'never' },
  'rbac.authorization.k8s.io/Role': { allowCreateOnUpdate: true },
  'rbac.authorization.k8s.io/RoleBinding': { allowCreateOnUpdate: true },
  'rbac.authorization.k8s.io/ClusterRole': { allowCreateOnUpdate: true },
  'rbac.authorization.k8s.io/ClusterRoleBinding': { allowCreateOnUpdate: true },
  'storage.k8s.io/StorageClass': RETURNED,
  'storage.k8s.io/CSINode': RETURNED,
  'storage.k8s.io/CSIDriver': RETURNED,
  'storage.k8s.io/VolumeAttachment': RETURNED,
  'storage.k8s.io/VolumeAttributesClass': RETURNED,
  'apiextensions.k8s.io/CustomResourceDefinition': crdHooks,
  'apiregistration.k8s.io/APIService': { generation: 'spec', allowUnconditionalUpdate: false },
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': CONTENT,
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': CONTENT,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': GENERATION,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': GENERATION,
  'flowcontrol.apiserver.k8s.io/FlowSchema': GENERATION,
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration': GENERATION,
};

const NONE: KindHooks = {};

export function kindHooks(group: string, kind: string): KindHooks {
  return HOOKS[group ? `${group}/${kind}` : kind] ?? NONE;
}
