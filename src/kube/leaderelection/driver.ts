/**
 * Performs the state machine's actions against an API server and feeds it what comes back. It runs in the
 * elector's worker thread, or in the caller's thread where there is nothing to be kept away from (tests,
 * the embedded API server's own process).
 *
 * A standby keeps two watches: on the lock, and on the holder's Pod. A leader keeps none.
 */
import { sleep, type Clock, type Timer } from '#base/clock';
import { errorText } from '#base/log';
import { jitter, type Random } from '#base/random';
import { compareRevisions } from '#kube/client/revision';
import { createElection, step, type Answer, type ElectionAction, type ElectionEvent, type ElectionMachine } from './election.ts';
import type { Transport } from '#kube/client';
import { decodeLock, encodeLock, lockResource, type LockKind, type LockObject, type Written } from './lock.ts';
import { createLockClient, type LockAnswer, type LockClient } from './lock-client.ts';
import { provesDeath, type HolderPod } from './pod-evidence.ts';
import type { Candidate, HolderInfo } from './record.ts';
import { requestTimeoutMs, type Timings } from './timings.ts';
import type { Evidence } from './types.ts';
import type { Validity, ValidityCell } from './validity.ts';


/** A watch that ends is opened again after this time, with jitter. */
const REWATCH_MS = 250;
/** A Pod that may not be read (RBAC) or is gone is not asked for again before this time. */
const POD_RETRY_MS = 30_000;
/** Renewals are told at most this often; a little less than a second, so that R = 1 s tells each. */
const RENEWED_INTERVAL_MS = 900;

export interface LockAddress {
  kind: LockKind;
  namespace: string;
  name: string;
}

/** What happens, told in order. */
export type ElectionNews =
  | { kind: 'leading'; epoch: number; evidence: Evidence; gapMs: number }
  | { kind: 'lost'; epoch: number; reason: string }
  | { kind: 'released'; epoch: number }
  | { kind: 'holder'; holder: string; epoch: number; info?: HolderInfo }
  /** The holder is alive: its renewal was observed, or our own confirmed. At most one a second. */
  | { kind: 'renewed' }
  | { kind: 'trouble'; error: string | undefined }
  | { kind: 'stopped' };

export interface DriverOptions {
  transport: Transport;
  clock: Clock;
  random: Random;
  lock: LockAddress;
  me: Candidate;
  timings: Timings;
  validity: ValidityCell;
  onNews: (news: ElectionNews) => void;
}

