/**
 * What to do about a release, given its history and what is wanted. The heart of taking over: a new leader
 * calls this first for every release and gets back what its predecessor left half done.
 *
 * Rules, first that holds wins:
 *   1. A journal with a higher epoch: we are not the leader any more.
 *   2. Older revisions that still say `deployed` beside a newer one: supersede them; beyond maxHistory:
 *      remove them (a finish that was cut off).
 *   3. `uninstalling`: finish that, unless it is ours and the release is wanted again: what is gone of it is then
 *      deployed anew.
 *   4. `pending-*` with our journal and the wanted deploymentID: resume. With another deploymentID: what
 *      it deploys is not wanted any more; it counts as failed, the next revision deploys the wanted one.
 *   5. `pending-*` without journal: somebody else's (Helm, Fleet's agent). Left alone while young, failed then.
 *   6. Failed because a hook was lost, or atomic: roll back to the last good revision.
 *      What failed is not tried again for the same deploymentID unless asked (the caller knows back-off).
 *   7. A repair of drift that failed: its record goes (or stays, if asked), the version before still stands.
 *   8. Wanted, there and drifted: repair. Wanted and not there: install or upgrade. Not wanted and there: uninstall.
 */
import { startJournal } from './steps.ts';
import type { Decision, Desired, Journal, OperationKind, ReleaseStatus, Revision } from './types.ts';

/** A pending operation of others is not touched for so long: Helm's own default timeout. */
export const FOREIGN_OPERATION_MS = 5 * 60_000;
export const MAX_HISTORY_DEFAULT = 2;

const PENDING: readonly ReleaseStatus[] = ['pending-install', 'pending-upgrade', 'pending-rollback'];

/** `history` in any order. */
export function decide(history: readonly Revision[], desired: Desired): Decision {
  const revisions = [...history].sort((a, b) => a.record.version - b.record.version);
  const last = revisions.at(-1);
  const epoch = Math.max(0, ...revisions.map(({ journal }) => journal?.epoch ?? 0));
  if (epoch > desired.epoch) return { do: 'step-down', epoch };
  if (!last) return desired.deploymentID === undefined ? { do: 'nothing' } : begin(revisions, desired, 'install');
  return tidy(revisions, last, desired) ?? unfinished(revisions, last, desired) ?? settled(revisions, last, desired);
}

/** The older revisions as they should be beside the last one, or nothing to do. */
function tidy(revisions: readonly Revision[], last: Revision, desired: Desired): Decision | undefined {
  const older = revisions.slice(0, -1);
  if (last.record.info.status === 'uninstalled' && desired.deploymentID === undefined && last.journal?.operation === 'uninstall') {
    return { do: 'settle', update: [], remove: revisions.map(({ record }) => record.version) };
  }
  if (last.record.info.status !== 'deployed') return undefined;
  const update = older.filter(({ record }) => record.info.status === 'deployed').map((revision) => withStatus(revision, 'superseded'));
  const keep = desired.maxHistory ?? MAX_HISTORY_DEFAULT;
  const remove = keep > 0 ? revisions.slice(0, Math.max(0, revisions.length - keep)).map(({ record }) => record.version) : [];
  const needed = update.filter(({ record }) => !remove.includes(record.version));
  return needed.length > 0 || remove.length > 0 ? { do: 'settle', update: needed, remove } : undefined;
}

function withStatus(revision: Revision, status: ReleaseStatus, description?: string): Revision {
  const info = { ...revision.record.info, status, ...(description ? { description } : {}) };
  return { ...revision, record: { ...revision.record, info } };
}

function unfinished(revisions: readonly Revision[], last: Revision, desired: Desired): Decision | undefined {
  const status = last.record.info.status;
  if (status === 'uninstalling') return uninstalling(revisions, last, desired);
  if (!status || !PENDING.includes(status)) return undefined;
  if (!last.journal) return foreign(last, desired);
  // A rollback leads to the version before; what is wanted is decided when it has ended.
  const wanted = last.journal.operation === 'rollback' ? desired.deploymentID !== undefined : last.journal.deploymentID === desired.deploymentID;
  if (wanted) return resume(revisions, last, desired, last.journal);
  const journal: Journal = { ...last.journal, epoch: desired.epoch, failure: 'error' };
  return { do: 'settle', update: [{ ...withStatus(last, 'failed', 'interrupted, and no longer wanted'), journal }], remove: [] };
}

function uninstalling(revisions: readonly Revision[], last: Revision, desired: Desired): Decision {
  if (!last.journal || desired.deploymentID === undefined) return resume(revisions, last, desired, last.journal ?? startJournal('uninstall', desired.epoch, ''));
  const journal: Journal = { ...last.journal, epoch: desired.epoch };
  return { do: 'settle', update: [{ ...withStatus(last, 'failed', 'uninstallation interrupted: wanted again'), journal }], remove: [] };
}

function foreign(last: Revision, desired: Desired): Decision {
  const begun = Date.parse(last.record.info.last_deployed ?? '');
  const untilMs = (Number.isNaN(begun) ? 0 : begun) + FOREIGN_OPERATION_MS;
  if (desired.nowMs < untilMs) return { do: 'wait', untilMs };
  return { do: 'settle', update: [withStatus(last, 'failed', 'interrupted: taken over by fleet')], remove: [] };
}

