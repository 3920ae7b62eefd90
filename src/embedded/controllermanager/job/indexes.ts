/** Completion indexes of indexed Jobs: which are done, which are missing, and their text form `0-2,5`. Pure. */
import type { Job, Pod } from '#api/builtin';
import { isActive } from '#embedded/controlloop';

export const INDEX_ANNOTATION = 'batch.kubernetes.io/job-completion-index';

export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[INDEX_ANNOTATION];
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

/** Indexes that succeeded, now or according to the stored status. */
export function completedIndexes(job: Job, pods: readonly Pod[]): Set<number> {
  const done = parseIndexes(job.status?.completedIndexes);
  for (const pod of pods) {
    const index = indexOf(pod);
    if (pod.status?.phase === 'Succeeded' && index !== undefined) done.add(index);
  }
  return done;
}

/** The lowest indexes that are neither done nor being worked on. */
export function missingIndexes(job: Job, pods: readonly Pod[], count: number): number[] {
  const taken = completedIndexes(job, pods);
  for (const pod of pods) if (isActive(pod)) taken.add(indexOf(pod) ?? -1);
  const missing: number[] = [];
  for (let index = 0; index < (job.spec?.completions ?? 0) && missing.length < count; index++) if (!taken.has(index)) missing.push(index);
  return missing;
}

export function parseIndexes(text: string | undefined): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? '').split(',').filter(Boolean)) {
    const [first = 0, last = first] = part.split('-').map(Number);
    for (let index = first; index <= last; index++) indexes.add(index);
  }
  return indexes;
}

/** Runs of three and more are written with a dash, as upstream does; shorter ones with commas. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; ) {
    let end = at;
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++;
    const [first, last] = [sorted[at], sorted[end]];
    parts.push(end === at ? `${first}` : end === at + 1 ? `${first},${last}` : `${first}-${last}`);
    at = end + 1;
  }
  return parts.join(',');
}
