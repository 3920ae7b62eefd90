/** Door: whether a live object is ready. */
export type * from './types.ts';
export { assess, isObject, type IgnoredCondition } from './assess.ts';
