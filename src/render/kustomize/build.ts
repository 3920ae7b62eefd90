/**
 * A kustomization to objects, in kustomize's order of steps: resources and components, generators, patches,
 * namespace, prefix and suffix, labels, annotations, JSON patches, replicas, images, replacements; at the
 * end, once, hashes, references, variables and the sorting.
 */
import { deepClone, isRecord } from '#base/json';
import { GoYamlError, parseDocuments } from '#render/rawyaml';
import { generate } from './generators.ts';
import { contentHash } from './hash.ts';
import { findKustomization, joinPath, mapList, readKustomization, stringList, textField, type Kustomization } from './kustomization.ts';
import { customSchemas } from './openapi.ts';
import type { MergeSchema } from './merge.ts';
import { sortResources } from './order.ts';
import { applyJsonPatches, applyPatches } from './patches.ts';
import { fixReferences } from './references.ts';
import { applyReplacements } from './replacements.ts';
import { gvkOf, identities, identityOf, idText, metadataOf, newResource, remember, type Resource } from './resource.ts';
import { decodeText } from './text.ts';
import { addAffixes, addAnnotations, addLabels, setImages, setNamespace, setReplicas } from './transformers.ts';
import { KustomizeError, type KubeManifest, type KustomizeFiles, type BuildOrder } from './types.ts';
import { resolveVariables, type Variable } from './vars.ts';

export const KUSTOMIZE_LIMITS = {
  /** Bases below bases. */
  depthMax: 50,
  /** Objects of one build. */
  resourcesMax: 50_000,
};

/** Builds the kustomization in `dir` (relative to the root of `files`; `.` is the root itself). Throws {@link KustomizeError}. */
export function buildKustomization(files: KustomizeFiles, dir: string, order: BuildOrder = 'legacy'): KubeManifest[] {
  return new Build(files, order).run(joinPath('', dir), []);
}

/** Runs the kustomization in `dir` over objects a chart rendered, as if it listed them first. */
export function postRender(files: KustomizeFiles, dir: string, input: readonly KubeManifest[]): KubeManifest[] {
  // As a post-renderer, kustomize is called as a library.
  return new Build(files, 'fifo').run(joinPath('', dir), input);
}

class Build {
  private readonly files: KustomizeFiles;
  private readonly variables: Variable[] = [];
  private readonly schemas = new Map<string, MergeSchema>();

  private readonly order: BuildOrder;

  constructor(files: KustomizeFiles, order: BuildOrder) {
    this.files = files;
    this.order = order;
  }

  run(dir: string, input: readonly KubeManifest[]): KubeManifest[] {
    const from = readKustomization(this.files, dir);
    const start = input.map((object) => newResource(deepClone(object)));
    const resources = this.accumulate({ from, base: start, stack: [] });
    for (const resource of resources) {
      if (!resource.generated?.needsHash) continue;
      remember(resource);
      metadataOf(resource.object)['name'] = `${identityOf(resource.object).name}-${contentHash(resource.object)}`;
    }
    fixReferences(resources);
    resolveVariables(resources, this.variables);
    const kept = resources.filter(({ object }) => !isLocal(object));
    for (const { object } of kept) dropEmptyAnnotations(object);
    return sortResources(kept, from, this.order).map(({ object }) => object);
  }

  private accumulate({ from, base, stack }: { from: Kustomization; base: readonly Resource[]; stack: readonly string[] }): Resource[] {
    if (stack.includes(from.dir)) throw new KustomizeError(`cycle detected: candidate root ${from.dir || '.'} contains itself`, from.file);
    if (stack.length > KUSTOMIZE_LIMITS.depthMax) throw new KustomizeError(`bases nest deeper than ${KUSTOMIZE_LIMITS.depthMax}`, from.file);
    const inner = [...stack, from.dir];
    let resources = [...base];
    for (const path of [...stringList(from, 'resources'), ...stringList(from, 'bases')]) resources = this.add(resources, this.load(from, path, inner), from);
    for (const path of stringList(from, 'components')) resources = this.component({ from, path, resources, stack: inner });
    customSchemas(this.files, from, this.schemas);
    for (const generated of generate(this.files, from)) resources = this.absorb(resources, generated, from);
    const result = this.transform(resources, from);
    for (const raw of mapList(from, 'vars')) this.variable(raw, from);
    return result;
  }

  private variable(raw: Record<string, unknown>, from: Kustomization): void {
    const name = textField(raw, 'name');
    const known = this.variables.find((variable) => variable.name === name);
    if (known) throw new KustomizeError(`var '${name}' already encountered`, from.file);
    this.variables.push({ name, raw, file: from.file });
  }

  private component({ from, path, resources, stack }: { from: Kustomization; path: string; resources: readonly Resource[]; stack: readonly string[] }): Resource[] {
    const dir = joinPath(from.dir, path);
    const component = readKustomization(this.files, dir);
    if (!component.isComponent) throw new KustomizeError(`expected kind == 'Component' for path '${path}' but got 'Kustomization'`, from.file);
    return this.accumulate({ from: component, base: resources, stack });
  }

  private load(from: Kustomization, path: string, stack: readonly string[]): Resource[] {
    if (/^(?:https?|ssh|git|file):|^git@|^git::|\?ref=|^github\.com/.test(path)) throw new KustomizeError(`resources: ${JSON.stringify(path)} is remote; only files of the bundle are read`, from.file);
    const target = joinPath(from.dir, path);
    const data = this.files.get(target);
    if (data) return objectsOf(decodeText(data), target).map(newResource);
    if (findKustomization(this.files, target) === undefined) {
      throw new KustomizeError(`accumulating resources: accumulation err='accumulating resources from '${path}': no such file or directory, and no kustomization in it'`, from.file);
    }
    const base = readKustomization(this.files, target);
    if (base.isComponent) throw new KustomizeError(`expected kind != 'Component' for path '${path}'`, from.file);
    return this.accumulate({ from: base, base: [], stack });
  }

