/** Files to a chart in memory: which file is what, subcharts in folders and archives, values and metadata. */
import { isRecord } from '#base/json';
import { decodeUtf8 } from '#render/gotemplate';
import { GoYamlError, parseDocuments, parseYaml } from '#render/rawyaml';
import { chartFilesOf } from './archive.ts';
import { ChartError } from './error.ts';
import { keptFiles, walkOrder } from './ignore.ts';
import { checkMetadata, dependenciesOf, parseMetadata } from './metadata.ts';
import type { Chart, ChartFiles, ChartMetadata, Values } from './types.ts';
import { mergeMaps } from './values.ts';

export const CHART_LIMITS = {
  /** Charts inside charts inside charts. */
  depthMax: 30,
};

export interface LoadOptions {
  /** Decompresses a subchart's .tgz; without it such a subchart is an error. */
  gunzip?: (bytes: Uint8Array) => Uint8Array;
}

/** A chart from the files of its directory (paths relative to it). `.helmignore` applies. Throws {@link ChartError}. */
export function loadChart(files: ChartFiles, options: LoadOptions = {}): Chart {
  const ignore = files.get('.helmignore');
  const kept = keptFiles([...files.keys()], ignore && decodeUtf8(ignore));
  return assemble(new Map(kept.map((path) => [path, withoutBom(files.get(path) as Uint8Array)])), options, 0);
}

/** A chart from a .tgz; `gunzip` is passed in because decompression is the platform's. Throws {@link ChartError}. */
export function loadChartArchive(bytes: Uint8Array, gunzip: (bytes: Uint8Array) => Uint8Array): Chart {
  return assemble(chartFilesOf(bytes, gunzip), { gunzip }, 0);
}

function withoutBom(data: Uint8Array): Uint8Array {
  return data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf ? data.subarray(3) : data;
}

function assemble(files: ChartFiles, options: LoadOptions, depth: number): Chart {
  if (depth > CHART_LIMITS.depthMax) throw new ChartError(`charts nest deeper than ${CHART_LIMITS.depthMax}`);
  const chartYaml = files.get('Chart.yaml');
  if (!chartYaml) throw new ChartError('Chart.yaml file is missing');
  const metadata = parseMetadata(decodeUtf8(chartYaml));
  addRequirements(metadata, files);
  checkMetadata(metadata);
  const values = files.get('values.yaml');
  const schema = files.get('values.schema.json');
  return {
    metadata,
    templates: filter(files, (path) => path.startsWith('templates/')),
    values: values ? parseValues(decodeUtf8(values), `${metadata.name}/values.yaml`) : {},
    schema: schema && decodeUtf8(schema),
    files: filter(files, (path) => isPlainFile(path, metadata)),
    subcharts: subchartsOf(files, options, depth),
  };
}

function filter(files: ChartFiles, keep: (path: string) => boolean): ChartFiles {
  return new Map([...files].filter(([path]) => keep(path)));
}

function isPlainFile(path: string, metadata: ChartMetadata): boolean {
  if (['Chart.yaml', 'Chart.lock', 'values.yaml', 'values.schema.json'].includes(path) || path.startsWith('templates/')) return false;
  if (path === 'requirements.yaml' || path === 'requirements.lock') return metadata.apiVersion === 'v1';
  return !path.startsWith('charts/') || path.endsWith('.prov');
}

/** Charts of API v1 keep their dependencies in requirements.yaml. */
function addRequirements(metadata: ChartMetadata, files: ChartFiles): void {
  const requirements = files.get('requirements.yaml');
  if (!requirements) return;
  const raw = readYaml(decodeUtf8(requirements), 'cannot load requirements.yaml');
  const dependencies = isRecord(raw) ? dependenciesOf(raw) : undefined;
  if (dependencies) metadata.dependencies = dependencies;
}

function readYaml(text: string, problem: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    if (error instanceof GoYamlError) throw new ChartError(`${problem}: error converting YAML to JSON: ${error.message}`, { cause: error });
    throw error;
  }
}

/** A values file: its documents merged, later ones over earlier ones. Throws {@link ChartError}. */
export function parseValues(text: string, file: string): Values {
  let values: Values = {};
  try {
    for (const { value } of parseDocuments(text)) {
      if (!isRecord(value)) throw new ChartError(`cannot load ${file}: cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type map[string]interface {}`);
      values = mergeMaps(values, value);
    }
  } catch (error) {
    if (error instanceof GoYamlError) throw new ChartError(`cannot load ${file}: cannot unmarshal yaml document: error converting YAML to JSON: ${error.message}`, { cause: error });
    throw error;
  }
  return values;
}

function subchartsOf(files: ChartFiles, options: LoadOptions, depth: number): Chart[] {
  const groups = new Map<string, Map<string, Uint8Array>>();
  for (const [path, data] of [...files].sort(([a], [b]) => walkOrder(a, b))) {
    const match = /^charts\/([^/]+)(?:\/(.+))?$/.exec(path);
    if (!match || path.endsWith('.prov')) continue;
    const [, name = '', rest = ''] = match;
    const group = groups.get(name) ?? new Map<string, Uint8Array>();
    groups.set(name, group);
    group.set(rest, data);
  }
  const charts: Chart[] = [];
  for (const [name, group] of groups) {
    if (name.startsWith('_') || name.startsWith('.')) continue;
    const chart = name.endsWith('.tgz') ? packed(name, group, options, depth) : folder(name, group, options, depth);
    if (chart) charts.push(chart);
  }
  return charts;
}

// The four are what a subchart needs to be read; an object would only rename them.
function packed(name: string, group: ReadonlyMap<string, Uint8Array>, options: LoadOptions, depth: number): Chart {
  const data = group.get('');
  if (!data) throw new ChartError(`error unpacking subchart tar ${name}: it is a folder`);
  if (!options.gunzip) throw new ChartError(`error unpacking subchart tar ${name}: no decompression was passed in`);
  return assemble(chartFilesOf(data, options.gunzip), options, depth + 1);
}

function folder(name: string, group: ReadonlyMap<string, Uint8Array>, options: LoadOptions, depth: number): Chart | undefined {
  const files = new Map([...group].filter(([path]) => path !== ''));
  if (group.has('')) throw new ChartError(`error unpacking subchart ${name}: Chart.yaml file is missing`);
  if (files.size === 0) return undefined;
  try {
    return assemble(files, options, depth + 1);
  } catch (error) {
    if (error instanceof ChartError) throw new ChartError(`error unpacking subchart ${name}: ${error.message}`, { cause: error });
    throw error;
  }
}
