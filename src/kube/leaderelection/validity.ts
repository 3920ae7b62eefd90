/**
 * "Leader of epoch E until T", shared between the thread that renews and the thread that writes.
 *
 * T stands twice: in monotonic time, and in wall time. The monotonic clock of Linux stands still while a
 * machine sleeps, so a resumed machine would believe in its old lease; its wall clock does not. (A wall
 * clock set forward ends a term too early, which is safe; set back, it changes nothing.)
 */
import type { Clock } from '#base/clock';

export interface Validity {
  readonly epoch: number;
  /** By the clock's monotonic time. */
  readonly untilMs: number;
  readonly wallUntilMs: number;
}

export interface ValidityCell {
  publish(validity: Validity): void;
  read(): Validity;
}

/** Milliseconds until writes of this epoch must stop; ≤ 0 when they must not be made. */
export function remainingMs(validity: Validity, epoch: number, clock: Clock): number {
  if (validity.epoch !== epoch) return 0;
  return Math.min(validity.untilMs - clock.monotonicMs(), validity.wallUntilMs - clock.wallMs());
}

export const INVALID: Validity = { epoch: -1, untilMs: 0, wallUntilMs: 0 };

/** Within one thread. */
export function localCell(): ValidityCell {
  let current = INVALID;
  return {
    publish: (validity) => {
      current = validity;
    },
    read: () => current,
  };
}

// Slots of the shared array. Times are whole microseconds, rounded down.
const SEQUENCE = 0;
const EPOCH = 1;
const UNTIL = 2;
const WALL_UNTIL = 3;
const PROGRESS = 4;
const SLOTS = 5;

export function createSharedState(): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(SLOTS * BigInt64Array.BYTES_PER_ELEMENT);
  sharedCell(shared).publish(INVALID);
  return shared;
}

/**
 * Between threads. One writer; readers never see half of a write: the sequence is odd while one is under
 * way, and a reader that saw it odd or changed looks again.
 */
export function sharedCell(shared: SharedArrayBuffer): ValidityCell {
  const slots = new BigInt64Array(shared);
  return {
    publish({ epoch, untilMs, wallUntilMs }) {
      Atomics.add(slots, SEQUENCE, 1n);
      Atomics.store(slots, EPOCH, BigInt(epoch));
      Atomics.store(slots, UNTIL, BigInt(Math.floor(untilMs * 1000)));
      Atomics.store(slots, WALL_UNTIL, BigInt(Math.floor(wallUntilMs * 1000)));
      Atomics.add(slots, SEQUENCE, 1n);
    },
    read() {
      for (;;) {
        const before = Atomics.load(slots, SEQUENCE);
        const epoch = Number(Atomics.load(slots, EPOCH));
        const untilMs = Number(Atomics.load(slots, UNTIL)) / 1000;
        const wallUntilMs = Number(Atomics.load(slots, WALL_UNTIL)) / 1000;
        if (before % 2n === 0n && Atomics.load(slots, SEQUENCE) === before) return { epoch, untilMs, wallUntilMs };
      }
    },
  };
}

/** The main thread's side of the watchdog. */
export function bumpProgress(shared: SharedArrayBuffer): void {
  Atomics.add(new BigInt64Array(shared), PROGRESS, 1n);
}

export function readProgress(shared: SharedArrayBuffer): bigint {
  return Atomics.load(new BigInt64Array(shared), PROGRESS);
}
