/**
 * How many pods of a PodDisruptionBudget may be evicted now. Pure. Rule: "Specifying a Disruption Budget";
 * a percentage or `maxUnavailable` is of the scale that the pods' controllers want, not of what exists.
 */
import { setCondition, type Condition } from '#apimachinery/meta';
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '#api/builtin';
import { isReady, isTerminated, timeMs } from '#embedded/controlloop';
import { scaledValue } from '../workload/intorpercent.ts';

/** An evicted pod that has not begun to go after this long was not evicted after all. */
export const DISRUPTED_MAX_MS = 120_000;

export interface BudgetPlan {
  status: PodDisruptionBudgetStatus;
  checkAfterMs?: number;
}

/** `scale` is the sum of replicas that the controllers of the pods want; `undefined` when one of them is unknown. */
export function planBudget(budget: PodDisruptionBudget, pods: readonly Pod[], scale: number | undefined, at: { nowMs: number; now: string }): BudgetPlan {
  const counted = pods.filter((pod) => !isTerminated(pod));
  const { minAvailable, maxUnavailable } = budget.spec ?? {};
  const { expected, desired } = expectation({ minAvailable, maxUnavailable }, counted.length, scale ?? counted.length);
  const disrupted = stillDisrupted(budget, pods, at.nowMs);
  const healthy = counted.filter((pod) => isReady(pod) && !pod.metadata.deletionTimestamp && disrupted.pods[pod.metadata.name ?? ''] === undefined).length;
  const allowed = expected > 0 ? Math.max(0, healthy - desired) : 0;
  const condition = allowed > 0
    ? ({ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods', message: '' } as const)
    : ({ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', message: '' } as const);
  const generation = budget.metadata.generation ?? 0;
  return {
    status: {
      conditions: conditionsOf(budget, { ...condition, observedGeneration: generation }, at.now),
      currentHealthy: healthy,
      desiredHealthy: desired,
      ...(Object.keys(disrupted.pods).length > 0 ? { disruptedPods: disrupted.pods } : {}),
      disruptionsAllowed: allowed,
      expectedPods: expected,
      observedGeneration: generation,
    },
    ...(disrupted.checkAfterMs === undefined ? {} : { checkAfterMs: disrupted.checkAfterMs }),
  };
}

function conditionsOf(budget: PodDisruptionBudget, wanted: Omit<Condition, 'lastTransitionTime'>, now: string): Condition[] {
  return setCondition(budget.status?.conditions, wanted, now).map(({ lastUpdateTime: _update, ...condition }) => ({ message: '', ...condition }));
}

function expectation({ minAvailable, maxUnavailable }: { minAvailable: number | string | undefined; maxUnavailable: number | string | undefined }, present: number, scale: number): { expected: number; desired: number } {
  if (maxUnavailable !== undefined) return { expected: scale, desired: Math.max(0, scale - scaledValue(maxUnavailable, scale, 'up')) };
  if (typeof minAvailable === 'number') return { expected: present, desired: minAvailable };
  return { expected: scale, desired: scaledValue(minAvailable, scale, 'up') };
}

/** Evicted pods that the cache does not show as going yet. */
function stillDisrupted(budget: PodDisruptionBudget, pods: readonly Pod[], nowMs: number): { pods: Record<string, string>; checkAfterMs?: number } {
  const kept: Record<string, string> = {};
  let checkAfterMs: number | undefined;
  for (const [name, since] of Object.entries(budget.status?.disruptedPods ?? {})) {
    const pod = pods.find((each) => each.metadata.name === name);
    const leftMs = (timeMs(since) ?? 0) + DISRUPTED_MAX_MS - nowMs;
    if (!pod || pod.metadata.deletionTimestamp || leftMs <= 0) continue;
    kept[name] = since;
    checkAfterMs = Math.min(checkAfterMs ?? leftMs, leftMs);
  }
  return { pods: kept, ...(checkAfterMs === undefined ? {} : { checkAfterMs }) };
}
