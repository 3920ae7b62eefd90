/** Door: many statuses into one, level by level. */
export type { Report } from './types.ts';
export { deploymentDisplay, deploymentMessage, deploymentState, reportOf, worstState, type DeploymentParts } from './state.ts';
export { addCounts, addSummaries, isReady, modifiedText, nonReadyText, NON_READY_MAX, readyMessage, summarize, summaryState } from './summary.ts';
export { countResources, isWaiting, type Findings } from './counts.ts';
export { resourcesOf } from './resources.ts';
export { bundleStatus, clusterGroupStatus, clusterStatus, readyCondition, sourceStatus } from './statuses.ts';
