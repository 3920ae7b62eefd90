/** The columns of builtin kinds, as data: name, type, cell. */
import { isRecord } from '#base/json';
import type { Unstructured } from '#apimachinery/meta';
import type { LabelSelector } from '#apimachinery/labels';
import { sortedSelector } from '../endpoints/selector-text.ts';
import { at, ageOf, containers, count, labelText, listAt, since, text, yesNo } from './format.ts';
import { podRowConditions, readinessGates, summarizePod } from './pod.ts';
import type { Column } from './table.ts';

type Cell = (object: Unstructured, nowMs: number) => unknown;

const CREATED_TEXT =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata';
const DATA_TEXT =
  "Data contains the configuration data. Each key must consist of alphanumeric characters, '-', '_' or '.'. Values with non-UTF-8 byte sequences must use the BinaryData field. The keys stored in Data must not overlap with the keys in the BinaryData field, this is enforced during validation process.";

const column = (type: string, priority: number) => (name: string, cell: Cell, description = ''): Column => ({ name, type, format: '', description, priority, cell });
const words = column('string', 0);
const wide = column('string', 1);
const number = column('integer', 0);
const flag = column('boolean', 0);

export const AGE = words('Age', ({ metadata }, nowMs) => since(metadata.creationTimestamp, nowMs), CREATED_TEXT);
const CREATED: Column = { ...column('date', 0)('Created At', ({ metadata }) => metadata.creationTimestamp ?? ''), format: '' };

const TEMPLATE = 'spec.template.spec.containers';
const selector = (object: unknown): string => {
  const value = at(object, 'spec.selector');
  return isRecord(value) ? sortedSelector(value as LabelSelector) || '<none>' : '<none>';
};
const WIDE_TEMPLATE = [wide('Containers', (object) => containers(object, TEMPLATE, 'name')), wide('Images', (object) => containers(object, TEMPLATE, 'image'))];
const SELECTOR = wide('Selector', selector);

const value = (path: string, fallback = ''): Cell => (object) => text(at(object, path), fallback);
const whole = (path: string): Cell => (object) => count(at(object, path));

const POD: Column[] = [
  words('Ready', (pod, nowMs) => summarizePod(pod, nowMs).ready),
  words('Status', (pod, nowMs) => summarizePod(pod, nowMs).status),
  words('Restarts', (pod, nowMs) => summarizePod(pod, nowMs).restarts),
  AGE,
  wide('IP', (pod) => text(at(pod, 'status.podIPs.0.ip') ?? at(pod, 'status.podIP'), '<none>')),
  wide('Node', value('spec.nodeName', '<none>')),
  wide('Nominated Node', value('status.nominatedNodeName', '<none>')),
  wide('Readiness Gates', readinessGates),
];

const REPLICAS = [number('Desired', whole('spec.replicas')), number('Current', whole('status.replicas')), number('Ready', whole('status.readyReplicas'))];

