/** Door: bringing agents to clusters and keeping them as configured. */
export { type Endpoint, agentNamespaceOf } from './agent-values.ts';
export { bootstrapLocalCluster, ensureNamespace, kubeconfigText } from './bootstrap.ts';
export { ClusterImportReconciler, type ImportDependencies } from './import.ts';
