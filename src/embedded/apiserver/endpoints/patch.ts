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
import { invalid as invalidField } from '#apimachinery/validation';
import { badRequest, invalid } from '../errors.ts';
import { DecodeFailure, type FieldValidation, type ResourceType } from '../registry/types.ts';
import type { Call } from './call.ts';
import { goKind } from '../strategies/envelope.ts';
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

const same = (message: string): string => message;

export interface PatchPlan {
  /** The raw result of the patch on an object; decoded by the caller. */
  apply(old: Unstructured): unknown;
  /** The patch as it was sent, when duplicates in it matter. */
  text: string;
  /** What an error about the result shows. */
  show(patched: unknown): string;
  /** The words of the codec the patch goes through. */
  word(message: string): string;
}

export function planPatch(kind: Exclude<PatchKind, 'apply'>, body: Uint8Array, type: ResourceType): PatchPlan {
  const text = Buffer.from(body).toString('utf8');
  const patch = parsePatch(kind, text);
  if (kind === 'json') return { text: '', show: patchedText, word: same, apply: (old) => applyJsonPatch(old, patch as JsonPatchOperation[]) };
  if (kind === 'merge') return { text, show: patchedText, word: same, apply: (old) => applyMergePatch(old, patch) };
  return { text, show: () => goText(patch), word: converterMessage, apply: (old) => applyStrategicMergePatch(old, patch, type.strategy.schema) };
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
  if (kind !== 'json' && !isRecord(patch)) throw badRequest(`${kind === 'merge' ? 'error decoding patch: ' : ''}json: cannot unmarshal ${goKind(patch)} into Go value of type map[string]interface {}`);
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

/** Decodes what a patch made, as a typed server would; what does not fit is the patch's fault. */
export function decodePatched(type: ResourceType, plan: PatchPlan, patched: unknown, fieldValidation: FieldValidation, warnings: string[]): Unstructured {
  try {
    const { object, warnings: found } = type.strategy.decode(patched, fieldValidation, plan.text);
    warnings.push(...found);
    return object;
  } catch (error) {
    if (!(error instanceof DecodeFailure)) throw error;
    throw invalid({ group: '', kind: '' }, '', [invalidField('patch', plan.show(patched), plan.word(error.message))]);
  }
}

/** A strategic merge works on maps, not on JSON text, and its converter has words of its own. */
function converterMessage(message: string): string {
  const match = /^json: cannot unmarshal (\w+) (?:-?[\d.e+]+ )?into Go (?:struct field|value).* of type (\S+)$/.exec(message);
  if (!match) return message;
  const [, from = '', to = ''] = match;
  const source = { number: 'int64', object: 'map', array: 'slice' }[from] ?? from;
  if (to.startsWith('[]')) return `cannot restore slice from ${source}`;
  if (to.startsWith('map[')) return `cannot restore map from ${source}`;
  if (!/^(string|bool|u?int\d*|float\d+)$/.test(to)) return `cannot restore struct from: ${source}`;
  return from === 'number' && to === 'string' ? 'cannot convert int64 to string' : `unrecognized type: ${to}`;
}

const META_ORDER = ['name', 'generateName', 'namespace', 'selfLink', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'labels', 'annotations', 'ownerReferences', 'finalizers', 'managedFields'];
const MANAGER_ORDER = ['manager', 'operation', 'apiVersion', 'time', 'fieldsType', 'fieldsV1', 'subresource'];

/** The patched object as the real server prints it: keys sorted, metadata in the order of its struct. */
function patchedText(patched: unknown): string {
  if (!isRecord(patched)) return JSON.stringify(patched) ?? 'null';
  const metadata = isRecord(patched['metadata']) ? { ...patched['metadata'] } : {};
  if (Array.isArray(metadata['managedFields'])) metadata['managedFields'] = metadata['managedFields'].map((entry) => inOrder(entry, MANAGER_ORDER));
  const ordered = inOrder(metadata, META_ORDER);
  return JSON.stringify(Object.fromEntries(Object.keys(patched).sort().map((key) => [key, key === 'metadata' ? ordered : patched[key]])));
}

function inOrder(value: unknown, order: readonly string[]): unknown {
  if (!isRecord(value)) return value;
  const keys = [...order.filter((key) => key in value), ...Object.keys(value).filter((key) => !order.includes(key))];
  return Object.fromEntries(keys.map((key) => [key, value[key]]));
}

/** A value as Go's %+v prints maps. */
function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (isRecord(value)) return `map[${Object.keys(value).sort().map((key) => `${key}:${goText(value[key])}`).join(' ')}]`;
  return value === null ? '<nil>' : typeof value === 'string' ? value : JSON.stringify(value);
}
