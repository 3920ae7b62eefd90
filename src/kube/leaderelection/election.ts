/**
 * Leader election as a pure state machine: {@link step} takes a state, an event and the monotonic time and
 * returns the next state, the actions to perform, and when to be called again at the latest. No clock, no
 * I/O, no chance: driver.ts performs actions against an API server, the simulator (testing/simulation)
 * against thousands of imagined ones.
 *
 *              evidence that the holder is gone
 *   Standby ────────────────────────────────────▶ Acquiring
 *      ▲ ▲         conflict, failure                 │ compare-and-swap succeeded
 *      │ └───────────────────────────────────────────┤
 *      │        D over, superseded, deleted          ▼
 *      ├───────────────────────────────────────── Leading ◀─┐ renewed
 *      │        released or given up                 │  └───┘
 *      └──────────── SteppingDown ◀──────────────────┘ resign
 *
 * Invariants:
 * - Leading lasts until D after the *sending* of the last renewal that succeeded, never longer. Whoever
 *   follows waits L after it *observed* that renewal, or has proof that its writer is gone (timings.ts has
 *   the inequality that separates the two).
 * - Every write is a compare-and-swap on the version last seen, so evidence decides when to try, never
 *   whether it succeeds: a lock that changed meanwhile refuses us.
 * - Each acquisition writes a `transitions` above every one this candidate ever saw, also by the same identity
 *   and also after somebody deleted the lock: it is an epoch. (Candidates that never saw the deleted lock start
 *   from zero; `outranked` lifts them when they meet an object with a higher epoch.)
 * - Whether a record is ours is decided by the boot id, never by the identity, which two processes may share.
 *
 * Absent: the wire (lock.ts), reading Pods (pod-evidence.ts), the wall clock, guarding of writes (guard.ts).
 */
import { compareRevisions } from '#kube/client/revision';
import { assertNever } from '#base/assert';
import { isMine, isMyPredecessor, type Candidate, type LockRecord } from './record.ts';
import type { Evidence } from './types.ts';
import type { Timings } from './timings.ts';

/** The lock as last seen; `version` is empty when there is no lock object. */
export interface Seen {
  readonly version: string;
  readonly record: LockRecord | undefined;
  /** When this record (not merely this version) was first seen: from here L counts. */
  readonly sinceMs: number;
  /**
   * The lock was deleted. That does not stop its holder, and who that was we may have missed: L has to pass
   * from here. Only who led at that moment knows better, as long as its term would have lasted.
   */
  readonly gone?: { readonly ownUntilMs: number };
}

interface Request {
  readonly id: number;
  readonly sentMs: number;
}

interface Standby {
  readonly kind: 'standby';
  readonly reading?: Request;
  /** A read that began after the expiry has shown the same record. */
  readonly confirmed: boolean;
  /** Reads failed or were slow: the incumbent may have been kept from renewing by the same trouble. */
  readonly troubled: boolean;
  /** The incumbent has had, or is having, its head start after the trouble. */
  readonly headStartUntilMs?: number;
  /** A write of ours has an unknown outcome: read before anything else. */
  readonly unsure?: boolean;
}

interface Acquiring {
  readonly kind: 'acquiring';
  readonly request: Request;
  readonly evidence: Evidence;
  /** The last sign of the previous holder. */
  readonly gapSinceMs: number;
}

interface Leading {
  readonly kind: 'leading';
  readonly epoch: number;
  readonly evidence: Evidence;
  readonly gapMs: number;
  /** Sending of the last renewal that succeeded. */
  readonly sentMs: number;
  readonly renewAtMs: number;
  readonly request?: Request & { readonly purpose: 'renew' | 'read' };
}

interface SteppingDown {
  readonly kind: 'steppingDown';
  readonly epoch: number;
  readonly untilMs: number;
  readonly request?: Request & { readonly purpose: 'renew' | 'read' | 'release' };
}

export type Phase = Standby | Acquiring | Leading | SteppingDown | { readonly kind: 'stopped' };

