/** Makes the Jobs of CronJobs when they are due, keeps their history short and their status true. */
import { rfc3339 } from '#base/clock';
import { deepClone, deepEqual } from '#base/json';
import { controllerOf, keyOf, type ObjectKey } from '#apimachinery/meta';
import { isAlreadyExists, isNotFound } from '#apimachinery/status';
import { cronJobs, jobs, type CronJob, type CronJobStatus, type Job } from '#api/builtin';
import type { Informer } from '#kube/cache';
import { ControlLoop, timeMs, type ControlPlane } from '#embedded/controlloop';
import { controllerReference } from '../workload/ownership.ts';
import { dueTimes, finishedAs, jobName, surplusHistory } from './plan.ts';

/** Timers overflow above 24 days; look again at least once a day. */
const SLEEP_MS_MAX = 86_400_000;

export class CronJobController {
  readonly #plane: ControlPlane;
  readonly #cronJobs: Informer<CronJob>;
  readonly #jobs: Informer<Job>;
  readonly loop: ControlLoop;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
    this.#cronJobs = plane.informers.of(cronJobs);
    this.#jobs = plane.informers.of(jobs);
    this.loop = new ControlLoop({
      name: 'cronjob',
      plane,
      sources: [{ informer: this.#cronJobs }, { informer: this.#jobs, map: cronJobOf }],
      reconcile: (key) => this.#reconcile(key),
    });
  }

  async #reconcile(key: ObjectKey): Promise<number | undefined> {
    const cronJob = this.#cronJobs.get(key);
    if (!cronJob || cronJob.metadata.deletionTimestamp) return undefined;
    const nowMs = this.#plane.clock.wallMs();
    const owned = this.#jobs.list(key.namespace).filter((job) => controllerOf(job)?.uid === cronJob.metadata.uid);
    for (const job of surplusHistory(cronJob, owned)) await this.#remove(job);
    const active = owned.filter((job) => !finishedAs(job));
    const due = cronJob.spec.suspend ? {} : dueTimes(cronJob, nowMs);
    const started = due.runAtMs === undefined ? undefined : await this.#run(cronJob, due.runAtMs, active);
    await this.#report(cronJob, owned, { active: started ? [...active.filter((job) => job.metadata.uid !== started.metadata.uid), started] : active, ...(started && due.runAtMs !== undefined ? { runAtMs: due.runAtMs } : {}) });
    return due.nextAtMs === undefined ? undefined : Math.min(SLEEP_MS_MAX, Math.max(1, due.nextAtMs - nowMs));
  }

  async #run(cronJob: CronJob, runAtMs: number, active: readonly Job[]): Promise<Job | undefined> {
    if (cronJob.spec.concurrencyPolicy === 'Forbid' && active.length > 0) return undefined;
    if (cronJob.spec.concurrencyPolicy === 'Replace') for (const job of active) await this.#remove(job);
    const { metadata, spec } = deepClone(cronJob.spec.jobTemplate);
    const { namespace = '' } = cronJob.metadata;
    const name = jobName(cronJob, runAtMs);
    const annotations = { ...metadata?.annotations, 'batch.kubernetes.io/cronjob-scheduled-timestamp': rfc3339(runAtMs) };
    const job: Job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name, namespace, annotations, ...(metadata?.labels ? { labels: metadata.labels } : {}), ownerReferences: [controllerReference(cronJob, cronJobs)] }, ...(spec ? { spec } : {}) };
    try {
      return await this.#plane.client.create(jobs, job);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      return this.#plane.client.get(jobs, { namespace, name });
    }
  }

  async #remove(job: Job): Promise<void> {
    await this.#plane.client.delete(jobs, keyOf(job), { preconditions: { uid: job.metadata.uid ?? '' }, propagationPolicy: 'Background' }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }

  async #report(cronJob: CronJob, owned: readonly Job[], { active, runAtMs }: { active: readonly Job[]; runAtMs?: number }): Promise<void> {
    const references = active.map(({ metadata }) => ({ apiVersion: 'batch/v1', kind: 'Job', name: metadata.name ?? '', namespace: metadata.namespace ?? '', uid: metadata.uid ?? '', resourceVersion: metadata.resourceVersion ?? '' }));
    const known = new Map((cronJob.status?.active ?? []).map((each) => [each.uid, each]));
    const successes = owned.filter((job) => finishedAs(job) === 'Complete').map((job) => timeMs(job.status?.completionTime) ?? 0);
    const lastSuccess = Math.max(timeMs(cronJob.status?.lastSuccessfulTime) ?? 0, ...successes);
    const lastSchedule = runAtMs === undefined ? cronJob.status?.lastScheduleTime : rfc3339(runAtMs);
    const status: CronJobStatus = {
      ...(references.length > 0 ? { active: references.map((each) => known.get(each.uid) ?? each) } : {}),
      ...(lastSchedule ? { lastScheduleTime: lastSchedule } : {}),
      ...(lastSuccess > 0 ? { lastSuccessfulTime: rfc3339(lastSuccess) } : {}),
    };
    if (!deepEqual(status, cronJob.status ?? {})) await this.#plane.client.update(cronJobs, { ...cronJob, status }, { subresource: 'status' });
  }
}

function cronJobOf(job: Job): ObjectKey[] {
  const owner = controllerOf(job);
  return owner?.kind === 'CronJob' ? [{ namespace: job.metadata.namespace ?? '', name: owner.name }] : [];
}
