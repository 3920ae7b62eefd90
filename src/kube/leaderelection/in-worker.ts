/** The elector in a worker thread of its own: what every component uses. */
import { Worker } from 'node:worker_threads';
import { processClock } from '#base/clock';
import { errorText, type Log } from '#base/log';
import { intBelow, type Random } from '#base/random';
import type { Connection } from '#kube/client';
import type { ElectionNews, LockAddress } from './driver.ts';
import { createElectorOver, type ElectionBackend, type Transition } from './elector.ts';
import type { HolderInfo } from './record.ts';
import { assertSafe, type Timings } from './timings.ts';
import type { Elector } from './types.ts';
import { bumpProgress, createSharedState, INVALID, sharedCell } from './validity.ts';
import type { FromWorker, ToWorker, WorkerInput } from './worker-protocol.ts';

/** A worker that died is replaced after this time. */
const RESTART_MS = 1_000;
/** An elector needs a few megabytes; one that leaks must die before it harms its process. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 };

export interface ElectorOptions {
  /** The worker's entry file: `elector-worker.ts` of this room, or its bundle. */
  workerFile: URL;
  connection: Connection;
  /** Unique per process is best (pod name with a random suffix); safety does not depend on it. */
  identity: string;
  info: HolderInfo;
  lock: LockAddress;
  timings: Timings;
  random: Random;
  log: Log;
  onTransition?: (transition: Transition) => void;
}

/** Throws an `Error` naming the inequality when the timings are unsafe. Starts nothing. */
export function createElector(options: ElectorOptions): Elector {
  const { identity, log, onTransition } = options;
  assertSafe(options.timings);
  return createElectorOver({ identity, backend: new WorkerBackend(options), clock: processClock, log, ...(onTransition ? { onTransition } : {}) });
}

class WorkerBackend implements ElectionBackend {
  readonly #options: ElectorOptions;
  readonly #shared = createSharedState();
  readonly #cell = sharedCell(this.#shared);
  #worker: Worker | undefined;
  #leading: number | undefined;
  #wanted = false;
  #closed = false;

  constructor(options: ElectorOptions) {
    this.#options = options;
  }

  start(onNews: (news: ElectionNews) => void): void {
    const { workerFile, connection, identity, info, lock, timings, random, log } = this.#options;
    const input: WorkerInput = { connection, lock, me: { identity, info }, timings, shared: this.#shared, seed: intBelow(random, 2 ** 31) };
    const worker = new Worker(workerFile, { workerData: input, resourceLimits: RESOURCE_LIMITS, name: 'elector', env: {} });
    this.#worker = worker;
    worker.on('message', (news: FromWorker) => {
      if (news.kind === 'leading') this.#leading = news.epoch;
      if (news.kind === 'lost' || news.kind === 'released') {
        this.#leading = undefined;
        this.#wanted = false;
      }
      onNews(news);
    });
    worker.on('error', (error) => log.error('leader election: the worker thread failed', { error: errorText(error) }));
    worker.on('exit', () => this.#onExit(onNews));
    if (this.#wanted) this.campaign();
  }

  /** A dead worker renews nothing: its term is over now, and a new worker starts as a new incarnation. */
  #onExit(onNews: (news: ElectionNews) => void): void {
    if (this.#closed) return;
    this.#worker = undefined;
    this.#cell.publish(INVALID);
    if (this.#leading !== undefined) onNews({ kind: 'lost', epoch: this.#leading, reason: 'the elector failed' });
    this.#leading = undefined;
    processClock.after(RESTART_MS, () => {
      if (!this.#closed) this.start(onNews);
    });
  }

  campaign(): void {
    this.#wanted = true;
    this.#post({ kind: 'campaign' });
  }

  resign(options: { release: boolean; holdOffMs: number; stop: boolean }): void {
    this.#wanted = false;
    this.#post({ kind: 'resign', ...options });
  }

  validity() {
    return this.#cell.read();
  }

  vouch(): void {
    bumpProgress(this.#shared);
  }

  outranked(epoch: number): void {
    this.#post({ kind: 'outranked', epoch });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #post(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }
}
