/**
 * Fleet's overlays for raw YAML: `overlays/<name>/<file>` adds a file or replaces one (an empty file removes
 * it), `<file>_patch.<ext>` changes one. They apply in the order in which `yaml.overlays` lists them.
 * A patch that is a list is a JSON patch; else it is merged strategically where the kind has a schema.
 * Source: Fleet docs, "Kustomize and raw YAML overlays".
 */
import { builtinSchema } from '#api/builtin';
import { parseApiVersion } from '#apimachinery/meta';
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch, type JsonPatchOperation } from '#apimachinery/patch';
import { utf8, utf8Text } from '#base/hash';
import { isRecord } from '#base/json';
import { dumpYaml, parseDocuments, parseYaml } from '#render/rawyaml';
import { BundleRenderError, type Files } from './types.ts';

const FOLDER = 'overlays/';
const PATCH_NAME = /^(.*)_patch(\.[^./]+)$/;

/** The files of the bundle's base with the named overlays laid over them. */
export function applyOverlays(files: Files, overlays: readonly string[]): Map<string, Uint8Array> {
  const result = new Map([...files].filter(([path]) => !path.startsWith(FOLDER)));
  for (const overlay of overlays) applyOverlay(files, overlay, result);
  return result;
}

function applyOverlay(files: Files, overlay: string, result: Map<string, Uint8Array>): void {
  const prefix = `${FOLDER}${overlay}/`;
  const entries = [...files].filter(([path]) => path.startsWith(prefix));
  if (entries.length === 0) throw new BundleRenderError(`overlay ${JSON.stringify(overlay)}: the bundle has no folder ${prefix}`);
  for (const [path, bytes] of entries) {
    const name = path.slice(prefix.length);
    const patch = PATCH_NAME.exec(name);
    if (patch) result.set(`${patch[1]}${patch[2]}`, patched(result, `${patch[1]}${patch[2]}`, path, bytes));
    else result.set(name, bytes);
  }
}

function patched(files: Files, target: string, path: string, patch: Uint8Array): Uint8Array {
  const base = files.get(target);
  if (!base) throw new BundleRenderError(`${path}: patches ${target}, which the bundle does not have`);
  const change = parseYaml(utf8Text(patch), { file: path });
  const documents = parseDocuments(utf8Text(base), { file: target }).filter(({ value }) => value !== null && value !== undefined);
  if (documents.length !== 1) throw new BundleRenderError(`${path}: ${target} holds ${documents.length} objects; a patch needs exactly one`);
  try {
    return utf8(dumpYaml(patchObject(documents[0]?.value, change)));
  } catch (error) {
    throw new BundleRenderError(`${path}: cannot patch ${target}`, { cause: error });
  }
}

function patchObject(object: unknown, change: unknown): unknown {
  if (Array.isArray(change)) return applyJsonPatch(object, change as JsonPatchOperation[]);
  const schema = isRecord(object) ? schemaFor(object) : undefined;
  return schema ? applyStrategicMergePatch(object, change, schema) : applyMergePatch(object, change);
}

function schemaFor(object: Record<string, unknown>): ReturnType<typeof builtinSchema> {
  const { group, version } = parseApiVersion(String(object.apiVersion ?? ''));
  return builtinSchema(group, version, String(object.kind ?? ''));
}
