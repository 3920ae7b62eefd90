/**
 * A chart and values to manifests: the order of Helm's install action without a cluster. Dependencies,
 * capabilities, values, schema, templates, notes, sorting; each step lives in its own file.
 */
import { Engine, helmFunctions, ParseCache, sprigFunctions, TemplateParseError, TemplateExecError, decodeUtf8, int, typed, isMap, type GoMap } from '#render/gotemplate';
import { parseDocuments } from '#render/rawyaml';
import { Capabilities } from './capabilities.ts';
import { activate, compatible, missingDependencies, processDependencies, type ActiveChart } from './dependencies.ts';
import { ChartError } from './error.ts';
import { helmMessage } from './error-text.ts';
import { filesForTemplates, helmMethods } from './files.ts';
import { sortManifests } from './manifests.ts';
import { chartForTemplates } from './metadata.ts';
import { checkSchemas } from './schema-check.ts';
import type { Chart, RenderChartOptions, RenderedChart, RenderedCrd, Values } from './types.ts';
import { coalesce } from './values.ts';

/** Parsed templates stay with the chart they came from, so that a second render of it is warm. */
const caches = new WeakMap<Chart, ParseCache>();

/** Throws {@link ChartError}; messages of templates are Go's. */
export function renderChart(chart: Chart, options: RenderChartOptions): RenderedChart {
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  checkInstallable(chart);
  const root = activate(chart);
  const given = options.values ?? {};
  processDependencies(root, given, warn);
  const capabilities = new Capabilities(options.capabilities ?? {});
  const required = chart.metadata.kubeVersion;
  if (required && !compatible(required, capabilities.kubeVersion.normalized)) {
    throw new ChartError(`chart requires kubeVersion: ${required} which is incompatible with Kubernetes ${capabilities.kubeVersion.version}`);
  }
  const values = typed(coalesce(root, given, warn), 'common.Values');
  if (!options.skipSchemaValidation) checkSchemas(root, values);
  const files = renderTemplates({ root, values, capabilities, options });
  const notes = takeNotes(root, files);
  const { manifests, hooks } = sortManifests(files);
  return { manifests, hooks, notes, crds: crdsOf(root, root.metadata.name), values, warnings };
}

function checkInstallable(chart: Chart): void {
  if (chart.metadata.type === 'library') throw new ChartError('library charts are not installable');
  const missing = missingDependencies(chart);
  if (missing.length > 0) {
    throw new ChartError(
      `an error occurred while checking for chart dependencies. You may need to run \`helm dependency build\` to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: ${missing.join(', ')}`,
    );
  }
}

/** The values templates of a chart would see. */
export function coalesceValues(chart: Chart, values: Values): Values {
  const root = activate(chart);
  processDependencies(root, values, () => undefined);
  return coalesce(root, values, () => undefined);
}

interface TemplateRun {
  root: ActiveChart;
  values: Values;
  capabilities: Capabilities;
  options: RenderChartOptions;
}

interface Renderable {
  text: string;
  scope: GoMap;
  basePath: string;
}

function renderTemplates({ root, values, capabilities, options }: TemplateRun): Map<string, string> {
  const templates = new Map<string, Renderable>();
  const { release } = options;
  collect({
    chart: root,
    path: root.metadata.name,
    isRoot: true,
    templates,
    scope: {
      Release: {
        Name: release.name,
        Namespace: release.namespace ?? 'default',
        Revision: int(release.revision ?? 1),
        IsInstall: release.isInstall ?? !release.isUpgrade,
        IsUpgrade: release.isUpgrade ?? false,
        Service: release.service ?? 'Helm',
      },
      Capabilities: capabilities,
      Values: values,
    },
  });
  return runTemplates(engineFor(root.chart, options), templates);
}