function resume(revisions: readonly Revision[], last: Revision, desired: Desired, journal: Journal): Decision {
  return { do: 'resume', revision: last, journal: { ...journal, epoch: desired.epoch }, previous: since(revisions, last.record.version) };
}

/** The newest revision below `version` whose objects are (or were) in the cluster. */
function lastGood(revisions: readonly Revision[], version: number): Revision | undefined {
  return revisions.findLast(({ record }) => record.version < version && (record.info.status === 'deployed' || record.info.status === 'superseded'));
}

/** The last good revision below `version` and every one after it. */
function since(revisions: readonly Revision[], version: number): Revision[] {
  const from = lastGood(revisions, version)?.record.version ?? 0;
  return revisions.filter(({ record }) => record.version >= from && record.version < version && record.info.status !== 'uninstalled');
}

function settled(revisions: readonly Revision[], last: Revision, desired: Desired): Decision {
  const { status } = last.record.info;
  if (desired.deploymentID === undefined) return unwanted(revisions, last, desired);
  const same = last.journal?.deploymentID === desired.deploymentID;
  const good = lastGood(revisions, last.record.version);
  if (status === 'failed' && last.journal?.repair && good) return afterFailedRepair(revisions, { last, good }, desired);
  if (last.journal?.abandoned === desired.deploymentID && !desired.retry) return { do: 'failed', revision: last };
  if (status === 'deployed' && same && last.journal?.step === 'done') return desired.repair ? beginRepair(revisions, last, desired) : { do: 'nothing' };
  if (status === 'deployed') return begin(revisions, desired, 'upgrade');
  if (status === 'uninstalled') return begin(revisions, desired, 'install');
  const mustReturn = last.journal?.failure === 'hook-lost' || desired.atomic;
  if (status === 'failed' && same && mustReturn && last.journal?.operation === 'upgrade' && good) return beginRollback(revisions, good, desired);
  if (status === 'failed' && same && !desired.retry) return { do: 'failed', revision: last };
  // What never stood is installed, with its CRDs and the hooks of an installation.
  return begin(revisions, desired, good ? 'upgrade' : 'install');
}

/** A hook that kept the release from going runs again only when asked. */
function unwanted(revisions: readonly Revision[], last: Revision, desired: Desired): Decision {
  const { status } = last.record.info;
  if (status === 'uninstalled') return { do: 'nothing' };
  const refused = status === 'failed' && last.journal?.operation === 'uninstall' && last.journal.failure === 'hook-failed';
  return refused && !desired.retry ? { do: 'failed', revision: last } : beginUninstall(revisions, last, desired);
}

function beginRepair(revisions: readonly Revision[], from: Revision, desired: Desired): Decision {
  const revision = (revisions.at(-1)?.record.version ?? 0) + 1;
  const journal: Journal = { ...startJournal('rollback', desired.epoch, desired.deploymentID ?? ''), repair: true };
  return { do: 'begin', operation: 'rollback', revision, journal, previous: since(revisions, revision), from };
}

/** A failed repair changes nothing about which version stands. */
function afterFailedRepair(revisions: readonly Revision[], { last, good }: { last: Revision; good: Revision }, desired: Desired): Decision {
  if (!desired.keepFailHistory) return { do: 'settle', update: [withStatus(good, 'deployed')], remove: [last.record.version] };
  if (good.journal?.deploymentID !== desired.deploymentID) return begin(revisions, desired, 'upgrade');
  return desired.repair ? beginRepair(revisions, good, desired) : { do: 'nothing' };
}

function begin(revisions: readonly Revision[], desired: Desired, operation: Extract<OperationKind, 'install' | 'upgrade'>): Decision {
  const revision = (revisions.at(-1)?.record.version ?? 0) + 1;
  const journal = startJournal(operation, desired.epoch, desired.deploymentID ?? '');
  return { do: 'begin', operation, revision, journal, previous: since(revisions, revision) };
}

function beginRollback(revisions: readonly Revision[], good: Revision, desired: Desired): Decision {
  const revision = (revisions.at(-1)?.record.version ?? 0) + 1;
  const journal: Journal = { ...startJournal('rollback', desired.epoch, good.journal?.deploymentID ?? ''), abandoned: desired.deploymentID ?? '' };
  return { do: 'begin', operation: 'rollback', revision, journal, previous: since(revisions, revision), from: good };
}

function beginUninstall(revisions: readonly Revision[], last: Revision, desired: Desired): Decision {
  return { do: 'begin', operation: 'uninstall', revision: last.record.version, journal: { ...startJournal('uninstall', desired.epoch, ''), hooks: hooksToRetry(last.journal) }, previous: since(revisions, last.record.version) };
}

/** Of an uninstallation that failed: what has run stays done, what failed runs again. */
function hooksToRetry(journal: Journal | undefined): Journal['hooks'] {
  if (journal?.operation !== 'uninstall') return {};
  return Object.fromEntries(Object.entries(journal.hooks).map(([key, progress]) => [key, progress.phase === 'failed' ? { ...progress, phase: 'started' as const } : progress]));
}
