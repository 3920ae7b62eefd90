/** A Bundle meets clusters: the inputs and the plain-data result. */
import type { LabelSelector } from '#apimachinery/labels';
import type { Bundle, BundleDeploymentOptions, Cluster, ClusterGroup } from '#api/fleet';

/** One (bundle, cluster) pair with its merged options. */
export interface Target {
  bundleName: string;
  bundleNamespace: string;
  clusterName: string;
  /** Namespace of the Cluster object. */
  clusterNamespace: string;
  clusterLabels: Readonly<Record<string, string>>;
  /** `Cluster.status.namespace`: where the BundleDeployment lives. Empty until the cluster has one. */
  deploymentNamespace: string;
  clusterGroups: readonly { name: string; labels: Readonly<Record<string, string>> }[];
  /** Name of the matching entry of `Bundle.spec.targets`. */
  targetName: string;
  /** Merged, substituted and expanded. */
  options: BundleDeploymentOptions;
  deploymentID: string;
  /** Cluster or Bundle is paused: new versions are staged only. */
  paused: boolean;
  /** A Schedule covers the cluster and its window is closed. */
  offSchedule: boolean;
}

/** A cluster the bundle is meant for, whose options could not be computed (a template that fails). */
export interface TargetError {
  clusterNamespace: string;
  clusterName: string;
  deploymentNamespace: string;
  message: string;
}

/** `${ }` expansion, passed in because rendering is another room. */
export interface TemplateTools {
  /** Expands Go template text with delimiters `${` and `}`, missingkey=error; throws an `Error`. */
  expand(text: string, context: Readonly<Record<string, unknown>>): string;
  parseYaml(text: string): unknown;
  /** YAML (or JSON, which is YAML) text of a value. */
  formatYaml(value: unknown): string;
}

export interface MatchInput {
  bundle: Bundle;
  /** Name of the Content: `s-…`. */
  manifestID: string;
  /** Clusters of every namespace the bundle may reach (see `namespacesFor`). */
  clusters: readonly Cluster[];
  /** Cluster groups of the same namespaces. */
  clusterGroups: readonly ClusterGroup[];
  templates: TemplateTools;
  /** From policies; wins over what the bundle says. */
  allowedTargetNamespaceSelector?: LabelSelector;
  createNamespace?: boolean;
}

export interface MatchResult {
  /** Sorted by cluster name, then namespace. */
  targets: Target[];
  errors: TargetError[];
}
