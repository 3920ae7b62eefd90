/** Door of the availability status: read, then judge. */
export { assessHa } from './assess.ts';
export { discoverDownstream, type NamedCluster, readClusters } from './read.ts';
export { formatHaStatus, type TablePrinter } from './format.ts';
export type { ClusterFacts, ClusterStatus, ComponentStatus, HaStatus, ReplicaStatus, Warning, WarningCode } from './types.ts';
