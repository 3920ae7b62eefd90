/**
 * One process of ours in the imagined world: the real state machine, a model of its driver and of the main
 * thread that writes through the guard. It is paused, cut off, crashed and restarted from outside.
 */
import type { Random } from '#base/random';
import { createElection, encodeLock, requestTimeoutMs, step, type ElectionAction, type ElectionEvent, type ElectionMachine, type HolderInfo, type LockObject, type LockRecord, type Timings } from '#kube/leaderelection';
import type { Guarded, LockAnswer, Weather, WriteAnswer, World, Writer } from './world.ts';

/** Bugs that can be planted to see whether the simulation catches them. */
export type Bug = 'no-guard' | 'deadline-from-response' | 'epoch-not-bumped' | 'barrier-skipped';

export interface CandidateOptions {
  name: string;
  timings: Timings;
  /** Local milliseconds per true millisecond. */
  rate: number;
  weather: Weather;
  info: HolderInfo;
  bug: Bug | undefined;
  boots: Random;
}

type Sent = Extract<ElectionAction, { kind: 'write' }>;
type Encoded = ReturnType<typeof encodeLock>;

const WRITE_INTERVAL_MS = 200;

export class SimCandidate implements Writer {
  readonly name: string;
  readonly #world: World;
  readonly #options: CandidateOptions;
  #machine: ElectionMachine;
  #info: HolderInfo;
  /** Callbacks of a former life are ignored. */
  #life = 0;
  alive = true;
  #pausedUntilMs = 0;
  #mainPausedUntilMs = 0;
  cutUntilMs = 0;
  #wakeToken = 0;
  #until: { epoch: number; localMs: number } | undefined;
  #object: LockObject | undefined;
  #written: Encoded['written'] | undefined;
  #deafUntilMs = 0;
  // The main thread.
  #term: { epoch: number; number: number; winVersion: number; base: number | undefined; inFlight: number } | undefined;
  #cache = 1;
  #closing = false;

