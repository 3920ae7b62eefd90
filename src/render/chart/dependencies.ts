/**
 * Which subcharts take part: dependencies of Chart.yaml with versions, aliases, tags and conditions, then
 * the values they hand up (`import-values`). Works on copies; a loaded chart never changes.
 */
import { deepCopyGo, FunctionError, isMap, parseConstraint, parseVersion, satisfies, setKey } from '#render/gotemplate';
import type { Chart, ChartDependency, ChartMetadata, Values } from './types.ts';
import { coalesce, coalesceTables, leafAt, mergeValues, tableAt, type Warn } from './values.ts';

/** A chart as one render uses it: its name may be an alias, its subcharts are those enabled. */
export interface ActiveChart {
  metadata: ChartMetadata;
  values: Values;
  chart: Chart;
  dependencies: ActiveChart[];
}

export function activate(chart: Chart): ActiveChart {
  return { metadata: cloneMetadata(chart.metadata), values: chart.values, chart, dependencies: chart.subcharts.map(activate) };
}

function cloneMetadata(metadata: ChartMetadata): ChartMetadata {
  return metadata.dependencies ? { ...metadata, dependencies: metadata.dependencies.map((dependency) => ({ ...dependency })) } : { ...metadata };
}

/** Applies conditions, tags, aliases and import-values below `root`. */
export function processDependencies(root: ActiveChart, values: Values, warn: Warn): void {
  enable({ chart: root, values, path: '', warn });
  importValues(root, warn);
}

/** Names Chart.yaml lists but `charts/` lacks. */
export function missingDependencies(chart: Chart): string[] {
  const present = new Set(chart.subcharts.map((subchart) => subchart.metadata.name));
  return (chart.metadata.dependencies ?? []).filter(({ name }) => !present.has(name)).map(({ name }) => name);
}

/** Masterminds' constraint check; what cannot be parsed does not match. */
export function compatible(constraint: string, version: string): boolean {
  const parsed = parseVersion(version);
  if (!parsed) return false;
  try {
    return satisfies(parsed, parseConstraint(constraint));
  } catch (error) {
    if (error instanceof FunctionError) return false;
    throw error;
  }
}

interface EnableStep {
  chart: ActiveChart;
  values: Values;
  /** Dotted path of this chart's values, with a final dot. */
  path: string;
  warn: Warn;
}

function enable({ chart, values, path, warn }: EnableStep): void {
  const listed = chart.metadata.dependencies;
  if (!listed) return;
  chart.dependencies = resolveListed(chart.dependencies, listed);
  for (const dependency of listed) {
    if (dependency.alias) dependency.name = dependency.alias;
    dependency.enabled = true;
  }
  const known = coalesce(chart, values, warn);
  for (const dependency of listed) {
    applyTags(dependency, known);
    applyConditions(dependency, known, path);
  }
  const disabled = new Set(listed.filter(({ enabled }) => !enabled).map(({ name }) => name));
  chart.dependencies = chart.dependencies.filter(({ metadata }) => !disabled.has(metadata.name));
  chart.metadata.dependencies = listed.filter(({ name }) => !disabled.has(name));
  for (const subchart of chart.dependencies) enable({ chart: subchart, values: known, path: `${path}${subchart.metadata.name}.`, warn });
}

/** Charts nobody lists stay; listed ones appear once per entry, under their alias. */
function resolveListed(present: readonly ActiveChart[], listed: readonly ChartDependency[]): ActiveChart[] {
  const matches = (chart: ActiveChart, entry: ChartDependency) => chart.metadata.name === entry.name && compatible(entry.version ?? '', chart.metadata.version);
  const unlisted = present.filter((chart) => !listed.some((entry) => matches(chart, entry)));
  const resolved = listed.flatMap((entry) => {
    const found = present.find((chart) => matches(chart, entry));
    if (!found) return [];
    const copy = activate(found.chart);
    if (entry.alias) copy.metadata.name = entry.alias;
    return [copy];
  });
  return [...unlisted, ...resolved];
}

function applyTags(dependency: ChartDependency, values: Values): void {
  const tags = tableAt(values, 'tags');
  if (!tags) return;
  const set = (dependency.tags ?? []).map((tag) => tags[tag]).filter((value) => typeof value === 'boolean');
  if (set.includes(true)) dependency.enabled = true;
  else if (set.includes(false)) dependency.enabled = false;
}

/** The first path that leads to a boolean decides. */
function applyConditions(dependency: ChartDependency, values: Values, path: string): void {
  for (const condition of (dependency.condition ?? '').trim().split(',')) {
    if (condition === '') continue;
    const value = leafAt(values, path + condition);
    if (typeof value === 'boolean') {
      dependency.enabled = value;
      return;
    }
  }
}

function importValues(chart: ActiveChart, warn: Warn): void {
  for (const subchart of chart.dependencies) importValues(subchart, warn);
  if (!chart.metadata.dependencies) return;
  const known = mergeValues(chart, {}, warn);
  let imported: Values = {};
  for (const dependency of chart.metadata.dependencies) {
    for (const entry of dependency['import-values'] ?? []) {
      const { child, parent } = importPaths(entry);
      const table = child === undefined ? undefined : tableAt(known, `${dependency.name}.${child}`);
      if (!table) {
        warn(`ImportValues missing table from chart ${dependency.name}: ${String(child)}`);
        continue;
      }
      imported = coalesceTables({ target: imported, source: deepCopyGo(atPath(parent, table)), prefix: '', warn, merge: true });
    }
    dependency['import-values'] = (dependency['import-values'] ?? []).map(importPaths);
  }
  chart.values = coalesceTables({ target: deepCopyGo(known), source: imported, prefix: '', warn, merge: true });
}

function importPaths(entry: unknown): { child: string | undefined; parent: string } {
  if (typeof entry === 'string') return { child: `exports.${entry}`, parent: '.' };
  if (isMap(entry)) return { child: String(entry['child']), parent: String(entry['parent']) };
  return { child: undefined, parent: '.' };
}

/** `{a: {b: table}}` for `a.b`; the table itself for `.`. */
function atPath(path: string, table: Values): Values {
  if (path === '.') return { ...table };
  return path.split('.').reduceRight<Values>((inner, key) => {
    const outer: Values = {};
    setKey(outer, key, inner);
    return outer;
  }, table);
}
