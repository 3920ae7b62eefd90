/**
 * A candidate that does nothing but campaign, tell its transitions, and write a counter while it leads: for
 * people who want to see an election, and for tests that put ours beside other implementations.
 *
 * The counter goes through the guarded client, each write under the epoch of its term and on the
 * resourceVersion last read, so whoever watches the ConfigMap sees which epoch wrote when, and that no older
 * epoch ever follows a newer one.
 */
import { sleep, type Clock } from '#base/clock';
import { errorText, type Log } from '#base/log';
import { configMaps, type ConfigMap } from '#api/builtin';
import type { ObjectKey } from '#apimachinery/meta';
import { isNotFound } from '#apimachinery/status';
import type { Client } from '#kube/client';
import type { Elector, Evidence, LeaderClient, Term, Transition } from '#kube/leaderelection';

const WRITE_INTERVAL_MS = 50;
const VOUCH_INTERVAL_MS = 250;
/** A write that hangs longer than this is given up, so that the counter shows trouble soon. */
const WRITE_TIMEOUT_MS = 1_000;

/** One line of output. `gapMs` counts from the last sign of the previous holder to our acquisition. */
export interface CandidateLine {
  /** Wall time, RFC 3339 with milliseconds. */
  time: string;
  state: Transition['state'];
  holder: string;
  epoch: number;
  evidence?: Evidence;
  gapMs?: number;
  reason?: string;
}

export interface CandidateOptions {
  /** Makes the elector; every transition it tells becomes a line. */
  createElector: (onTransition: (transition: Transition) => void) => Elector;
  emit: (line: CandidateLine) => void;
  clock: Clock;
  log: Log;
  /** Where to write the counter while leading; absent: nowhere. */
  write?: { client: Client; key: ObjectKey };
}

/** Campaigns until the signal aborts, then releases the lock if it is held. */
export async function runCandidate(options: CandidateOptions, signal: AbortSignal): Promise<void> {
  const { clock, emit, write, log } = options;
  const elector = options.createElector((transition) => emit({ time: new Date(clock.wallMs()).toISOString(), ...transition }));
  const over = new AbortController();
  vouch(elector, clock, over.signal);
  try {
    for await (const term of elector.campaign(signal)) {
      const ended = AbortSignal.any([term.signal, signal]);
      if (write) await new Counter({ elector, term, client: term.guard(write.client), key: write.key, clock, log }).run(ended);
      else await aborted(ended);
    }
  } finally {
    over.abort();
  }
}

function vouch(elector: Elector, clock: Clock, signal: AbortSignal): void {
  const beat = async () => {
    for (;;) {
      elector.vouch();
      await sleep(clock, VOUCH_INTERVAL_MS, signal);
    }
  };
  beat().catch(() => {});
}

interface CounterOptions {
  elector: Elector;
  term: Term;
  client: LeaderClient;
  key: ObjectKey;
  clock: Clock;
  log: Log;
}

class Counter {
  readonly #options: CounterOptions;
  /** As last read or written; its resourceVersion guards the next write. */
  #live: ConfigMap | undefined;

  constructor(options: CounterOptions) {
    this.#options = options;
  }

  async run(ended: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!ended.aborted) {
      const startMs = clock.monotonicMs();
      try {
        await this.#write();
      } catch (error) {
        // Whatever it was, the truth is with the server.
        this.#live = undefined;
        if (!ended.aborted) log.debug('counter was not written', { error: errorText(error) });
      }
      const leftMs = WRITE_INTERVAL_MS - (clock.monotonicMs() - startMs);
      await sleep(clock, Math.max(1, leftMs), ended).catch(() => {});
    }
  }

  async #write(): Promise<void> {
    const { client, key, term, elector } = this.#options;
    const limit = { timeoutMs: WRITE_TIMEOUT_MS };
    // The barrier of this small leader: a consistent read made after the win.
    this.#live ??= await client.get(configMaps, key, limit).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const epoch = Number(this.#live?.data?.['epoch'] ?? -1);
    if (epoch > term.epoch) return elector.outranked(epoch);
    const data = { counter: String(Number(this.#live?.data?.['counter'] ?? 0) + 1), epoch: String(term.epoch), holder: term.holder };
    this.#live = this.#live
      ? await client.update(configMaps, { ...this.#live, data }, limit)
      : await client.create(configMaps, { metadata: { ...key }, data }, limit);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
