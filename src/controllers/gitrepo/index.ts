/** Door: repositories become Bundles. */
export type { GitAccess } from './access.ts';
export { Poller } from './poller.ts';
export { BY_REPO, type GitRepoDependencies, GitRepoReconciler, type GitSource, repoKeyOf } from './reconciler.ts';
