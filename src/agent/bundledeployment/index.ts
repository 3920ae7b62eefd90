/** Door: BundleDeployments become releases in this cluster. */
export { ContentCache } from './content.ts';
export { type ClusterCapabilities, setIDOf } from './prepare.ts';
export { type AgentClients, type BundleDeploymentDependencies, BundleDeploymentReconciler } from './reconciler.ts';
export { AGENT_LABEL, BY_OWNER, ownerIndex } from './releases.ts';
export { BULK_REMOVAL_HOLD_MS, RemovalGuard } from './removal-guard.ts';
