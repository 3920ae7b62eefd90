/**
 * kustomize, in-process: objects in, objects out. Truth: kubectl 1.35 (kustomize 5.7).
 */
import type { KubeManifest, KustomizeFiles } from './types.ts';
import { KustomizeError } from './types.ts';

export { KustomizeError, type KubeManifest, type KustomizeFiles } from './types.ts';

/** Builds the kustomization in `dir` (relative to the root of `files`; `.` for the root itself). */
export function buildKustomization(_files: KustomizeFiles, dir: string): KubeManifest[] {
  throw new KustomizeError(`kustomize is not built in yet: ${dir}`);
}

/** Runs the kustomization in `dir` over objects a chart rendered, as if it listed them first as resources. */
export function postRender(_files: KustomizeFiles, dir: string, _input: readonly KubeManifest[]): KubeManifest[] {
  throw new KustomizeError(`kustomize is not built in yet: ${dir}`);
}
