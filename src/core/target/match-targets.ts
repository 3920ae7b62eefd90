/**
 * matchTargets: Bundle × clusters → Target[]. One cluster whose options cannot be computed (a template
 * that fails there) becomes an error of its own and hinders no other cluster; Fleet stops all of them.
 */
import type { Bundle, BundleDeploymentOptions, BundleTarget, Cluster } from '#api/fleet';
import { errorText } from '#base/log';
import { expandValues } from './expand-values.ts';
import { matcherOf, type BundleMatcher, type MatchSubject } from './matcher.ts';
import { deploymentIDOf, mergeOptions } from './merge-options.ts';
import { clusterGroupsOf } from './scope.ts';
import type { MatchInput, MatchResult, Target, TargetError } from './types.ts';

/** Every cluster the bundle goes to. Throws an `Error` only when the bundle itself is wrong (an invalid selector). */
export function matchTargets(input: MatchInput): MatchResult {
  const matcher = matcherOf(input.bundle.spec);
  const merge = mergerOf(input);
  const targets: Target[] = [];
  const errors: TargetError[] = [];
  for (const cluster of [...input.clusters].sort(byName)) {
    const groups = clusterGroupsOf(cluster, input.clusterGroups).map(({ metadata }) => ({ name: metadata.name ?? '', labels: metadata.labels ?? {} }));
    const subject: MatchSubject = { name: cluster.metadata.name ?? '', labels: cluster.metadata.labels ?? {}, groups };
    const choice = choose(input.bundle, matcher, subject);
    if (!choice) continue;
    try {
      targets.push(targetOf(input, cluster, subject, merge(choice)));
    } catch (error) {
      errors.push({ ...addressOf(cluster), message: errorText(error) });
    }
  }
  return { targets, errors };
}

function byName(a: Cluster, b: Cluster): number {
  const key = ({ metadata }: Cluster) => `${metadata.name ?? ''}\0${metadata.namespace ?? ''}`;
  return key(a) < key(b) ? -1 : 1;
}

interface Choice {
  name: string;
  /** What is laid over the bundle's options, in order. */
  layers: readonly BundleTarget[];
}

/** Options before what is particular to one cluster, and their identity. */
interface Merged {
  name: string;
  options: BundleDeploymentOptions;
  deploymentID: string;
}

/** The options that customize this cluster, or nothing where the bundle does not go. */
function choose(bundle: Bundle, matcher: BundleMatcher, subject: MatchSubject): Choice | undefined {
  const target = matcher.target(subject);
  if (!target || target.doNotDeploy) return undefined;
  const customizations = matcher.customizations(subject);
  if (bundle.spec.targetCustomizationMode === 'AllMatches') {
    if (customizations.some(({ doNotDeploy }) => doNotDeploy)) return undefined;
    return { name: customizations[0]?.name ?? target.name ?? '', layers: [target, ...customizations] };
  }
  const winner = customizations[0] ?? target;
  return winner.doNotDeploy ? undefined : { name: winner.name ?? '', layers: [winner] };
}

function optionsOf(target: BundleTarget): BundleDeploymentOptions {
  const { name: _n, doNotDeploy: _d, clusterName: _c, clusterSelector: _s, clusterGroup: _g, clusterGroupSelector: _gs, ...options } = target;
  return options;
}

/** The deployment options inside a BundleSpec, without what concerns only the Bundle. */
function bundleOptions(bundle: Bundle): BundleDeploymentOptions {
  const {
    paused: _p,
    rolloutStrategy: _r,
    resources: _res,
    targetCustomizationMode: _m,
    targets: _t,
    targetRestrictions: _tr,
    dependsOn: _d,
    contentsId: _ci,
    helmOpOptions: _h,
    valuesHash: _v,
    ...options
  } = bundle.spec;
  return options;
}

function addressOf(cluster: Cluster): Omit<TargetError, 'message'> {
  return { clusterNamespace: cluster.metadata.namespace ?? '', clusterName: cluster.metadata.name ?? '', deploymentNamespace: cluster.status?.namespace ?? '' };
}

/** Thousands of clusters share a few choices: each is merged and hashed once. Results are shared and never changed. */
function mergerOf(input: MatchInput): (choice: Choice) => Merged {
  const positions = new Map((input.bundle.spec.targets ?? []).map((target, index) => [target, index]));
  const known = new Map<string, Merged>();
  const base = bundleOptions(input.bundle);
  return ({ name, layers }) => {
    const key = layers.map((layer) => positions.get(layer)).join(',');
    const found = known.get(key);
    if (found) return found;
    const over = layers.map(optionsOf).reduce((merged, layer) => mergeOptions(merged, layer));
    const options = mergeOptions(base, over);
    if (input.allowedTargetNamespaceSelector) options.allowedTargetNamespaceSelector = input.allowedTargetNamespaceSelector;
    if (input.createNamespace !== undefined) options.createNamespace = input.createNamespace;
    const merged = { name, options, deploymentID: deploymentIDOf(input.manifestID, options) };
    known.set(key, merged);
    return merged;
  };
}

function targetOf(input: MatchInput, cluster: Cluster, subject: MatchSubject, merged: Merged): Target {
  const helm = expandValues(merged.options.helm, cluster, input.templates);
  const own = helm === merged.options.helm ? merged.options : { ...merged.options, ...(helm ? { helm } : {}) };
  return {
    bundleName: input.bundle.metadata.name ?? '',
    bundleNamespace: input.bundle.metadata.namespace ?? '',
    ...addressOf(cluster),
    clusterLabels: subject.labels,
    clusterGroups: subject.groups,
    targetName: merged.name,
    options: own,
    deploymentID: own === merged.options ? merged.deploymentID : deploymentIDOf(input.manifestID, own),
    paused: Boolean(cluster.spec.paused || input.bundle.spec.paused),
    offSchedule: Boolean(cluster.status?.scheduled && !cluster.status.activeSchedule),
  };
}
