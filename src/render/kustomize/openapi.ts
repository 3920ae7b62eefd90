/** Merge keys beyond the builtin kinds: from `openapi.path` and from the `crds` field's documents. */
import { isRecord } from '#base/json';
import { GoYamlError, parseDocuments } from '#render/rawyaml';
import { joinPath, stringList, type Kustomization } from './kustomization.ts';
import type { MergeSchema } from './merge.ts';
import { decodeText } from './text.ts';
import { KustomizeError, type KustomizeFiles } from './types.ts';

/** References resolved inside references. */
const DEPTH_MAX = 30;

/** Adds what the kustomization brings to `schemas` (by `group/version/kind`). */
export function customSchemas(files: KustomizeFiles, from: Kustomization, schemas: Map<string, MergeSchema>): void {
  const openapi = from.raw['openapi'];
  const paths = [...(isRecord(openapi) && typeof openapi['path'] === 'string' ? [openapi['path']] : []), ...stringList(from, 'crds')];
  for (const path of paths) {
    const data = files.get(joinPath(from.dir, path));
    if (!data) throw new KustomizeError(`openapi or crds: ${JSON.stringify(path)}: no such file`, from.file);
    for (const { value } of read(decodeText(data), path)) if (isRecord(value)) addDocument(value, schemas);
  }
}

function read(text: string, file: string) {
  try {
    return parseDocuments(text, { file });
  } catch (error) {
    if (error instanceof GoYamlError) throw new KustomizeError(error.message, undefined, { cause: error });
    throw error;
  }
}

function addDocument(document: Record<string, unknown>, schemas: Map<string, MergeSchema>): void {
  if (document['kind'] === 'CustomResourceDefinition') return addCrd(document, schemas);
  const definitions = isRecord(document['definitions']) ? document['definitions'] : document;
  for (const definition of Object.values(definitions)) {
    if (!isRecord(definition)) continue;
    const kinds = definition['x-kubernetes-group-version-kind'];
    if (!Array.isArray(kinds)) continue;
    const schema = resolve(definition, definitions, 0);
    for (const gvk of kinds.filter(isRecord)) schemas.set(`${String(gvk['group'] ?? '')}/${String(gvk['version'])}/${String(gvk['kind'])}`, schema);
  }
}

function addCrd(crd: Record<string, unknown>, schemas: Map<string, MergeSchema>): void {
  const spec = isRecord(crd['spec']) ? crd['spec'] : {};
  const names = isRecord(spec['names']) ? spec['names'] : {};
  for (const version of (Array.isArray(spec['versions']) ? spec['versions'] : []).filter(isRecord)) {
    const schema = isRecord(version['schema']) ? version['schema']['openAPIV3Schema'] : undefined;
    if (isRecord(schema)) schemas.set(`${String(spec['group'])}/${String(version['name'])}/${String(names['kind'])}`, schema as MergeSchema);
  }
}

/** The definition with its references in place, as deep as documents go. */
function resolve(value: Record<string, unknown>, definitions: Record<string, unknown>, depth: number): MergeSchema {
  if (depth > DEPTH_MAX) return {};
  const reference = value['$ref'];
  if (typeof reference === 'string') {
    const target = definitions[reference.replace(/^#\/definitions\//, '')];
    const rest = { ...value };
    delete rest['$ref'];
    return isRecord(target) ? { ...resolve(target, definitions, depth + 1), ...rest } : (rest as MergeSchema);
  }
  const schema: MergeSchema = { ...value };
  if (isRecord(value['properties'])) {
    schema.properties = Object.fromEntries(Object.entries(value['properties']).map(([key, item]) => [key, isRecord(item) ? resolve(item, definitions, depth + 1) : {}]));
  }
  if (isRecord(value['items'])) schema.items = resolve(value['items'], definitions, depth + 1);
  if (isRecord(value['additionalProperties'])) schema.additionalProperties = resolve(value['additionalProperties'], definitions, depth + 1);
  return schema;
}
