/** Conditions of kinds that know no `lastUpdateTime` (Pod, Node, ReplicaSet, Job, Namespace, …). */

export interface PlainCondition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/**
 * The list with one condition set. The transition time changes only with the status; an equal condition
 * yields an equal list. Fields of the present condition that `wanted` does not name (heartbeat and probe
 * times) are kept.
 */
export function withCondition<T extends PlainCondition>(conditions: readonly T[] | undefined, wanted: T, now: string): T[] {
  const list = conditions ?? [];
  const present = list.find((condition) => condition.type === wanted.type);
  if (!present) return [...list, { ...wanted, lastTransitionTime: wanted.lastTransitionTime ?? now }];
  const { reason: _reason, message: _message, ...kept } = present;
  const lastTransitionTime = present.status === wanted.status ? (present.lastTransitionTime ?? now) : now;
  const next = { ...kept, ...wanted, lastTransitionTime } as T;
  return list.map((condition) => (condition === present ? next : condition));
}
