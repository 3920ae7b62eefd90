/**
 * One or more drills against one component: the probe workload is set up once, then each run strikes the
 * leader while the workload keeps changing, waits for the successor, mends what was broken and waits until
 * everything is as before. Nothing is slept through: every wait is for something that can be seen, with a limit.
 */
import { leases, pods } from '#api/builtin';
import { keyOf } from '#apimachinery/meta';
import { rfc3339, sleep } from '#base/clock';
import { errorText } from '#base/log';
import { TimeoutError } from '#base/async';
import { judge } from './judge.ts';
import { isReady, type MembershipNow, readMembership, restartsOf } from './membership.ts';
import type { Probe } from './probe.ts';
import { Recorder, type RecorderDeps } from './recorder.ts';
import type { DrillKind, DrillResult, DrillTarget, Leader, Observation, Saboteur } from './types.ts';

const LIMITS = {
  /** Until the probe workload is deployed for the first time. */
  prepareMs: 60_000,
  /** Until a write of a successor; with one replica on a lost node Kubernetes needs its grace periods first. */
  takeoverMs: 120_000,
  /** Until all replicas are back, after what was broken has been mended. */
  recoveryMs: 180_000,
  settleMs: 60_000,
  removeMs: 60_000,
  /** Guarded writes of the old leader before the strike, so that the gap has a beginning. */
  writesBefore: 6,
  pollMs: 5,
  slowPollMs: 100,
  sampleMs: 100,
  requestMs: 5_000,
  changesInFlight: 4,
};
/** After the takeover, and again after the mending: late writes of the old leader would be seen now. */
const AFTERMATH_MS: Readonly<Record<DrillKind, number>> = { graceful: 300, crash: 300, node: 500, cut: 1_500, hang: 1_500 };

export interface SessionOptions extends RecorderDeps {
  target: DrillTarget;
  saboteur: Saboteur;
  /** Absent: the component has no probe workload, its lease alone is watched. */
  probe: Probe | undefined;
  /** Between two changes of the probe workload. */
  intervalMs: number;
  /** Told what goes on, for a person who waits. */
  progress: (step: string) => void;
}

