/** kustomization.yaml: finding, reading and refusing what this room does not do. */
import { isRecord } from '#base/json';
import { decodeText } from './text.ts';
import { GoYamlError, parseYaml } from '#render/rawyaml';
import { KustomizeError, type KustomizeFiles } from './types.ts';

export type Raw = Record<string, unknown>;

export interface Kustomization {
  /** Path of the file, for errors. */
  file: string;
  /** Folder of the file; `''` is the root. */
  dir: string;
  isComponent: boolean;
  raw: Raw;
}

const FILE_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

const FIELDS = new Set([
  'apiVersion', 'kind', 'metadata', 'resources', 'bases', 'components', 'patches', 'patchesStrategicMerge', 'patchesJson6902', 'namespace',
  'namePrefix', 'nameSuffix', 'labels', 'commonLabels', 'commonAnnotations', 'images', 'replicas', 'configMapGenerator', 'secretGenerator',
  'generatorOptions', 'replacements', 'vars', 'crds', 'openapi', 'sortOptions', 'buildMetadata',
]);

/** Fields kustomize knows and this room does not. */
const UNSUPPORTED = new Set(['configurations', 'generators', 'transformers', 'validators', 'helmCharts', 'helmGlobals', 'helmChartInflationGenerator', 'inventory', 'imageTags']);

export function findKustomization(files: KustomizeFiles, dir: string): string | undefined {
  const present = FILE_NAMES.map((name) => joinPath(dir, name)).filter((path) => files.has(path));
  if (present.length > 1) throw new KustomizeError(`Found multiple kustomization files under: ${dir || '.'}`);
  return present[0];
}

export function readKustomization(files: KustomizeFiles, dir: string): Kustomization {
  const file = findKustomization(files, dir);
  if (file === undefined) throw new KustomizeError(`unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${dir || '.'}'`);
  const raw = readMap(files, file);
  if (Object.keys(raw).every((key) => key === 'apiVersion' || key === 'kind' || key === 'metadata')) throw new KustomizeError('kustomization.yaml is empty', file);
  const kind = raw['kind'] ?? 'Kustomization';
  if (kind !== 'Kustomization' && kind !== 'Component') throw new KustomizeError(`kind should be Kustomization or Component, not ${JSON.stringify(kind)}`, file);
  for (const key of Object.keys(raw)) {
    if (UNSUPPORTED.has(key)) throw new KustomizeError(`field ${JSON.stringify(key)} is not supported in-process: keep the output of kustomize build in the repository`, file);
    if (!FIELDS.has(key)) throw new KustomizeError(`invalid Kustomization: json: unknown field ${JSON.stringify(key)}`, file);
  }
  return { file, dir, isComponent: kind === 'Component', raw };
}

function readMap(files: KustomizeFiles, file: string): Raw {
  try {
    const value = parseYaml(decodeText(files.get(file) as Uint8Array), { file, strict: true });
    if (value === null) return {};
    if (!isRecord(value)) throw new KustomizeError('invalid Kustomization: it is no mapping', file);
    return value;
  } catch (error) {
    if (error instanceof GoYamlError) throw new KustomizeError(`invalid Kustomization: ${error.message}`, undefined, { cause: error });
    throw error;
  }
}

/** A path below the root; `..` may not leave it. */
export function joinPath(dir: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${dir}/${path}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length === 0) throw new KustomizeError(`path ${JSON.stringify(path)} leaves the bundle`, dir || '.');
    else parts.pop();
  }
  return parts.join('/');
}

/** A list field, or an error that names it. */
export function listField(from: Kustomization, name: string): unknown[] {
  const value = from.raw[name];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new KustomizeError(`invalid Kustomization: field ${JSON.stringify(name)} must be a list`, from.file);
  return value;
}

export function stringList(from: Kustomization, name: string): string[] {
  return listField(from, name).map((item) => {
    if (typeof item !== 'string') throw new KustomizeError(`invalid Kustomization: field ${JSON.stringify(name)} must be a list of texts`, from.file);
    return item;
  });
}

export function mapList(from: Kustomization, name: string): Raw[] {
  return listField(from, name).map((item) => {
    if (!isRecord(item)) throw new KustomizeError(`invalid Kustomization: field ${JSON.stringify(name)} must be a list of mappings`, from.file);
    return item;
  });
}

export function textField(from: Raw, name: string): string {
  const value = from[name];
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new KustomizeError(`invalid Kustomization: json: cannot unmarshal ${typeof value === 'boolean' ? 'bool' : typeof value} into Go struct field ${name} of type string`);
  return value;
}

/** A map of texts; Go refuses other values. */
export function textMap(value: unknown, field: string, file: string): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) throw new KustomizeError(`invalid Kustomization: field ${JSON.stringify(field)} must be a mapping`, file);
  for (const [key, item] of Object.entries(value)) {
    if (typeof item !== 'string') throw new KustomizeError(`invalid Kustomization: json: cannot unmarshal ${typeof item === 'boolean' ? 'bool' : typeof item} into Go struct field ${field}.${key} of type string`, file);
  }
  return value as Record<string, string>;
}