  constructor(world: World, options: CandidateOptions) {
    this.name = options.name;
    this.#world = world;
    this.#options = options;
    this.#info = options.info;
    this.#machine = this.#boot();
    world.writers.push(this);
    world.onLock((version, record) => this.#lockChanged(version, record));
    world.onObject((version) => this.#later(options.weather.latencyMs(), () => void (this.#cache = Math.max(this.#cache, this.#cut() ? 0 : version))));
  }

  get localMs(): number {
    return this.#world.nowMs * this.#options.rate;
  }

  get info(): HolderInfo {
    return this.#info;
  }

  get leading(): boolean {
    return this.alive && this.openEpoch() !== undefined;
  }

  get knowsLock(): boolean {
    return this.alive && (this.#machine.seen?.version ?? '') !== '';
  }

  openEpoch(): number | undefined {
    if (!this.alive || !this.#until || this.#closing) return undefined;
    return this.localMs < this.#until.localMs ? this.#until.epoch : undefined;
  }

  start(): void {
    this.#feed({ kind: 'campaign' });
    this.#keepWriting(this.#life);
  }

  // ---- what happens to it

  pause(ms: number): void {
    this.#world.note(this.name, `paused for ${ms.toFixed(0)} ms`);
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#world.nowMs + ms);
  }

  /** The main thread hangs; the elector goes on, and stops vouching after the watchdog's time. */
  hang(ms: number): void {
    const { timings } = this.#options;
    this.#world.note(this.name, `main thread hangs for ${ms.toFixed(0)} ms`);
    this.#mainPausedUntilMs = Math.max(this.#mainPausedUntilMs, this.#world.nowMs + ms);
    if (ms > timings.watchdogMs) this.#later(timings.watchdogMs, () => this.#feed({ kind: 'progress', ok: false }));
    this.#later(ms + 1, () => this.#feed({ kind: 'progress', ok: true }));
  }

  cut(ms: number): void {
    this.#world.note(this.name, `cut off for ${ms.toFixed(0)} ms`);
    this.cutUntilMs = this.#world.nowMs + ms;
  }

  crash(): void {
    this.#world.note(this.name, 'crashed');
    this.alive = false;
    this.#life++;
    this.#until = undefined;
    this.#term = undefined;
  }

  /** In the same pod when `samePod`, else as a new pod. */
  restart(samePod: boolean, wallMs: number): void {
    const boot = `${this.name}-${Math.floor(this.#options.boots.next() * 1e9)}`;
    this.#info = { ...this.#info, bootId: boot, startedAtMs: wallMs, ...(samePod ? {} : { podUid: `pod-${boot}` }) };
    this.#world.note(this.name, samePod ? 'restarted in its pod' : 'replaced by a new pod');
    this.#machine = this.#boot();
    this.#object = undefined;
    this.#written = undefined;
    this.#closing = false;
    this.#pausedUntilMs = 0;
    this.#mainPausedUntilMs = 0;
    this.#cache = this.#world.guarded.version;
    this.alive = true;
    this.start();
  }

  /** An orderly end of the term: writes stop, those in flight settle, then the lock is released. */
  resign(): void {
    if (!this.#term || this.#closing) return;
    this.#world.note(this.name, 'resigns');
    this.#closing = true;
    const { epoch, inFlight } = this.#term;
    this.#later(inFlight > 0 ? 500 : 0, () => this.#release(epoch));
  }

  /** The holder's kubelet has reported this incarnation's end. */
  tellDeath(bootId: string): void {
    this.#later(0, () => this.#feed({ kind: 'holderDied', bootId }));
  }

  // ---- the driver

  #boot(): ElectionMachine {
    return createElection({ identity: this.name, info: this.#info }, this.#options.timings);
  }

  /** A call to the server; an answer to a former life reaches nobody. */
  #call<A>(serve: () => A, answer: (result: A) => void, main = false): void {
    const life = this.#life;
    this.#world.call(this.#weather(), serve, (result) => {
      if (life === this.#life) this.#later(0, () => answer(result), main);
    });
  }

  /** Runs in this life only, and not while paused. */
  #later(delayMs: number, run: () => void, main = false): void {
    const life = this.#life;
    const { scheduler } = this.#world;
    const attempt = () => {
      if (life !== this.#life) return;
      const untilMs = main ? Math.max(this.#pausedUntilMs, this.#mainPausedUntilMs) : this.#pausedUntilMs;
      if (this.#world.nowMs < untilMs) scheduler.at(untilMs, attempt);
      else run();
    };
    scheduler.after(delayMs, attempt);
  }

  #feed(event: ElectionEvent): void {
    const { state, actions, wakeAtMs } = step(this.#machine, event, this.localMs);
    this.#machine = state;
    const token = ++this.#wakeToken;
    if (Number.isFinite(wakeAtMs)) {
      this.#later(Math.max(0, (wakeAtMs - this.localMs) / this.#options.rate) + this.#world.between(0, 2), () => {
        if (token === this.#wakeToken) this.#feed({ kind: 'tick' });
      });
    }
    for (const action of actions) this.#perform(action);
  }

  #perform(action: ElectionAction): void {
    const world = this.#world;
    switch (action.kind) {
      case 'read':
        return this.#request(action.id, () => world.readLock());
      case 'write':
        return this.#write(action);
      case 'lead':
        this.#publish(action.epoch, action.untilMs);
        return this.#begin(action.epoch, world.termBegan(this.name, action.epoch));
      case 'extend':
        this.#publish(action.epoch, action.untilMs);
        return world.checkSingle(this.name);
      case 'lost':
      case 'released':
        world.note(this.name, action.kind === 'lost' ? `lost: ${action.reason}` : 'released');
        this.#until = undefined;
        return this.#later(1, () => this.#ended(action.epoch), true);
      default:
        return;
    }
  }

  #publish(epoch: number, untilMs: number): void {
    const { bug, timings } = this.#options;
    if (bug === 'deadline-from-response') {
      const { phase } = this.#machine;
      if (phase.kind === 'leading') this.#machine = { ...this.#machine, phase: { ...phase, sentMs: this.localMs } };
      this.#until = { epoch, localMs: this.localMs + timings.renewDeadlineMs };
    } else {
      this.#until = { epoch, localMs: untilMs };
    }
  }

  #write({ id, version, record, purpose }: Sent): void {
    const world = this.#world;
    const transitions = this.#options.bug === 'epoch-not-bumped' && purpose === 'acquire' ? Math.max(0, record.transitions - 1) : record.transitions;
    const base = version === '' ? { metadata: { name: 'lock' } } : this.#object;
    if (!base || (version !== '' && base.metadata.resourceVersion !== version)) return this.#later(0, () => this.#feed({ kind: 'answer', id, answer: { kind: 'conflict' } }));
    const { object, written } = encodeLock(world.kind, base, { record: { ...record, transitions }, wallMs: world.nowMs, previous: this.#written });
    this.#written = written;
    this.#request(id, () => world.writeLock(version, object));
  }

  #request(id: number, serve: () => LockAnswer): void {
    const world = this.#world;
    let settled = false;
    const settle = (answer: LockAnswer | { kind: 'failed'; reason: string }) => {
      if (answer.kind === 'ok') this.#remember(answer.version);
      if (settled && !world.chance(0.5)) return;
      settled = true;
      this.#feed({ kind: 'answer', id, answer });
    };
    this.#later(requestTimeoutMs(this.#options.timings) / this.#options.rate, () => {
      if (!settled) settle({ kind: 'failed', reason: 'timeout' });
    });
    this.#call(serve, settle);
  }

  #remember(version: string): void {
    const { lock } = this.#world;
    // The simulation keeps no old objects: what is not current any more fails its compare-and-swap anyway.
    if (lock?.metadata.resourceVersion === version) this.#object = lock;
  }

