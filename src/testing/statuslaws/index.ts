/**
 * The laws every status obeys, numbered so that a failure names one. Any integration test may call
 * {@link checkStatusLaws} on the objects it finds; an empty list is the good answer.
 *
 *    1  display.state and condition Ready agree with the summary.
 *    2  the counters of a summary add up to desiredReady.
 *    3  at most ten nonReadyResources, each of a state that is counted.
 *    4  condition types are unique; each status is True, False or Unknown; times are RFC 3339.
 *    5  observedGeneration never exceeds generation.
 *    6  a BundleDeployment that says ready has nothing in nonReadyStatus; one that says nonModified has
 *       nothing in modifiedStatus.
 *    7  lists in a BundleDeployment's status have ten entries at most.
 *    8  resource counts add up: every desired object is counted once.
 *    9  deploymentID is only ever what was staged before, or older; appliedDeploymentID is never set
 *       without a deploymentID.
 *   10  unavailable partitions and deployments are within what the rollout says there is.
 *   11  no status contains what looks like a credential.
 */
import type { Bundle, BundleDeployment, BundleSummary, ResourceCounts } from '#api/fleet';
import type { Condition, KubeObject } from '#apimachinery/meta';
import { subject } from '#apimachinery/meta';
import { isRecord } from '#base/json';

type Report = (law: number, message: string) => void;

const LIST_MAX = 10;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** What breaks a law, as `law N: Kind/ns/name: …`; empty when all hold. */
export function checkStatusLaws(objects: readonly KubeObject[]): string[] {
  return objects.flatMap((object) => {
    const broken: string[] = [];
    const report: Report = (law, message) => broken.push(`law ${law}: ${subject(object)}: ${message}`);
    const status = (object as { status?: unknown }).status;
    if (isRecord(status)) checkStatus(object, status, report);
    return broken;
  });
}

function checkStatus(object: KubeObject, status: Record<string, unknown>, report: Report): void {
  const summary = status.summary as BundleSummary | undefined;
  if (summary) checkSummary(summary, status, report);
  checkConditions((status.conditions ?? []) as Condition[], report);
  const { observedGeneration } = status;
  if (typeof observedGeneration === 'number' && observedGeneration > (object.metadata.generation ?? Infinity)) report(5, `observed generation ${observedGeneration} of ${object.metadata.generation}`);
  if (status.resourceCounts) checkCounts(status.resourceCounts as ResourceCounts, report);
  if (object.kind === 'BundleDeployment') checkDeployment(object as BundleDeployment, report);
  if (object.kind === 'Bundle') checkRollout(object as Bundle, report);
  if (/-----BEGIN [A-Z ]*PRIVATE KEY|:\/\/[^/\s:@]+:[^/\s@]+@|\bBearer [A-Za-z0-9._-]{20,}/.test(JSON.stringify(status))) report(11, 'contains a credential');
}

const COUNTERS = ['ready', 'notReady', 'waitApplied', 'errApplied', 'outOfSync', 'modified', 'pending'] as const;

function checkSummary(summary: BundleSummary, status: Record<string, unknown>, report: Report): void {
  const total = COUNTERS.reduce((sum, counter) => sum + (summary[counter] ?? 0), 0);
  if (total !== summary.desiredReady) report(2, `counts ${total} of ${summary.desiredReady} desired`);
  const examples = summary.nonReadyResources ?? [];
  if (examples.length > LIST_MAX) report(3, `${examples.length} nonReadyResources`);
  for (const { name, bundleState } of examples) {
    const counter = COUNTERS.find((candidate) => candidate.toLowerCase() === bundleState?.toLowerCase());
    if (!counter || (summary[counter] ?? 0) === 0) report(3, `${name ?? ''} is ${bundleState ?? ''}, which is not counted`);
  }
  const allReady = summary.ready === summary.desiredReady;
  const condition = ((status.conditions ?? []) as Condition[]).find(({ type }) => type === 'Ready');
  if (condition?.status === 'True' && !allReady) report(1, `condition Ready is True with ${summary.ready} of ${summary.desiredReady} ready`);
  const state = isRecord(status.display) ? status.display.state : undefined;
  if (allReady && typeof state === 'string' && state !== '' && state !== 'WaitCheckIn' && !COLOURED.has(state)) report(1, `display says ${state}, everything is ready`);
}

/** States a GitRepo shows for reasons of its own (fetching, refused). */
const COLOURED = new Set(['Ready', 'GitUpdating', 'ErrApplied']);

function checkConditions(conditions: readonly Condition[], report: Report): void {
  const types = conditions.map(({ type }) => type);
  if (new Set(types).size !== types.length) report(4, `a condition stands twice: ${types.join(', ')}`);
  for (const { type, status, lastTransitionTime, lastUpdateTime } of conditions) {
    if (!['True', 'False', 'Unknown'].includes(status)) report(4, `condition ${type} is ${String(status)}`);
    for (const time of [lastTransitionTime, lastUpdateTime]) if (time && !RFC3339.test(time)) report(4, `condition ${type} has time ${time}`);
  }
}

function checkCounts(counts: ResourceCounts, report: Report): void {
  const total = counts.ready + counts.waitApplied + counts.modified + counts.missing + counts.unknown + counts.notReady;
  if (total !== counts.desiredReady) report(8, `counts ${total} of ${counts.desiredReady} desired objects`);
}

function checkDeployment({ spec, status }: BundleDeployment, report: Report): void {
  if (status?.ready && status.nonReadyStatus?.length) report(6, 'is ready and lists what is not');
  if (status?.nonModified && status.modifiedStatus?.length) report(6, 'is not modified and lists what is');
  for (const list of ['nonReadyStatus', 'modifiedStatus'] as const) if ((status?.[list]?.length ?? 0) > LIST_MAX) report(7, `${status?.[list]?.length} entries in ${list}`);
  if (spec.deploymentID && !spec.stagedDeploymentID) report(9, 'deploys what was never staged');
  if (status?.appliedDeploymentID && !spec.deploymentID) report(9, 'applied what was never released');
}

function checkRollout({ status }: Bundle, report: Report): void {
  const partitions = status?.partitions ?? [];
  if ((status?.unavailablePartitions ?? 0) > partitions.length) report(10, `${status?.unavailablePartitions} unavailable partitions of ${partitions.length}`);
  for (const { name, count = 0, unavailable = 0 } of partitions) if (unavailable > count) report(10, `partition ${name ?? ''}: ${unavailable} unavailable of ${count}`);
}
