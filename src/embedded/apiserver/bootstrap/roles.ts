/**
 * The cluster roles and bindings every cluster begins with. Rule: kubernetes.io "Default roles and role
 * bindings". The roles of upstream's own controllers are left out: the embedded ones act as the administrator.
 */
import type { PolicyRule } from '../auth/rbac.ts';

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];

const resources = (verbs: string[], group: string, ...names: string[]): PolicyRule => ({ verbs, apiGroups: [group], resources: names });
const urls = (...nonResourceURLs: string[]): PolicyRule => ({ verbs: ['get'], nonResourceURLs });

/** What the aggregated roles collect. */
const ADMIN_RULES: PolicyRule[] = [
  resources(['create'], 'authorization.k8s.io', 'localsubjectaccessreviews'),
  resources([...WRITE, ...READ], 'rbac.authorization.k8s.io', 'rolebindings', 'roles'),
];

const EDIT_RULES: PolicyRule[] = [
  resources(READ, '', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets', 'services/proxy'),
  resources(['impersonate'], '', 'serviceaccounts'),
  resources(WRITE, '', 'pods', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy'),
  resources(['create'], '', 'pods/eviction'),
  resources(WRITE, '', 'configmaps', 'events', 'persistentvolumeclaims', 'replicationcontrollers', 'replicationcontrollers/scale', 'secrets', 'serviceaccounts', 'services', 'services/proxy'),
  resources(['create'], '', 'serviceaccounts/token'),
  resources(WRITE, 'apps', 'daemonsets', 'deployments', 'deployments/rollback', 'deployments/scale', 'replicasets', 'replicasets/scale', 'statefulsets', 'statefulsets/scale'),
  resources(WRITE, 'autoscaling', 'horizontalpodautoscalers'),
  resources(WRITE, 'batch', 'cronjobs', 'jobs'),
  resources(WRITE, 'networking.k8s.io', 'ingresses', 'networkpolicies'),
  resources(WRITE, 'policy', 'poddisruptionbudgets'),
  resources([...WRITE, ...READ], 'coordination.k8s.io', 'leases'),
];

const VIEW_RULES: PolicyRule[] = [
  resources(READ, '', 'configmaps', 'endpoints', 'persistentvolumeclaims', 'persistentvolumeclaims/status', 'pods', 'replicationcontrollers', 'replicationcontrollers/scale', 'serviceaccounts', 'services', 'services/status'),
  resources(READ, '', 'bindings', 'events', 'limitranges', 'namespaces/status', 'pods/log', 'pods/status', 'replicationcontrollers/status', 'resourcequotas', 'resourcequotas/status'),
  resources(READ, '', 'namespaces'),
  resources(READ, 'discovery.k8s.io', 'endpointslices'),
  resources(READ, 'apps', 'controllerrevisions', 'daemonsets', 'daemonsets/status', 'deployments', 'deployments/scale', 'deployments/status', 'replicasets', 'replicasets/scale', 'replicasets/status', 'statefulsets', 'statefulsets/scale', 'statefulsets/status'),
  resources(READ, 'autoscaling', 'horizontalpodautoscalers', 'horizontalpodautoscalers/status'),
  resources(READ, 'batch', 'cronjobs', 'cronjobs/status', 'jobs', 'jobs/status'),
  resources(READ, 'networking.k8s.io', 'ingresses', 'ingresses/status', 'networkpolicies'),
  resources(READ, 'policy', 'poddisruptionbudgets', 'poddisruptionbudgets/status'),
];

export interface BootstrapRole {
  name: string;
  rules: PolicyRule[];
  labels?: Record<string, string>;
  /** Collects the rules of roles with this label. */
  aggregate?: string;
}

const AGGREGATE = 'rbac.authorization.k8s.io/aggregate-to-';

export const CLUSTER_ROLES: readonly BootstrapRole[] = [
  { name: 'cluster-admin', rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, { verbs: ['*'], nonResourceURLs: ['*'] }] },
  { name: 'admin', rules: [...ADMIN_RULES, ...EDIT_RULES, ...VIEW_RULES], aggregate: `${AGGREGATE}admin` },
  { name: 'edit', rules: [...EDIT_RULES, ...VIEW_RULES], aggregate: `${AGGREGATE}edit`, labels: { [`${AGGREGATE}admin`]: 'true' } },
  { name: 'view', rules: VIEW_RULES, aggregate: `${AGGREGATE}view`, labels: { [`${AGGREGATE}edit`]: 'true' } },
  { name: 'system:aggregate-to-admin', rules: ADMIN_RULES, labels: { [`${AGGREGATE}admin`]: 'true' } },
  { name: 'system:aggregate-to-edit', rules: EDIT_RULES, labels: { [`${AGGREGATE}edit`]: 'true' } },
  { name: 'system:aggregate-to-view', rules: VIEW_RULES, labels: { [`${AGGREGATE}view`]: 'true' } },
  {
    name: 'system:basic-user',
    rules: [
      resources(['create'], 'authorization.k8s.io', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews'),
      resources(['create'], 'authentication.k8s.io', 'selfsubjectreviews'),
    ],
  },
  { name: 'system:discovery', rules: [urls('/api', '/api/*', '/apis', '/apis/*', '/healthz', '/livez', '/openapi', '/openapi/*', '/readyz', '/version', '/version/')] },
  { name: 'system:public-info-viewer', rules: [urls('/healthz', '/livez', '/readyz', '/version', '/version/')] },
  { name: 'system:monitoring', rules: [urls('/healthz', '/healthz/*', '/livez', '/livez/*', '/metrics', '/metrics/slis', '/readyz', '/readyz/*')] },
  { name: 'system:service-account-issuer-discovery', rules: [urls('/.well-known/openid-configuration', '/.well-known/openid-configuration/', '/openid/v1/jwks', '/openid/v1/jwks/')] },
  {
    name: 'system:auth-delegator',
    rules: [resources(['create'], 'authentication.k8s.io', 'tokenreviews'), resources(['create'], 'authorization.k8s.io', 'subjectaccessreviews')],
  },
  { name: 'system:node-proxier', rules: [resources(['list', 'watch'], '', 'endpoints', 'services'), resources(READ, '', 'nodes'), resources(['list', 'watch'], 'discovery.k8s.io', 'endpointslices')] },
  {
    name: 'system:node',
    rules: [
      resources(['create', ...READ], '', 'nodes', 'services', 'pods', 'events'),
      resources(['patch', 'update'], '', 'nodes', 'nodes/status', 'pods/status'),
      resources(['delete'], '', 'pods'),
      resources(['create', 'delete', 'get', 'patch', 'update'], 'coordination.k8s.io', 'leases'),
      resources(READ, '', 'configmaps', 'secrets', 'persistentvolumeclaims', 'persistentvolumes'),
      resources(['create'], '', 'serviceaccounts/token'),
      resources(['create', 'patch', 'update'], '', 'events'),
    ],
  },
];

export interface BootstrapBinding {
  name: string;
  role: string;
  groups: string[];
}

export const CLUSTER_ROLE_BINDINGS: readonly BootstrapBinding[] = [
  { name: 'cluster-admin', role: 'cluster-admin', groups: ['system:masters'] },
  { name: 'system:basic-user', role: 'system:basic-user', groups: ['system:authenticated'] },
  { name: 'system:discovery', role: 'system:discovery', groups: ['system:authenticated'] },
  { name: 'system:monitoring', role: 'system:monitoring', groups: ['system:monitoring'] },
  { name: 'system:node', role: 'system:node', groups: ['system:nodes'] },
  { name: 'system:public-info-viewer', role: 'system:public-info-viewer', groups: ['system:authenticated', 'system:unauthenticated'] },
  { name: 'system:service-account-issuer-discovery', role: 'system:service-account-issuer-discovery', groups: ['system:serviceaccounts'] },
];

export const PRIORITY_CLASSES = [
  { name: 'system-cluster-critical', value: 2_000_000_000, description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.' },
  { name: 'system-node-critical', value: 2_000_001_000, description: 'Used for system critical pods that must not be moved from their current node.' },
];