export interface ElectionMachine {
  readonly me: Candidate;
  readonly timings: Timings;
  readonly phase: Phase;
  readonly seen?: Seen;
  /** The highest `transitions` ever seen; −1 before the first. */
  readonly epochMax: number;
  readonly nextId: number;
  /** Whether the process we vouch for makes progress. */
  readonly progress: boolean;
  /** Whether a term is wanted. */
  readonly campaigning: boolean;
  readonly stopping: boolean;
  /** No attempt to read or acquire before this time. */
  readonly holdUntilMs: number;
  /** Boot id of the holder whose end its kubelet has reported. */
  readonly dead?: string;
}

export type Answer =
  | { readonly kind: 'ok'; readonly version: string; readonly record: LockRecord | undefined }
  /** There is no lock object. */
  | { readonly kind: 'absent' }
  /** Somebody else wrote first. */
  | { readonly kind: 'conflict' }
  /** Refused, lost or late: it may or may not have taken effect. */
  | { readonly kind: 'failed'; readonly reason: string };

export type ElectionEvent =
  | { readonly kind: 'tick' }
  /** The main thread wants a term. */
  | { readonly kind: 'campaign' }
  /** A watch saw the lock. */
  | { readonly kind: 'observed'; readonly version: string; readonly record: LockRecord | undefined }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  /** The holder's kubelet reported the end of this incarnation. */
  | { readonly kind: 'holderDied'; readonly bootId: string }
  | { readonly kind: 'progress'; readonly ok: boolean }
  /** An object carries this epoch: the lock was deleted and lost its count. Later terms must be above it. */
  | { readonly kind: 'outranked'; readonly epoch: number }
  /** The term's work has stopped. `release`: nothing of it can still take effect, so the lock may be given away at once. */
  | { readonly kind: 'resign'; readonly release: boolean; readonly holdUntilMs: number; readonly stop: boolean };

export type WritePurpose = 'acquire' | 'renew' | 'release';

export type ElectionAction =
  | { readonly kind: 'read'; readonly id: number }
  /** Compare-and-swap on `version` (empty: create). */
  | { readonly kind: 'write'; readonly id: number; readonly purpose: WritePurpose; readonly version: string; readonly record: Omit<LockRecord, 'stamp'> }
  | { readonly kind: 'lead'; readonly epoch: number; readonly evidence: Evidence; readonly gapMs: number; readonly sentMs: number; readonly untilMs: number }
  | { readonly kind: 'extend'; readonly epoch: number; readonly sentMs: number; readonly untilMs: number }
  | { readonly kind: 'lost'; readonly epoch: number; readonly reason: string }
  | { readonly kind: 'released'; readonly epoch: number }
  | { readonly kind: 'holder'; readonly holder: string; readonly epoch: number }
  | { readonly kind: 'stopped' };

export interface Step {
  readonly state: ElectionMachine;
  readonly actions: readonly ElectionAction[];
  /** Call again with a tick at this monotonic time, unless another event comes first. */
  readonly wakeAtMs: number;
}

const STANDBY: Standby = { kind: 'standby', confirmed: false, troubled: false };
const NEVER = Number.POSITIVE_INFINITY;

export function createElection(me: Candidate, timings: Timings): ElectionMachine {
  return { me, timings, phase: STANDBY, epochMax: -1, nextId: 1, progress: true, campaigning: false, stopping: false, holdUntilMs: 0 };
}

export function step(state: ElectionMachine, event: ElectionEvent, nowMs: number): Step {
  const actions: ElectionAction[] = [];
  // A deadline that has passed counts before whatever arrives after it, a late success included.
  let next = handle(expire(state, nowMs, actions), event, nowMs, actions);
  // What follows from time alone may allow a further move at once (lost, then acquire again), so until it rests.
  for (let moved = true; moved; ) {
    const before: Phase = next.phase;
    next = proceed(next, nowMs, actions);
    moved = next.phase !== before && next.phase.kind !== before.kind;
  }
  return { state: next, actions, wakeAtMs: wakeAt(next, nowMs) };
}

