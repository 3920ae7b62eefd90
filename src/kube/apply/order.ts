/**
 * The order in which kinds are created: what others need comes first. Rule: Helm's install order
 * (helm.sh "Using Helm", "the order of resources"); unknown kinds come after the known ones.
 */
const INSTALL_ORDER: readonly string[] = [
  'PriorityClass', 'Namespace', 'NetworkPolicy', 'ResourceQuota', 'LimitRange', 'PodSecurityPolicy', 'PodDisruptionBudget', 'ServiceAccount', 'Secret',
  'SecretList', 'ConfigMap', 'StorageClass', 'PersistentVolume', 'PersistentVolumeClaim', 'CustomResourceDefinition', 'ClusterRole', 'ClusterRoleList',
  'ClusterRoleBinding', 'ClusterRoleBindingList', 'Role', 'RoleList', 'RoleBinding', 'RoleBindingList', 'Service', 'DaemonSet', 'Pod',
  'ReplicationController', 'ReplicaSet', 'Deployment', 'HorizontalPodAutoscaler', 'StatefulSet', 'Job', 'CronJob', 'IngressClass', 'Ingress',
  'APIService', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration',
];
const RANK = new Map(INSTALL_ORDER.map((kind, index) => [kind, index]));

/** Lower ranks are created earlier and deleted later. */
export function installRank(kind: string | undefined): number {
  return RANK.get(kind ?? '') ?? INSTALL_ORDER.length;
}

/** Groups of equal rank, in install order; the order inside a group is kept. */
export function byInstallRank<T extends { kind?: string }>(objects: readonly T[]): T[][] {
  const groups = new Map<number, T[]>();
  for (const object of objects) {
    const rank = installRank(object.kind);
    const group = groups.get(rank);
    if (group) group.push(object);
    else groups.set(rank, [object]);
  }
  return [...groups.entries()].sort(([a], [b]) => a - b).map(([, group]) => group);
}
