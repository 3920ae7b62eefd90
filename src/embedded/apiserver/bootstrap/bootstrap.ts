/** What every cluster begins with: system namespaces, and the roles the system itself needs. */
import type { Unstructured } from '#apimachinery/meta';
import { LOOPBACK } from '../auth/user.ts';
import { createObject } from '../registry/create.ts';
import { storageKey, type Deps } from '../registry/deps.ts';
import { NO_MANAGER } from '../registry/managers.ts';
import type { ResourceType } from '../registry/types.ts';
import type { PolicyRule } from '../auth/rbac.ts';
import { CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, PRIORITY_CLASSES, type BootstrapBinding, type BootstrapRole } from './roles.ts';

const RBAC = 'rbac.authorization.k8s.io';
const NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

/** Idempotent: creates what is missing, leaves the rest. A new cluster's history begins after it. */
export async function bootstrap(deps: Deps): Promise<void> {
  const fresh = deps.storage.revision === 0;
  for (const name of NAMESPACES) await ensure(deps, '', 'v1', 'namespaces', { metadata: { name } });
  for (const role of CLUSTER_ROLES) await ensure(deps, RBAC, 'v1', 'clusterroles', clusterRole(role));
  for (const binding of CLUSTER_ROLE_BINDINGS) await ensure(deps, RBAC, 'v1', 'clusterrolebindings', clusterRoleBinding(binding));
  for (const { name, value, description } of PRIORITY_CLASSES) {
    await ensure(deps, 'scheduling.k8s.io', 'v1', 'priorityclasses', { metadata: { name }, value, description, preemptionPolicy: 'PreemptLowerPriority' });
  }
  if (fresh) deps.storage.compact();
}

const LABELS = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const ANNOTATIONS = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' };

function clusterRole({ name, rules, labels, aggregate }: BootstrapRole): Unstructured {
  const aggregation = aggregate ? { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregate]: 'true' } }] } } : {};
  return { metadata: { name, labels: { ...LABELS, ...labels }, annotations: { ...ANNOTATIONS } }, rules: structuredRules(rules), ...aggregation };
}

function structuredRules(rules: readonly PolicyRule[]): PolicyRule[] {
  return rules.map((rule) => ({ ...rule }));
}

function clusterRoleBinding({ name, role, groups }: BootstrapBinding): Unstructured {
  return {
    metadata: { name, labels: { ...LABELS }, annotations: { ...ANNOTATIONS } },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
    subjects: groups.map((group) => ({ apiGroup: RBAC, kind: 'Group', name: group })),
  };
}

async function ensure(deps: Deps, group: string, version: string, plural: string, object: Unstructured): Promise<void> {
  const type = deps.resources.get(group, version, plural) as ResourceType;
  const { namespace = '', name = '' } = object.metadata;
  if (deps.storage.head(type.collection, storageKey(type, { namespace, name }))) return;
  await createObject(deps, { type, namespace, object, user: LOOPBACK, manager: NO_MANAGER, dryRun: false });
}
