/**
 * Whether a cluster fits the criteria of a target. Rules (facts: Fleet targets): criteria are ANDed; a
 * target without any never matches; `{}` selects everything, an absent selector nothing in particular;
 * group criteria must all hold for one and the same group. What is a customization is decided by
 * position: the targets before the GitRepo's, which are repeated as restrictions.
 */
import { matchesSelector } from '#apimachinery/labels';
import { label, type BundleSpec, type BundleTarget, type ClusterCriteria } from '#api/fleet';

/** What matching needs to know of a cluster. */
export interface MatchSubject {
  name: string;
  labels: Readonly<Record<string, string>>;
  groups: readonly { name: string; labels: Readonly<Record<string, string>> }[];
}

const NO_GROUP = { name: '', labels: {} };

/** Whether the criteria choose the cluster, by at least one of its groups. */
export function matchesCriteria(criteria: ClusterCriteria, cluster: MatchSubject): boolean {
  const groups = cluster.groups.length > 0 ? cluster.groups : [NO_GROUP];
  return groups.some((group) => matchesWithGroup(criteria, cluster, group));
}

function matchesWithGroup(criteria: ClusterCriteria, cluster: MatchSubject, group: { name: string; labels: Readonly<Record<string, string>> }): boolean {
  const verdicts: boolean[] = [];
  if (criteria.clusterName) verdicts.push(criteria.clusterName === cluster.name || criteria.clusterName === cluster.labels[label.clusterDisplayName]);
  if (criteria.clusterGroup) verdicts.push(criteria.clusterGroup === group.name);
  if (criteria.clusterGroupSelector) verdicts.push(matchesSelector(criteria.clusterGroupSelector, group.labels));
  if (criteria.clusterSelector) verdicts.push(matchesSelector(criteria.clusterSelector, cluster.labels));
  return verdicts.length > 0 && verdicts.every(Boolean);
}

export interface BundleMatcher {
  /** The first target of the GitRepo (or of a Bundle without restrictions) that fits and is not restricted. */
  target(cluster: MatchSubject): BundleTarget | undefined;
  /** The customizations from fleet.yaml that fit, in order. */
  customizations(cluster: MatchSubject): BundleTarget[];
  /** A target by its name. */
  named(name: string): BundleTarget | undefined;
}

/** The matcher of one Bundle. Invalid selectors throw when they are used, naming the operator. */
export function matcherOf(spec: Pick<BundleSpec, 'targets' | 'targetRestrictions'>): BundleMatcher {
  const targets = spec.targets ?? [];
  const restrictions = spec.targetRestrictions ?? [];
  const customizationCount = restrictions.length === 0 ? 0 : Math.max(0, targets.length - restrictions.length);
  const customizations = targets.slice(0, customizationCount);
  const plain = targets.slice(customizationCount);
  return {
    target: (cluster) => {
      const groups = cluster.groups.length > 0 ? cluster.groups : [NO_GROUP];
      return plain.find((target) =>
        groups.some((group) => {
          const allowed = restrictions.length === 0 || restrictions.some((restriction) => matchesWithGroup(restriction, cluster, group));
          return allowed && matchesWithGroup(target, cluster, group);
        }),
      );
    },
    customizations: (cluster) => customizations.filter((target) => matchesCriteria(target, cluster)),
    named: (name) => targets.find((target) => target.name === name),
  };
}
