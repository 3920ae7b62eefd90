/** patches, patchesStrategicMerge and patchesJson6902. */
import { applyJsonPatch } from '#apimachinery/patch';
import { isRecord } from '#base/json';
import { GoYamlError, parseDocuments } from '#render/rawyaml';
import { joinPath, listField, mapList, textField, type Kustomization, type Raw } from './kustomization.ts';
import { schemaFor, strategicMerge, type SchemaLookup } from './merge.ts';
import { gvkOf, identities, identityOf, idText, metadataOf, remember, type Resource } from './resource.ts';
import { selects } from './select.ts';
import { decodeText } from './text.ts';
import { KustomizeError, type KubeManifest, type KustomizeFiles } from './types.ts';

export interface PatchContext {
  files: KustomizeFiles;
  from: Kustomization;
  schemas: SchemaLookup;
}

/** The resources after all strategic and mixed patches; deleted ones are gone. */
export function applyPatches(resources: readonly Resource[], context: PatchContext): Resource[] {
  let list = [...resources];
  for (const entry of listField(context.from, 'patchesStrategicMerge')) {
    const text = inlineOrFile(context, String(entry));
    for (const patch of documents(text, context)) list = applyById(list, patch as KubeManifest, context);
  }
  for (const entry of mapList(context.from, 'patches')) list = applyEntry(list, entry, context);
  return list;
}

/** patchesJson6902, which come after names and labels. */
export function applyJsonPatches(resources: readonly Resource[], context: PatchContext): Resource[] {
  const list = [...resources];
  for (const entry of mapList(context.from, 'patchesJson6902')) {
    if (!isRecord(entry['target'])) throw new KustomizeError('patchesJson6902: must specify the target field', context.from.file);
    const text = patchText(entry, context);
    const [operations] = documents(text, context);
    if (!Array.isArray(operations)) throw new KustomizeError('patchesJson6902: the patch is no list of operations', context.from.file);
    const found = list.filter((resource) => selects(exactTarget(entry['target'] as Raw), resource));
    if (found.length === 0) throw new KustomizeError(`patchesJson6902: no resource matches the target ${JSON.stringify(entry['target'])}`, context.from.file);
    for (const resource of found) applyOperations(resource, operations, context);
  }
  return list;
}

function exactTarget(target: Raw): Raw {
  return target;
}

function inlineOrFile(context: PatchContext, entry: string): string {
  const path = entry.includes('\n') ? undefined : joinPath(context.from.dir, entry);
  const data = path === undefined ? undefined : context.files.get(path);
  if (data) return decodeText(data);
  if (!/[:{[]/.test(entry)) throw new KustomizeError(`patch file ${JSON.stringify(entry)}: no such file`, context.from.file);
  return entry;
}

function patchText(entry: Raw, context: PatchContext): string {
  const path = textField(entry, 'path');
  const inline = textField(entry, 'patch');
  if ((path === '') === (inline === '')) throw new KustomizeError(path === '' ? 'must specify one of patch and path in patches' : 'patch and path can\'t be set at the same time', context.from.file);
  if (inline !== '') return inline;
  const data = context.files.get(joinPath(context.from.dir, path));
  if (!data) throw new KustomizeError(`patch file ${JSON.stringify(path)}: no such file`, context.from.file);
  return decodeText(data);
}

function documents(text: string, { from }: PatchContext): unknown[] {
  try {
    return parseDocuments(text, { dialect: 'v3' }).map(({ value }) => value);
  } catch (error) {
    if (error instanceof GoYamlError) throw new KustomizeError(`unable to parse patch: ${error.message}`, from.file, { cause: error });
    throw error;
  }
}

function applyEntry(resources: readonly Resource[], entry: Raw, context: PatchContext): Resource[] {
  const parsed = documents(patchText(entry, context), context);
  const target = entry['target'];
  const [first] = parsed;
  if (Array.isArray(first)) {
    if (!isRecord(target)) throw new KustomizeError('must specify a target for JSON patch', context.from.file);
    for (const resource of resources.filter((one) => selects(target, one))) applyOperations(resource, first, context);
    return [...resources];
  }
  if (parsed.length === 0 || !parsed.every(isRecord)) throw new KustomizeError('unable to parse SM or JSON patch', context.from.file);
  let list = [...resources];
  for (const patch of parsed as KubeManifest[]) {
    if (!isRecord(target)) list = applyById(list, patch, context);
    else list = list.flatMap((resource) => (selects(target, resource) ? mergeInto(resource, patch, { context, options: isRecord(entry['options']) ? entry['options'] : {} }) : [resource]));
  }
  return list;
}

/** A patch that names its object itself. */
function applyById(resources: readonly Resource[], patch: KubeManifest, context: PatchContext): Resource[] {
  const gvk = gvkOf(patch);
  const wanted = identityOf(patch);
  if (gvk.kind === '' || wanted.name === '') throw new KustomizeError(`patch is missing ${gvk.kind === '' ? 'kind' : 'metadata.name'}: ${JSON.stringify(patch).slice(0, 100)}`, context.from.file);
  const found = resources.filter((resource) => {
    const own = gvkOf(resource.object);
    return own.kind === gvk.kind && own.group === gvk.group && (gvk.version === '' || own.version === gvk.version) && identities(resource).some((one) => one.name === wanted.name && (one.namespace || 'default') === (wanted.namespace || 'default'));
  });
  if (found.length !== 1) {
    throw new KustomizeError(`${found.length === 0 ? 'no' : 'multiple'} matches for Id ${idText(patch)}; failed to find unique target for patch ${idText(patch)}`, context.from.file);
  }
  return resources.flatMap((resource) => (resource === found[0] ? mergeInto(resource, patch, { context, options: { allowNameChange: false } }) : [resource]));
}

function mergeInto(resource: Resource, patch: KubeManifest, { context, options }: { context: PatchContext; options: Raw }): Resource[] {
  const merged = strategicMerge(resource.object, patch, schemaFor(resource.object, context.schemas));
  if (!merged) return [];
  const before = identityOf(resource.object);
  const { kind, apiVersion } = resource.object;
  if (options['allowNameChange'] === true) remember(resource);
  resource.object = merged;
  if (options['allowKindChange'] !== true) Object.assign(resource.object, { kind, apiVersion });
  if (options['allowNameChange'] !== true) {
    const metadata = { ...metadataOf(resource.object), name: before.name };
    resource.object['metadata'] = metadata;
  }
  if (!isRecord(resource.object['metadata'])) metadataOf(resource.object);
  return [resource];
}

function applyOperations(resource: Resource, operations: unknown, { from }: PatchContext): void {
  try {
    remember(resource);
    resource.object = applyJsonPatch(resource.object, operations);
  } catch (error) {
    throw new KustomizeError(`JSON patch of ${idText(resource.object)}: ${error instanceof Error ? error.message : String(error)}`, from.file, { cause: error });
  }
}