export class DrillSession {
  readonly #options: SessionOptions;
  readonly #recorder: Recorder;
  readonly #life = new AbortController();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#recorder = new Recorder(options.target, options);
  }

  /** Sets the probe workload up. Throws an `Error` that says what is missing. */
  async prepare(): Promise<void> {
    const { probe, progress } = this.#options;
    progress('preparing the probe workload');
    await probe?.create();
    await this.#recorder.start(probe?.scope, this.#life.signal);
    await this.#settle(LIMITS.prepareMs).then((left) => {
      if (left.length > 0) throw new Error(`the probe workload is not deployed after ${LIMITS.prepareMs / 1000} s: ${left[0]}; see 'fleet ha status'`);
    });
  }

  /** One drill. Throws when it cannot be carried out; what goes wrong in it is in the result. */
  async run(kind: DrillKind): Promise<DrillResult> {
    const { target, saboteur, progress, clock, probe } = this.#options;
    progress('waiting for all replicas');
    const before = await this.#healthy();
    const leader = before.leader as Leader;
    const struck = before.pods.find(({ metadata }) => metadata.uid === leader.podUid);
    this.#recorder.reset();
    const startedWall = rfc3339(clock.wallMs());
    const work = this.#startWork();
    try {
      await this.#until('guarded writes of the leader', LIMITS.settleMs, () => !probe || this.#recorder.writes.length >= LIMITS.writesBefore);
      progress(`${kind}: striking ${leader.podName} on ${leader.nodeName}, epoch ${leader.epoch}`);
      this.#recorder.mark(`${kind}: ${leader.podName}`);
      const strikeMs = clock.monotonicMs();
      await saboteur.strike(kind, leader);
      await this.#untilTakenOver(leader.epoch);
      progress('another replica has taken over');
      await sleep(clock, AFTERMATH_MS[kind]);
      this.#recorder.mark('mended');
      await saboteur.mend();
      await sleep(clock, AFTERMATH_MS[kind]);
      const availability = await work.stop();
      progress('waiting until all is as before');
      const leftovers = await this.#settle(LIMITS.settleMs);
      const after = await this.#recovered(kind, { leader, restarts: restartsOf(struck) });
      const { writes, leases: samples, marks, vanished } = this.#recorder;
      const seen: Observation = { kind, startedWall, oldEpoch: leader.epoch, strikeMs, endMs: clock.monotonicMs(), writes, leases: samples, marks, probed: probe !== undefined, before: plain(before), after: plain(after), availability, vanished, leftovers };
      return judge({ component: target.component.name, cluster: target.cluster }, seen);
    } finally {
      await work.stop();
      await saboteur.mend();
    }
  }

  /**
   * Replaces standbys that have been restarted, so that a kubelet's back-off for crashing containers does not
   * grow from run to run. For series of drills; a single drill leaves the pods as they are.
   */
  async freshen(): Promise<void> {
    const { target } = this.#options;
    const now = await this.#healthy();
    const worn = now.pods.filter((pod) => restartsOf(pod) > 0 && pod.metadata.uid !== now.leader?.podUid);
    for (const pod of worn) await target.client.delete(pods, keyOf(pod), { preconditions: { uid: pod.metadata.uid ?? '' } });
    if (worn.length > 0) await this.#healthy();
  }

  /** Removes the probe workload and ends all watches. */
  async close(): Promise<void> {
    const { probe, progress, clock } = this.#options;
    this.#recorder.expectDeletions = true;
    try {
      progress('removing the probe workload');
      const untilMs = clock.monotonicMs() + LIMITS.removeMs;
      while (probe && (await probe.remove()).length > 0 && clock.monotonicMs() < untilMs) await sleep(clock, LIMITS.slowPollMs);
    } finally {
      this.#life.abort(new Error('the drill is over'));
    }
  }

  /** Changes the probe workload and asks the API, over and over, until stopped. */
  #startWork(): { stop(): Promise<Observation['availability']> } {
    const { probe, clock, intervalMs, target } = this.#options;
    const end = new AbortController();
    const failures: string[] = [];
    let [requests, slowestMs, inFlight] = [0, 0, 0];
    const measured = async (what: string, work: Promise<unknown>) => {
      const startMs = clock.monotonicMs();
      requests++;
      inFlight++;
      await work.catch((error: unknown) => void failures.push(`${what}: ${errorText(error)}`));
      inFlight--;
      slowestMs = Math.max(slowestMs, clock.monotonicMs() - startMs);
    };
    const repeat = async (everyMs: number, once: () => void) => {
      for (;;) {
        once();
        await sleep(clock, everyMs, end.signal);
      }
    };
    const key = { namespace: target.namespace, name: target.lease };
    const loops = [
      repeat(intervalMs, () => void (probe && inFlight < LIMITS.changesInFlight && measured('a change of the probe workload', probe.change()))),
      repeat(LIMITS.sampleMs, () => void measured('the API server', target.client.get(leases, key, { timeoutMs: LIMITS.requestMs }))),
    ];
    return {
      stop: async () => {
        end.abort(new Error('enough'));
        await Promise.allSettled(loops);
        await this.#until('requests under way', LIMITS.requestMs * 2, () => inFlight === 0);
        return { requests, slowestMs, failures };
      },
    };
  }

  async #untilTakenOver(oldEpoch: number): Promise<void> {
    const { probe } = this.#options;
    const newer = () => (probe ? this.#recorder.writes.some(({ epoch }) => epoch > oldEpoch) : this.#recorder.leases.some(({ epoch, holder }) => epoch > oldEpoch && holder !== ''));
    // A takeover that never comes is a result, not an error.
    await this.#until('a successor', LIMITS.takeoverMs, newer).catch((error: unknown) => {
      if (!(error instanceof TimeoutError)) throw error;
    });
  }

  async #settle(limitMs: number): Promise<string[]> {
    const { probe, clock } = this.#options;
    const untilMs = clock.monotonicMs() + limitMs;
    let left = (await probe?.unsettled()) ?? [];
    while (left.length > 0 && clock.monotonicMs() < untilMs) {
      await sleep(clock, LIMITS.slowPollMs);
      left = (await probe?.unsettled()) ?? [];
    }
    return left;
  }

  async #healthy(): Promise<MembershipNow> {
    return this.#membership((now) => now.leaders.length === 1 && now.ready === now.wanted && now.terminating.length === 0 && now.pods.length === now.wanted);
  }

  /** Healthy, and what was struck has visibly been replaced or restarted: stale Ready conditions do not count. */
  #recovered(kind: DrillKind, { leader, restarts }: { leader: Leader; restarts: number }): Promise<MembershipNow> {
    const restarted = kind === 'crash' || kind === 'node';
    return this.#membership((now) => {
      const struck = now.pods.find(({ metadata }) => metadata.uid === leader.podUid);
      const back = !struck || (isReady(struck) && (!restarted || restartsOf(struck) > restarts));
      return back && now.leaders.length === 1 && now.ready === now.wanted && now.terminating.length === 0;
    }, LIMITS.recoveryMs);
  }

  /** The last one that was read when the condition is never met. */
  async #membership(met: (now: MembershipNow) => boolean, limitMs = LIMITS.settleMs): Promise<MembershipNow> {
    const { clock, target } = this.#options;
    const untilMs = clock.monotonicMs() + limitMs;
    let now = await readMembership(target);
    while (!met(now) && clock.monotonicMs() < untilMs) {
      await sleep(clock, LIMITS.slowPollMs);
      now = await readMembership(target);
    }
    if (!now.leader) throw new Error(`${target.component.name} in ${target.cluster}: nobody leads: see 'fleet ha status'`);
    return now;
  }

  async #until(what: string, limitMs: number, met: () => boolean): Promise<void> {
    const { clock } = this.#options;
    const untilMs = clock.monotonicMs() + limitMs;
    while (!met()) {
      if (clock.monotonicMs() > untilMs) throw new TimeoutError(`${what}: none after ${limitMs / 1000} s`);
      await sleep(clock, LIMITS.pollMs);
    }
  }
}

function plain({ wanted, ready, leaders }: MembershipNow): Observation['before'] {
  return { wanted, ready, leaders };
}
