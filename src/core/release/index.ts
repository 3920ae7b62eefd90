/** Door: the journaled Helm operation and the codec of its record. */
export type * from './types.ts';
