/** Defaults that depend on other fields. See defaults.ts for the fixed ones and the rules. */
import { isRecord } from '#base/json';

export type Struct = Record<string, unknown>;
type Defaulter = (value: Struct) => void;

const CORE = 'io.k8s.api.core.v1';
const INT32_MAX = 2 ** 31 - 1;
/** Seconds for which a client sticks to a pod. */
const CLIENT_IP_TIMEOUT_SECONDS = 10_800;

export const TYPE_DEFAULTERS: Readonly<Record<string, Defaulter>> = {
  [`${CORE}.Pod`]: defaultPod,
  [`${CORE}.Container`]: defaultContainer,
  [`${CORE}.EphemeralContainer`]: defaultContainer,
  [`${CORE}.Volume`]: defaultVolume,
  [`${CORE}.Service`]: defaultService,
  [`${CORE}.Namespace`]: defaultNamespace,
  [`${CORE}.NodeStatus`]: defaultNodeStatus,
  [`${CORE}.LimitRangeItem`]: defaultLimitRangeItem,
  [`${CORE}.ReplicationController`]: defaultReplicationController,
  'io.k8s.api.apps.v1.DeploymentStrategy': (strategy) => defaultRollingUpdate(strategy, { maxUnavailable: '25%', maxSurge: '25%' }),
  'io.k8s.api.apps.v1.DaemonSetUpdateStrategy': (strategy) => defaultRollingUpdate(strategy, { maxUnavailable: 1, maxSurge: 0 }),
  'io.k8s.api.apps.v1.StatefulSetUpdateStrategy': defaultStatefulSetStrategy,
  'io.k8s.api.batch.v1.Job': defaultJob,
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec': defaultAutoscalerSpec,
  'io.k8s.api.rbac.v1.Subject': defaultSubject,
  'io.k8s.api.networking.v1.NetworkPolicySpec': defaultNetworkPolicySpec,
  'io.k8s.api.resource.v1.ExactDeviceRequest': defaultDeviceCount,
  'io.k8s.api.resource.v1.DeviceSubRequest': defaultDeviceCount,
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition': defaultCrd,
};

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((current, key) => (isRecord(current) ? current[key] : undefined), value);
}