  private add(resources: readonly Resource[], more: readonly Resource[], from: Kustomization): Resource[] {
    const known = new Set(resources.map(({ object }) => currentId(object)));
    for (const { object } of more) {
      if (known.has(currentId(object))) throw new KustomizeError(`may not add resource with an already registered id: ${idText(object)}`, from.file);
      known.add(currentId(object));
    }
    if (resources.length + more.length > KUSTOMIZE_LIMITS.resourcesMax) throw new KustomizeError(`more than ${KUSTOMIZE_LIMITS.resourcesMax} objects`, from.file);
    return [...resources, ...more];
  }

  /** A generated object is new, or merges into or replaces one of the same identity. */
  private absorb(resources: readonly Resource[], generated: Resource, from: Kustomization): Resource[] {
    const wanted = identityOf(generated.object);
    const { kind, group } = gvkOf(generated.object);
    const present = resources.find((resource) => {
      const own = gvkOf(resource.object);
      return own.kind === kind && own.group === group && identities(resource).some((one) => one.name === wanted.name && (one.namespace || 'default') === (wanted.namespace || 'default'));
    });
    const behavior = generated.generated?.behavior;
    if (!present) {
      if (behavior !== 'create') throw new KustomizeError(`id ${idText(generated.object)} does not exist; cannot merge or replace`, from.file);
      return [...resources, generated];
    }
    if (behavior === 'create') throw new KustomizeError(`id ${idText(generated.object)} exists; behavior must be merge or replace`, from.file);
    return resources.map((resource) => (resource === present ? combine(present, generated) : resource));
  }

  private transform(resources: readonly Resource[], from: Kustomization): Resource[] {
    const context = { files: this.files, from, schemas: this.schemas };
    let list = applyPatches(resources, context);
    const namespace = textField(from.raw, 'namespace');
    if (namespace !== '') setNamespace(list, namespace);
    const prefix = textField(from.raw, 'namePrefix');
    const suffix = textField(from.raw, 'nameSuffix');
    if (prefix !== '' || suffix !== '') addAffixes(list, prefix, suffix);
    addLabels(list, from);
    addAnnotations(list, from);
    list = applyJsonPatches(list, context);
    setReplicas(list, from);
    setImages(list, from);
    applyReplacements(list, from, this.files);
    return list;
  }
}

function currentId(object: KubeManifest): string {
  const { group, kind, version } = gvkOf(object);
  const { name, namespace } = identityOf(object);
  return `${group}/${version}/${kind}/${namespace || 'default'}/${name}`;
}

function combine(old: Resource, generated: Resource): Resource {
  const merging = generated.generated?.behavior === 'merge';
  const object: KubeManifest = { ...generated.object };
  const before = metadataOf(old.object);
  const after = metadataOf(generated.object);
  const both = (key: string) => ({ ...(isRecord(before[key]) ? before[key] : {}), ...(isRecord(after[key]) ? after[key] : {}) });
  const metadata: Record<string, unknown> = { ...after, name: before['name'] };
  if (before['namespace'] !== undefined) metadata['namespace'] = before['namespace'];
  for (const key of ['labels', 'annotations']) if (Object.keys(both(key)).length > 0) metadata[key] = both(key);
  object['metadata'] = metadata;
  for (const key of ['data', 'binaryData']) {
    if (merging && isRecord(old.object[key])) object[key] = { ...old.object[key], ...(isRecord(object[key]) ? object[key] : {}) };
  }
  // What was not generated keeps its plain name.
  const needsHash = old.generated?.needsHash ?? false;
  return { ...old, object, generated: { behavior: 'create', needsHash } };
}

function dropEmptyAnnotations(object: KubeManifest): void {
  const metadata = metadataOf(object);
  if (isRecord(metadata['annotations']) && Object.keys(metadata['annotations']).length === 0) delete metadata['annotations'];
}

function isLocal(object: KubeManifest): boolean {
  const annotations = metadataOf(object)['annotations'];
  return isRecord(annotations) && annotations['config.kubernetes.io/local-config'] !== undefined && annotations['config.kubernetes.io/local-config'] !== 'false';
}

/** The objects of a resource file; lists are taken apart. */
function objectsOf(text: string, file: string): KubeManifest[] {
  let documents;
  try {
    documents = parseDocuments(text, { file, dialect: 'v3' });
  } catch (error) {
    if (error instanceof GoYamlError) throw new KustomizeError(`MalformedYAMLError: ${error.message}`, undefined, { cause: error });
    throw error;
  }
  return documents.flatMap(({ value, line }) => {
    if (!isRecord(value)) throw new KustomizeError(`line ${line}: no Kubernetes object`, file);
    if (/List$/.test(String(value['kind'])) && Array.isArray(value['items'])) return value['items'].filter(isRecord);
    if (typeof value['kind'] !== 'string' || value['kind'] === '') throw new KustomizeError(`line ${line}: missing Resource metadata: kind`, file);
    if (!isRecord(value['metadata']) || typeof value['metadata']['name'] !== 'string') throw new KustomizeError(`line ${line}: missing metadata.name in object ${JSON.stringify(value).slice(0, 100)}`, file);
    return [value];
  });
}

