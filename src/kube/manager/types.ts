/**
 * The contract of a manager: one process, one lease, many controllers. Start-up order is data: HTTP
 * endpoints, caches, election; then per term: barrier, term starts, controllers. Losing the lease ends the
 * term, not the process.
 */
import type { KubeObject } from '#apimachinery/meta';
import type { Informer, InformerOptions } from '../cache/index.ts';
import type { Reader } from '../client/index.ts';
import type { ControllerOptions } from '../controller/index.ts';
import type { LeaderClient, Term } from '../leaderelection/index.ts';

/** Answers `/healthz`, `/readyz` and `/metrics`; `undefined` for other paths. */
export type EndpointHandler = (path: string) => Promise<{ status: number; contentType: string; body: string } | undefined>;

export interface OnTermOptions {
  /** Starts right after the win, without waiting until the caches are fresh (registration, which comes before caches can exist). */
  beforeBarrier?: boolean;
}

export interface Manager<C extends string = string> {
  /** A shared informer of the named client; the same options give the same informer. */
  informer<T extends KubeObject>(client: C, options: InformerOptions<T>): Informer<T>;
  /** Unguarded reads of the named client. */
  reader(client: C): Reader;
  /** Adds a controller; before start only. */
  controller(options: ControllerOptions<C>): void;
  /** Work of a term that is not a reconciler (poll timers, heartbeats); ends when `term.signal` aborts. */
  onTerm(name: string, run: (term: Term, clients: Readonly<Record<C, LeaderClient>>) => Promise<void>, options?: OnTermOptions): void;
  /** What the HTTP endpoints say, for servers of the caller's own. */
  readonly endpoints: EndpointHandler;
  /** Runs until the signal aborts; then stops intake, drains within its budget, releases the lease, resolves. */
  start(signal: AbortSignal): Promise<void>;
}