function expire(state: ElectionMachine, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  const { phase } = state;
  if (phase.kind !== 'leading' || nowMs < phase.sentMs + state.timings.renewDeadlineMs) return state;
  return becomeLost(state, state.progress ? 'the lease was not renewed in time' : 'the process made no progress', actions);
}

function handle(state: ElectionMachine, event: ElectionEvent, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  switch (event.kind) {
    case 'tick':
      return state;
    case 'campaign':
      return { ...state, campaigning: true };
    case 'progress':
      return { ...state, progress: event.ok };
    case 'outranked':
      return { ...state, epochMax: Math.max(state.epochMax, event.epoch) };
    case 'holderDied':
      return { ...state, dead: event.bootId };
    case 'observed':
      return observe(state, event.version, event.record, nowMs, actions);
    case 'resign':
      return resign(state, event, actions);
    case 'answer':
      return answered(state, event.id, event.answer, nowMs, actions);
    default:
      return assertNever(event);
  }
}

/** Takes note of the lock; older news than what is known is dropped. */
function observe(state: ElectionMachine, version: string, record: LockRecord | undefined, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  const { seen, phase } = state;
  if (seen && version !== '' && compareRevisions(version, seen.version) <= 0) return state;
  const gone = version === '' && seen !== undefined;
  if (gone && seen.version === '') return state;
  const epochMax = Math.max(state.epochMax, record?.transitions ?? -1);
  const next = { ...state, epochMax, seen: gone ? deleted(state, seen, nowMs) : { version, record, sinceMs: nowMs } };
  if (phase.kind === 'leading' && !isCurrentTerm(next, phase.epoch)) {
    return becomeLost(next, gone ? 'the lock was deleted' : `superseded by ${JSON.stringify(record?.holder ?? '')}`, actions);
  }
  if (!gone && seen && seen.record?.stamp === record?.stamp && !seen.gone) return { ...next, seen: { ...next.seen, sinceMs: seen.sinceMs } };
  if (!gone && (record?.holder !== seen?.record?.holder || record?.transitions !== seen?.record?.transitions)) {
    actions.push({ kind: 'holder', holder: record?.holder ?? '', epoch: record?.transitions ?? epochMax });
  }
  // News: what was doubted about the old record does not concern this one.
  return phase.kind === 'standby' ? { ...next, phase: { ...STANDBY, ...(phase.reading ? { reading: phase.reading } : {}) } } : next;
}

function deleted({ phase, timings }: ElectionMachine, seen: Seen, nowMs: number): Seen {
  const ownUntilMs = phase.kind === 'leading' ? phase.sentMs + timings.renewDeadlineMs : 0;
  return { version: '', record: seen.record, sinceMs: nowMs, gone: { ownUntilMs } };
}

function isCurrentTerm({ seen, me }: ElectionMachine, epoch: number): boolean {
  return seen !== undefined && seen.version !== '' && isMine(seen.record, me) && seen.record?.transitions === epoch;
}

function resign(state: ElectionMachine, event: Extract<ElectionEvent, { kind: 'resign' }>, actions: ElectionAction[]): ElectionMachine {
  const holdUntilMs = Math.max(state.holdUntilMs, event.holdUntilMs);
  const next: ElectionMachine = { ...state, campaigning: false, holdUntilMs, stopping: state.stopping || event.stop };
  if (next.phase.kind !== 'leading') return next;
  const { epoch, sentMs, request } = next.phase;
  if (!event.release) return becomeLost(next, 'given up without release', actions);
  return { ...next, phase: { kind: 'steppingDown', epoch, untilMs: sentMs + state.timings.renewDeadlineMs, ...(request ? { request } : {}) } };
}

