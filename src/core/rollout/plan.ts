/**
 * One step of a rollout: which BundleDeployments to create, stage, promote and remove now, given how the
 * existing ones stand. The plan is computed from state alone, so a new leader in mid-rollout computes the
 * plan its predecessor would have.
 *
 * Algorithm (facts §2.8):
 *   1. Targets are laid into partitions, in the order of the cluster names.
 *   2. Partition by partition: stage the wanted version on every deployment, creating at most `maxNew` new
 *      ones in this step over all partitions; then promote staged ones while the unavailable counts of
 *      rollout and partition stay below their limits. A deployment that is unavailable anyway may always
 *      be promoted: it cannot get worse.
 *   3. Stop after the partition that makes more than `maxUnavailablePartitions` unavailable.
 *
 * Invariants (tested): nothing is promoted that was available unless the limits allow one more to be
 * unavailable; a paused target is never promoted; the input is never changed.
 *
 * Quirks kept: a target in no manual partition gets nothing; `maxUnavailable: 0` never upgrades a healthy
 * deployment.
 */
import type { BundleDeployment, BundleDeploymentSpec, PartitionStatus } from '#api/fleet';
import type { Target } from '#core/target';
import { deepEqual } from '#base/json';
import { deploymentKey, deploymentLabels } from './labels.ts';
import { limitOf } from './limits.ts';
import { layPartitions, type Partition } from './partitions.ts';
import { isUnavailable, isUpToDate, summarizeTargets, type Entry } from './state.ts';
import type { PlannedDeployment, RolloutInput, RolloutPlan, RolloutStatus } from './types.ts';

/** New BundleDeployments per step, unless the strategy says otherwise. */
export const MAX_NEW_DEFAULT = 50;

/** The next step. Throws an `Error` naming a limit that is neither number nor percentage, or an invalid selector. */
export function planRollout(input: RolloutInput): RolloutPlan {
  const existing = new Map(input.existing.map((deployment) => [deploymentKey(deployment.metadata.namespace ?? '', deployment.metadata.name ?? ''), deployment]));
  const targets = input.targets.filter(({ deploymentNamespace }) => deploymentNamespace !== '');
  const entries = targets.map((target) => entryOf(target, existing.get(keyOfTarget(target))));
  const partitions = layPartitions(input.strategy ?? {}, entries);
  const status = startStatus(input, entries, partitions);
  advance(input, partitions, status);
  status.partitions = partitions.map((partition) => partition.status);
  return { ...sortOut(input, entries), remove: removals(input), status };
}

function keyOfTarget(target: Target): string {
  return deploymentKey(target.deploymentNamespace, target.bundleName);
}

/** A working copy: `spec` is what the deployment is to become, `deployment` how it stands. */
function entryOf(target: Target, deployment: BundleDeployment | undefined): Entry {
  return { target, deployment, spec: deployment ? { ...deployment.spec } : undefined };
}

function startStatus(input: RolloutInput, entries: readonly Entry[], partitions: readonly Partition[]): RolloutStatus {
  const strategy = input.strategy ?? {};
  return {
    newlyCreated: 0,
    unavailable: entries.filter(isUnavailable).length,
    unavailablePartitions: 0,
    maxUnavailable: limitOf(entries.length, strategy.maxUnavailable),
    maxUnavailablePartitions: limitOf(partitions.length, strategy.maxUnavailablePartitions, 0),
    maxNew: strategy.maxNew ?? MAX_NEW_DEFAULT,
    partitions: [],
  };
}

function advance(input: RolloutInput, partitions: readonly Partition[], status: RolloutStatus): void {
  for (const partition of partitions) {
    for (const entry of partition.entries) stage(input, entry, status);
    for (const entry of partition.entries) promote(entry, status, partition.status);
    partition.status.unavailable = partition.entries.filter((entry) => !isUpToDate(entry) || isUnavailable(entry)).length;
    partition.status.summary = summarizeTargets(partition.entries);
    if (partition.status.unavailable > (partition.status.maxUnavailable ?? 0)) status.unavailablePartitions++;
    if (status.unavailablePartitions > status.maxUnavailablePartitions) return;
  }
}

