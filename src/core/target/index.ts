/** Door: which clusters a Bundle goes to, and with which options. */
export type * from './types.ts';
export { matchTargets } from './match-targets.ts';
export { deploymentIDOf, mergeOptions, mergeValues } from './merge-options.ts';
export { matcherOf, matchesCriteria, type BundleMatcher, type MatchSubject } from './matcher.ts';
export { clusterGroupsOf, namespacesFor } from './scope.ts';
export { expandValues } from './expand-values.ts';