function answered(state: ElectionMachine, id: number, answer: Answer, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  const { phase } = state;
  switch (phase.kind) {
    case 'standby':
      return phase.reading?.id === id ? readOnStandby(state, phase, answer, nowMs, actions) : state;
    case 'acquiring':
      return phase.request.id === id ? acquired(state, phase, answer, nowMs, actions) : state;
    case 'leading':
      return phase.request?.id === id ? answeredLeading(state, phase, answer, nowMs, actions) : state;
    case 'steppingDown':
      return phase.request?.id === id ? answeredSteppingDown(state, phase, answer, nowMs, actions) : state;
    case 'stopped':
      return state;
    default:
      return assertNever(phase);
  }
}

// ---- standby

function readOnStandby(state: ElectionMachine, phase: Standby, answer: Answer, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  const { retryPeriodMs } = state.timings;
  const { reading, unsure: _, ...rest } = phase;
  const sentMs = reading?.sentMs ?? nowMs;
  if (answer.kind === 'failed' || answer.kind === 'conflict') {
    return { ...state, phase: { ...rest, confirmed: false, troubled: true, unsure: true }, holdUntilMs: Math.max(state.holdUntilMs, nowMs + retryPeriodMs / 2) };
  }
  const before = state.seen;
  const next = seenByAnswer({ ...state, phase: rest }, answer, nowMs, actions);
  if (next.phase.kind !== 'standby' || next.seen?.sinceMs !== before?.sinceMs || before === undefined) return next;
  if (sentMs < expiryOf(state, before)) return next;
  const slow = nowMs - sentMs > retryPeriodMs;
  if ((phase.troubled || slow) && phase.headStartUntilMs === undefined) {
    return { ...next, phase: { ...next.phase, confirmed: false, headStartUntilMs: nowMs + retryPeriodMs } };
  }
  return { ...next, phase: { ...next.phase, confirmed: true } };
}

function seenByAnswer(state: ElectionMachine, answer: Extract<Answer, { kind: 'ok' | 'absent' }>, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  return answer.kind === 'ok' ? observe(state, answer.version, answer.record, nowMs, actions) : observe(state, '', undefined, nowMs, actions);
}

function expiryOf({ timings }: ElectionMachine, { record, sinceMs, gone }: Seen): number {
  if (gone) return sinceMs + Math.max(record?.durationMs ?? 0, timings.leaseDurationMs);
  return sinceMs + (record && record.durationMs > 0 ? record.durationMs : timings.leaseDurationMs);
}

/** What entitles us to try at once, strongest first; expiry is judged by {@link proceedStandby}. */
function evidenceOf({ me, dead }: ElectionMachine, { record, gone }: Seen, nowMs: number): Evidence | undefined {
  if (gone) return nowMs < gone.ownUntilMs ? 'same-pod' : undefined;
  if (!record) return 'first';
  if (record.holder === '') return 'released';
  // Our own former term has ended in this very process.
  if (isMine(record, me) || isMyPredecessor(record, me)) return 'same-pod';
  if (dead !== undefined && record.info?.bootId === dead) return 'pod-terminated';
  return undefined;
}

function proceedStandby(state: ElectionMachine, phase: Standby, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  const { seen } = state;
  if (state.stopping) {
    actions.push({ kind: 'stopped' });
    return { ...state, phase: { kind: 'stopped' } };
  }
  if (phase.reading || nowMs < state.holdUntilMs) return state;
  if (!seen || phase.unsure) return becomeReading(state, phase, nowMs, actions);
  if (!state.campaigning || !state.progress) return state;
  const evidence = evidenceOf(state, seen, nowMs);
  if (evidence) return becomeAcquiring(state, evidence, nowMs, actions);
  if (nowMs < expiryOf(state, seen) || nowMs < (phase.headStartUntilMs ?? 0)) return state;
  return phase.confirmed ? becomeAcquiring(state, 'expired', nowMs, actions) : becomeReading(state, phase, nowMs, actions);
}

function becomeReading(state: ElectionMachine, phase: Standby, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  const id = state.nextId;
  actions.push({ kind: 'read', id });
  return { ...state, nextId: id + 1, phase: { ...phase, reading: { id, sentMs: nowMs } } };
}

