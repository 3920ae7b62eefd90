/** Door of leader election. */
export { NotLeaderError, OutrankedError } from './types.ts';
export type { ElectionState, ElectionStatus, Elector, Evidence, LeaderClient, Term } from './types.ts';
export { createTerm } from './guard.ts';
export type { ControlledTerm, TermOptions } from './guard.ts';
export { createElector } from './in-worker.ts';
export type { ElectorOptions } from './in-worker.ts';
export { createInThreadElector } from './in-thread.ts';
export type { InThreadElectorOptions } from './in-thread.ts';
export { createSoleElector } from './sole.ts';
export type { Transition } from './elector.ts';
export { transitionEvents } from './events.ts';
export type { LockAddress } from './driver.ts';
export type { Candidate, HolderInfo, LockRecord } from './record.ts';
export { decodeLock, DETAILS_ANNOTATION, encodeLock, LEADER_ANNOTATION, lockResource } from './lock.ts';
export type { LockKind, LockObject } from './lock.ts';
export {
  assertSafe,
  ATTEMPTS_MIN,
  DEFAULT_TIMINGS,
  profileTimings,
  RATE_ERROR,
  renewDeadlineMsMax,
  requestTimeoutMs,
  STOP_MS,
  timingsFromEnv,
  timingsProblem,
  WATCHDOG_MS,
} from './timings.ts';
export type { ChosenTimings, ProfileName, Timings } from './timings.ts';
export { createElection, step } from './election.ts';
export type { Answer, ElectionAction, ElectionEvent, ElectionMachine, Step } from './election.ts';
export { provesDeath } from './pod-evidence.ts';
export type { HolderPod } from './pod-evidence.ts';
