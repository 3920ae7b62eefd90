/**
 * Brings one Helm release to what is wanted: reads its history, lets core/release decide, performs, decides
 * again. Installing, upgrading, resuming a dead leader's half-done operation, rolling back and uninstalling
 * are all this one loop.
 */
import { rfc3339Micro, type Clock } from '#base/clock';
import { type Decision, decide, type Desired, type ReleaseRecord, type Revision } from '#core/release';
import type { Unstructured } from '#apimachinery/meta';
import type { Log } from '#base/log';
import { createApplier } from '#kube/apply';
import type { RestMapper } from '#kube/client';
import { type LeaderClient, OutrankedError } from '#kube/leaderelection';
import { ReleaseHistory } from './history.ts';
import { manifestOf } from './objects.ts';
import { type OperationContext, OperationRun } from './operation.ts';
import { OperationFailed, type ReleaseContent, type ReleaseOptions, type ReleaseResult } from './types.ts';

const LIMITS = {
  /** Rounds of deciding: settle, resume, roll back, install, settle; more means that two decide differently. */
  rounds: 12,
};

export interface ReleaserOptions {
  client: LeaderClient;
  mapper: RestMapper;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  isReady: (live: Unstructured | undefined) => boolean;
}

export interface Wanted {
  namespace: string;
  name: string;
  /** `undefined`: uninstall. */
  deploymentID: string | undefined;
  /** Known without rendering, so that a successor goes on by the same rules. */
  options: ReleaseOptions;
  retry?: boolean;
  /** Live objects have drifted: put the current version's objects back. */
  repair?: boolean;
  /** Keep the record of a repair that failed. */
  keepFailHistory?: boolean;
  /** Renders; called only when a revision is made, or its CRDs are still to be applied. Not needed to uninstall. */
  content?(revision: number, isUpgrade: boolean): Promise<ReleaseContent>;
}

/** One round of convergence. Throws what is no verdict on the release (lost leadership, abort, API trouble). */
export async function converge(wanted: Wanted, options: ReleaserOptions): Promise<ReleaseResult> {
  const { client, clock, signal } = options;
  const history = new ReleaseHistory(client, { clock, namespace: wanted.namespace, name: wanted.name, signal });
  const ctx: OperationContext = { ...options, history, applier: createApplier({ client, mapper: options.mapper, clock }) };
  let revisions = await history.read();
  let asked = { retry: wanted.retry === true, repair: wanted.repair === true };
  for (let round = 0; round < LIMITS.rounds; round++) {
    const decision = decide(revisions, desiredOf(wanted, asked, options));
    const result = resultOf(decision, revisions);
    if (result) return result;
    // What was asked for once is done once: its own failure is no reason to begin again.
    if (decision.do === 'begin' || decision.do === 'resume') asked = { retry: false, repair: false };
    const failure = await perform(decision, revisions, wanted, ctx).then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof OperationFailed) return error; // recorded: the next decision sees it
        throw error;
      },
    );
    revisions = await history.read();
    const last = revisions.at(-1);
    // An uninstallation is always still wanted: the caller knows when to try it again.
    if (failure && last && wanted.deploymentID === undefined) return { status: 'failed', revision: last, message: failure.message };
  }
  throw new Error(`release ${wanted.namespace}/${wanted.name}: not settled after ${LIMITS.rounds} rounds`);
}

function desiredOf(wanted: Wanted, { retry, repair }: { retry: boolean; repair: boolean }, { client, clock }: ReleaserOptions): Desired {
  return {
    name: wanted.name,
    namespace: wanted.namespace,
    deploymentID: wanted.deploymentID,
    epoch: client.term.epoch,
    nowMs: clock.wallMs(),
    atomic: wanted.options.atomic,
    maxHistory: wanted.options.maxHistory,
    retry,
    repair,
    keepFailHistory: wanted.keepFailHistory === true,
  };
}

function resultOf(decision: Decision, revisions: readonly Revision[]): ReleaseResult | undefined {
  switch (decision.do) {
    case 'nothing': {
      // The record of a failed repair may come after what stands.
      const revision = revisions.findLast(({ record }) => record.info.status === 'deployed') ?? revisions.at(-1);
      return revision && revision.record.info.status !== 'uninstalled' ? { status: 'deployed', revision } : { status: 'absent' };
    }
    case 'wait':
      return { status: 'waiting', untilMs: decision.untilMs };
    case 'failed':
      return { status: 'failed', revision: decision.revision, message: decision.revision.record.info.description ?? 'failed' };
    case 'step-down':
      throw new OutrankedError(decision.epoch, `the release was worked on under epoch ${decision.epoch}, which is newer than ours`);
    default:
      return undefined;
  }
}