  #weather(): Weather {
    const { weather } = this.#options;
    return { latencyMs: () => weather.latencyMs(), lost: () => this.#cut() || weather.lost() };
  }

  #cut(): boolean {
    return this.#world.nowMs < this.cutUntilMs;
  }

  /** The watch: deaf while cut off and for a moment after; then it is opened again and tells the present. */
  #lockChanged(version: string, record: LockRecord | undefined): void {
    const world = this.#world;
    if (!this.alive || world.nowMs < this.#deafUntilMs) return;
    if (this.#cut() || world.chance(0.005)) {
      this.#deafUntilMs = Math.max(this.cutUntilMs, world.nowMs) + world.between(250, 900);
      return this.#later(this.#deafUntilMs - world.nowMs, () => this.#resync());
    }
    this.#later(this.#options.weather.latencyMs(), () => {
      this.#remember(version);
      this.#feed({ kind: 'observed', version, record });
    });
  }

  #resync(): void {
    this.#call(
      () => this.#world.readLock(),
      (answer) => {
        if (answer.kind === 'ok') this.#remember(answer.version);
        if (answer.kind !== 'conflict') this.#feed({ kind: 'observed', version: answer.kind === 'ok' ? answer.version : '', record: answer.kind === 'ok' ? answer.record : undefined });
      },
    );
  }

  // ---- the main thread

  #begin(epoch: number, number: number): void {
    const winVersion = this.#world.guarded.version;
    this.#later(0.5, () => {
      this.#term = { epoch, number, winVersion, base: undefined, inFlight: 0 };
      this.#closing = false;
      if (this.#options.bug === 'barrier-skipped') this.#fresh({ ...this.#world.guarded, version: this.#cache }, epoch);
      else this.#barrier(epoch);
    }, true);
  }

  #barrier(epoch: number): void {
    if (this.#term?.epoch !== epoch) return;
    this.#call(() => this.#world.guarded, (object) => this.#fresh(object, epoch), true);
    this.#later(1_000, () => {
      if (this.#term?.base === undefined) this.#barrier(epoch);
    }, true);
  }

  #fresh(object: Guarded, epoch: number): void {
    const term = this.#term;
    if (!term || term.epoch !== epoch) return;
    this.#cache = Math.max(this.#cache, object.version);
    if (object.epoch > epoch) {
      this.#feed({ kind: 'outranked', epoch: object.epoch });
      return this.resign();
    }
    term.base = this.#cache;
  }

  #keepWriting(life: number): void {
    if (life !== this.#life) return;
    this.#later(WRITE_INTERVAL_MS, () => {
      this.#tryWrite();
      this.#keepWriting(life);
    }, true);
  }

  #tryWrite(): void {
    const term = this.#term;
    if (!term || term.base === undefined || this.#closing) return;
    // The guard: the one look at the clock before the bytes leave.
    if (this.#options.bug !== 'no-guard' && this.openEpoch() !== term.epoch) return;
    const world = this.#world;
    world.writeSent(this.name, term.number);
    if (term.base < term.winVersion) world.fail(this.name, `writes from a cache of version ${term.base}, the object had ${term.winVersion} when the term was won`);
    const { base, epoch, number } = term;
    term.inFlight++;
    this.#call(() => world.writeGuarded(base, { epoch, term: number, writer: this.name }), (answer: WriteAnswer) => this.#wrote(answer, epoch), true);
  }

  #wrote({ object }: WriteAnswer, epoch: number): void {
    const term = this.#term;
    if (!term || term.epoch !== epoch) return;
    term.inFlight = Math.max(0, term.inFlight - 1);
    this.#fresh(object, epoch);
  }

  /** As the elector on the main thread does: only if that very term still holds. */
  #release(epoch: number): void {
    if (this.#term?.epoch !== epoch) return;
    const clean = (this.#term?.inFlight ?? 0) === 0;
    this.#feed({ kind: 'resign', release: clean, holdUntilMs: this.localMs + this.#options.timings.retryPeriodMs, stop: false });
  }

  #ended(epoch: number): void {
    if (this.#term && this.#term.epoch === epoch) this.#term = undefined;
    this.#closing = false;
    this.#later(this.#world.between(1, 50), () => this.#feed({ kind: 'campaign' }));
  }
}
