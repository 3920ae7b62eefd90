/** BundleSummary: many deployments as counts, with the first few that are not ready. */
import type { BundleState, BundleSummary, ModifiedStatus, NonReadyStatus, ResourceCounts } from '#api/fleet';
import { worstState } from './state.ts';
import type { Report } from './types.ts';

/** Entries kept in `nonReadyResources`; more would overwhelm the object. */
export const NON_READY_MAX = 10;
/** Details of one entry that go into a message. */
const DETAILS_MAX = 4;

type Counter = 'notReady' | 'waitApplied' | 'errApplied' | 'outOfSync' | 'modified' | 'ready' | 'pending';

const COUNTER: Readonly<Record<BundleState, Counter>> = {
  NotReady: 'notReady',
  WaitApplied: 'waitApplied',
  ErrApplied: 'errApplied',
  OutOfSync: 'outOfSync',
  Modified: 'modified',
  Ready: 'ready',
  Pending: 'pending',
};

/** Counts per state; `desiredReady` is the number of reports. Zero counts other than `ready` are left out. */
export function summarize(reports: readonly Report[]): BundleSummary {
  const summary: BundleSummary = { ready: 0, desiredReady: reports.length };
  for (const { state } of reports) summary[COUNTER[state]] = (summary[COUNTER[state]] ?? 0) + 1;
  const nonReady = reports.filter(({ state, name }) => state !== 'Ready' && name !== '').slice(0, NON_READY_MAX);
  if (nonReady.length > 0) {
    summary.nonReadyResources = nonReady.map(({ name, state, message, modified, nonReady: statuses }) => ({
      name,
      bundleState: state,
      ...(message ? { message } : {}),
      ...(modified.length > 0 ? { modifiedStatus: [...modified] } : {}),
      ...(statuses.length > 0 ? { nonReadyStatus: [...statuses] } : {}),
    }));
  }
  return summary;
}

/** The sum of summaries; at most {@link NON_READY_MAX} entries are kept, in order. */
export function addSummaries(summaries: readonly (BundleSummary | undefined)[]): BundleSummary {
  const total: BundleSummary = { ready: 0, desiredReady: 0 };
  for (const summary of summaries) {
    if (!summary) continue;
    total.desiredReady += summary.desiredReady;
    for (const counter of Object.values(COUNTER)) {
      const sum = (total[counter] ?? 0) + (summary[counter] ?? 0);
      if (sum > 0 || counter === 'ready') total[counter] = sum;
    }
  }
  const nonReady = summaries.flatMap((summary) => summary?.nonReadyResources ?? []).slice(0, NON_READY_MAX);
  if (nonReady.length > 0) total.nonReadyResources = nonReady;
  return total;
}

export function isReady(summary: BundleSummary): boolean {
  return summary.ready === summary.desiredReady;
}

/** The state that stands for the whole summary, by its counters (the list of examples is cut off); `Ready` when all are. */
export function summaryState(summary: BundleSummary): BundleState {
  const present = (Object.keys(COUNTER) as BundleState[]).filter((state) => state !== 'Ready' && (summary[COUNTER[state]] ?? 0) > 0);
  return worstState(present) ?? 'Ready';
}

/**
 * Why a summary is not ready, for condition Ready: one part per state with its count and one example,
 * sorted, so that equal summaries give equal text. Empty when everything is ready.
 */
export function readyMessage(summary: BundleSummary, referencedKind: string): string {
  const parts: string[] = [];
  for (const [state, counter] of Object.entries(COUNTER)) {
    const count = summary[counter] ?? 0;
    if (state === 'Ready' || count <= 0) continue;
    const example = summary.nonReadyResources?.find(({ bundleState }) => bundleState === state);
    if (!example) {
      parts.push(`${state}(${count})`);
      continue;
    }
    const reason = example.message ? `: ${example.message}` : '';
    parts.push(`${state}(${count}) [${referencedKind} ${example.name ?? ''}${reason}]`);
    parts.push(...(example.modifiedStatus ?? []).slice(0, DETAILS_MAX).map(modifiedText));
    parts.push(...(example.nonReadyStatus ?? []).slice(0, DETAILS_MAX).map(nonReadyText));
  }
  return parts.sort().join('; ');
}

/** `deployment.apps shop/web modified {"spec":…}`: one drifted object in a message. */
export function modifiedText(status: ModifiedStatus): string {
  const subject = objectText(status);
  if (status.missing) return `${subject} missing`;
  if (status.delete) return `${subject} extra`;
  if (status.exist) return `${subject} owned by others`;
  return `${subject} modified ${status.patch ?? ''}`.trimEnd();
}

/** `deployment.apps shop/web [progressing] 1 of 3 replicas`: one unready object in a message. */
export function nonReadyText(status: NonReadyStatus): string {
  const { state = '', error = false, transitioning = false, message = [] } = status.summary ?? {};
  const marks = [...(error ? ['error'] : []), ...(transitioning ? ['progressing'] : []), ...(error || transitioning || !state ? [] : [state])];
  return [objectText(status), marks.length > 0 ? `[${marks.join(' ')}]` : '', message.join(', ')].filter(Boolean).join(' ');
}

function objectText({ apiVersion = '', kind = '', namespace, name = '' }: { apiVersion?: string; kind?: string; namespace?: string; name?: string }): string {
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
  return `${kind.toLowerCase()}${group} ${namespace ? `${namespace}/` : ''}${name}`;
}

const ZERO: ResourceCounts = { ready: 0, desiredReady: 0, waitApplied: 0, modified: 0, orphaned: 0, missing: 0, unknown: 0, notReady: 0 };

export function addCounts(counts: readonly (ResourceCounts | undefined)[]): ResourceCounts {
  const total = { ...ZERO };
  for (const count of counts) {
    for (const key of Object.keys(ZERO) as (keyof ResourceCounts)[]) total[key] += count?.[key] ?? 0;
  }
  return total;
}
