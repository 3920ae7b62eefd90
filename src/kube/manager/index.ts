/** Door of the manager room. */
export type { Manager } from './types.ts';
