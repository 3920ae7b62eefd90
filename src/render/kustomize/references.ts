/**
 * Name references between resources: when a resource was renamed or moved, those that name it follow.
 * Places are kustomize's documented name references; custom resources have none.
 */
import { isRecord } from '#base/json';
import { POD_SPECS, eachField, matchesSpec, type FieldSpec } from './fieldspecs.ts';
import { identities, identityOf, gvkOf, originalIdentity, type Resource } from './resource.ts';
import { isClusterScoped } from './scope.ts';

interface Referral {
  /** Kinds that are referred to. */
  kinds: readonly string[];
  group?: string;
  fields: readonly FieldSpec[];
}

const inPods = (paths: readonly string[]): FieldSpec[] => POD_SPECS.flatMap((spec) => paths.map((path) => ({ ...spec, path: `${spec.path}/${path}` })));
const containers = (path: string): string[] => ['containers', 'initContainers'].map((list) => `${list}/${path}`);
const roles = (path: string): FieldSpec[] => ['Role', 'ClusterRole'].map((kind) => ({ path, kind }));

const REFERRALS: readonly Referral[] = [
  { kinds: ['Deployment', 'ReplicaSet', 'ReplicationController', 'StatefulSet'], fields: [{ path: 'spec/scaleTargetRef/name', kind: 'HorizontalPodAutoscaler' }] },
  {
    kinds: ['ConfigMap'],
    fields: [
      ...inPods(['volumes/configMap/name', 'volumes/projected/sources/configMap/name', ...containers('env/valueFrom/configMapKeyRef/name'), ...containers('envFrom/configMapRef/name')]),
      { path: 'spec/configSource/configMap', kind: 'Node' },
      ...roles('rules/resourceNames'),
      { path: 'metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap', kind: 'Ingress' },
    ],
  },
  {
    kinds: ['Secret'],
    fields: [
      ...inPods([
        'volumes/secret/secretName', 'volumes/projected/sources/secret/name', 'imagePullSecrets/name',
        ...containers('env/valueFrom/secretKeyRef/name'), ...containers('envFrom/secretRef/name'),
        'volumes/cephfs/secretRef/name', 'volumes/rbd/secretRef/name', 'volumes/csi/nodePublishSecretRef/name',
      ]),
      { path: 'spec/tls/secretName', kind: 'Ingress' },
      ...['ingress.kubernetes.io\\/auth-secret', 'nginx.ingress.kubernetes.io\\/auth-secret', 'nginx.ingress.kubernetes.io\\/auth-tls-secret'].map((name) => ({ path: `metadata/annotations/${name}`, kind: 'Ingress' })),
      { path: 'imagePullSecrets/name', kind: 'ServiceAccount' },
      ...['adminSecretName', 'userSecretName', 'secretRef', 'secretName'].map((name) => ({ path: `parameters/${name}`, kind: 'StorageClass' })),
      ...roles('rules/resourceNames'),
      { path: 'spec/csi/nodePublishSecretRef/name', kind: 'PersistentVolume' },
      { path: 'spec/azureFile/secretName', kind: 'PersistentVolume' },
    ],
  },
  {
    kinds: ['Service'],
    fields: [
      { path: 'spec/serviceName', kind: 'StatefulSet' },
      ...['spec/rules/http/paths/backend/serviceName', 'spec/rules/http/paths/backend/service/name', 'spec/backend/serviceName', 'spec/defaultBackend/service/name'].map((path) => ({ path, kind: 'Ingress' })),
      { path: 'spec/service/name', kind: 'APIService' },
      { path: 'webhooks/clientConfig/service', kind: 'ValidatingWebhookConfiguration' },
      { path: 'webhooks/clientConfig/service', kind: 'MutatingWebhookConfiguration' },
      { path: 'spec/conversion/webhook/clientConfig/service', kind: 'CustomResourceDefinition' },
    ],
  },
  { kinds: ['Role'], group: 'rbac.authorization.k8s.io', fields: [{ path: 'roleRef/name', kind: 'RoleBinding' }] },
  { kinds: ['ClusterRole'], group: 'rbac.authorization.k8s.io', fields: [{ path: 'roleRef/name', kind: 'RoleBinding' }, { path: 'roleRef/name', kind: 'ClusterRoleBinding' }] },
  { kinds: ['ServiceAccount'], fields: [{ path: 'subjects', kind: 'RoleBinding' }, { path: 'subjects', kind: 'ClusterRoleBinding' }, ...inPods(['serviceAccountName'])] },
  { kinds: ['PersistentVolumeClaim'], fields: inPods(['volumes/persistentVolumeClaim/claimName']) },
  { kinds: ['PersistentVolume'], fields: [{ path: 'spec/volumeName', kind: 'PersistentVolumeClaim' }, { path: 'rules/resourceNames', kind: 'ClusterRole' }] },
  {
    kinds: ['StorageClass'],
    fields: [
      { path: 'spec/storageClassName', kind: 'PersistentVolume' },
      { path: 'spec/storageClassName', kind: 'PersistentVolumeClaim' },
      { path: 'spec/volumeClaimTemplates/spec/storageClassName', kind: 'StatefulSet' },
    ],
  },
  { kinds: ['PriorityClass'], fields: inPods(['priorityClassName']) },
  { kinds: ['IngressClass'], fields: [{ path: 'spec/ingressClassName', kind: 'Ingress' }] },
  { kinds: ['RuntimeClass'], fields: inPods(['runtimeClassName']) },
  { kinds: ['ValidatingAdmissionPolicy'], fields: [{ path: 'spec/policyName', kind: 'ValidatingAdmissionPolicyBinding' }] },
];

