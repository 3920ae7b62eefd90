/**
 * What a server fills in. Defaults belong to types, not to kinds: a pod template gets the same ones wherever
 * it stands. An object is walked along its schema; each struct gets the defaults of its type, outer ones first.
 * Rule: Kubernetes API reference, recorded answers of a real server. Works in place, on decoded objects.
 */
import { deepClone, isRecord } from '#base/json';
import type { Schema } from '#apimachinery/schema';
import { TYPE_DEFAULTERS, type Struct } from './default-functions.ts';

const CORE = 'io.k8s.api.core.v1';
const ADMISSION = 'io.k8s.api.admissionregistration.v1';
const WEBHOOK = { failurePolicy: 'Fail', matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {}, timeoutSeconds: 10 };
const MATCH_RESOURCES = { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} };
const PORT = { port: 443 };
const MODE = { defaultMode: 0o644 };

/** Fields that get a fixed value when they are absent. */
const FIXED: Readonly<Record<string, Struct>> = {
  [`${CORE}.PodSpec`]: { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', securityContext: {}, terminationGracePeriodSeconds: 30, schedulerName: 'default-scheduler' },
  [`${CORE}.Container`]: { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' },
  [`${CORE}.EphemeralContainer`]: { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' },
  [`${CORE}.ContainerPort`]: { protocol: 'TCP' },
  [`${CORE}.Probe`]: { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 },
  [`${CORE}.HTTPGetAction`]: { path: '/', scheme: 'HTTP' },
  [`${CORE}.GRPCAction`]: { service: '' },
  [`${CORE}.ObjectFieldSelector`]: { apiVersion: 'v1' },
  [`${CORE}.FileKeySelector`]: { optional: false },
  [`${CORE}.SecretVolumeSource`]: MODE,
  [`${CORE}.ConfigMapVolumeSource`]: MODE,
  [`${CORE}.DownwardAPIVolumeSource`]: MODE,
  [`${CORE}.ProjectedVolumeSource`]: MODE,
  [`${CORE}.ServiceAccountTokenProjection`]: { expirationSeconds: 3600 },
  [`${CORE}.HostPathVolumeSource`]: { type: '' },
  [`${CORE}.ISCSIVolumeSource`]: { iscsiInterface: 'default' },
  [`${CORE}.ISCSIPersistentVolumeSource`]: { iscsiInterface: 'default' },
  [`${CORE}.RBDVolumeSource`]: { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' },
  [`${CORE}.RBDPersistentVolumeSource`]: { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' },
  [`${CORE}.AzureDiskVolumeSource`]: { cachingMode: 'ReadWrite', fsType: 'ext4', readOnly: false, kind: 'Shared' },
  [`${CORE}.ScaleIOVolumeSource`]: { storageMode: 'ThinProvisioned', fsType: 'xfs' },
  [`${CORE}.ScaleIOPersistentVolumeSource`]: { storageMode: 'ThinProvisioned', fsType: 'xfs' },
  [`${CORE}.PersistentVolumeSpec`]: { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' },
  [`${CORE}.PersistentVolumeStatus`]: { phase: 'Pending' },
  [`${CORE}.PersistentVolumeClaimSpec`]: { volumeMode: 'Filesystem' },
  [`${CORE}.PersistentVolumeClaimStatus`]: { phase: 'Pending' },
  [`${CORE}.EndpointPort`]: { protocol: 'TCP' },
  [`${CORE}.NamespaceStatus`]: { phase: 'Active' },
  [`${CORE}.Secret`]: { type: 'Opaque' },
  [`${CORE}.ReplicationControllerSpec`]: { replicas: 1 },
  'io.k8s.api.apps.v1.DeploymentSpec': { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 },
  'io.k8s.api.apps.v1.ReplicaSetSpec': { replicas: 1 },
  'io.k8s.api.apps.v1.DaemonSetSpec': { revisionHistoryLimit: 10 },
  'io.k8s.api.apps.v1.StatefulSetSpec': { replicas: 1, revisionHistoryLimit: 10, podManagementPolicy: 'OrderedReady', persistentVolumeClaimRetentionPolicy: {} },
  'io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy': { whenDeleted: 'Retain', whenScaled: 'Retain' },
  'io.k8s.api.batch.v1.CronJobSpec': { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 },
  'io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern': { status: 'True' },
  'io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec': { minReplicas: 1 },
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec': { minReplicas: 1 },
  'io.k8s.api.rbac.v1.RoleRef': { apiGroup: 'rbac.authorization.k8s.io' },
  'io.k8s.api.networking.v1.NetworkPolicyPort': { protocol: 'TCP' },
  'io.k8s.api.networking.v1.IngressClassParametersReference': { scope: 'Cluster' },
  'io.k8s.api.storage.v1.StorageClass': { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
  'io.k8s.api.storage.v1.CSIDriverSpec': { attachRequired: true, podInfoOnMount: false, storageCapacity: false, fsGroupPolicy: 'ReadWriteOnceWithFSType', volumeLifecycleModes: ['Persistent'], requiresRepublish: false, seLinuxMount: false },
  'io.k8s.api.scheduling.v1.PriorityClass': { preemptionPolicy: 'PreemptLowerPriority' },
  'io.k8s.api.discovery.v1.EndpointPort': { name: '', protocol: 'TCP' },
  'io.k8s.api.flowcontrol.v1.FlowSchemaSpec': { matchingPrecedence: 1000 },
  'io.k8s.api.flowcontrol.v1.ExemptPriorityLevelConfiguration': { nominalConcurrencyShares: 0, lendablePercent: 0 },
  'io.k8s.api.flowcontrol.v1.LimitedPriorityLevelConfiguration': { nominalConcurrencyShares: 30, lendablePercent: 0 },
  'io.k8s.api.flowcontrol.v1.QueuingConfiguration': { handSize: 8, queues: 64, queueLengthLimit: 50 },
  [`${ADMISSION}.ValidatingWebhook`]: WEBHOOK,
  [`${ADMISSION}.MutatingWebhook`]: { ...WEBHOOK, reinvocationPolicy: 'Never' },
  [`${ADMISSION}.RuleWithOperations`]: { scope: '*' },
  [`${ADMISSION}.NamedRuleWithOperations`]: { scope: '*' },
  [`${ADMISSION}.MatchResources`]: MATCH_RESOURCES,
  [`${ADMISSION}.ValidatingAdmissionPolicySpec`]: { failurePolicy: 'Fail' },
  [`${ADMISSION}.MutatingAdmissionPolicySpec`]: { failurePolicy: 'Fail' },
  [`${ADMISSION}.ServiceReference`]: PORT,
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference': PORT,
  'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference': PORT,
  'io.k8s.api.resource.v1.ExactDeviceRequest': { allocationMode: 'ExactCount' },
  'io.k8s.api.resource.v1.DeviceSubRequest': { allocationMode: 'ExactCount' },
};

/** Fills in, in place, the defaults of every struct in the value. */
export function applyBuiltinDefaults(schema: Schema, value: unknown): void {
  if (Array.isArray(value)) {
    if (schema.items) for (const item of value as unknown[]) applyBuiltinDefaults(schema.items, item);
    return;
  }
  if (!isRecord(value) || schema.go?.codec) return;
  if (typeof schema.additionalProperties === 'object') {
    const element = schema.additionalProperties;
    if (element.go?.fields) for (const item of Object.values(value)) applyBuiltinDefaults(element, item);
    return;
  }
  const definition = schema.go?.definition;
  if (!definition) return;
  for (const [field, fixed] of Object.entries(FIXED[definition] ?? {})) if (isUnset(value[field], schema.go?.fields?.get(field)?.pointer)) value[field] = deepClone(fixed);
  TYPE_DEFAULTERS[definition]?.(value);
  for (const [field, member] of Object.entries(value)) {
    const property = schema.properties?.[field];
    if (property && typeof member === 'object' && member !== null) applyBuiltinDefaults(property, member);
  }
}

/** For Go's plain fields, empty and absent are one. */
function isUnset(value: unknown, pointer = false): boolean {
  return value === undefined || value === null || (!pointer && (value === '' || value === 0));
}
