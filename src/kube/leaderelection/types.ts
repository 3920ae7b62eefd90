/**
 * Leadership as a value. A {@link Term} is in hand only while this process leads; the only way to obtain
 * a {@link LeaderClient} is {@link Term.guard}, so code without leadership cannot compile a write.
 */
import type { Client } from '../client/index.ts';

/** How the end of the previous holder was known, strongest first (design: the evidence ladder). */
export type Evidence = 'first' | 'released' | 'same-pod' | 'pod-terminated' | 'expired';

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
