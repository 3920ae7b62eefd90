/**
 * The main thread's side of an election: turns the news of a driver (in a worker thread or in this one)
 * into {@link Term}s, and ends terms in the right order: refuse writes, let those in flight finish, give the
 * lease away. A term whose writes did not finish in time is not released but left to expire: the successor
 * then waits until nothing of ours can be on its way.
 */
import type { Clock } from '#base/clock';
import type { Log } from '#base/log';
import { createTerm, type ControlledTerm } from './guard.ts';
import type { ElectionNews } from './driver.ts';
import type { ElectionState, ElectionStatus, Elector, Evidence, Term } from './types.ts';
import { remainingMs, type Validity } from './validity.ts';

/** How long a release waits for guarded requests in flight. */
const DRAIN_MS = 3_000;
/** How long an orderly end waits for the release to be confirmed. */
const STOP_MS = 3_000;

/** What performs the election for us. */
export interface ElectionBackend {
  /** Begins; news come through `onNews`, in order. */
  start(onNews: (news: ElectionNews) => void): void;
  campaign(): void;
  resign(options: { release: boolean; holdOffMs: number; stop: boolean }): void;
  validity(): Validity;
  vouch(): void;
  outranked(epoch: number): void;
  close(): Promise<void>;
}

/** One change of leadership, as seen from this process. */
export interface Transition {
  readonly state: 'leading' | 'standby' | 'stopped';
  readonly holder: string;
  readonly epoch: number;
  readonly evidence?: Evidence;
  readonly gapMs?: number;
  readonly reason?: string;
}

export interface ElectorOptions {
  identity: string;
  backend: ElectionBackend;
  clock: Clock;
  log: Log;
  /** For events, metrics and timelines; one call per transition. */
  onTransition?: (transition: Transition) => void;
}

export function createElectorOver(options: ElectorOptions): Elector {
  return new BackedElector(options);
}

interface Won {
  epoch: number;
  evidence: Evidence;
  gapMs: number;
}

class BackedElector implements Elector {
  readonly identity: string;
  readonly #options: ElectorOptions;
  #state: ElectionState = 'standby';
  #holder = '';
  #epoch = -1;
  #won: Won | undefined;
  #current: ControlledTerm | undefined;
  #lastNewsMs: number | undefined;
  #error: string | undefined;
  #holdOffMs = 0;
  #wake: (() => void)[] = [];

  constructor(options: ElectorOptions) {
    this.identity = options.identity;
    this.#options = options;
  }

  vouch(): void {
    this.#options.backend.vouch();
  }

  holdOff(ms: number): void {
    this.#holdOffMs = ms;
  }

  outranked(epoch: number): void {
    this.#options.backend.outranked(epoch);
    if (this.#current && this.#current.term.epoch < epoch) this.#current.end(`an object carries epoch ${epoch}`);
  }

  status(): ElectionStatus {
    const { clock } = this.#options;
    return {
      state: this.#state,
      identity: this.identity,
      holder: this.#holder,
      epoch: this.#epoch,
      ...(this.#lastNewsMs === undefined ? {} : { sinceRenewalMs: clock.monotonicMs() - this.#lastNewsMs }),
      ...(this.#won ? { evidence: this.#won.evidence, gapMs: this.#won.gapMs } : {}),
      ...(this.#error ? { error: this.#error } : {}),
    };
  }

  async *campaign(signal: AbortSignal): AsyncIterable<Term> {
    const { backend } = this.#options;
    const onAbort = () => this.#notify();
    signal.addEventListener('abort', onAbort, { once: true });
    backend.start((news) => this.#onNews(news));
    try {
      while (!signal.aborted) {
        backend.campaign();
        await this.#until(() => this.#state === 'leading' || signal.aborted);
        if (signal.aborted || !this.#won) break;
        const term = this.#begin(this.#won);
        try {
          yield term.term;
        } finally {
          await this.#finish(term, signal.aborted);
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      backend.resign({ release: true, holdOffMs: 0, stop: true });
      await this.#bounded(() => this.#state === 'stopped', STOP_MS);
      await backend.close();
      this.#state = 'stopped';
    }
  }

  #begin({ epoch, evidence }: Won): ControlledTerm {
    const { backend, clock } = this.#options;
    const term = createTerm({ holder: this.identity, epoch, evidence, clock, remainingMs: () => remainingMs(backend.validity(), epoch, clock) });
    this.#current = term;
    return term;
  }

  async #finish(term: ControlledTerm, stop: boolean): Promise<void> {
    const { backend } = this.#options;
    const clean = await term.drain(DRAIN_MS);
    term.end('given up');
    this.#current = undefined;
    const { epoch } = term.term;
    if (this.#state === 'leading' && this.#won?.epoch === epoch) {
      backend.resign({ release: clean, holdOffMs: this.#holdOffMs, stop });
      await this.#bounded(() => this.#state !== 'leading', STOP_MS);
    }
    this.#holdOffMs = 0;
  }

  #onNews(news: ElectionNews): void {
    const { log, onTransition } = this.#options;
    const tell = (message: string, transition: Transition) => {
      log.info(message, { ...transition });
      onTransition?.(transition);
    };
    switch (news.kind) {
      case 'leading':
        this.#state = 'leading';
        this.#holder = this.identity;
        this.#epoch = news.epoch;
        this.#won = { epoch: news.epoch, evidence: news.evidence, gapMs: news.gapMs };
        tell('leader election: leading', { state: 'leading', holder: this.identity, epoch: news.epoch, evidence: news.evidence, gapMs: Math.round(news.gapMs) });
        break;
      case 'lost':
      case 'released':
        this.#state = 'standby';
        this.#current?.end(news.kind === 'lost' ? news.reason : 'released');
        tell(news.kind === 'lost' ? 'leader election: lost' : 'leader election: released', { state: 'standby', holder: this.identity, epoch: news.epoch, reason: news.kind === 'lost' ? news.reason : 'released' });
        break;
      case 'holder':
        this.#lastNewsMs = this.#options.clock.monotonicMs();
        if (this.#state !== 'standby' || (news.holder === this.#holder && news.epoch === this.#epoch)) break;
        this.#holder = news.holder;
        this.#epoch = news.epoch;
        log.info('leader election: observed', { holder: news.holder, epoch: news.epoch });
        break;
      case 'renewed':
        this.#lastNewsMs = this.#options.clock.monotonicMs();
        break;
      case 'trouble':
        if (news.error && !this.#error) log.warn('leader election: cannot reach the lock', { error: news.error });
        this.#error = news.error;
        break;
      case 'stopped':
        this.#state = 'stopped';
        tell('leader election: stopped', { state: 'stopped', holder: this.#holder, epoch: this.#epoch });
        break;
    }
    this.#notify();
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  async #until(met: () => boolean): Promise<void> {
    while (!met()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  async #bounded(met: () => boolean, limitMs: number): Promise<void> {
    const { clock } = this.#options;
    let over = false;
    const timer = clock.after(limitMs, () => {
      over = true;
      this.#notify();
    });
    await this.#until(() => met() || over);
    timer.cancel();
  }
}
