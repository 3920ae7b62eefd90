/**
 * kustomize, in-process: files in, objects out. Truth: kubectl 1.35 (kustomize 5.7).
 *
 * Absent: remote resources, plugins, Helm inflation, custom configurations: an error names field and file.
 */
export { buildKustomization, KUSTOMIZE_LIMITS, postRender } from './build.ts';
export { type BuildOrder, KustomizeError, type KubeManifest, type KustomizeFiles } from './types.ts';
