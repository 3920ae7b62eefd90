/** Door: commits and files of git repositories, through the system's git. */
export * from './types.ts';
export { createGitClient } from './client.ts';
export { nodeGitFiles, nodeGitRunner } from './node.ts';
export { isCommit, parseRemote, refCandidates, type Remote } from './url.ts';
export { parseGitmodules, resolveModuleUrl } from './submodules.ts';
