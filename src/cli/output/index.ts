/** Door: what commands print. */
export { Progress, type ProgressOutput, type ProgressStep, type StepState } from './progress.ts';
export { formatTable } from './table.ts';
