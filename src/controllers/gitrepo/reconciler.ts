/**
 * GitRepo → Bundles. Asks the repository for its newest commit when it is due, builds and writes the bundles
 * when commit, spec or credentials have changed, and reports what became of all of it.
 *
 * What makes a build necessary is one hash, kept in status.appliedHash: cleared before the first Bundle is
 * written and set after the last. A leader that dies in between leaves none, and its successor builds again,
 * whatever the newest commit is by then; only what differs is written. There are no Jobs: git runs as a child process with limits (docs/adr).
 */
import { type Secret, secrets } from '#api/builtin';
import { type Bundle, type BundleDeployment, bundles, finalizer, type GitRepo, type GitRepoStatus, gitRepos, label } from '#api/fleet';
import { type Condition, findCondition, keyOf, keyText, type ObjectKey, setCondition } from '#apimachinery/meta';
import { isConflict, isNotFound } from '#apimachinery/status';
import { type Clock, rfc3339 } from '#base/clock';
import { sha256Hex } from '#base/hash';
import { canonicalJson } from '#base/json';
import { errorText } from '#base/log';
import type { SourceTree } from '#base/sourcetree';
import { type BuildOptions, buildBundles, type BundleError, type BundleTools } from '#core/bundle';
import { sourceStatus } from '#core/rollup';
import type { Informer } from '#kube/cache';
import { done, type Outcome, type ReconcileContext, type Reconciler, requeueAfter } from '#kube/controller';
import type { EventRecorder, EventText } from '#kube/events';
import type { LeaderClient } from '#kube/leaderelection';
import { patchStatus } from '#kube/status';
import { type GitAccess, gitAccessOf } from './access.ts';
import type { Poller } from './poller.ts';
import { bundlesOf, writeBundles } from './write-bundles.ts';

const LIMITS = {
  /** Faults named in a condition; the rest is counted. */
  faultsInMessage: 5,
  /** After a fetch or build that failed for reasons of the network or the API. */
  retryMs: 5_000,
};

/** What this reconciler needs of git; implemented by #source/git. */
export interface GitSource {
  /** The newest commit of what the access names. */
  newestCommit(access: GitAccess, signal: AbortSignal): Promise<string>;
  snapshot(access: GitAccess, commit: string, signal: AbortSignal): Promise<SourceTree>;
}

export interface GitRepoDependencies {
  repos: Informer<GitRepo>;
  bundles: Informer<Bundle>;
  /** Indexed by {@link BY_REPO}. */
  deployments: Informer<BundleDeployment>;
  git: GitSource;
  tools: BundleTools;
  poller: Poller;
  clock: Clock;
  /** Tells users what happens, on the GitRepo; absent: nobody is told. */
  events?: (client: LeaderClient) => EventRecorder;
}

/** Index of BundleDeployments by the GitRepo they came from (`namespace/name`). */
export const BY_REPO = 'repo';

export function repoKeyOf({ metadata }: BundleDeployment | Bundle): ObjectKey | undefined {
  const name = metadata.labels?.[label.repoName];
  const namespace = metadata.labels?.[label.bundleNamespace] ?? metadata.namespace;
  return name && namespace ? { namespace, name } : undefined;
}

/** What one pass found out, to be written as status at its end. */
interface Findings {
  status: Partial<GitRepoStatus>;
  conditions: Omit<Condition, 'lastTransitionTime' | 'lastUpdateTime'>[];
  retryMs?: number;
  /** The repository as it was left when the writing of bundles began. */
  begun?: GitRepo;
}

export class GitRepoReconciler implements Reconciler<'upstream'> {
  readonly #deps: GitRepoDependencies;

