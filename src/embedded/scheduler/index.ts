/** Door of the scheduler: pods without a node get one. */
export { SchedulerController } from './scheduler.ts';
export { placePod } from './place.ts';
export type { Placement, Snapshot } from './place.ts';
