/** Chart.yaml: reading, checking, and how templates see it. */
import { parseYaml, GoYamlError } from '#render/rawyaml';
import { parseVersion, typed, type GoMap } from '#render/gotemplate';
import { isRecord } from '#base/json';
import { ChartError } from './error.ts';
import type { ChartDependency, ChartMaintainer, ChartMetadata } from './types.ts';

/** Throws {@link ChartError} with Helm's words when the text is no Chart.yaml. */
export function parseMetadata(text: string): ChartMetadata {
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    if (error instanceof GoYamlError) throw new ChartError(`cannot load Chart.yaml: error converting YAML to JSON: ${error.message}`, { cause: error });
    throw error;
  }
  if (value !== null && !isRecord(value)) throw new ChartError('cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal into Go value of type v2.Metadata');
  return metadataOf((value ?? {}) as Record<string, unknown>);
}

function metadataOf(raw: Record<string, unknown>): ChartMetadata {
  const metadata: ChartMetadata = { name: text(raw, 'name'), version: text(raw, 'version'), apiVersion: text(raw, 'apiVersion') || 'v1' };
  for (const key of ['home', 'description', 'icon', 'condition', 'tags', 'appVersion', 'kubeVersion', 'type'] as const) {
    const value = text(raw, key);
    if (value !== '') metadata[key] = value;
  }
  for (const key of ['sources', 'keywords'] as const) {
    const list = raw[key];
    if (Array.isArray(list)) metadata[key] = list.map((item) => scalarText(item));
  }
  if (Array.isArray(raw['maintainers'])) metadata.maintainers = raw['maintainers'].filter(isRecord).map(maintainerOf);
  if (isRecord(raw['annotations'])) metadata.annotations = Object.fromEntries(Object.entries(raw['annotations']).map(([key, value]) => [key, scalarText(value)]));
  if (raw['deprecated'] === true) metadata.deprecated = true;
  const dependencies = dependenciesOf(raw);
  if (dependencies) metadata.dependencies = dependencies;
  return metadata;
}

function maintainerOf(raw: Record<string, unknown>): ChartMaintainer {
  return { name: scalarText(raw['name']), email: scalarText(raw['email']), url: scalarText(raw['url']) };
}

/** The `dependencies` of Chart.yaml or of requirements.yaml. */
export function dependenciesOf(raw: Record<string, unknown>): ChartDependency[] | undefined {
  if (!Array.isArray(raw['dependencies'])) return undefined;
  return raw['dependencies'].filter(isRecord).map((item) => {
    const dependency: ChartDependency = { name: text(item, 'name') };
    for (const key of ['version', 'repository', 'condition', 'alias'] as const) {
      if (item[key] !== undefined && item[key] !== null) dependency[key] = scalarText(item[key]);
    }
    if (Array.isArray(item['tags'])) dependency.tags = item['tags'].map((tag) => scalarText(tag));
    if (Array.isArray(item['import-values'])) dependency['import-values'] = item['import-values'];
    return dependency;
  });
}

// Go's YAML reader turns numbers and booleans into text where a field is text.
function scalarText(value: unknown): string {
  return value === null || value === undefined || typeof value === 'object' ? '' : String(value);
}

function text(raw: Record<string, unknown>, key: string): string {
  const value = raw[key];
  if (typeof value === 'object' && value !== null) throw new ChartError(`cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${Array.isArray(value) ? 'array' : 'object'} into Go struct field Metadata.${key} of type string`);
  return scalarText(value);
}

const ALIAS = /^[a-zA-Z0-9_-]+$/;

export function checkMetadata(metadata: ChartMetadata): void {
  const fail = (reason: string): never => {
    throw new ChartError(`validation: ${reason}`);
  };
  if (metadata.name === '') fail('chart.metadata.name is required');
  if (metadata.name === '.' || metadata.name === '..' || metadata.name.includes('/')) fail(`chart.metadata.name ${JSON.stringify(metadata.name)} is invalid`);
  if (metadata.version === '') fail('chart.metadata.version is required');
  if (!parseVersion(metadata.version)) fail(`chart.metadata.version ${JSON.stringify(metadata.version)} is invalid`);
  if (metadata.type !== undefined && metadata.type !== 'application' && metadata.type !== 'library') fail('chart.metadata.type must be application or library');
  const seen = new Set<string>();
  for (const dependency of metadata.dependencies ?? []) {
    if (dependency.alias && !ALIAS.test(dependency.alias)) fail(`dependency ${JSON.stringify(dependency.name)} has disallowed characters in the alias`);
    const key = dependency.alias || dependency.name;
    if (seen.has(key)) fail(`more than one dependency with name or alias ${JSON.stringify(key)}`);
    seen.add(key);
  }
}

/** `.Chart`: every field by its Go name. */
export function chartForTemplates(metadata: ChartMetadata, isRoot: boolean): GoMap {
  const field = (key: 'home' | 'description' | 'icon' | 'condition' | 'tags' | 'appVersion' | 'kubeVersion' | 'type') => metadata[key] ?? '';
  return {
    APIVersion: metadata.apiVersion,
    Annotations: typed({ ...metadata.annotations }, 'map[string]string'),
    AppVersion: field('appVersion'),
    Condition: field('condition'),
    Dependencies: (metadata.dependencies ?? []).map(dependencyForTemplates),
    Deprecated: metadata.deprecated ?? false,
    Description: field('description'),
    Home: field('home'),
    Icon: field('icon'),
    IsRoot: isRoot,
    Keywords: [...(metadata.keywords ?? [])],
    KubeVersion: field('kubeVersion'),
    Maintainers: (metadata.maintainers ?? []).map(({ name, email, url }) => ({ Email: email ?? '', Name: name ?? '', URL: url ?? '' })),
    Name: metadata.name,
    Sources: [...(metadata.sources ?? [])],
    Tags: field('tags'),
    Type: field('type'),
    Version: metadata.version,
  };
}

function dependencyForTemplates(dependency: ChartDependency): GoMap {
  return {
    Alias: dependency.alias ?? '',
    Condition: dependency.condition ?? '',
    Enabled: dependency.enabled ?? false,
    ImportValues: [...(dependency['import-values'] ?? [])],
    Name: dependency.name,
    Repository: dependency.repository ?? '',
    Tags: [...(dependency.tags ?? [])],
    Version: dependency.version ?? '',
  };
}
