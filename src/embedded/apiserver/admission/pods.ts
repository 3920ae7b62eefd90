/**
 * What admission does to pods: priority, account with its token volume, tolerations of short node trouble.
 * Rule: kubernetes `plugin/pkg/admission/{priority,serviceaccount,defaulttolerationseconds}`.
 */
import { nameSuffix } from '#base/random';
import type { Unstructured } from '#apimachinery/meta';
import { forbidden } from '../errors.ts';
import { decodeEntry } from '../registry/codec.ts';
import type { AdmissionRequest } from '../registry/deps.ts';
import type { View } from './admission.ts';

interface Container {
  volumeMounts?: { name: string; readOnly?: boolean; mountPath: string }[];
}

interface Toleration {
  key?: string;
  operator?: string;
  effect?: string;
  tolerationSeconds?: number;
}

interface PodSpec {
  serviceAccountName?: string;
  serviceAccount?: string;
  automountServiceAccountToken?: boolean;
  imagePullSecrets?: unknown[];
  volumes?: { name: string }[];
  containers?: Container[];
  initContainers?: Container[];
  tolerations?: Toleration[];
  priorityClassName?: string;
  priority?: number;
  preemptionPolicy?: string;
}

interface ServiceAccount extends Unstructured {
  automountServiceAccountToken?: boolean;
  imagePullSecrets?: unknown[];
}

interface PriorityClass extends Unstructured {
  value?: number;
  globalDefault?: boolean;
  preemptionPolicy?: string;
}

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const TOLERATION_SECONDS = 300;
const MIRROR = 'kubernetes.io/config.mirror';

export function admitPod(view: View, request: AdmissionRequest): void {
  const object = request.object as Unstructured;
  const spec = (object['spec'] ??= {}) as PodSpec;
  setPriority(view, request, spec);
  if (!object.metadata.annotations?.[MIRROR]) setAccount(view, request, spec);
  addTolerations(spec);
}

/** An update that leaves out what admission set keeps it. */
export function readmitPod({ object, old }: AdmissionRequest): void {
  const spec = (object?.['spec'] ?? {}) as PodSpec;
  const before = (old?.['spec'] ?? {}) as PodSpec;
  if (spec.priority === undefined && before.priority !== undefined) spec.priority = before.priority;
  if (spec.preemptionPolicy === undefined && before.preemptionPolicy !== undefined) spec.preemptionPolicy = before.preemptionPolicy;
  addTolerations(spec);
}

function setPriority({ storage }: View, { type, name }: AdmissionRequest, spec: PodSpec): void {
  const kind = { group: 'scheduling.k8s.io', version: 'v1', kind: 'PriorityClass' };
  const classes = () => storage.list('scheduling.k8s.io/priorityclasses').map((entry) => decodeEntry(entry, kind) as PriorityClass);
  let chosen: PriorityClass | undefined;
  if (spec.priorityClassName) {
    const entry = storage.get('scheduling.k8s.io/priorityclasses', spec.priorityClassName);
    if (!entry) throw forbidden(type, name, `no PriorityClass with name ${spec.priorityClassName} was found`);
    chosen = decodeEntry(entry, kind) as PriorityClass;
  } else {
    chosen = classes()
      .filter(({ globalDefault }) => globalDefault)
      .sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
    if (chosen?.metadata.name) spec.priorityClassName = chosen.metadata.name;
  }
  const value = chosen?.value ?? 0;
  if (spec.priority !== undefined && spec.priority !== value) {
    throw forbidden(type, name, `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`);
  }
  const policy = chosen?.preemptionPolicy ?? 'PreemptLowerPriority';
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    throw forbidden(type, name, `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`);
  }
  spec.priority = value;
  spec.preemptionPolicy = policy;
}

function setAccount({ storage, random }: View, { type, namespace, name }: AdmissionRequest, spec: PodSpec): void {
  spec.serviceAccountName ||= spec.serviceAccount || 'default';
  spec.serviceAccount = spec.serviceAccountName;
  const entry = storage.get('core/serviceaccounts', `${namespace}/${spec.serviceAccountName}`);
  if (!entry) throw forbidden(type, name, `error looking up service account ${namespace}/${spec.serviceAccountName}: serviceaccount ${JSON.stringify(spec.serviceAccountName)} not found`);
  const account = decodeEntry(entry, { group: '', version: 'v1', kind: 'ServiceAccount' }) as ServiceAccount;
  if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec, nameSuffix(random));
  if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) spec.imagePullSecrets = account.imagePullSecrets;
}

function mountToken(spec: PodSpec, suffix: string): void {
  const existing = spec.volumes?.find(({ name }) => name.startsWith('kube-api-access-'));
  const volumeName = existing?.name ?? `kube-api-access-${suffix}`;
  let needed = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if (container.volumeMounts?.some(({ mountPath }) => mountPath === TOKEN_PATH)) continue;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name: volumeName, readOnly: true, mountPath: TOKEN_PATH }];
    needed = true;
  }
  if (needed && !existing) spec.volumes = [...(spec.volumes ?? []), tokenVolume(volumeName)];
}

function tokenVolume(name: string): { name: string } {
  const sources = [
    { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
  ];
  return { name, projected: { sources, defaultMode: 420 } } as { name: string };
}

function addTolerations(spec: PodSpec): void {
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    const tolerated = spec.tolerations?.some((item) => (item.key === key || !item.key) && (item.effect === 'NoExecute' || !item.effect));
    if (!tolerated) spec.tolerations = [...(spec.tolerations ?? []), { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: TOLERATION_SECONDS }];
  }
}
