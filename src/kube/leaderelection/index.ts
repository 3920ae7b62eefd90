/** Door of leader election. */
export { NotLeaderError } from './types.ts';
export type { ElectionState, ElectionStatus, Elector, Evidence, LeaderClient, Term } from './types.ts';
export { createTerm } from './guard.ts';
export type { ControlledTerm, TermOptions } from './guard.ts';
export { createSoleElector } from './sole.ts';
