/**
 * BundleDeployment → a Helm release in this cluster, and a status that says how it fares. Reads the wanted
 * version upstream, lets the release engine bring the cluster there, looks at what lives, reports in one
 * patch. A BundleDeployment that is gone upstream has its release uninstalled.
 */
import type { Secret } from '#api/builtin';
import { type BundleDeployment, bundleDeployments, type BundleDeploymentStatus, type BundleRef, type BundleState, label } from '#api/fleet';
import { matchesSelector } from '#apimachinery/labels';
import { findCondition, type ObjectKey, type Unstructured } from '#apimachinery/meta';
import { StatusError } from '#apimachinery/status';
import { rfc3339, type Clock } from '#base/clock';
import { errorText } from '#base/log';
import { findDrift } from '#core/diff';
import { assess } from '#core/health';
import type { Revision } from '#core/release';
import { deploymentState } from '#core/rollup';
import { referenceOf } from '#kube/apply';
import type { Informer } from '#kube/cache';
import type { RestMapper } from '#kube/client';
import { done, type Outcome, type ReconcileContext, type Reconciler, requeueAfter } from '#kube/controller';
import { NotLeaderError } from '#kube/leaderelection';
import { mergePatchBetween, patchStatus } from '#kube/status';
import type { Monitor } from '../monitor/index.ts';
import { converge, DEFAULT_OPTIONS, objectsOf, type ReleaseResult } from '../release/index.ts';
import { deleteReleaseNamespace, ensureReleaseNamespace } from './namespaces.ts';
import { RepairPace } from './repair-pace.ts';
import { prepare, type PrepareDependencies, releaseOptionsOf, releaseTargetOf, setIDOf, StaleValuesError } from './prepare.ts';
import type { RemovalGuard } from './removal-guard.ts';
import { DELETE_NAMESPACE_LABEL, KEEP_LABEL, OwnReleases, type OwnRelease } from './releases.ts';
import { deploymentStatus } from './status.ts';

const LIMITS = {
  /** Fleet: WaitForDependencies 15 s; a change of a dependency brings us back sooner. */
  dependencyRetryMs: 15_000,
  staleValuesRetryMs: 500,
  /** Let the caches see what was just applied before the first look. */
  observeMs: 1_000,
  /** A release that failed is tried again after so long, in case its surroundings have changed. */
  failedRetryMs: 5 * 60_000,
};

export type AgentClients = 'upstream' | 'downstream';

export interface BundleDeploymentDependencies extends Omit<PrepareDependencies, 'upstream' | 'downstream'> {
  deployments: Informer<BundleDeployment>;
  releaseSecrets: Informer<Secret>;
  monitor: Monitor;
  mapper: RestMapper;
  clock: Clock;
  /** Absent: every release whose BundleDeployment is missing goes at once. */
  guard?: RemovalGuard;
}

export class BundleDeploymentReconciler implements Reconciler<AgentClients> {
  readonly #deps: BundleDeploymentDependencies;
  readonly #releases: OwnReleases;
  readonly #repairs: RepairPace;
  /** When uninstallations that failed are tried again, by owner; in memory: a new leader waits anew. */
  readonly #retries = new Map<string, number>();

  constructor(deps: BundleDeploymentDependencies) {
    this.#deps = deps;
    this.#releases = new OwnReleases(deps.releaseSecrets);
    this.#repairs = new RepairPace(deps.clock);
  }