function stage(input: RolloutInput, entry: Entry, status: RolloutStatus): void {
  if (!entry.spec) {
    if (status.newlyCreated >= status.maxNew) return;
    status.newlyCreated++;
    entry.spec = {};
  }
  const { target } = entry;
  const { dependsOn: _d, correctDrift: _c, helmChartOptions: _h, ociContents: _o, ...kept } = entry.spec;
  entry.spec = { ...kept, ...accompanying(input, target), stagedOptions: target.options, stagedDeploymentID: target.deploymentID };
}

/** Fields that follow the bundle at once, without waiting for a promotion. */
function accompanying(input: RolloutInput, target: Target): Partial<BundleDeploymentSpec> {
  return {
    paused: target.paused,
    offSchedule: target.offSchedule,
    ...(input.dependsOn?.length ? { dependsOn: [...input.dependsOn] } : {}),
    ...(target.options.correctDrift ? { correctDrift: target.options.correctDrift } : {}),
    ...(input.helmOpOptions ? { helmChartOptions: input.helmOpOptions } : {}),
    ...(input.ociContents ? { ociContents: true } : {}),
  };
}

function promote(entry: Entry, status: RolloutStatus, partition: PartitionStatus): void {
  const { spec, target } = entry;
  if (!spec?.stagedDeploymentID || !spec.stagedOptions || target.paused) return;
  if (spec.deploymentID === spec.stagedDeploymentID) {
    entry.spec = withDriftRules(spec);
    return;
  }
  const alreadyDown = isUnavailable(entry);
  const room = status.unavailable < status.maxUnavailable && (partition.unavailable ?? 0) < (partition.maxUnavailable ?? 0);
  if (!alreadyDown && !room) return;
  if (!alreadyDown) {
    status.unavailable++;
    partition.unavailable = (partition.unavailable ?? 0) + 1;
  }
  entry.spec = { ...spec, deploymentID: spec.stagedDeploymentID, options: spec.stagedOptions };
}

/** Options outside the deploymentID reach a deployment whose version does not change here. */
function withDriftRules(spec: BundleDeploymentSpec): BundleDeploymentSpec {
  const { diff: _diff, correctDrift: _drift, ...options } = spec.options ?? {};
  const { diff, correctDrift } = spec.stagedOptions ?? {};
  return { ...spec, options: { ...options, ...(diff ? { diff } : {}), ...(correctDrift ? { correctDrift } : {}) } };
}

function sortOut(input: RolloutInput, entries: readonly Entry[]): Pick<RolloutPlan, 'create' | 'promote' | 'stage' | 'sync'> {
  const plan: Pick<RolloutPlan, 'create' | 'promote' | 'stage' | 'sync'> = { create: [], promote: [], stage: [], sync: [] };
  for (const { target, deployment, spec } of entries) {
    if (!spec) continue;
    const labels = deploymentLabels(target, input.bundleLabels ?? {});
    const planned: PlannedDeployment = { target, namespace: target.deploymentNamespace, name: target.bundleName, labels, spec };
    if (!deployment) plan.create.push(planned);
    else if (deployment.spec.deploymentID !== spec.deploymentID) plan.promote.push(planned);
    else if (deployment.spec.stagedDeploymentID !== spec.stagedDeploymentID) plan.stage.push(planned);
    else if (!deepEqual(beside(deployment.spec), beside(spec)) || !sameLabels(deployment, labels)) plan.sync.push(planned);
  }
  return plan;
}

/**
 * The spec without what the deploymentIDs stand for. Options are not compared one by one: equal ids mean
 * equal options, also where the values were moved into a Secret.
 */
function beside(spec: BundleDeploymentSpec): Record<string, unknown> {
  const { options, stagedOptions, paused = false, offSchedule = false, ...rest } = spec;
  return { ...rest, paused, offSchedule, diffs: [options?.diff ?? {}, stagedOptions?.diff ?? {}] };
}

function sameLabels(deployment: BundleDeployment, wanted: Readonly<Record<string, string>>): boolean {
  const labels = deployment.metadata.labels ?? {};
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

function removals(input: RolloutInput): RolloutPlan['remove'] {
  const wanted = new Set(input.targets.map(keyOfTarget));
  return input.existing
    .filter(({ metadata }) => {
      const key = deploymentKey(metadata.namespace ?? '', metadata.name ?? '');
      return !wanted.has(key) && !input.keep?.has(key) && !metadata.deletionTimestamp;
    })
    .map(({ metadata }) => ({ namespace: metadata.namespace ?? '', name: metadata.name ?? '', ...(metadata.uid ? { uid: metadata.uid } : {}) }));
}
