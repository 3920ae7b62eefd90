/**
 * Helm charts, in-process: files and values in, manifests and hooks out, as plain data. Truth: helm 4.1.
 *
 * Pure: time, chance, cryptography, decompression and the cluster (`lookup`) are passed in. Absent: fetching
 * charts (source), applying and hooks' execution (agent/release).
 */
import type { HookEvent, RenderedHook } from './types.ts';

export { ChartError } from './error.ts';
export { loadChart, loadChartArchive, parseValues, CHART_LIMITS, type LoadOptions } from './load.ts';
export { coalesceValues, renderChart } from './render.ts';
export { mergeMaps } from './values.ts';
export { parseSet, type SetOptions } from './strvals.ts';
export { INSTALL_ORDER, sortByKind, splitManifests, UNINSTALL_ORDER } from './manifests.ts';
export { DEFAULT_API_VERSIONS, DEFAULT_KUBE_VERSION } from './capabilities.ts';
export { ARCHIVE_LIMITS } from './archive.ts';
export type * from './types.ts';

/** The hooks of one event in the order Helm runs them: weight, then name. */
export function hooksFor(hooks: readonly RenderedHook[], event: HookEvent): RenderedHook[] {
  const of = hooks.filter((hook) => hook.events.includes(event));
  return of.sort((a, b) => a.weight - b.weight || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
