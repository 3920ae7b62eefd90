/** The embedded Kubernetes: one call makes a cluster, durable in a directory or in memory. */
export { Cluster, createCluster, type ClusterOptions, type Component, type ListenAddress } from './cluster.ts';
