/** Door of drills: break the leader on purpose and see whether the promise is kept. */
export { COMPONENTS, componentNamed, type ComponentFacts, type ComponentName } from '../components.ts';
export { judge, OBSERVATION_ERROR_MS, staleWrites } from './judge.ts';
export { BundleProbe, DRILL_LABEL, type Probe } from './probe.ts';
export { readMembership, type MembershipNow } from './membership.ts';
export { DrillSession, type SessionOptions } from './session.ts';
export { DRILL_KINDS, type Check, type DrillKind, type DrillResult, type DrillTarget, type GuardedWrite, type Leader, type LeaseSample, type Observation, type Saboteur } from './types.ts';
