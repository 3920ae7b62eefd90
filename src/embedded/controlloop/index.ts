/** Door of the frame in which the cluster's own controllers run: loops, shared informers, facts about pods. */
export { ControlLoop, isNamespaceTerminating } from './loop.ts';
export type { ControlLoopOptions, LoopSource } from './loop.ts';
export { InformerPool } from './informers.ts';
export type { AnyIndexers, CreateInformer } from './informers.ts';
export { EventRecorder } from './events.ts';
export type { EventNote } from './events.ts';
export { Expectations } from './expectations.ts';
export { withCondition } from './conditions.ts';
export type { PlainCondition } from './conditions.ts';
export {
  activePods, finishedAtMs, isActive, isAvailable, isReady, isTerminated, isTerminating, maxRestarts, podCondition, readySinceMs, timeMs, untilAvailableMs,
} from './podfacts.ts';
export { isCordoned, matchesNode, matchesNodeSelector, matchesTerm, tolerates, untoleratedTaint } from './nodeselection.ts';
export type { ControlPlane } from './types.ts';
