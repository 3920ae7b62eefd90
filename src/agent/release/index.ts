/** Door: Helm releases in the cluster, brought to what is wanted and resumed where they were cut off. */
export { converge, type ReleaserOptions, type Wanted } from './releaser.ts';
export { compression } from './history.ts';
export { objectsOf } from './objects.ts';
export { DEFAULT_OPTIONS, OperationFailed, type ReleaseContent, type ReleaseOptions, type ReleaseResult } from './types.ts';
