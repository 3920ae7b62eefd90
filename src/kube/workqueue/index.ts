/** Door of the work queue room. */
export { WorkQueue } from './workqueue.ts';
export type { QueueMetrics, WorkQueueOptions } from './workqueue.ts';
