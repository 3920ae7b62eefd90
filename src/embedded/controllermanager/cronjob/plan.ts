/**
 * When a CronJob is due and which Jobs of its history go. Pure; the meaning of schedules is croner's.
 * Rule: "CronJob": a run that is missed by more than `startingDeadlineSeconds` is skipped; of several
 * missed runs only the latest is made up for.
 */
import { Cron } from 'croner';
import type { CronJob, Job } from '#api/builtin';
import { timeMs } from '#embedded/controlloop';

/** Looking back further than this many missed runs is pointless. */
const MISSED_MAX = 100;

export interface Due {
  /** The scheduled time to make up for now. */
  runAtMs?: number;
  /** The next time after now; absent for a schedule that never comes. */
  nextAtMs?: number;
}

/** Throws an `Error` for a schedule or time zone that cannot be read. */
export function dueTimes(cronJob: CronJob, nowMs: number): Due {
  const cron = new Cron(cronJob.spec.schedule, { timezone: cronJob.spec.timeZone ?? 'UTC', mode: '5-part' });
  const sinceMs = earliest(cronJob, nowMs);
  let runAtMs: number | undefined;
  let cursor = new Date(sinceMs);
  for (let missed = 0; missed < MISSED_MAX; missed++) {
    const next = cron.nextRun(cursor);
    if (!next || next.getTime() > nowMs) break;
    runAtMs = next.getTime();
    cursor = next;
  }
  const next = cron.nextRun(new Date(nowMs));
  return { ...(runAtMs === undefined ? {} : { runAtMs }), ...(next ? { nextAtMs: next.getTime() } : {}) };
}

function earliest(cronJob: CronJob, nowMs: number): number {
  const last = timeMs(cronJob.status?.lastScheduleTime) ?? timeMs(cronJob.metadata.creationTimestamp) ?? nowMs;
  const deadline = cronJob.spec.startingDeadlineSeconds;
  return deadline === undefined ? last : Math.max(last, nowMs - deadline * 1000);
}

/** The name of the Job for a scheduled time; the same time gives the same name, so that no run happens twice. */
export function jobName(cronJob: CronJob, runAtMs: number): string {
  return `${cronJob.metadata.name}-${Math.floor(runAtMs / 60_000)}`;
}

export function finishedAs(job: Job): 'Complete' | 'Failed' | undefined {
  const condition = job.status?.conditions?.find((each) => each.status === 'True' && (each.type === 'Complete' || each.type === 'Failed'));
  return condition?.type as 'Complete' | 'Failed' | undefined;
}

/** Finished Jobs beyond the history limits, oldest first. */
export function surplusHistory(cronJob: CronJob, owned: readonly Job[]): Job[] {
  const beyond = (kind: 'Complete' | 'Failed', limit: number) =>
    owned
      .filter((job) => finishedAs(job) === kind)
      .sort((a, b) => (timeMs(a.status?.startTime) ?? 0) - (timeMs(b.status?.startTime) ?? 0))
      .slice(0, limit === 0 ? undefined : -limit);
  return [...beyond('Complete', cronJob.spec.successfulJobsHistoryLimit ?? 3), ...beyond('Failed', cronJob.spec.failedJobsHistoryLimit ?? 1)];
}
