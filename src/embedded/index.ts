/** The embedded Kubernetes: one call makes a cluster, durable in a directory or in memory. */
export { Cluster, createCluster, type ClusterOptions, type Component, type ListenAddress } from './cluster.ts';
export { ClusterControlPlane, type ControlPlaneOptions, type NodePlan } from './controlplane.ts';
