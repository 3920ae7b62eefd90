/**
 * Helm charts, in-process: files and values in, manifests and hooks out, as plain data. Truth: helm 4.1.
 */
import type { Chart, ChartFiles, RenderChartOptions, RenderedChart, RenderedHook, HookEvent, Values } from './types.ts';

export type * from './types.ts';

/** A chart that cannot be loaded or rendered; messages are Helm's where Helm has one. */
export class ChartError extends Error {
  override name = 'ChartError';
}

/** A chart from the files of its directory (paths relative to the chart root). Throws {@link ChartError}. */
export function loadChart(_files: ChartFiles): Chart {
  throw new ChartError('charts are not built in yet');
}

/** A chart from a .tgz; `gunzip` is passed in because decompression is the platform's. */
export function loadChartArchive(_bytes: Uint8Array, _gunzip: (bytes: Uint8Array) => Uint8Array): Chart {
  throw new ChartError('charts are not built in yet');
}

export function renderChart(_chart: Chart, _options: RenderChartOptions): RenderedChart {
  throw new ChartError('charts are not built in yet');
}

/** The user's values over the chart's and its subcharts', with null deletion and globals. */
export function coalesceValues(_chart: Chart, _values: Values): Values {
  throw new ChartError('charts are not built in yet');
}

/** The hooks of one event in the order Helm runs them: weight, then name. */
export function hooksFor(hooks: readonly RenderedHook[], event: HookEvent): RenderedHook[] {
  const of = hooks.filter((hook) => hook.events.includes(event));
  return of.sort((a, b) => a.weight - b.weight || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