// ---- acquiring

function becomeAcquiring(state: ElectionMachine, evidence: Evidence, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  const { me, timings, seen, nextId: id } = state;
  const gapSinceMs = evidence === 'first' || !seen ? nowMs : seen.sinceMs;
  const record = { holder: me.identity, durationMs: timings.leaseDurationMs, transitions: state.epochMax + 1, info: me.info, evidence, gapMs: nowMs - gapSinceMs };
  actions.push({ kind: 'write', id, purpose: 'acquire', version: seen?.version ?? '', record });
  return { ...state, nextId: id + 1, phase: { kind: 'acquiring', request: { id, sentMs: nowMs }, evidence, gapSinceMs } };
}

function acquired(state: ElectionMachine, phase: Acquiring, answer: Answer, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  const standby = { ...state, phase: STANDBY };
  switch (answer.kind) {
    case 'ok': {
      const next = observe(state, answer.version, answer.record, nowMs, actions);
      const epoch = answer.record?.transitions ?? next.epochMax;
      // The watch may have shown us a still newer record meanwhile: then this term is over before it began.
      if (!isCurrentTerm(next, epoch)) return { ...next, phase: STANDBY };
      return becomeLeading(next, phase, epoch, nowMs, actions);
    }
    case 'absent':
      // Deleted meanwhile, or there is no such namespace: not a thing to try without pause.
      return { ...observe(standby, '', undefined, nowMs, actions), holdUntilMs: Math.max(state.holdUntilMs, nowMs + state.timings.retryPeriodMs) };
    case 'conflict':
      return becomeReading(standby, STANDBY, nowMs, actions);
    case 'failed':
      // It may have taken effect: only a read tells, and our own record in it lets us try again.
      return { ...state, phase: { ...STANDBY, troubled: true, unsure: true }, holdUntilMs: Math.max(state.holdUntilMs, nowMs + state.timings.retryPeriodMs / 4) };
    default:
      return assertNever(answer);
  }
}

function becomeLeading(state: ElectionMachine, { request, evidence, gapSinceMs }: Acquiring, epoch: number, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  const { renewDeadlineMs, retryPeriodMs } = state.timings;
  const gapMs = nowMs - gapSinceMs;
  const untilMs = request.sentMs + renewDeadlineMs;
  const renewAtMs = request.sentMs + retryPeriodMs;
  const leading: Leading = { kind: 'leading', epoch, evidence, gapMs, sentMs: request.sentMs, renewAtMs };
  if (!state.campaigning) return { ...state, phase: { kind: 'steppingDown', epoch, untilMs } };
  if (nowMs >= untilMs) return { ...state, phase: STANDBY };
  actions.push({ kind: 'lead', epoch, evidence, gapMs, sentMs: request.sentMs, untilMs });
  return { ...state, phase: leading };
}

// ---- leading

function proceedLeading(state: ElectionMachine, phase: Leading, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  if (phase.request || nowMs < phase.renewAtMs || !state.progress) return state;
  return sendRenewal(state, phase, nowMs, actions);
}

function sendRenewal(state: ElectionMachine, phase: Leading, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  const { me, timings, nextId: id } = state;
  const record = { holder: me.identity, durationMs: timings.leaseDurationMs, transitions: phase.epoch, info: me.info, evidence: phase.evidence, gapMs: phase.gapMs };
  actions.push({ kind: 'write', id, purpose: 'renew', version: state.seen?.version ?? '', record });
  return { ...state, nextId: id + 1, phase: { ...phase, request: { id, sentMs: nowMs, purpose: 'renew' } } };
}

