import type { RolloutInput, RolloutPlan } from './types.ts';
export function planRollout(_input: RolloutInput): RolloutPlan {
  throw new Error('not built yet');
}
