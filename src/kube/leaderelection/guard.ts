/**
 * The write guard: a {@link Term} and the clients bound to it.
 *
 * Every mutating request first asks, synchronously, whether the term still has time; if not, nothing is
 * sent. What is in flight when the term ends is aborted. Reads pass: a deposed leader may look.
 *
 * What the guard cannot do: recall a request whose bytes have left. Such a request can take effect after
 * the term, for as long as the network holds it; objects' resourceVersions (and epochs, where objects carry
 * them) are what stops it from undoing a successor's write. See docs/failover.md.
 */
import { sleep, type Clock, type Timer } from '#base/clock';
import type { CallOptions, Client, RawRequest } from '#kube/client';
import { NotLeaderError, type Evidence, type LeaderClient, type Term } from './types.ts';

const READ_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** How often a drain looks whether the last guarded request has settled. */
const DRAIN_POLL_MS = 2;

export interface TermOptions {
  holder: string;
  epoch: number;
  evidence: Evidence;
  /** Milliseconds until writes must stop, at this instant; asked before each write. */
  remainingMs: () => number;
  clock: Clock;
}

/** A term with the handles that only its elector holds. */
export interface ControlledTerm {
  readonly term: Term;
  /** Refuses further writes, aborts what is in flight and tells the term's signal. Idempotent. */
  end(reason: string): void;
  /** Refuses further writes, waits for those in flight, at most `limitMs`; false when some had to be left to {@link end}. */
  drain(limitMs: number): Promise<boolean>;
}

export function createTerm(options: TermOptions): ControlledTerm {
  return new GuardedTerm(options);
}

class GuardedTerm implements ControlledTerm, Term {
  readonly holder: string;
  readonly epoch: number;
  readonly evidence: Evidence;
  readonly #validMs: () => number;
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  #closed = false;
  #inFlight = 0;
  #timer: Timer | undefined;

  constructor({ holder, epoch, evidence, remainingMs, clock }: TermOptions) {
    this.holder = holder;
    this.epoch = epoch;
    this.evidence = evidence;
    this.#validMs = remainingMs;
    this.#clock = clock;
    this.#armDeadline();
  }

  get term(): Term {
    return this;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  remainingMs(): number {
    return this.#closed || this.signal.aborted ? 0 : this.#validMs();
  }

  end(reason: string): void {
    this.#closed = true;
    this.#timer?.cancel();
    if (!this.signal.aborted) this.#controller.abort(new NotLeaderError(`${this.holder}: term ${this.epoch} is over: ${reason}`));
  }

  async drain(limitMs: number): Promise<boolean> {
    this.#closed = true;
    const untilMs = this.#clock.monotonicMs() + Math.min(limitMs, Math.max(0, this.#validMs()));
    while (this.#inFlight > 0 && this.#clock.monotonicMs() < untilMs) await sleep(this.#clock, DRAIN_POLL_MS);
    return this.#inFlight === 0;
  }

  guard(client: Client): LeaderClient {
    const guarded: Omit<LeaderClient, symbol> = {
      server: client.server,
      term: this,
      get: client.get.bind(client),
      list: client.list.bind(client),
      watch: client.watch.bind(client),
      close: () => client.close(),
      request: (request: RawRequest) =>
        READ_METHODS.has(request.method.toUpperCase()) ? client.request(request) : this.#guarded((write) => client.request(write(request))),
      create: (resource, object, options) => this.#guarded((write) => client.create(resource, object, write(options))),
      update: (resource, object, options) => this.#guarded((write) => client.update(resource, object, write(options))),
      patch: (resource, key, patch, options) => this.#guarded((write) => client.patch(resource, key, patch, write(options))),
      apply: (resource, object, options) => this.#guarded((write) => client.apply(resource, object, write(options))),
      delete: (resource, key, options) => this.#guarded((write) => client.delete(resource, key, write(options))),
      deleteCollection: (resource, list, options) => this.#guarded((write) => client.deleteCollection(resource, list, write(options))),
    };
    // The brand exists only for the type checker: this is the one place that may make a LeaderClient.
    return guarded as LeaderClient;
  }

  /** The look at the clock happens at the call and once more when the bytes leave; between that and the send nothing else runs. */
  async #guarded<R>(send: (write: <O extends CallOptions>(options?: O) => O) => Promise<R>): Promise<R> {
    const check = () => {
      if (this.remainingMs() <= 0) throw this.#refusal();
    };
    check();
    this.#inFlight++;
    try {
      return await send((options) => ({ ...(options as NonNullable<typeof options>), signal: joined(this.signal, options?.signal), beforeSend: check }));
    } finally {
      this.#inFlight--;
    }
  }

  #refusal(): Error {
    if (this.signal.aborted) return this.signal.reason as Error;
    return new NotLeaderError(`${this.holder}: term ${this.epoch} has no time left: the write was refused`);
  }

  /** Ends the term at its deadline even if nobody else does; renewals move the deadline, so it looks again when it comes. */
  #armDeadline(): void {
    const leftMs = this.#validMs();
    if (leftMs <= 0) return this.end('the lease was not renewed in time');
    this.#timer = this.#clock.after(leftMs, () => this.#armDeadline());
  }
}

function joined(term: AbortSignal, own: AbortSignal | undefined): AbortSignal {
  return own ? AbortSignal.any([term, own]) : term;
}
