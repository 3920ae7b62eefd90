/** Door of leader election. */
export { NotLeaderError } from './types.ts';
export type { Evidence, LeaderClient, Term } from './types.ts';