/** Every reference to a renamed or moved resource is brought up to date. */
export function fixReferences(resources: readonly Resource[]): void {
  for (const referrer of resources) {
    for (const referral of REFERRALS) {
      const specs = referral.fields.filter((spec) => matchesSpec(referrer.object, spec));
      if (specs.length === 0) continue;
      const targets = resources.filter(({ object }) => isTarget(object, referral));
      if (targets.length === 0) continue;
      for (const spec of specs) fixField(referrer, spec, targets);
    }
  }
}

function isTarget(object: Record<string, unknown>, { kinds, group }: Referral): boolean {
  const gvk = gvkOf(object);
  return kinds.includes(gvk.kind) && (group === undefined || gvk.group === group);
}

function fixField(referrer: Resource, spec: FieldSpec, targets: readonly Resource[]): void {
  const roleRef = spec.path === 'roleRef/name';
  if (roleRef && !roleRefMatches(referrer, targets)) return;
  eachField(referrer.object, spec, (holder, key) => {
    const value = holder[key];
    if (typeof value === 'string') holder[key] = currentName(referrer, value, targets) ?? value;
    else if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        if (typeof item === 'string') value[index] = currentName(referrer, item, targets) ?? item;
        else if (isRecord(item)) fixObject(referrer, item, targets);
      }
    } else if (isRecord(value)) fixObject(referrer, value, targets);
  });
}

function roleRefMatches(referrer: Resource, targets: readonly Resource[]): boolean {
  const roleRef = referrer.object['roleRef'];
  return isRecord(roleRef) && targets.some(({ object }) => object['kind'] === roleRef['kind']);
}

/** A reference that is an object with name and namespace: a subject, a webhook's service. */
function fixObject(referrer: Resource, reference: Record<string, unknown>, targets: readonly Resource[]): void {
  const name = reference['name'];
  if (typeof name !== 'string') return;
  const namespace = typeof reference['namespace'] === 'string' ? reference['namespace'] : '';
  const found = targets.filter((target) => identities(target).some((one) => one.name === name && sameNamespace(one.namespace, namespace)));
  const target = pickTarget(referrer, found);
  if (!target) return;
  const now = identityOf(target.object);
  reference['name'] = now.name;
  if (now.namespace !== '' && (namespace !== '' || now.namespace !== originalIdentity(target).namespace)) reference['namespace'] = now.namespace;
}

function sameNamespace(a: string, b: string): boolean {
  return (a || 'default') === (b || 'default');
}

function currentName(referrer: Resource, name: string, targets: readonly Resource[]): string | undefined {
  const here = identities(referrer).map(({ namespace }) => namespace);
  const clusterScoped = isClusterScoped(referrer.object);
  const found = targets.filter((target) => {
    if (!identities(target).some((one) => one.name === name)) return false;
    if (clusterScoped || isClusterScoped(target.object)) return true;
    return identities(target).some(({ namespace }) => here.some((own) => sameNamespace(own, namespace)));
  });
  const target = pickTarget(referrer, found);
  return target && identityOf(target.object).name;
}

/** Among several, the one that went through the same prefixes and suffixes. */
function pickTarget(referrer: Resource, found: readonly Resource[]): Resource | undefined {
  if (found.length <= 1) return found[0];
  const alike = found.filter(({ prefixes, suffixes }) => isEnd(referrer.prefixes, prefixes) && isEnd(referrer.suffixes, suffixes));
  const names = new Set((alike.length > 0 ? alike : found).map(({ object }) => identityOf(object).name));
  return names.size === 1 ? (alike[0] ?? found[0]) : alike.length === 1 ? alike[0] : undefined;
}

function isEnd(all: readonly string[], part: readonly string[]): boolean {
  return part.every((item, index) => all[index] === item) || all.every((item, index) => part[index] === item);
}