  /** Releases whose BundleDeployment is gone: to be looked at when a term begins. */
  orphanedOwners(): string[] {
    const known = new Set(this.#deps.deployments.list().map(({ metadata }) => metadata.name));
    return this.#releases.owners().filter((owner) => !known.has(owner));
  }

  async reconcile(key: ObjectKey, ctx: ReconcileContext<AgentClients>): Promise<Outcome> {
    const deployment = this.#deps.deployments.get(key);
    if (!deployment || deployment.metadata.deletionTimestamp) return this.#remove(key.name, ctx, deployment !== undefined);
    this.#deps.guard?.forget(key.name);
    let attempt = await this.#attempt(deployment, ctx);
    if (attempt.kind === 'as-is') attempt = (await this.#correctDrift(deployment, ctx)) ?? attempt;
    await this.#report(deployment, attempt, ctx);
    if (attempt.retryMs !== undefined) return requeueAfter(attempt.retryMs);
    return done;
  }

  /** Deploys when the wanted version is not there; says why not otherwise. */
  async #attempt(deployment: BundleDeployment, ctx: ReconcileContext<AgentClients>): Promise<Attempt> {
    const { spec } = deployment;
    if (!spec.deploymentID || spec.paused || spec.offSchedule || spec.waitingForValues || this.#isApplied(deployment)) return { kind: 'as-is' };
    const unmet = this.#unmetDependency(deployment);
    if (unmet) return { kind: 'failed', message: unmet, retryMs: LIMITS.dependencyRetryMs };
    try {
      return await this.#deploy(deployment, ctx);
    } catch (error) {
      if (ctx.signal.aborted || error instanceof NotLeaderError) throw error;
      if (error instanceof StaleValuesError) return { kind: 'as-is', retryMs: LIMITS.staleValuesRetryMs };
      if (isTrouble(error)) throw error;
      return { kind: 'failed', message: errorText(error), retryMs: LIMITS.failedRetryMs };
    }
  }

  /** Puts drifted objects back where the bundle asks for it; not more often than the back-off allows, lest two controllers fight. */
  async #correctDrift(deployment: BundleDeployment, ctx: ReconcileContext<AgentClients>): Promise<Attempt | undefined> {
    const { correctDrift, paused, offSchedule } = deployment.spec;
    if (!correctDrift?.enabled || paused || offSchedule || !this.#isApplied(deployment)) return undefined;
    const key = deployment.metadata.name ?? '';
    if (!(await this.#hasDrifted(deployment, ctx))) {
      this.#repairs.settled(key);
      return undefined;
    }
    const waitMs = this.#repairs.waitMs(key);
    if (waitMs > 0) return { kind: 'as-is', retryMs: waitMs };
    this.#repairs.began(key);
    ctx.log.info('correcting drift', { bundleDeployment: key });
    try {
      return await this.#deploy(deployment, ctx, true);
    } catch (error) {
      if (ctx.signal.aborted || (error as Error).name === 'NotLeaderError' || isTrouble(error)) throw error;
      return { kind: 'failed', message: `drift correction failed: ${errorText(error)}`, retryMs: LIMITS.failedRetryMs };
    }
  }

  async #hasDrifted(deployment: BundleDeployment, ctx: ReconcileContext<AgentClients>): Promise<boolean> {
    const desired = this.#current(deployment)?.objects ?? [];
    const { monitor } = this.#deps;
    await monitor.watch(desired.map(referenceOf), ctx.signal);
    const live = (object: Unstructured) => monitor.get(referenceOf(object));
    return findDrift({ desired, live, comparePatches: deployment.spec.options?.diff?.comparePatches ?? [] }).length > 0;
  }

  async #deploy(deployment: BundleDeployment, ctx: ReconcileContext<AgentClients>, repair = false): Promise<Attempt> {
    const target = releaseTargetOf(deployment);
    const { upstream, downstream } = ctx.clients;
    await ensureReleaseNamespace(downstream, target.namespace, deployment.spec.options ?? {});
    const started = this.#deps.clock.monotonicMs();
    const result = await converge(
      {
        ...target,
        deploymentID: deployment.spec.deploymentID,
        options: { ...releaseOptionsOf(deployment), ...(repair && deployment.spec.correctDrift?.force ? { force: true } : {}) },
        repair,
        keepFailHistory: deployment.spec.correctDrift?.keepFailHistory === true,
        retry: syncWanted(deployment) || retryDue(deployment, this.#deps.clock.wallMs()),
        content: (number, isUpgrade) => prepare(deployment, { number, isUpgrade }, { ...this.#deps, upstream, downstream }, ctx.signal),
      },
      this.#releaserOptions(ctx),
    );
    if (result.status === 'deployed') {
      ctx.log.info('deployed', { bundleDeployment: deployment.metadata.name, release: `${target.namespace}/${target.name}`, ms: Math.round(this.#deps.clock.monotonicMs() - started) });
      await this.#removeMoved(deployment, target, ctx);
    }
    return attemptOf(result, this.#deps.clock.wallMs());
  }

  #releaserOptions(ctx: ReconcileContext<AgentClients>) {
    const { mapper, clock } = this.#deps;
    const isReady = (live: Unstructured | undefined) => live !== undefined && assess(live).ready;
    return { client: ctx.clients.downstream, mapper, clock, log: ctx.log, signal: ctx.signal, isReady };
  }

  /** The release that is the deployment's now: where its options put it. */
  #current(deployment: BundleDeployment): OwnRelease | undefined {
    const target = releaseTargetOf(deployment);
    return this.#releases.of(deployment.metadata.name ?? '').find(({ namespace, name }) => namespace === target.namespace && name === target.name);
  }

  #isApplied(deployment: BundleDeployment): boolean {
    const { spec, status } = deployment;
    if (status?.appliedDeploymentID !== spec.deploymentID) return false;
    if (syncWanted(deployment)) return false;
    const revision = this.#current(deployment)?.revision;
    return revision?.record.info.status === 'deployed' && revision.journal?.step === 'done' && revision.journal.deploymentID === spec.deploymentID;
  }

  #unmetDependency(deployment: BundleDeployment): string | undefined {
    for (const reference of deployment.spec.dependsOn ?? []) {
      const found = this.#deps.deployments.list(deployment.metadata.namespace).filter((other) => refersTo(reference, other));
      if (found.length === 0) return `dependent bundle(s) are not ready: ${reference.name ?? 'selector'} is not deployed to this cluster`;
      const accepted: readonly BundleState[] = reference.acceptedStates?.length ? reference.acceptedStates : ['Ready'];
      const waiting = found.find((other) => !accepted.includes(deploymentState(other)));
      if (waiting) return `dependent bundle(s) are not ready: ${waiting.metadata.name} is ${deploymentState(waiting)}`;
    }
    return undefined;
  }

  /** After a change of name or namespace, the release under the old one goes. */
  async #removeMoved(deployment: BundleDeployment, target: { namespace: string; name: string }, ctx: ReconcileContext<AgentClients>): Promise<void> {
    const moved = this.#releases.of(deployment.metadata.name ?? '').filter(({ namespace, name }) => namespace !== target.namespace || name !== target.name);
    for (const release of moved) await this.#uninstall(release, ctx);
  }

  async #remove(owner: string, ctx: ReconcileContext<AgentClients>, witnessed: boolean): Promise<Outcome> {
    const waitMs = witnessed ? 0 : (this.#deps.guard?.holdMs(owner, this.orphanedOwners(), this.#releases.owners().length) ?? 0);
    if (waitMs > 0 && this.#releases.of(owner).length > 0) {
      ctx.log.error('most BundleDeployments vanished at once and unseen: their releases stay for now. Was the management cluster restored from an old backup?', {
        bundleDeployment: owner,
        waitMs: Math.round(waitMs),
      });
      return requeueAfter(waitMs);
    }
    let failed = false;
    for (const release of this.#releases.of(owner)) {
      const result = await this.#uninstall(release, ctx, this.#uninstallAgain(owner));
      const fields = { bundleDeployment: owner, release: `${release.namespace}/${release.name}` };
      if (result.status === 'failed') ctx.log.error('uninstallation failed, will be tried again', { ...fields, error: result.message, delayMs: LIMITS.failedRetryMs });
      else ctx.log.info('uninstalled', fields);
      failed ||= result.status === 'failed';
    }
    if (failed) this.#retries.set(owner, this.#retries.get(owner) ?? this.#deps.clock.monotonicMs() + LIMITS.failedRetryMs);
    else this.#retries.delete(owner);
    if (!failed) this.#deps.guard?.forget(owner);
    return failed ? requeueAfter(LIMITS.failedRetryMs) : done;
  }

  /** Whether it is time to try again; the wait begins anew then. */
  #uninstallAgain(owner: string): boolean {
    const due = (this.#retries.get(owner) ?? Number.POSITIVE_INFINITY) <= this.#deps.clock.monotonicMs();
    if (due) this.#retries.delete(owner);
    return due;
  }

  async #uninstall({ namespace, name, revision }: OwnRelease, ctx: ReconcileContext<AgentClients>, retry = false): Promise<ReleaseResult> {
    const labels = revision.record.labels ?? {};
    const options = { ...DEFAULT_OPTIONS, keepResources: labels[KEEP_LABEL] === 'true' };
    const result = await converge({ namespace, name, deploymentID: undefined, options, retry }, this.#releaserOptions(ctx));
    if (result.status === 'absent' && labels[DELETE_NAMESPACE_LABEL] === 'true') await deleteReleaseNamespace(ctx.clients.downstream, namespace);
    return result;
  }

  async #report(deployment: BundleDeployment, attempt: Attempt, ctx: ReconcileContext<AgentClients>): Promise<void> {
    const live = this.#deps.deployments.get({ namespace: deployment.metadata.namespace ?? '', name: deployment.metadata.name ?? '' }) ?? deployment;
    const release = attempt.kind === 'deployed' ? ownReleaseOf(attempt.result) : this.#current(deployment);
    const { monitor } = this.#deps;
    const references = (release?.objects ?? []).map((object) => referenceOf(object));
    await monitor.watch(references, ctx.signal);
    if (attempt.kind === 'deployed') await monitor.waitFor(references, LIMITS.observeMs);
    const failure = attempt.kind === 'failed' ? attempt.message : attempt.kind === 'as-is' ? earlierFailure(deployment) : undefined;
    const status = deploymentStatus({
      deployment: live,
      release,
      live: (object) => monitor.get(referenceOf(object)),
      marked: monitor.ofSet(setIDOf(deployment, this.#deps.agentNamespace)),
      failure,
      epoch: ctx.term.epoch,
      now: rfc3339(this.#deps.clock.wallMs()),
    });
    if (sameButEpoch(live, status)) return;
    await patchStatus(ctx.clients.upstream, bundleDeployments, live, status);
  }
}

type Attempt =
  | { kind: 'as-is'; retryMs?: number }
  | { kind: 'deployed'; result: Extract<ReleaseResult, { status: 'deployed' }>; retryMs?: undefined }
  | { kind: 'failed'; message: string; retryMs?: number };

function attemptOf(result: ReleaseResult, nowMs: number): Attempt {
  switch (result.status) {
    case 'deployed':
      return { kind: 'deployed', result };
    case 'failed':
      return { kind: 'failed', message: result.message, retryMs: LIMITS.failedRetryMs };
    case 'waiting':
      return { kind: 'as-is', retryMs: Math.max(1, result.untilMs - nowMs) };
    case 'absent':
      return { kind: 'as-is' };
  }
}

function ownReleaseOf({ revision }: { revision: Revision }): OwnRelease {
  return { namespace: revision.record.namespace, name: revision.record.name, revision, objects: objectsOf(revision.record) };
}

/** Somebody raised forceSyncGeneration. */
function syncWanted({ spec, status }: BundleDeployment): boolean {
  return (spec.options?.forceSyncGeneration ?? 0) !== (status?.syncGeneration ?? 0);
}

/** What stopped an earlier attempt, as long as the wanted version is not applied. */
function earlierFailure({ spec, status }: BundleDeployment): string | undefined {
  if (status?.appliedDeploymentID === spec.deploymentID) return undefined;
  const condition = findCondition(status?.conditions, 'Deployed');
  return condition?.status === 'False' ? (condition.message ?? '') : undefined;
}

/** A failed release is tried again now and then: what it lacked may be there by now. */
function retryDue({ status }: BundleDeployment, nowMs: number): boolean {
  const condition = findCondition(status?.conditions, 'Deployed');
  return condition?.status === 'False' && nowMs - Date.parse(condition.lastTransitionTime ?? '') >= LIMITS.failedRetryMs;
}

/** Trouble with an API server is retried with back-off; everything else is the bundle's and is reported. */
function isTrouble(error: unknown): boolean {
  if (error instanceof StatusError) return error.code === 409 || error.code === 429 || error.code >= 500;
  const { code, name } = error as { code?: unknown; name?: string };
  return name === 'TimeoutError' || (typeof code === 'string' && /^(E[A-Z]+|ERR_HTTP2|UND_ERR)/.test(code));
}

function refersTo({ name, selector }: BundleRef, { metadata }: BundleDeployment): boolean {
  if (name && metadata.labels?.[label.bundleName] === name) return true;
  return selector ? matchesSelector(selector, metadata.labels) : false;
}

/** A takeover alone is no reason to write every status. */
function sameButEpoch(deployment: BundleDeployment, status: BundleDeploymentStatus): boolean {
  const { agentEpoch: _old, ...before } = deployment.status ?? {};
  const { agentEpoch: _new, ...after } = status;
  return mergePatchBetween(before, after) === undefined;
}
