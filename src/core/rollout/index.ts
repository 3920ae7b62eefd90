/** Door: how far a rollout may go in one step. */
export type * from './types.ts';
export { planRollout } from './plan.ts';
export { limitOf } from './limits.ts';
export { deploymentKey, deploymentLabels } from './labels.ts';