export class ElectionDriver {
  readonly #options: DriverOptions;
  readonly #client: LockClient;
  readonly #life = new AbortController();
  #machine: ElectionMachine;
  #timer: Timer | undefined;
  #object: LockObject | undefined;
  #written: Written | undefined;
  /** Wall time at which each request in flight was sent. */
  #sentWall = new Map<number, number>();
  #lastSentWallMs = 0;
  #trouble: string | undefined;
  #renewedToldMs = Number.NEGATIVE_INFINITY;
  #lockWatch: AbortController | undefined;
  #podWatch: { bootId: string; controller: AbortController } | undefined;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#machine = createElection(options.me, options.timings);
    this.#client = createLockClient(options.transport, lockResource(options.lock.kind), options.lock, requestTimeoutMs(options.timings));
  }

  start(): void {
    this.#feed({ kind: 'tick' });
  }

  campaign(): void {
    this.#feed({ kind: 'campaign' });
  }

  progress(ok: boolean): void {
    this.#feed({ kind: 'progress', ok });
  }

  outranked(epoch: number): void {
    this.#feed({ kind: 'outranked', epoch });
  }

  resign({ release, holdOffMs, stop }: { release: boolean; holdOffMs: number; stop: boolean }): void {
    // Who gives the lease away does not grab it back before the others had their chance.
    const pauseMs = Math.max(holdOffMs, this.#options.timings.retryPeriodMs);
    this.#feed({ kind: 'resign', release, stop, holdUntilMs: this.#options.clock.monotonicMs() + pauseMs });
  }

  close(): void {
    this.#timer?.cancel();
    this.#life.abort(new Error('the elector was closed'));
    this.#lockWatch?.abort();
    this.#podWatch?.controller.abort();
  }

  #feed(event: ElectionEvent): void {
    if (this.#life.signal.aborted) return;
    const { clock } = this.#options;
    const before = this.#machine.seen;
    const { state, actions, wakeAtMs } = step(this.#machine, event, clock.monotonicMs());
    this.#machine = state;
    if (state.seen?.record?.stamp !== before?.record?.stamp) this.#tellRenewed();
    this.#timer?.cancel();
    if (Number.isFinite(wakeAtMs)) this.#timer = clock.after(wakeAtMs - clock.monotonicMs(), () => this.#feed({ kind: 'tick' }));
    for (const action of actions) this.#perform(action);
    this.#keepWatches();
  }

  #perform(action: ElectionAction): void {
    const { validity, onNews } = this.#options;
    switch (action.kind) {
      case 'read':
        return this.#answer(action.id, this.#client.read());
      case 'write':
        return this.#write(action);
      case 'lead':
        validity.publish(this.#validity(action));
        return onNews({ kind: 'leading', epoch: action.epoch, evidence: action.evidence, gapMs: action.gapMs });
      case 'extend':
        return validity.publish(this.#validity(action));
      case 'lost':
      case 'released':
        // Only its own deadline moves: a term that was lost by it is over anyway, and a successor of ours has another epoch.
        validity.publish({ epoch: -1, untilMs: 0, wallUntilMs: 0 });
        return onNews(action);
      case 'holder': {
        const info = this.#machine.seen?.record?.info;
        return onNews({ ...action, ...(info ? { info } : {}) });
      }
      case 'stopped':
        return onNews(action);
    }
  }

  /** The deadline as the sending of the renewal fixed it, in both kinds of time. */
  #validity({ epoch, sentMs, untilMs }: { epoch: number; sentMs: number; untilMs: number }): Validity {
    const { clock } = this.#options;
    // The wall time of the sending: now, less what has passed since by the monotonic clock or by the wall clock, whichever is more.
    const sentWallMs = Math.min(this.#lastSentWallMs, clock.wallMs() - (clock.monotonicMs() - sentMs));
    return { epoch, untilMs, wallUntilMs: sentWallMs + (untilMs - sentMs) };
  }

  #write({ id, version, record }: Extract<ElectionAction, { kind: 'write' }>): void {
    const { lock, clock } = this.#options;
    const known = this.#object;
    const base: LockObject | undefined = version === '' ? this.#client.blank() : known?.metadata.resourceVersion === version ? known : undefined;
    if (!base) return this.#answer(id, Promise.resolve({ kind: 'conflict' }));
    const wallMs = clock.wallMs();
    const { object, written } = encodeLock(lock.kind, base, { record, wallMs, previous: this.#written });
    this.#written = written;
    this.#sentWall.set(id, wallMs);
    this.#answer(id, version === '' ? this.#client.create(object) : this.#client.update(object));
  }

  #answer(id: number, pending: Promise<LockAnswer>): void {
    const settle = (answer: Answer) => {
      const sentWall = this.#sentWall.get(id);
      this.#sentWall.delete(id);
      if (sentWall !== undefined) this.#lastSentWallMs = sentWall;
      this.#tellTrouble(answer.kind === 'failed' ? answer.reason : undefined);
      this.#feed({ kind: 'answer', id, answer });
    };
    pending.then(
      (answer) => settle(answer.kind === 'object' ? this.#noticed(answer.object) : answer),
      (error: unknown) => settle({ kind: 'failed', reason: errorText(error) }),
    );
  }

  #tellTrouble(error: string | undefined): void {
    if (error === this.#trouble) return;
    this.#trouble = error;
    this.#options.onNews({ kind: 'trouble', error });
  }

  #tellRenewed(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#renewedToldMs < RENEWED_INTERVAL_MS) return;
    this.#renewedToldMs = nowMs;
    this.#options.onNews({ kind: 'renewed' });
  }

  #noticed(object: LockObject): Extract<Answer, { kind: 'ok' }> {
    this.#object = newer(this.#object, object);
    return { kind: 'ok', version: object.metadata.resourceVersion ?? '', record: decodeLock(this.#options.lock.kind, object) };
  }

  // ---- watches of a standby

  #keepWatches(): void {
    const { phase, seen, me } = this.#machine;
    const standby = phase.kind === 'standby' || phase.kind === 'acquiring';
    if (standby && seen && !this.#lockWatch) this.#watchLock();
    if (!standby && this.#lockWatch) {
      this.#lockWatch.abort();
      this.#lockWatch = undefined;
    }
    const info = standby ? seen?.record?.info : undefined;
    const watched = info?.podName && info.podUid && info.bootId !== me.info.bootId ? info : undefined;
    if (this.#podWatch && this.#podWatch.bootId !== watched?.bootId) {
      this.#podWatch.controller.abort();
      this.#podWatch = undefined;
    }
    if (watched && !this.#podWatch) this.#watchPod(watched);
  }

  #watchLock(): void {
    const controller = new AbortController();
    this.#lockWatch = controller;
    this.#repeat(controller.signal, async () => {
      for await (const event of this.#client.watch(this.#machine.seen?.version ?? '', controller.signal)) {
        if (event.type === 'BOOKMARK') continue;
        if (event.type === 'DELETED') this.#feed({ kind: 'observed', version: '', record: undefined });
        else this.#feed({ kind: 'observed', ...this.#noticedByWatch(event.object) });
        if (controller.signal.aborted) return REWATCH_MS;
      }
      return REWATCH_MS;
    });
  }

  #noticedByWatch(object: LockObject): { version: string; record: ReturnType<typeof decodeLock> } {
    const version = object.metadata.resourceVersion ?? '';
    this.#object = newer(this.#object, object);
    return { version, record: decodeLock(this.#options.lock.kind, object) };
  }

  #watchPod(info: HolderInfo): void {
    const controller = new AbortController();
    this.#podWatch = { bootId: info.bootId, controller };
    const key = { namespace: info.podNamespace ?? this.#options.lock.namespace, name: info.podName ?? '' };
    this.#repeat(controller.signal, async () => {
      const found = await this.#client.readPod(key, controller.signal);
      if (!found) return POD_RETRY_MS;
      const judge = (pod: HolderPod) => {
        if (provesDeath(pod, info)) this.#feed({ kind: 'holderDied', bootId: info.bootId });
      };
      judge(found);
      for await (const event of this.#client.watchPod(key, found.metadata.resourceVersion ?? '', controller.signal)) {
        if (event.type !== 'BOOKMARK') judge(event.object);
      }
      return REWATCH_MS;
    });
  }

  /** Runs until the signal aborts; `once` resolves to the pause before its next run. */
  #repeat(signal: AbortSignal, once: () => Promise<number>): void {
    const { clock, random } = this.#options;
    const loop = async () => {
      while (!signal.aborted && !this.#life.signal.aborted) {
        const pauseMs = await once().catch(() => REWATCH_MS);
        if (signal.aborted) return;
        await sleep(clock, jitter(random, pauseMs, 1), signal);
        // What the broken watch missed: a watch opened anew starts from here.
        await this.#refresh();
      }
    };
    loop().catch(() => {});
  }

  async #refresh(): Promise<void> {
    const answer = await this.#client.read().catch(() => undefined);
    if (answer?.kind === 'object') this.#feed({ kind: 'observed', ...this.#noticedByWatch(answer.object) });
    if (answer?.kind === 'absent') this.#feed({ kind: 'observed', version: '', record: undefined });
  }
}

function newer(a: LockObject | undefined, b: LockObject): LockObject {
  return a && compareRevisions(a.metadata.resourceVersion ?? '', b.metadata.resourceVersion ?? '') > 0 ? a : b;
}

