/**
 * Leadership as a value. A {@link Term} is in hand only while this process leads; the only way to obtain
 * a {@link LeaderClient} is {@link Term.guard}, so code without leadership cannot compile a write.
 */
import type { Client } from '../client/index.ts';

/** How the end of the previous holder was known, strongest first (design: the evidence ladder). */
export type Evidence = 'first' | 'released' | 'same-pod' | 'pod-terminated' | 'expired';

/** Where a candidate stands. */
export type ElectionState = 'standby' | 'acquiring' | 'leading' | 'steppingDown' | 'stopped';

/** What a candidate knows of the lock at this moment; for status pages, metrics and health. */
export interface ElectionStatus {
  readonly state: ElectionState;
  readonly identity: string;
  /** The holder last observed; empty when the lock is free or was never read. */
  readonly holder: string;
  readonly epoch: number;
  /** Milliseconds since a renewal of the holder was last observed, or since our own was last confirmed; absent before the first. */
  readonly sinceRenewalMs?: number;
  readonly evidence?: Evidence;
  /** Of our current or last term: milliseconds between the last sign of the previous holder and our acquisition. */
  readonly gapMs?: number;
  /** Why the last attempt to reach the lock failed; absent when it succeeded. */
  readonly error?: string;
}

/** A candidate for one lock. Made by {@link createElector}; starts nothing before {@link campaign}. */
export interface Elector {
  readonly identity: string;
  /**
   * Campaigns until the signal aborts and yields every term that is won, one at a time. When the consumer
   * asks for the next term (or leaves the loop) while the term still holds, its guarded requests are ended
   * and the lease is released; a term that was lost is followed by a new campaign. So: finish or checkpoint
   * work first, then continue the loop.
   */
  campaign(signal: AbortSignal): AsyncIterable<Term>;
  /**
   * Vouches that this process makes progress. Renewals stop when nobody vouched for the watchdog's time, so
   * that a hanging process loses its lease. Call it from the main thread's event loop, when work is healthy.
   */
  vouch(): void;
  /** Stays standby for a while after the current term: for a leader that found it cannot do the work. */
  holdOff(ms: number): void;
  /**
   * An object was met that carries a higher epoch than the current term's. The term ends and the next one
   * of ours will be above that epoch. (It happens when somebody deletes the lock, which holds the count.)
   */
  outranked(epoch: number): void;
  status(): ElectionStatus;
}

/** One incarnation of leadership. */
export interface Term {
  /** Our identity in the lease. */
  readonly holder: string;
  /** `leaseTransitions` of the lease: grows with every incarnation, so it orders writers. */
  readonly epoch: number;
  readonly evidence: Evidence;
  /** Aborts when the term ends for any reason; all work of the term hangs on it. */
  readonly signal: AbortSignal;
  /** Milliseconds of guaranteed leadership left at this instant; ≤ 0 once writes are refused. */
  remainingMs(): number;
  /** A client whose mutations are refused after the term and whose in-flight mutations are aborted at its end. */
  guard(client: Client): LeaderClient;
}

declare const guarded: unique symbol;

/** A client that can write because a term stands behind it. */
export interface LeaderClient extends Client {
  readonly term: Pick<Term, 'holder' | 'epoch' | 'signal' | 'remainingMs'>;
  readonly [guarded]: true;
}

/** A mutation was refused because leadership is over (or was never confirmed). Not retried; the new leader does the work. */
export class NotLeaderError extends Error {
  override name = 'NotLeaderError';
}

/**
 * An object was worked on under a higher epoch than ours. Either somebody newer leads, or the lock was deleted
 * and its count began anew; the manager tells the elector, which ends this term and lifts later ones above it.
 */
export class OutrankedError extends NotLeaderError {
  override name = 'OutrankedError';
  readonly epoch: number;

  constructor(epoch: number, message: string) {
    super(message);
    this.epoch = epoch;
  }
}
