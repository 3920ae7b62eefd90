/**
 * The contract of reconcilers. A reconciler receives a key, never an event; it reads state, decides, acts,
 * and returns one of four outcomes: done, requeueAfter, a thrown error (retried with back-off), or a thrown
 * {@link TerminalError} (not retried until something changes).
 */
import type { Log } from '#base/log';
import type { KubeObject, ObjectKey } from '#apimachinery/meta';
import type { Informer } from '../cache/index.ts';
import type { LeaderClient, Term } from '../leaderelection/index.ts';

export type Outcome = { readonly kind: 'done' } | { readonly kind: 'requeueAfter'; readonly delayMs: number };

export const done: Outcome = { kind: 'done' };

export function requeueAfter(delayMs: number): Outcome {
  return { kind: 'requeueAfter', delayMs };
}

/** Retrying cannot help before the object or its surroundings change. */
export class TerminalError extends Error {
  override name = 'TerminalError';
}

/** The guarded clients of the manager, by the names they were registered under. */
export type LeaderClients<C extends string> = Readonly<Record<C, LeaderClient>>;

export interface ReconcileContext<C extends string = string> {
  readonly clients: LeaderClients<C>;
  readonly term: Term;
  /** Aborts at the end of the term, at shutdown, or when this reconcile exceeds its limit. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

export interface Reconciler<C extends string = string> {
  reconcile(key: ObjectKey, ctx: ReconcileContext<C>): Promise<Outcome>;
}

/** Turns changes of one informer's objects into keys of the controller's own kind. */
export interface Source<T extends KubeObject = KubeObject> {
  informer: Informer<T>;
  /** Default: the object's own key. */
  map?: (object: T) => readonly ObjectKey[];
  /** Which updates count; default: all that change something. Creations and deletions always count. */
  changed?: (previous: T, current: T) => boolean;
  /** Delay before the mapped keys are due, to gather bursts; default 0. */
  delayMs?: number;
}

export interface ControllerOptions<C extends string = string> {
  name: string;
  reconciler: Reconciler<C>;
  // oxlint-disable-next-line typescript/no-explicit-any -- a controller mixes sources of different kinds
  sources: readonly Source<any>[];
  /**
   * Keys from elsewhere than one informer: each is called once, when the controller is made, with a function
   * that enqueues (and does nothing outside a term).
   */
  triggers?: readonly ((enqueue: (key: ObjectKey, delayMs: number) => void) => void)[];
  /** Keys worked on at once; one key is never worked on twice at once. Default 4. */
  concurrency?: number;
  /** Upper bound of one reconcile; default 120 s. */
  reconcileTimeoutMs?: number;
  /** Exponential back-off of failing keys; default 5 ms … 60 s (Fleet's FailureRateLimiter). */
  backoffMs?: { min: number; max: number };
  /** Work to do once per term, after the cache barrier and before the first key. */
  onTermStart?: (ctx: ReconcileContext<C>) => Promise<void>;
}