async function perform(decision: Decision, revisions: readonly Revision[], wanted: Wanted, ctx: OperationContext): Promise<void> {
  switch (decision.do) {
    case 'settle':
      for (const revision of decision.update) await ctx.history.update(revision);
      for (const revision of revisions.filter(({ record }) => decision.remove.includes(record.version))) await ctx.history.remove(revision);
      return;
    case 'begin':
      return begin(decision, revisions, wanted, ctx);
    case 'resume': {
      const { record } = decision.revision;
      const { operation, step } = decision.journal;
      ctx.log.info('resuming an operation', { release: `${record.namespace}/${record.name}`, operation, step });
      const revision = await ctx.history.mark(decision.revision, decision.journal);
      const crds = step === 'crds' ? (await contentOf(wanted, record.version, false)).crds : [];
      await new OperationRun(ctx, revision, decision.journal, { options: wanted.options, crds, previous: decision.previous }).run();
      return;
    }
    default:
  }
}

function contentOf(wanted: Wanted, revision: number, isUpgrade: boolean): Promise<ReleaseContent> {
  if (!wanted.content) throw new Error(`release ${wanted.namespace}/${wanted.name}: nothing to render it from`);
  return wanted.content(revision, isUpgrade);
}

async function begin(decision: Extract<Decision, { do: 'begin' }>, revisions: readonly Revision[], wanted: Wanted, ctx: OperationContext): Promise<void> {
  const { journal, previous } = decision;
  const { revision, crds } = await firstRecord(decision, revisions, wanted, ctx);
  await new OperationRun(ctx, revision, journal, { options: wanted.options, crds, previous }).run();
}

/** Writes the record with which the operation begins. */
async function firstRecord(decision: Extract<Decision, { do: 'begin' }>, revisions: readonly Revision[], wanted: Wanted, ctx: OperationContext): Promise<{ revision: Revision; crds: Unstructured[] }> {
  const { journal } = decision;
  if (decision.operation === 'uninstall') {
    const last = revisions.find(({ record }) => record.version === decision.revision);
    if (!last) throw new Error(`release ${wanted.namespace}/${wanted.name}: revision ${decision.revision} is gone`);
    const { record } = last;
    return { revision: await ctx.history.update({ ...last, record: { ...record, info: { ...record.info, status: 'uninstalling' } }, journal }), crds: [] };
  }
  if (decision.operation === 'rollback') {
    return { revision: await ctx.history.create({ record: rollbackRecord(decision.from.record, decision.revision, ctx), journal }), crds: [] };
  }
  const content = await contentOf(wanted, decision.revision, decision.operation === 'upgrade');
  const record = newRecord(wanted, decision, { content, firstDeployed: revisions[0]?.record.info.first_deployed, ctx });
  return { revision: await ctx.history.create({ record, journal }), crds: content.crds };
}

function rollbackRecord(from: ReleaseRecord, version: number, ctx: OperationContext): ReleaseRecord {
  const now = rfc3339Micro(ctx.clock.wallMs());
  return { ...from, version, info: { ...from.info, status: 'pending-rollback', last_deployed: now, description: `Rollback to ${from.version}` } };
}

interface RecordSources {
  content: ReleaseContent;
  firstDeployed: string | undefined;
  ctx: OperationContext;
}

function newRecord(wanted: Wanted, decision: { operation: string; revision: number }, { content, firstDeployed, ctx }: RecordSources): ReleaseRecord {
  const now = rfc3339Micro(ctx.clock.wallMs());
  return {
    name: wanted.name,
    namespace: wanted.namespace,
    version: decision.revision,
    info: {
      first_deployed: firstDeployed ?? now,
      last_deployed: now,
      deleted: '',
      description: decision.operation === 'install' ? 'Initial install underway' : 'Preparing upgrade',
      status: decision.operation === 'install' ? 'pending-install' : 'pending-upgrade',
      notes: content.notes,
    },
    chart: { metadata: content.chart, templates: [], values: {}, schema: null, files: [], lock: null },
    config: content.values,
    manifest: manifestOf(content.objects),
    hooks: content.hooks,
    labels: content.labels,
  };
}
