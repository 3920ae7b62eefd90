/** Runs Jobs by plan.ts: status, finalizers, status again; pods made and removed; finished Jobs deleted after their time. */
import { rfc3339 } from '#base/clock';
import { deepEqual } from '#base/json';
import { controllerOf, keyOf, keyText, type ObjectKey } from '#apimachinery/meta';
import { isConflict, isNotFound } from '#apimachinery/status';
import { jobs, pods, type Job, type JobStatus, type Pod } from '#api/builtin';
import type { Informer } from '#kube/cache';
import { ControlLoop, Expectations, isTerminated, type ControlPlane } from '#embedded/controlloop';
import { claimChildren, planClaim } from '../workload/ownership.ts';
import { deletePod, inGrowingBatches, podFromTemplate } from '../workload/pods.ts';
import { ownersOfPod } from '../workload/sources.ts';
import { INDEX_ANNOTATION } from './indexes.ts';
import { isFinished, planJob, TRACKING, ttlLeftMs, withCompletedIndexes, type JobPlan } from './plan.ts';

/** Pod changes are gathered for this long, since pods of a Job tend to change together. */
const GATHER_MS = 50;

export class JobController {
  readonly #plane: ControlPlane;
  readonly #jobs: Informer<Job>;
  readonly #pods: Informer<Pod>;
  readonly #expectations: Expectations<Pod>;
  /** Pods that lost their finalizer although the cache may still show it: they are counted and must not be again. */
  readonly #untracked = new Set<string>();
  readonly loop: ControlLoop;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
    this.#jobs = plane.informers.of(jobs);
    this.#pods = plane.informers.of(pods);
    this.#expectations = new Expectations(this.#pods);
    this.loop = new ControlLoop({
      name: 'job',
      plane,
      sources: [{ informer: this.#jobs }, { informer: this.#pods, map: (pod) => this.#forgetGone(pod), changed: () => false }, { informer: this.#pods, map: (pod) => ownersOfPod(pod, 'Job', this.#jobs), delayMs: GATHER_MS }],
      reconcile: (key) => this.#reconcile(key),
    });
  }

  async #reconcile(key: ObjectKey): Promise<number | undefined> {
    const job = this.#jobs.get(key);
    if (!job || job.spec?.managedBy !== undefined && job.spec.managedBy !== 'kubernetes.io/job-controller') return this.#abandon(key);
    const { client, clock } = this.#plane;
    const claim = planClaim(job, job.spec?.selector, this.#pods.byIndex('namespace', key.namespace ?? ''), (pod) => !isTerminated(pod));
    const owned = (await claimChildren(claim, { client, owner: job, ownerResource: jobs, childResource: pods })).map((pod) => this.#asWritten(pod));
    if (job.metadata.deletionTimestamp || isFinished(job)) return this.#settle(job, owned);
    if (!this.#expectations.satisfied(keyText(key))) return undefined;
    const nowMs = clock.wallMs();
    const plan = planJob(job, owned, { nowMs, now: rfc3339(nowMs) });
    const stored = await this.#act(job, owned, plan);
    const ttlMs = isFinished(stored) ? ttlLeftMs(stored, nowMs) : undefined;
    return ttlMs ?? plan.checkAfterMs;
  }

  /** Pods whose Job is gone must not be held by its finalizer. */
  async #abandon(key: ObjectKey): Promise<undefined> {
    this.#expectations.forget(keyText(key));
    const left = this.#pods.byIndex('namespace', key.namespace ?? '').filter((pod) => controllerOf(pod)?.kind === 'Job' && controllerOf(pod)?.name === key.name);
    for (const pod of left) await this.#untrack(pod);
  }

  async #settle(job: Job, owned: readonly Pod[]): Promise<number | undefined> {
    for (const pod of owned) await this.#untrack(pod);
    const leftMs = isFinished(job) ? ttlLeftMs(job, this.#plane.clock.wallMs()) : undefined;
    if (leftMs !== 0 || job.metadata.deletionTimestamp) return leftMs;
    await this.#plane.client.delete(jobs, keyOf(job), { preconditions: { uid: job.metadata.uid ?? '' }, propagationPolicy: 'Foreground' });
    return undefined;
  }

  async #act(job: Job, owned: readonly Pod[], plan: JobPlan): Promise<Job> {
    const owner = keyText(keyOf(job));
    const { client } = this.#plane;
    for (const pod of plan.remove) if (await deletePod(client, pod)) this.#expectations.deleted(owner, pod);
    await inGrowingBatches(plan.create.length, async (at) => {
      this.#expectations.created(owner, await client.create(pods, podOf(job, plan.create[at] ?? -1)));
    });
    const active = (plan.interim.active ?? 0) + plan.create.length;
    const grown = (status: JobStatus): JobStatus => withCompletedIndexes(job, active > 0 ? { ...status, active } : status, owned);
    let stored = await this.#write(job, grown(plan.interim));
    for (const pod of [...plan.untrack, ...plan.remove]) await this.#untrack(pod);
    stored = await this.#write(stored, grown(plan.final));
    return stored;
  }

  #forgetGone(pod: Pod): [] {
    if (this.#pods.get(keyOf(pod))?.metadata.uid !== pod.metadata.uid) this.#untracked.delete(pod.metadata.uid ?? '');
    return [];
  }

  /** The pod as our last write left it. */
  #asWritten(pod: Pod): Pod {
    const uid = pod.metadata.uid ?? '';
    if (!this.#untracked.has(uid)) return pod;
    if (!pod.metadata.finalizers?.includes(TRACKING)) {
      this.#untracked.delete(uid);
      return pod;
    }
    return { ...pod, metadata: { ...pod.metadata, finalizers: pod.metadata.finalizers.filter((finalizer) => finalizer !== TRACKING) } };
  }

  async #write(job: Job, status: JobStatus): Promise<Job> {
    if (deepEqual(status, job.status)) return job;
    return this.#plane.client.update(jobs, { ...job, status }, { subresource: 'status' });
  }

  async #untrack(pod: Pod): Promise<void> {
    if (!pod.metadata.finalizers?.includes(TRACKING)) return;
    const body = { metadata: { uid: pod.metadata.uid, '$deleteFromPrimitiveList/finalizers': [TRACKING] } };
    await this.#plane.client.patch(pods, keyOf(pod), { type: 'strategic', body }).catch((error: unknown) => {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    });
    this.#untracked.add(pod.metadata.uid ?? '');
  }
}

function podOf(job: Job, index: number): Pod {
  const pod = podFromTemplate(job.spec?.template, job, jobs);
  const finalizers = [...(pod.metadata.finalizers ?? []), TRACKING];
  if (index < 0) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const name = job.metadata.name ?? '';
  const containers = (pod.spec?.containers ?? []).map((container) => ({ ...container, env: [...(container.env ?? []), { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${INDEX_ANNOTATION}']` } } }] }));
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      finalizers,
      generateName: `${name}-${index}-`,
      annotations: { ...pod.metadata.annotations, [INDEX_ANNOTATION]: String(index) },
      labels: { ...pod.metadata.labels, [INDEX_ANNOTATION]: String(index) },
    },
    spec: { ...pod.spec, containers, hostname: `${name}-${index}` },
  };
}
