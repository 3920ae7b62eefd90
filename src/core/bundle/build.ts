import type { BuildOptions, BuildResult, BundleTools, ChartReference, SourceTree } from './types.ts';

export function requiredCharts(_tree: SourceTree, _options: BuildOptions, _tools: BundleTools): ChartReference[] {
  throw new Error('not built yet');
}
export function buildBundles(_tree: SourceTree, _options: BuildOptions, _tools: BundleTools): BuildResult {
  throw new Error('not built yet');
}
