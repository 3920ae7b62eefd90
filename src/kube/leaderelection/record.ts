/**
 * What a lock says, in the terms the state machine thinks in; lock.ts translates it to and from the wire.
 */
import type { Evidence } from './types.ts';

/** Where a holder runs, so that its death can be proven. All of it is the holder's own statement about itself. */
export interface HolderInfo {
  /** One per process start; two incarnations of the same identity differ in it. */
  bootId: string;
  /** Start of the process by the wall clock of its node, in milliseconds. */
  startedAtMs: number;
  podUid?: string;
  podName?: string;
  podNamespace?: string;
  container?: string;
  node?: string;
}

export interface LockRecord {
  /** Empty: released. */
  holder: string;
  /** How long the holder may be silent. */
  durationMs: number;
  /** `leaseTransitions`: the epoch. */
  transitions: number;
  /** Differs between any two renewals. */
  stamp: string;
  /** Absent for holders that are not ours (client-go) or whose statement does not belong to this record. */
  info?: HolderInfo;
  /** As last written, for people and tools. */
  acquireTime?: string;
  renewTime?: string;
  evidence?: Evidence;
  gapMs?: number;
}

/** What a candidate is: its name on the wire and what it states about itself. */
export interface Candidate {
  readonly identity: string;
  readonly info: HolderInfo;
}

/** Whether a record was written by this very process. */
export function isMine(record: LockRecord | undefined, me: Candidate): boolean {
  return record?.holder === me.identity && record.info?.bootId === me.info.bootId;
}

/** Containers of one name in one pod run one after another: an older boot of my own container is dead. */
export function isMyPredecessor(record: LockRecord, me: Candidate): boolean {
  const { info } = record;
  return info?.podUid !== undefined && info.podUid === me.info.podUid && info.container === me.info.container && info.bootId !== me.info.bootId;
}
