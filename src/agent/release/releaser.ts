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
import { type LeaderClient, NotLeaderError } from '#kube/leaderelection';
import { ReleaseHistory } from './history.ts';
import { manifestOf } from './objects.ts';
import { type OperationContext, OperationRun } from './operation.ts';
import { OperationFailed, type ReleaseContent, type ReleaseResult } from './types.ts';

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
  isReady(live: Unstructured | undefined): boolean;
}

export interface Wanted {
  namespace: string;
  name: string;
  /** `undefined`: uninstall. */
  deploymentID: string | undefined;
  retry?: boolean;
  /** Rendered only when a revision has to be made or resumed. */
  content(revision: number, isUpgrade: boolean): Promise<ReleaseContent>;
}

/** One round of convergence. Throws what is no verdict on the release (lost leadership, abort, API trouble). */
export async function converge(wanted: Wanted, options: ReleaserOptions): Promise<ReleaseResult> {
  const { client, clock, signal } = options;
  const history = new ReleaseHistory(client, { clock, namespace: wanted.namespace, name: wanted.name, signal });
  const ctx: OperationContext = { ...options, history, applier: createApplier({ client, mapper: options.mapper, clock }) };
  let revisions = await history.read();
  let limits: { atomic: boolean; maxHistory: number } | undefined;
  for (let round = 0; round < LIMITS.rounds; round++) {
    const desired: Desired = {
      name: wanted.name,
      namespace: wanted.namespace,
      deploymentID: wanted.deploymentID,
      epoch: client.term.epoch,
      nowMs: clock.wallMs(),
      ...(wanted.retry && round === 0 ? { retry: true } : {}),
      ...limits,
    };
    const decision = decide(revisions, desired);
    const result = resultOf(decision, revisions);
    if (result) return result;
    const performed = await perform(decision, revisions, wanted, ctx).catch((error: unknown) => {
      if (error instanceof OperationFailed) return undefined; // recorded: the next decision sees it
      throw error;
    });
    if (performed) limits = performed;
    revisions = await history.read();
  }
  throw new Error(`release ${wanted.namespace}/${wanted.name}: not settled after ${LIMITS.rounds} rounds`);
}

function resultOf(decision: Decision, revisions: readonly Revision[]): ReleaseResult | undefined {
  switch (decision.do) {
    case 'nothing': {
      const revision = revisions.at(-1);
      return revision && revision.record.info.status !== 'uninstalled' ? { status: 'deployed', revision } : { status: 'absent' };
    }
    case 'wait':
      return { status: 'waiting', untilMs: decision.untilMs };
    case 'failed':
      return { status: 'failed', revision: decision.revision, message: decision.revision.record.info.description ?? 'failed' };
    case 'step-down':
      throw new NotLeaderError(`the release was worked on under epoch ${decision.epoch}, which is newer than ours`);
    default:
      return undefined;
  }
}

/** Performs one decision; returns limits of the content it rendered, if it rendered. */
async function perform(decision: Decision, revisions: readonly Revision[], wanted: Wanted, ctx: OperationContext): Promise<{ atomic: boolean; maxHistory: number } | undefined> {
  switch (decision.do) {
    case 'settle':
      for (const revision of decision.update) await ctx.history.update(revision);
      for (const revision of decision.remove) await ctx.history.remove(revision);
      return undefined;
    case 'begin':
      return begin(decision, revisions, wanted, ctx);
    case 'resume': {
      const { record } = decision.revision;
      ctx.log.info('resuming an operation', { release: `${record.namespace}/${record.name}`, operation: decision.journal.operation, step: decision.journal.step });
      const revision = await ctx.history.mark(decision.revision, decision.journal);
      const content = wanted.deploymentID !== undefined && decision.journal.deploymentID === wanted.deploymentID ? await wanted.content(record.version, record.version > 1) : undefined;
      await new OperationRun(ctx, revision, decision.journal, { content, previous: decision.previous }).run();
      return limitsOf(content);
    }
    default:
      return undefined;
  }
}

function limitsOf(content: ReleaseContent | undefined): { atomic: boolean; maxHistory: number } | undefined {
  return content && { atomic: content.options.atomic, maxHistory: content.options.maxHistory };
}

async function begin(decision: Extract<Decision, { do: 'begin' }>, revisions: readonly Revision[], wanted: Wanted, ctx: OperationContext): Promise<{ atomic: boolean; maxHistory: number } | undefined> {
  if (decision.operation === 'uninstall') {
    const content = await wanted.content(decision.revision, true);
    const last = revisions.find(({ record }) => record.version === decision.revision);
    if (!last) throw new Error(`release ${wanted.namespace}/${wanted.name}: revision ${decision.revision} is gone`);
    const { record } = last;
    const revision = await ctx.history.update({ ...last, record: { ...record, info: { ...record.info, status: 'uninstalling' } }, journal: decision.journal });
    await new OperationRun(ctx, revision, decision.journal, { content, previous: decision.previous }).run();
    return limitsOf(content);
  }
  const rollback = decision.operation === 'rollback';
  const content = rollback ? undefined : await wanted.content(decision.revision, decision.operation === 'upgrade');
  const record = rollback ? rollbackRecord(decision.from.record, decision.revision, ctx) : newRecord(wanted, decision, { content: content as ReleaseContent, firstDeployed: revisions[0]?.record.info.first_deployed, ctx });
  const revision = await ctx.history.create({ record, journal: decision.journal });
  await new OperationRun(ctx, revision, decision.journal, { content, previous: decision.previous }).run();
  return limitsOf(content);
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
