/** Door: how live objects differ from desired ones. */
export { findDrift, MODIFIED_MAX, type DriftInput } from './drift.ts';
export { differences } from './compare.ts';
export { normalize, type NormalizeOptions } from './normalize.ts';