function engineFor(chart: Chart, options: RenderChartOptions): Engine {
  const cache = caches.get(chart) ?? new ParseCache();
  caches.set(chart, cache);
  const { random, nowMs, crypto, lookup } = options;
  return new Engine({
    functions: { ...sprigFunctions({ random, nowMs, crypto }), ...helmFunctions({ lookup: lookup ?? (() => ({})) }) },
    methods: helmMethods,
    missingKey: 'zero',
    ...(options.limits ? { limits: options.limits } : {}),
    cache,
    helm: true,
  });
}

interface Collecting {
  chart: ActiveChart;
  path: string;
  isRoot: boolean;
  scope: GoMap;
  templates: Map<string, Renderable>;
}

/** Every template of the tree with the scope it runs in; returns the chart's own scope for its parent. */
function collect({ chart, path, isRoot, scope, templates }: Collecting): GoMap {
  const subcharts: GoMap = {};
  const parentValues = scope['Values'] as Values;
  const own = isRoot ? parentValues : parentValues[chart.metadata.name];
  const next: GoMap = typed(
    {
      Chart: chartForTemplates(chart.metadata, isRoot),
      Files: filesForTemplates(chart.chart.files),
      Release: scope['Release'],
      Capabilities: scope['Capabilities'],
      Values: isMap(own) ? own : typed({}, 'common.Values'),
      Subcharts: subcharts,
    },
    'common.Values',
  );
  for (const child of chart.dependencies) {
    subcharts[child.metadata.name] = collect({ chart: child, path: `${path}/charts/${child.metadata.name}`, isRoot: false, scope: next, templates });
  }
  const isLibrary = chart.metadata.type === 'library';
  for (const [name, data] of chart.chart.templates) {
    if (isLibrary && !name.slice(name.lastIndexOf('/') + 1).startsWith('_')) continue;
    templates.set(`${path}/${name}`, { text: decodeUtf8(data), scope: next, basePath: `${path}/templates` });
  }
  return next;
}

/** Deepest paths first, so that a parent's definitions override those of its subcharts. */
function parseOrder(a: string, b: string): number {
  const depth = b.split('/').length - a.split('/').length;
  return depth !== 0 ? depth : a < b ? 1 : a > b ? -1 : 0;
}

function runTemplates(engine: Engine, templates: ReadonlyMap<string, Renderable>): Map<string, string> {
  const names = [...templates.keys()].sort(parseOrder);
  const files = new Map<string, string>();
  try {
    for (const name of names) engine.parse(name, (templates.get(name) as Renderable).text);
    for (const name of names) {
      if (name.slice(name.lastIndexOf('/') + 1).startsWith('_')) continue;
      const { scope, basePath } = templates.get(name) as Renderable;
      scope['Template'] = typed({ Name: name, BasePath: basePath }, 'common.Values');
      files.set(name, engine.execute(name, scope).replaceAll('<no value>', ''));
    }
  } catch (error) {
    if (error instanceof TemplateParseError) throw new ChartError(`parse error at (${error.template}:${error.line}): ${error.message.replace(/^template: .*?:\d+: /, '')}`, { cause: error });
    if (error instanceof TemplateExecError) throw new ChartError(helmMessage(error), { cause: error });
    throw error;
  }
  return files;
}

/** Takes NOTES.txt of every chart out of the files; the root's is the result. */
function takeNotes(root: ActiveChart, files: Map<string, string>): string {
  const own = files.get(`${root.metadata.name}/templates/NOTES.txt`) ?? '';
  for (const path of [...files.keys()]) if (path.endsWith('NOTES.txt')) files.delete(path);
  return own;
}

function crdsOf(chart: ActiveChart, path: string): RenderedCrd[] {
  const own = [...chart.chart.files]
    .filter(([name]) => name.startsWith('crds/') && /\.(?:yaml|yml|json)$/i.test(name))
    .map(([name, data]) => {
      const text = decodeUtf8(data);
      return { source: `${path}/${name}`, text, objects: parseDocuments(text, { file: `${path}/${name}` }).map(({ value }) => value as Record<string, unknown>) };
    });
  return [...own, ...chart.dependencies.flatMap((child) => crdsOf(child, `${path}/charts/${child.metadata.name}`))];
}
