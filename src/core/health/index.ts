/** Door: whether a live object is ready. */
export type * from './types.ts';
