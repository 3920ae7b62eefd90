/** Door: our own pods that stay Terminating on dead nodes. */
export { findStuckPods, type ForceDelete, nodeUnreachableMs, OVERDUE_MS, parseForceDelete, type StuckFacts, type StuckPod, type StuckPolicy } from './decide.ts';
export { lookForStuckPods, LOOK_INTERVAL_MS, removeStuckPod, type StuckPodsOptions, watchStuckPods } from './watch.ts';