function servicePorts(service: Unstructured): string {
  const ports = listAt<{ port: number; nodePort?: number; protocol?: string }>(service, 'spec.ports');
  return ports.map(({ port, nodePort, protocol = 'TCP' }) => (nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`)).join(',') || '<none>';
}

function externalAddress(service: Unstructured): string {
  const type = at(service, 'spec.type');
  if (type === 'ExternalName') return text(at(service, 'spec.externalName'));
  const external = listAt<string>(service, 'spec.externalIPs');
  if (type !== 'LoadBalancer') return external.join(',') || '<none>';
  const ingress = listAt<{ ip?: string; hostname?: string }>(service, 'status.loadBalancer.ingress').map(({ ip, hostname }) => ip ?? hostname ?? '');
  return [...ingress, ...external].join(',') || '<pending>';
}

function endpointsText(object: Unstructured): string {
  const all = listAt<{ addresses?: { ip: string }[]; ports?: { port: number }[] }>(object, 'subsets').flatMap(({ addresses = [], ports = [] }) =>
    ports.length > 0 ? ports.flatMap(({ port }) => addresses.map(({ ip }) => `${ip}:${port}`)) : addresses.map(({ ip }) => ip),
  );
  return shorten(all);
}

/** Three items and how many more. */
function shorten(items: readonly string[]): string {
  if (items.length === 0) return '<none>';
  return items.length > 3 ? `${items.slice(0, 3).join(',')} + ${items.length - 3} more...` : items.join(',');
}

function nodeStatus(node: Unstructured): string {
  const ready = listAt<{ type: string; status: string }>(node, 'status.conditions').find(({ type }) => type === 'Ready');
  const word = !ready ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return at(node, 'spec.unschedulable') ? `${word},SchedulingDisabled` : word;
}

const ROLE = 'node-role.kubernetes.io/';

function nodeRoles({ metadata }: Unstructured): string {
  const labels = metadata.labels ?? {};
  const roles = Object.keys(labels).filter((key) => key.startsWith(ROLE)).map((key) => key.slice(ROLE.length));
  if (labels['kubernetes.io/role']) roles.push(labels['kubernetes.io/role']);
  return roles.filter(Boolean).sort().join(',') || '<none>';
}

function nodeAddress(node: Unstructured, wanted: string): string {
  return listAt<{ type: string; address: string }>(node, 'status.addresses').find(({ type }) => type === wanted)?.address ?? '<none>';
}

function jobStatus(job: Unstructured): string {
  const conditions = listAt<{ type: string; status: string }>(job, 'status.conditions');
  const has = (wanted: string) => conditions.some(({ type, status }) => type === wanted && status === 'True');
  if (has('Complete')) return 'Complete';
  if (has('Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp) return 'Terminating';
  if (has('Suspended')) return 'Suspended';
  if (has('FailureTarget')) return 'FailureTarget';
  return has('SuccessCriteriaMet') ? 'SuccessCriteriaMet' : 'Running';
}

function jobCompletions(job: Unstructured): string {
  const done = count(at(job, 'status.succeeded'));
  const wanted = at(job, 'spec.completions');
  if (typeof wanted === 'number') return `${done}/${wanted}`;
  const parallelism = count(at(job, 'spec.parallelism'));
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`;
}

function jobDuration(job: Unstructured, nowMs: number): string {
  const started = Date.parse(text(at(job, 'status.startTime')));
  if (Number.isNaN(started)) return '';
  const ended = Date.parse(text(at(job, 'status.completionTime')));
  return ageOf((Number.isNaN(ended) ? nowMs : ended) - started);
}

function ingressPorts(ingress: Unstructured): string {
  return listAt(ingress, 'spec.tls').length > 0 ? '80, 443' : '80';
}

function ingressHosts(ingress: Unstructured): string {
  const hosts = listAt<{ host?: string }>(ingress, 'spec.rules').map(({ host }) => host ?? '').filter(Boolean);
  return hosts.length === 0 ? '*' : shorten(hosts);
}

const MODES: Readonly<Record<string, string>> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' };

function accessModes(object: unknown, path: string): string {
  return listAt<string>(object, path).map((mode) => MODES[mode] ?? mode).join(',');
}

const claimPhase: Cell = (object) => (object.metadata.deletionTimestamp ? 'Terminating' : text(at(object, 'status.phase')));
const bound = (object: unknown): boolean => text(at(object, 'spec.volumeName')) !== '';

function quotaText(object: Unstructured, limits: boolean): string {
  const hard = at(object, 'status.hard') ?? at(object, 'spec.hard');
  if (!isRecord(hard)) return '';
  return Object.keys(hard)
    .filter((key) => key.startsWith('limits.') === limits)
    .sort()
    .map((key) => `${key}: ${text(at(object, 'status.used') && (at(object, 'status.used') as Record<string, unknown>)[key], '0')}/${String(hard[key])}`)
    .join(', ');
}

const subjects = (kind: string): Cell => (object) =>
  listAt<{ kind: string; name: string; namespace?: string }>(object, 'subjects')
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ');
const BINDING: Column[] = [
  words('Role', (object) => `${text(at(object, 'roleRef.kind'))}/${text(at(object, 'roleRef.name'))}`),
  AGE,
  wide('Users', subjects('User')),
  wide('Groups', subjects('Group')),
  wide('ServiceAccounts', subjects('ServiceAccount')),
];

function eventSource(event: Unstructured): string {
  const component = text(at(event, 'source.component') ?? at(event, 'reportingComponent'));
  const host = text(at(event, 'source.host'));
  return host ? `${component}, ${host}` : component;
}

const eventTime = (event: Unstructured): unknown => at(event, 'series.lastObservedTime') ?? at(event, 'lastTimestamp') ?? at(event, 'eventTime');

function lastSeen(event: Unstructured, nowMs: number): string {
  const own = since(eventTime(event), nowMs);
  return own === '<unknown>' ? since(event.metadata.creationTimestamp, nowMs) : own;
}

const EVENT: Column[] = [
  words('Last Seen', lastSeen),
  words('Type', value('type')),
  words('Reason', value('reason')),
  words('Object', (event) => `${text(at(event, 'involvedObject.kind') ?? at(event, 'regarding.kind')).toLowerCase()}/${text(at(event, 'involvedObject.name') ?? at(event, 'regarding.name'))}`),
  wide('Subobject', value('involvedObject.fieldPath')),
  wide('Source', eventSource),
  words('Message', (event) => text(at(event, 'message') ?? at(event, 'note')).trim()),
  wide('First Seen', (event, nowMs) => since(at(event, 'firstTimestamp') ?? at(event, 'eventTime'), nowMs)),
  wide('Count', (event) => count(at(event, 'count')) || 1),
  { ...wide('Name', ({ metadata }) => metadata.name ?? ''), format: 'name' },
];

/** By kind; the name column goes before (but for events, which end with it). */
export const BUILTIN_COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  Pod: POD,
  PodTemplate: [words('Containers', (object) => containers(object, 'template.spec.containers', 'name')), words('Images', (object) => containers(object, 'template.spec.containers', 'image')), words('Pod Labels', (object) => labelText(at(object, 'template.metadata.labels')))],
  ReplicationController: [...REPLICAS, AGE, ...WIDE_TEMPLATE, wide('Selector', (object) => labelText(at(object, 'spec.selector')))],
  ReplicaSet: [...REPLICAS, AGE, ...WIDE_TEMPLATE, SELECTOR],
  Deployment: [
    words('Ready', (object) => `${count(at(object, 'status.readyReplicas'))}/${count(at(object, 'spec.replicas'))}`),
    words('Up-to-date', whole('status.updatedReplicas')),
    words('Available', whole('status.availableReplicas')),
    AGE,
    ...WIDE_TEMPLATE,
    SELECTOR,
  ],
  StatefulSet: [words('Ready', (object) => `${count(at(object, 'status.readyReplicas'))}/${count(at(object, 'spec.replicas'))}`), AGE, ...WIDE_TEMPLATE],
  DaemonSet: [
    number('Desired', whole('status.desiredNumberScheduled')),
    number('Current', whole('status.currentNumberScheduled')),
    number('Ready', whole('status.numberReady')),
    number('Up-to-date', whole('status.updatedNumberScheduled')),
    number('Available', whole('status.numberAvailable')),
    words('Node Selector', (object) => labelText(at(object, 'spec.template.spec.nodeSelector'))),
    AGE,
    ...WIDE_TEMPLATE,
    SELECTOR,
  ],
  Job: [words('Status', jobStatus), words('Completions', jobCompletions), words('Duration', jobDuration), AGE, ...WIDE_TEMPLATE, SELECTOR],
  CronJob: [
    words('Schedule', value('spec.schedule')),
    words('Timezone', value('spec.timeZone', '<none>')),
    flag('Suspend', (object) => yesNo(at(object, 'spec.suspend'))),
    number('Active', (object) => listAt(object, 'status.active').length),
    words('Last Schedule', (object, nowMs) => (at(object, 'status.lastScheduleTime') ? since(at(object, 'status.lastScheduleTime'), nowMs) : '<none>')),
    AGE,
    wide('Containers', (object) => containers(object, 'spec.jobTemplate.spec.template.spec.containers', 'name')),
    wide('Images', (object) => containers(object, 'spec.jobTemplate.spec.template.spec.containers', 'image')),
    wide('Selector', (object) => (isRecord(at(object, 'spec.jobTemplate.spec.selector')) ? sortedSelector(at(object, 'spec.jobTemplate.spec.selector') as LabelSelector) : '<none>')),
  ],
  ControllerRevision: [
    words('Controller', ({ metadata }) => {
      const owner = metadata.ownerReferences?.find(({ controller }) => controller);
      return owner ? `${owner.kind.toLowerCase()}.${owner.apiVersion.split('/')[0]}/${owner.name}` : '<none>';
    }),
    number('Revision', whole('revision')),
    AGE,
  ],
  Service: [words('Type', value('spec.type')), words('Cluster-IP', value('spec.clusterIP', '<none>')), words('External-IP', externalAddress), words('Port(s)', servicePorts), AGE, wide('Selector', (object) => labelText(at(object, 'spec.selector')))],
  Endpoints: [words('Endpoints', endpointsText), AGE],
  EndpointSlice: [
    words('AddressType', value('addressType')),
    words('Ports', (object) => listAt<{ port?: number }>(object, 'ports').map(({ port }) => (port === undefined ? '*' : String(port))).join(',') || '<unset>'),
    words('Endpoints', (object) => shorten(listAt<{ addresses?: string[] }>(object, 'endpoints').flatMap(({ addresses }) => addresses ?? [])).replace('<none>', '<unset>')),
    AGE,
  ],
  ServiceAccount: [AGE],
  ConfigMap: [words('Data', (object) => Object.keys((at(object, 'data') as object | undefined) ?? {}).length + Object.keys((at(object, 'binaryData') as object | undefined) ?? {}).length, DATA_TEXT), AGE],
  Secret: [words('Type', value('type')), words('Data', (object) => Object.keys((at(object, 'data') as object | undefined) ?? {}).length), AGE],
  Namespace: [words('Status', value('status.phase')), AGE],
  Node: [
    words('Status', nodeStatus),
    words('Roles', nodeRoles),
    AGE,
    words('Version', value('status.nodeInfo.kubeletVersion')),
    wide('Internal-IP', (node) => nodeAddress(node, 'InternalIP')),
    wide('External-IP', (node) => nodeAddress(node, 'ExternalIP')),
    wide('OS-Image', value('status.nodeInfo.osImage', '<unknown>')),
    wide('Kernel-Version', value('status.nodeInfo.kernelVersion', '<unknown>')),
    wide('Container-Runtime', value('status.nodeInfo.containerRuntimeVersion', '<unknown>')),
  ],
  Event: EVENT,
  PersistentVolumeClaim: [
    words('Status', claimPhase),
    words('Volume', value('spec.volumeName')),
    words('Capacity', (object) => (bound(object) ? text(at(object, 'status.capacity.storage')) : '')),
    words('Access Modes', (object) => (bound(object) ? accessModes(object, 'status.accessModes') : '')),
    words('StorageClass', value('spec.storageClassName')),
    words('VolumeAttributesClass', value('spec.volumeAttributesClassName', '<unset>')),
    AGE,
    wide('VolumeMode', value('spec.volumeMode', '<unset>')),
  ],
  PersistentVolume: [
    words('Capacity', value('spec.capacity.storage')),
    words('Access Modes', (object) => accessModes(object, 'spec.accessModes')),
    words('Reclaim Policy', value('spec.persistentVolumeReclaimPolicy')),
    words('Status', claimPhase),
    words('Claim', (object) => (at(object, 'spec.claimRef') ? `${text(at(object, 'spec.claimRef.namespace'))}/${text(at(object, 'spec.claimRef.name'))}` : '')),
    words('StorageClass', value('spec.storageClassName')),
    words('VolumeAttributesClass', value('spec.volumeAttributesClassName', '<unset>')),
    words('Reason', value('status.reason')),
    AGE,
    wide('VolumeMode', value('spec.volumeMode', '<unset>')),
  ],
  ResourceQuota: [words('Request', (object) => quotaText(object, false)), words('Limit', (object) => quotaText(object, true)), AGE],
  LimitRange: [CREATED],
  Lease: [words('Holder', value('spec.holderIdentity')), AGE],
  PodDisruptionBudget: [words('Min Available', value('spec.minAvailable', 'N/A')), words('Max Unavailable', value('spec.maxUnavailable', 'N/A')), number('Allowed Disruptions', whole('status.disruptionsAllowed')), AGE],
  NetworkPolicy: [words('Pod-Selector', (object) => (isRecord(at(object, 'spec.podSelector')) ? sortedSelector(at(object, 'spec.podSelector') as LabelSelector) || '<none>' : '<none>')), AGE],
  Ingress: [
    words('Class', value('spec.ingressClassName', '<none>')),
    words('Hosts', ingressHosts),
    words('Address', (object) => listAt<{ ip?: string; hostname?: string }>(object, 'status.loadBalancer.ingress').map(({ ip, hostname }) => ip ?? hostname ?? '').join(',')),
    words('Ports', ingressPorts),
    AGE,
  ],
  IngressClass: [words('Controller', value('spec.controller')), words('Parameters', (object) => (at(object, 'spec.parameters') ? `${text(at(object, 'spec.parameters.kind'))}.${text(at(object, 'spec.parameters.apiGroup'))}/${text(at(object, 'spec.parameters.name'))}` : '<none>')), AGE],
  PriorityClass: [number('Value', whole('value')), flag('Global-Default', (object) => at(object, 'globalDefault') === true), AGE, words('PreemptionPolicy', value('preemptionPolicy'))],
  StorageClass: [
    words('Provisioner', value('provisioner')),
    words('ReclaimPolicy', value('reclaimPolicy', 'Delete')),
    words('VolumeBindingMode', value('volumeBindingMode', '<unset>')),
    words('AllowVolumeExpansion', (object) => at(object, 'allowVolumeExpansion') === true),
    AGE,
  ],
  HorizontalPodAutoscaler: [
    words('Reference', (object) => `${text(at(object, 'spec.scaleTargetRef.kind'))}/${text(at(object, 'spec.scaleTargetRef.name'))}`),
    words('Targets', () => '<unknown>'),
    words('MinPods', value('spec.minReplicas', '<unset>')),
    words('MaxPods', whole('spec.maxReplicas')),
    words('Replicas', whole('status.currentReplicas')),
    AGE,
  ],
  RoleBinding: BINDING,
  ClusterRoleBinding: BINDING,
  RuntimeClass: [words('Handler', value('handler')), AGE],
  ValidatingWebhookConfiguration: [number('Webhooks', (object) => listAt(object, 'webhooks').length), AGE],
  MutatingWebhookConfiguration: [number('Webhooks', (object) => listAt(object, 'webhooks').length), AGE],
  CertificateSigningRequest: [AGE, words('SignerName', value('spec.signerName')), words('Requestor', value('spec.username')), words('RequestedDuration', () => '<none>'), words('Condition', (object) => listAt<{ type: string }>(object, 'status.conditions').map(({ type }) => type).join(',') || 'Pending')],
};

/** Conditions that go with a row. */
export const ROW_CONDITIONS: Readonly<Record<string, (object: Unstructured) => unknown[] | undefined>> = { Pod: podRowConditions };