function answeredLeading(state: ElectionMachine, phase: Leading, answer: Answer, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  const { request, ...rest } = phase;
  const { retryPeriodMs, renewDeadlineMs } = state.timings;
  if (!request) return state;
  if (answer.kind === 'failed') return { ...state, phase: { ...rest, renewAtMs: nowMs + retryPeriodMs / 2 } };
  // Our own earlier renewal whose answer was lost, a note by some person, or a successor: the lock itself tells.
  if (answer.kind === 'conflict') return readLock(state, rest, nowMs, actions);
  const next = seenByAnswer({ ...state, phase: rest }, answer, nowMs, actions);
  if (next.phase.kind !== 'leading') return next;
  if (request.purpose === 'read') return { ...next, phase: { ...rest, renewAtMs: nowMs } };
  const untilMs = request.sentMs + renewDeadlineMs;
  actions.push({ kind: 'extend', epoch: phase.epoch, sentMs: request.sentMs, untilMs });
  return { ...next, phase: { ...rest, sentMs: request.sentMs, renewAtMs: request.sentMs + retryPeriodMs } };
}

function readLock(state: ElectionMachine, phase: Leading | SteppingDown, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  const id = state.nextId;
  actions.push({ kind: 'read', id });
  return { ...state, nextId: id + 1, phase: { ...phase, request: { id, sentMs: nowMs, purpose: 'read' } } };
}

/** A new term has to be asked for: the main thread winds up the old one first. */
function becomeLost(state: ElectionMachine, reason: string, actions: ElectionAction[]): ElectionMachine {
  if (state.phase.kind === 'leading') actions.push({ kind: 'lost', epoch: state.phase.epoch, reason });
  return { ...state, campaigning: false, phase: STANDBY };
}

// ---- stepping down

function proceedSteppingDown(state: ElectionMachine, phase: SteppingDown, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  if (nowMs >= phase.untilMs) return becomeReleased(state, phase, actions);
  if (phase.request) return state;
  if (!isCurrentTerm(state, phase.epoch)) return becomeReleased(state, phase, actions);
  const id = state.nextId;
  const record = { holder: '', durationMs: 1_000, transitions: phase.epoch };
  actions.push({ kind: 'write', id, purpose: 'release', version: state.seen?.version ?? '', record });
  return { ...state, nextId: id + 1, phase: { ...phase, request: { id, sentMs: nowMs, purpose: 'release' } } };
}

function answeredSteppingDown(state: ElectionMachine, phase: SteppingDown, answer: Answer, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  const { request, ...rest } = phase;
  // A release whose answer is missing may have taken effect, so look before trying again.
  if (answer.kind === 'failed' || answer.kind === 'conflict') return readLock(state, rest, nowMs, actions);
  const next = seenByAnswer({ ...state, phase: rest }, answer, nowMs, actions);
  return request?.purpose === 'release' ? becomeReleased(next, rest, actions) : next;
}

function becomeReleased(state: ElectionMachine, { epoch }: SteppingDown, actions: ElectionAction[]): ElectionMachine {
  actions.push({ kind: 'released', epoch });
  return { ...state, phase: STANDBY };
}

// ---- time

function proceed(state: ElectionMachine, nowMs: number, actions: ElectionAction[]): ElectionMachine {
  const { phase } = state;
  switch (phase.kind) {
    case 'standby':
      return proceedStandby(state, phase, nowMs, actions);
    case 'leading':
      return proceedLeading(state, phase, nowMs, actions);
    case 'steppingDown':
      return proceedSteppingDown(state, phase, nowMs, actions);
    default:
      return state;
  }
}

function wakeAt(state: ElectionMachine, nowMs: number): number {
  const { phase, seen } = state;
  switch (phase.kind) {
    case 'standby': {
      if (phase.reading) return NEVER;
      if (nowMs < state.holdUntilMs) return state.holdUntilMs;
      return seen && (seen.record || seen.gone) && state.campaigning && state.progress && !phase.confirmed ? Math.max(expiryOf(state, seen), phase.headStartUntilMs ?? 0) : NEVER;
    }
    case 'leading': {
      const untilMs = phase.sentMs + state.timings.renewDeadlineMs;
      return phase.request || !state.progress ? untilMs : Math.min(untilMs, phase.renewAtMs);
    }
    case 'steppingDown':
      return phase.untilMs;
    default:
      return NEVER;
  }
}
