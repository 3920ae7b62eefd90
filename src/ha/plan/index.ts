/** Door of the planner: what timings promise and cost. */
export { type FailureKind, type HaPlan, type Latency, planHa, type PlanInput, type Surroundings, SURROUNDINGS, type Takeover } from './plan.ts';
export { measureLatency } from './measure.ts';
export { formatHaPlan } from './format.ts';