  constructor(deps: GitRepoDependencies) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey, ctx: ReconcileContext<'upstream'>): Promise<Outcome> {
    const repo = this.#deps.repos.get(key);
    if (!repo) {
      this.#deps.poller.forget(keyText(key));
      return done;
    }
    const client = ctx.clients.upstream;
    if (repo.metadata.deletionTimestamp) return this.#remove(repo, client);
    if (!repo.metadata.finalizers?.includes(finalizer.gitRepo)) {
      await setFinalizers(repo, [...(repo.metadata.finalizers ?? []), finalizer.gitRepo], client);
      return done; // the change brings us back
    }
    const findings = await this.#work(repo, ctx);
    await this.#writeStatus(repo, findings, client);
    const dueMs = this.#deps.poller.untilDueMs(repo);
    const nextMs = Math.min(dueMs ?? Number.POSITIVE_INFINITY, findings.retryMs ?? Number.POSITIVE_INFINITY);
    return Number.isFinite(nextMs) ? requeueAfter(Math.max(1, nextMs)) : done;
  }

  async #work(repo: GitRepo, ctx: ReconcileContext<'upstream'>): Promise<Findings> {
    const findings: Findings = { status: {}, conditions: [] };
    const secret = await clientSecret(repo, ctx.clients.upstream);
    const access = gitAccessOf(repo, secret);
    if (specChanged(repo) || webhookArrived(repo)) this.#deps.poller.hurry(repo);
    const dueMs = this.#deps.poller.untilDueMs(repo);
    let commit = repo.status?.pollingCommit || repo.status?.commit;
    if (dueMs !== undefined && dueMs <= 0) commit = (await this.#poll(repo, access, findings, ctx)) ?? commit;
    if (!commit) return findings;
    const hash = sha256Hex(canonicalJson({ commit, spec: repo.spec, secret: secret?.data ?? {} }));
    if (hash !== repo.status?.appliedHash) await this.#apply({ repo, access, commit, hash, findings, ctx });
    return findings;
  }

  async #poll(repo: GitRepo, access: GitAccess, findings: Findings, ctx: ReconcileContext<'upstream'>): Promise<string | undefined> {
    this.#deps.poller.polled(repo);
    try {
      const commit = await this.#deps.git.newestCommit(access, ctx.signal);
      if (commit !== repo.status?.pollingCommit) {
        this.#tell(repo, ctx, { type: 'Normal', reason: 'GotNewCommit', message: commit });
        ctx.log.info('new commit', { gitRepo: keyText(keyOf(repo)), commit });
        findings.status.pollingCommit = commit;
        findings.status.lastPollingTriggered = rfc3339(this.#deps.clock.wallMs());
      }
      findings.conditions.push({ type: 'GitPolling', status: 'True', reason: '', message: '' });
      return commit;
    } catch (error) {
      if (ctx.signal.aborted) throw error;
      const message = errorText(error);
      // Told once, not at every poll.
      if (findCondition(repo.status?.conditions, 'GitPolling')?.message !== message) this.#tell(repo, ctx, { type: 'Warning', reason: 'FailedToCheckCommit', message });
      findings.conditions.push({ type: 'GitPolling', status: 'False', reason: 'FailedToCheckCommit', message });
      return undefined;
    }
  }

  async #apply({ repo, access, commit, hash, findings, ctx }: ApplyInput): Promise<void> {
    const { client, repoName, namespace } = { client: ctx.clients.upstream, repoName: repo.metadata.name ?? '', namespace: repo.metadata.namespace ?? '' };
    try {
      const tree = await this.#deps.git.snapshot(access, commit, ctx.signal);
      const result = buildBundles(tree, buildOptions(repo, commit), this.#deps.tools);
      findings.begun = await this.#begin(repo, client);
      const changes = await writeBundles(result, { client, repoName, namespace, bundles: this.#deps.bundles });
      const faults = [...result.errors, ...changes.refused];
      ctx.log.info('bundles written', { gitRepo: keyText(keyOf(repo)), commit, ...changes, faults: faults.length });
      Object.assign(findings.status, {
        commit,
        appliedHash: hash,
        gitJobStatus: faults.length ? 'Failed' : 'Current',
        observedGeneration: repo.metadata.generation,
        updateGeneration: repo.spec.forceSyncGeneration ?? 0,
      });
      const fault = stalled(faults);
      this.#tellFault(repo, ctx, fault);
      findings.conditions.push(
        { type: 'Accepted', status: 'True', reason: '', message: '' },
        { type: 'Reconciling', status: 'False', reason: '', message: '' },
        fault,
      );
    } catch (error) {
      if (ctx.signal.aborted || isConflict(error)) throw error;
      findings.status.gitJobStatus = 'Failed';
      const fault = { type: 'Stalled', status: 'True' as const, reason: 'FetchOrWriteFailed', message: errorText(error) };
      this.#tellFault(repo, ctx, fault);
      findings.conditions.push(fault);
      findings.retryMs = LIMITS.retryMs;
    }
  }

  #tell(repo: GitRepo, ctx: ReconcileContext<'upstream'>, text: EventText): void {
    this.#deps.events?.(ctx.clients.upstream).event(repo, text);
  }

  #tellFault(repo: GitRepo, ctx: ReconcileContext<'upstream'>, { status, message = '' }: Pick<Condition, 'status' | 'message'>): void {
    if (status !== 'True' || findCondition(repo.status?.conditions, 'Stalled')?.message === message) return;
    this.#tell(repo, ctx, { type: 'Warning', reason: 'Failed', message });
  }

  /**
   * Forgets what was applied before the first Bundle is touched: a successor that finds the old commit again
   * must not take half-written bundles for it.
   */
  async #begin(repo: GitRepo, client: LeaderClient): Promise<GitRepo> {
    const live = this.#deps.repos.get(keyOf(repo)) ?? repo;
    const body = { metadata: { resourceVersion: live.metadata.resourceVersion }, status: { appliedHash: null, gitJobStatus: 'InProgress' } };
    return client.patch(gitRepos, keyOf(repo), { type: 'merge', body }, { subresource: 'status' });
  }

  async #writeStatus(repo: GitRepo, findings: Findings, client: LeaderClient): Promise<void> {
    const live = findings.begun ?? this.#deps.repos.get(keyOf(repo)) ?? repo;
    const now = rfc3339(this.#deps.clock.wallMs());
    const own = bundlesOf({ bundles: this.#deps.bundles, namespace: repo.metadata.namespace ?? '', repoName: repo.metadata.name ?? '' });
    const deployments = this.#deps.deployments.byIndex(BY_REPO, keyText(keyOf(repo)));
    const rollup = sourceStatus(live.status, deployments, own.map(({ status }) => status?.summary), now);
    let conditions = rollup.conditions ?? [];
    for (const condition of findings.conditions) conditions = setCondition(conditions, condition, now);
    const fault = findCondition(conditions, 'Stalled');
    if (fault?.status === 'True') {
      // A repository with a fault is not ready, however well its other bundles do.
      conditions = setCondition(conditions, { type: 'Ready', status: 'False', reason: fault.reason ?? '', message: fault.message ?? '' }, now);
      rollup.display = { ...rollup.display, state: 'GitError', error: true, message: fault.message ?? '' };
    }
    await patchStatus(client, gitRepos, live, { ...rollup, ...findings.status, conditions });
  }

  /** Bundles go first; the GitRepo is released once none is left. */
  async #remove(repo: GitRepo, client: LeaderClient): Promise<Outcome> {
    if (!repo.metadata.finalizers?.includes(finalizer.gitRepo)) return done;
    const left = bundlesOf({ bundles: this.#deps.bundles, namespace: repo.metadata.namespace ?? '', repoName: repo.metadata.name ?? '' });
    for (const bundle of left) {
      if (bundle.metadata.deletionTimestamp) continue;
      const { uid } = bundle.metadata;
      await client.delete(bundles, keyOf(bundle), uid ? { preconditions: { uid } } : {}).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
    if (left.length > 0) return done; // their deletion brings us back
    await setFinalizers(repo, repo.metadata.finalizers.filter((name) => name !== finalizer.gitRepo), client);
    return done;
  }
}

interface ApplyInput {
  repo: GitRepo;
  access: GitAccess;
  commit: string;
  hash: string;
  findings: Findings;
  ctx: ReconcileContext<'upstream'>;
}

function specChanged(repo: GitRepo): boolean {
  return repo.metadata.generation !== repo.status?.observedGeneration;
}

function webhookArrived(repo: GitRepo): boolean {
  const announced = repo.status?.webhookCommit;
  return !!announced && announced !== repo.status?.commit && announced !== repo.status?.pollingCommit;
}

async function clientSecret(repo: GitRepo, client: LeaderClient): Promise<Secret | undefined> {
  const name = repo.spec.clientSecretName;
  if (!name) return undefined;
  return client.get(secrets, { namespace: repo.metadata.namespace ?? '', name });
}

function buildOptions(repo: GitRepo, commit: string): BuildOptions {
  const { spec } = repo;
  return {
    repoName: repo.metadata.name ?? '',
    namespace: repo.metadata.namespace ?? '',
    commit,
    targets: spec.targets ?? [],
    ...(spec.paths ? { paths: spec.paths } : {}),
    ...(spec.bundles ? { bundles: spec.bundles } : {}),
    ...(spec.targetNamespace ? { targetNamespace: spec.targetNamespace } : {}),
    ...(spec.serviceAccount ? { serviceAccount: spec.serviceAccount } : {}),
    ...(spec.paused ? { paused: true } : {}),
    ...(spec.keepResources ? { keepResources: true } : {}),
    ...(spec.deleteNamespace ? { deleteNamespace: true } : {}),
    ...(spec.correctDrift ? { correctDrift: spec.correctDrift } : {}),
    ...(spec.forceSyncGeneration ? { forceSyncGeneration: spec.forceSyncGeneration } : {}),
    labels: {
      [label.repoName]: repo.metadata.name ?? '',
      ...(repo.metadata.labels?.[label.shardRef] ? { [label.shardRef]: repo.metadata.labels[label.shardRef] as string } : {}),
    },
  };
}

function stalled(faults: readonly BundleError[]): Omit<Condition, 'lastTransitionTime' | 'lastUpdateTime'> {
  if (faults.length === 0) return { type: 'Stalled', status: 'False', reason: '', message: '' };
  const shown = faults.slice(0, LIMITS.faultsInMessage).map(faultText);
  const more = faults.length - shown.length;
  return { type: 'Stalled', status: 'True', reason: 'BundleErrors', message: [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('\n') };
}

function faultText({ file, line, message }: BundleError): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${message}`;
}

async function setFinalizers(repo: GitRepo, finalizers: string[], client: LeaderClient): Promise<void> {
  await client.patch(gitRepos, keyOf(repo), { type: 'merge', body: { metadata: { finalizers, resourceVersion: repo.metadata.resourceVersion } } });
}