function listOf(value: unknown): Struct[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function setAbsent(value: Struct, fields: Struct): void {
  for (const [field, fallback] of Object.entries(fields)) if (value[field] === undefined) value[field] = fallback;
}

/** The struct at a field, made if it is not there. */
function ensure(value: Struct, field: string): Struct {
  const existing = value[field];
  if (isRecord(existing)) return existing;
  const fresh: Struct = {};
  value[field] = fresh;
  return fresh;
}

function defaultPod(pod: Struct): void {
  const spec = ensure(pod, 'spec');
  const containers = [...listOf(spec['containers']), ...listOf(spec['initContainers'])];
  for (const container of containers) {
    const limits = at(container, 'resources', 'limits');
    if (isRecord(limits)) setAbsent(ensure(ensure(container, 'resources'), 'requests'), limits);
  }
  setAbsent(spec, { enableServiceLinks: true });
  const podLimits = at(spec, 'resources', 'limits');
  if (isRecord(podLimits) && Object.keys(podLimits).length > 0) setAbsent(ensure(ensure(spec, 'resources'), 'requests'), podLimits);
  if (!spec['hostNetwork']) return;
  for (const port of containers.flatMap((container) => listOf(container['ports']))) setAbsent(port, { hostPort: port['containerPort'] });
}

function defaultContainer(container: Struct): void {
  setAbsent(container, { imagePullPolicy: pullPolicyOf(container['image']) });
}

/** `Always` for the tag `latest`, given or implied; a digest implies no tag. */
function pullPolicyOf(image: unknown): string {
  const text = typeof image === 'string' ? image : '';
  const [name = '', digest] = text.split('@');
  const last = name.slice(name.lastIndexOf('/') + 1);
  const colon = last.indexOf(':');
  const tag = colon < 0 ? (digest === undefined ? 'latest' : '') : last.slice(colon + 1);
  const isReference = text !== '' && !/[A-Z\s]/.test(name.replace(/:[^/]*$/, ''));
  return tag === 'latest' && isReference ? 'Always' : 'IfNotPresent';
}

function defaultVolume(volume: Struct): void {
  if (Object.keys(volume).every((key) => key === 'name')) volume['emptyDir'] = {};
  const image = volume['image'];
  if (isRecord(image)) setAbsent(image, { pullPolicy: pullPolicyOf(image['reference']) });
}

function defaultService(service: Struct): void {
  const spec = ensure(service, 'spec');
  setAbsent(spec, { sessionAffinity: 'None', type: 'ClusterIP' });
  if (spec['sessionAffinity'] === 'None') delete spec['sessionAffinityConfig'];
  if (spec['sessionAffinity'] === 'ClientIP' && at(spec, 'sessionAffinityConfig', 'clientIP', 'timeoutSeconds') === undefined) {
    spec['sessionAffinityConfig'] = { clientIP: { timeoutSeconds: CLIENT_IP_TIMEOUT_SECONDS } };
  }
  for (const port of listOf(spec['ports'])) {
    setAbsent(port, { protocol: 'TCP' });
    if (port['targetPort'] === undefined || port['targetPort'] === 0 || port['targetPort'] === '') port['targetPort'] = port['port'];
  }
  const type = spec['type'];
  const external = type === 'NodePort' || type === 'LoadBalancer' || (type === 'ClusterIP' && Array.isArray(spec['externalIPs']) && spec['externalIPs'].length > 0);
  if (external) setAbsent(spec, { externalTrafficPolicy: 'Cluster' });
  if (type !== 'ExternalName') setAbsent(spec, { internalTrafficPolicy: 'Cluster' });
  if (type !== 'LoadBalancer') return;
  setAbsent(spec, { allocateLoadBalancerNodePorts: true });
  for (const ingress of listOf(at(service, 'status', 'loadBalancer', 'ingress'))) if (ingress['ip']) setAbsent(ingress, { ipMode: 'VIP' });
}

function defaultNamespace(namespace: Struct): void {
  const metadata = ensure(namespace, 'metadata');
  if (metadata['name']) ensure(metadata, 'labels')['kubernetes.io/metadata.name'] = metadata['name'];
}

function defaultNodeStatus(status: Struct): void {
  const capacity = status['capacity'];
  if (isRecord(capacity)) setAbsent(status, { allocatable: { ...capacity } });
}

function defaultLimitRangeItem(item: Struct): void {
  if (item['type'] !== 'Container') return;
  const limits = ensure(item, 'default');
  const requests = ensure(item, 'defaultRequest');
  for (const [target, source] of [[limits, item['max']], [requests, limits], [requests, item['min']]] as const) if (isRecord(source)) setAbsent(target, source);
  for (const field of ['default', 'defaultRequest']) if (Object.keys(ensure(item, field)).length === 0) delete item[field];
}

function defaultReplicationController(controller: Struct): void {
  const labels = at(controller, 'spec', 'template', 'metadata', 'labels');
  if (!isRecord(labels)) return;
  const spec = ensure(controller, 'spec');
  if (!isRecord(spec['selector']) || Object.keys(spec['selector']).length === 0) spec['selector'] = { ...labels };
  copyLabels(controller, labels);
}

function copyLabels(object: Struct, labels: unknown): void {
  const metadata = ensure(object, 'metadata');
  const own = metadata['labels'];
  if (isRecord(labels) && (!isRecord(own) || Object.keys(own).length === 0)) metadata['labels'] = { ...labels };
}

function defaultRollingUpdate(strategy: Struct, parameters: Struct): void {
  setAbsent(strategy, { type: 'RollingUpdate' });
  if (strategy['type'] === 'RollingUpdate') setAbsent(ensure(strategy, 'rollingUpdate'), parameters);
}

function defaultStatefulSetStrategy(strategy: Struct): void {
  if (strategy['type'] === undefined) {
    strategy['type'] = 'RollingUpdate';
    ensure(strategy, 'rollingUpdate');
  }
  if (strategy['type'] === 'RollingUpdate' && isRecord(strategy['rollingUpdate'])) setAbsent(strategy['rollingUpdate'], { partition: 0 });
}

/** Only of Jobs: the template in a CronJob gets these when a Job is made of it. */
function defaultJob(job: Struct): void {
  const spec = ensure(job, 'spec');
  copyLabels(job, at(job, 'spec', 'template', 'metadata', 'labels'));
  if (spec['completions'] === undefined && spec['parallelism'] === undefined) spec['completions'] = 1;
  setAbsent(spec, {
    parallelism: 1,
    backoffLimit: spec['backoffLimitPerIndex'] === undefined ? 6 : INT32_MAX,
    podReplacementPolicy: spec['podFailurePolicy'] === undefined ? 'TerminatingOrFailed' : 'Failed',
    completionMode: 'NonIndexed',
    suspend: false,
    manualSelector: false,
  });
}

function defaultAutoscalerSpec(spec: Struct): void {
  if (!Array.isArray(spec['metrics']) || spec['metrics'].length === 0) {
    spec['metrics'] = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }];
  }
  const behavior = spec['behavior'];
  if (!isRecord(behavior)) return;
  const percent = { type: 'Percent', value: 100, periodSeconds: 15 };
  setAbsent(ensure(behavior, 'scaleUp'), { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }, { ...percent }] });
  setAbsent(ensure(behavior, 'scaleDown'), { selectPolicy: 'Max', policies: [{ ...percent }] });
}

function defaultSubject(subject: Struct): void {
  if (subject['kind'] === 'User' || subject['kind'] === 'Group') setAbsent(subject, { apiGroup: 'rbac.authorization.k8s.io' });
}

function defaultNetworkPolicySpec(spec: Struct): void {
  if (Array.isArray(spec['policyTypes']) && spec['policyTypes'].length > 0) return;
  spec['policyTypes'] = Array.isArray(spec['egress']) && spec['egress'].length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
}

function defaultDeviceCount(request: Struct): void {
  if (request['allocationMode'] === 'ExactCount') setAbsent(request, { count: 1 });
}

function defaultCrd(crd: Struct): void {
  const spec = ensure(crd, 'spec');
  const names = ensure(spec, 'names');
  const kind = typeof names['kind'] === 'string' ? names['kind'] : '';
  if (!names['singular'] && kind) names['singular'] = kind.toLowerCase();
  if (!names['listKind'] && kind) names['listKind'] = `${kind}List`;
  setAbsent(spec, { conversion: { strategy: 'None' } });
  const status = ensure(crd, 'status');
  if (Array.isArray(status['storedVersions']) && status['storedVersions'].length > 0) return;
  const storage = listOf(spec['versions']).find((version) => version['storage'] === true);
  if (storage) status['storedVersions'] = [storage['name']];
}
