/** The elector in the caller's own thread: for tests, and for processes whose thread never works long. */
import type { Clock } from '#base/clock';
import type { Log } from '#base/log';
import type { Random } from '#base/random';
import type { Transport } from '#kube/client';
import { ElectionDriver, type ElectionNews, type LockAddress } from './driver.ts';
import { createElectorOver, type ElectionBackend, type Transition } from './elector.ts';
import type { HolderInfo } from './record.ts';
import { assertSafe, type Timings } from './timings.ts';
import type { Elector } from './types.ts';
import { localCell } from './validity.ts';

export interface InThreadElectorOptions {
  /** A transport of its own: a term's release must not queue behind other requests. */
  transport: Transport;
  identity: string;
  info: HolderInfo;
  lock: LockAddress;
  timings: Timings;
  clock: Clock;
  random: Random;
  log: Log;
  onTransition?: (transition: Transition) => void;
}

export function createInThreadElector(options: InThreadElectorOptions): Elector {
  const { identity, clock, log, onTransition } = options;
  assertSafe(options.timings);
  return createElectorOver({ identity, backend: new InThreadBackend(options), clock, log, ...(onTransition ? { onTransition } : {}) });
}

class InThreadBackend implements ElectionBackend {
  readonly #options: InThreadElectorOptions;
  readonly #cell = localCell();
  #driver: ElectionDriver | undefined;

  constructor(options: InThreadElectorOptions) {
    this.#options = options;
  }

  start(onNews: (news: ElectionNews) => void): void {
    const { transport, clock, random, lock, identity, info, timings } = this.#options;
    this.#driver = new ElectionDriver({ transport, clock, random, lock, me: { identity, info }, timings, validity: this.#cell, onNews });
    this.#driver.start();
  }

  campaign(): void {
    this.#driver?.campaign();
  }

  resign(options: { release: boolean; holdOffMs: number; stop: boolean }): void {
    this.#driver?.resign(options);
  }

  validity() {
    return this.#cell.read();
  }

  outranked(epoch: number): void {
    this.#driver?.outranked(epoch);
  }

  /** Nothing to vouch to: a thread that hangs does not renew either. */
  vouch(): void {}

  close(): Promise<void> {
    this.#driver?.close();
    return Promise.resolve();
  }
}
