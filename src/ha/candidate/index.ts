/** Door: a candidate for a lock as a command of its own (`fleet ha candidate`), without flags. */
export { runCandidate } from './candidate.ts';
export type { CandidateLine, CandidateOptions } from './candidate.ts';
