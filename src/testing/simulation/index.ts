/** Door of the simulations. */
export { simulateElection } from './election.ts';
export type { SimulationResult } from './election.ts';
export type { Bug } from './candidate.ts';
