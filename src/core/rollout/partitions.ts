/**
 * How targets are laid into partitions: the manual list; else automatically in slices when there are many
 * clusters; else all in one. Source: facts §2.8. A target belongs to every manual partition whose criteria
 * it fits, first come first served by the order of the list.
 */
import type { PartitionStatus, RolloutStrategy } from '#api/fleet';
import { matchesCriteria } from '#core/target';
import { limitOf } from './limits.ts';
import { isUnavailable, summarizeTargets, type Entry } from './state.ts';

/** From this many clusters on, a rollout is partitioned automatically. */
export const AUTO_PARTITION_THRESHOLD_DEFAULT = 200;
export const AUTO_PARTITION_SIZE_DEFAULT = '25%';

export interface Partition {
  entries: readonly Entry[];
  /** Filled in while the plan advances. */
  status: PartitionStatus;
}

export function layPartitions(strategy: RolloutStrategy, entries: readonly Entry[]): Partition[] {
  if (strategy.partitions?.length) return manual(strategy, entries);
  const size = strategy.autoPartitionSize;
  const disabled = typeof size === 'number' && size <= 0;
  const threshold = strategy.autoPartitionThreshold ?? AUTO_PARTITION_THRESHOLD_DEFAULT;
  if (disabled || entries.length < threshold) return [partitionOf('All', entries, limitOf(entries.length, strategy.maxUnavailable))];
  return slices(strategy, entries, Math.max(1, limitOf(entries.length, size, AUTO_PARTITION_SIZE_DEFAULT)));
}

function manual(strategy: RolloutStrategy, entries: readonly Entry[]): Partition[] {
  const taken = new Set<Entry>();
  return (strategy.partitions ?? []).map((definition) => {
    const members = entries.filter(({ target }) =>
      matchesCriteria(definition, { name: target.clusterName, labels: target.clusterLabels, groups: target.clusterGroups }),
    );
    const fresh = members.filter((entry) => !taken.has(entry));
    for (const entry of fresh) taken.add(entry);
    return partitionOf(definition.name ?? '', fresh, limitOf(fresh.length, definition.maxUnavailable, strategy.maxUnavailable));
  });
}

function slices(strategy: RolloutStrategy, entries: readonly Entry[], size: number): Partition[] {
  const partitions: Partition[] = [];
  for (let start = 0; start < entries.length; start += size) {
    const members = entries.slice(start, start + size);
    partitions.push(partitionOf(`Partition ${start} - ${start + members.length}`, members, limitOf(members.length, strategy.maxUnavailable)));
  }
  return partitions;
}

function partitionOf(name: string, entries: readonly Entry[], maxUnavailable: number): Partition {
  const status = { name, count: entries.length, maxUnavailable, unavailable: entries.filter(isUnavailable).length, summary: summarizeTargets(entries) };
  return { entries, status };
}
