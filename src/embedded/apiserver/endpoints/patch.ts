/**
 * Patches: which media type means which patch, and how a patch becomes the transform of an update.
 * The patch grammars live in `#apimachinery/patch` and `#apimachinery/managedfields`.
 */
import { isRecord } from '#base/json';
import { rfc3339 } from '#base/clock';
import { StatusError } from '#apimachinery/status';
import { formatApiVersion, type Unstructured } from '#apimachinery/meta';
import { serverSideApply } from '#apimachinery/managedfields';
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch, type JsonPatchOperation } from '#apimachinery/patch';
import { parseYaml } from '#render/rawyaml';
import { badRequest } from '../errors.ts';
import type { FieldValidation, ResourceType } from '../registry/types.ts';
import type { Call } from './call.ts';
import { mediaType } from './body.ts';
import { goSyntaxError } from './gojson.ts';

export type PatchKind = 'json' | 'merge' | 'strategic' | 'apply';

const KINDS: Readonly<Record<string, PatchKind>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** Throws 415 for media types that are no patch of this resource. */
export function patchKind(call: Pick<Call, 'request' | 'type'>): PatchKind {
  const kind = KINDS[mediaType(call.request)];
  if (!kind) throw new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  if (kind === 'strategic' && !call.type.strategy.strategicPatch) {
    const supported = Object.keys(KINDS).filter((type) => KINDS[type] !== 'strategic').join(', ');
    throw new StatusError(415, 'UnsupportedMediaType', `the body of the request was in an unknown format - accepted media types include: ${supported}`);
  }
  return kind;
}

export interface PatchPlan {
  /** The raw result of the patch on an object; decoded by the caller. */
  apply(old: Unstructured): unknown;
  text: string;
}

export function planPatch(kind: Exclude<PatchKind, 'apply'>, body: Uint8Array, type: ResourceType): PatchPlan {
  const text = Buffer.from(body).toString('utf8');
  const patch = parsePatch(kind, text);
  if (kind === 'json') return { text, apply: (old) => applyJsonPatch(old, patch as JsonPatchOperation[]) };
  if (kind === 'merge') return { text, apply: (old) => applyMergePatch(old, patch) };
  return { text, apply: (old) => applyStrategicMergePatch(old, patch, type.strategy.schema) };
}

function parsePatch(kind: PatchKind, text: string): unknown {
  let patch: unknown;
  try {
    patch = JSON.parse(text);
  } catch {
    const problem = goSyntaxError(text) ?? 'invalid JSON';
    throw badRequest(kind === 'json' ? `error decoding patch: ${problem}` : kind === 'merge' ? `error decoding patch: ${problem}` : problem);
  }
  if (kind === 'json' && !Array.isArray(patch)) throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  if (kind !== 'json' && !isRecord(patch)) throw badRequest(`json: cannot unmarshal ${Array.isArray(patch) ? 'array' : typeof patch} into Go value of type map[string]interface {}`);
  return patch;
}

/** The body of an apply patch. */
export function readApplied(call: Call): { applied: Unstructured; text: string } {
  const text = Buffer.from(call.request.body).toString('utf8');
  let document: unknown;
  try {
    document = parseYaml(text);
  } catch (error) {
    throw badRequest(`error decoding YAML: ${(error as Error).message}`);
  }
  if (!isRecord(document)) throw badRequest('error decoding YAML: the body is not an object');
  return { applied: document as Unstructured, text };
}

export interface ApplyInput {
  call: Call;
  live: Unstructured | undefined;
  applied: Unstructured;
  manager: string;
  force: boolean;
}

/** The object after an apply; managed fields are settled. */
export function applyTo({ call, live, applied, manager, force }: ApplyInput): { object: Unstructured; changed: boolean } {
  const { type, deps, info } = call;
  return serverSideApply({
    live,
    applied,
    manager,
    force,
    apiVersion: formatApiVersion(type.group, type.version),
    subresource: info.subresource,
    now: rfc3339(deps.clock.wallMs()),
    schema: type.strategy.schema,
    resetFields: type.strategy.resetFields(info.subresource),
  });
}

/** Decodes what a patch made, as a typed server would. */
export function decodeResult(type: ResourceType, document: unknown, fieldValidation: FieldValidation, warnings: string[]): Unstructured {
  const { object, warnings: found } = type.strategy.decode(document, fieldValidation, '');
  warnings.push(...found);
  return object;
}
