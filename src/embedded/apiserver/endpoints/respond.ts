/** Answers: objects and lists in the form that was negotiated. */
import { dumpYaml } from '#render/rawyaml';
import { StatusError } from '#apimachinery/status';
import { formatApiVersion, type Unstructured } from '#apimachinery/meta';
import type { Entry } from '#embedded/storage';
import { bytesResponse, header, jsonResponse, type ApiResponse } from '../http/types.ts';
import { decodeEntry, headOf, wireBytes } from '../registry/codec.ts';
import type { ListPage } from '../registry/read.ts';
import type { ResourceType } from '../registry/types.ts';
import { publicMetadata, tableOf } from '../table/table.ts';
import type { Call } from './call.ts';
import { negotiate, type Negotiated } from './negotiate.ts';

/** One object that was just read or written. */
export function objectResponse(call: Call, object: Unstructured, status = 200): ApiResponse {
  const negotiated = negotiate(call.request, true);
  return withWarnings(call, present(status, transform(call, negotiated, object), negotiated));
}

/** A stored object as it lies, without parsing when nobody needs it parsed. */
export function entryResponse(call: Call, entry: Entry): ApiResponse {
  const negotiated = negotiate(call.request, true);
  if (negotiated.as === '' && !negotiated.yaml && !pretty(call)) return withWarnings(call, bytesResponse(200, wireBytes(entry.value, call.type)));
  return objectResponse(call, decodeEntry(entry, call.type));
}

/** Anything that is not of the resource's own kind (Status, Scale, reviews). */
export function plainResponse(call: Pick<Call, 'request' | 'warnings'>, body: unknown, status = 200): ApiResponse {
  return withWarnings(call, present(status, body, negotiate(call.request, false)));
}

function transform(call: Call, { as, version }: Negotiated, object: Unstructured): unknown {
  if (as === 'Table') return tableOf(call.type, [object], { version, include: includeOf(call), metadata: listMeta(object), nowMs: call.deps.clock.wallMs() });
  if (as === 'PartialObjectMetadata') return partial(object, version);
  if (as === 'PartialObjectMetadataList') throw notList(as);
  return object;
}

function notList(as: string): StatusError {
  return new StatusError(406, 'NotAcceptable', `the object is not a list and cannot be shown as ${as}`);
}

function listMeta({ metadata }: Unstructured): Record<string, unknown> {
  return metadata.resourceVersion ? { resourceVersion: metadata.resourceVersion } : {};
}

export function partial(object: Unstructured, version = 'v1'): Unstructured {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: publicMetadata(object) };
}

export function includeOf(call: Pick<Call, 'info'>): string {
  return call.info.query.get('includeObject') || 'Metadata';
}

export function listResponse(call: Call, page: ListPage): ApiResponse {
  const negotiated = negotiate(call.request, true);
  const { type } = call;
  const metadata = {
    resourceVersion: String(page.revision),
    ...(page.continue || (type.custom && negotiated.as === '') ? { continue: page.continue ?? '' } : {}),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  if (negotiated.as === '' && !negotiated.yaml && !pretty(call)) return withWarnings(call, bytesResponse(200, listBytes(type, page.entries, metadata)));
  const objects = page.entries.map((entry) => decodeEntry(entry, type));
  return withWarnings(call, present(200, transformList(call, negotiated, objects, metadata), negotiated));
}

/** A list of objects that are at hand (deleted collections). */
export function objectListResponse(call: Call, objects: Unstructured[], resourceVersion: string): ApiResponse {
  const negotiated = negotiate(call.request, true);
  return withWarnings(call, present(200, transformList(call, negotiated, objects, { resourceVersion }), negotiated));
}

function transformList(call: Call, { as, version }: Negotiated, objects: Unstructured[], metadata: Record<string, unknown>): unknown {
  const { type } = call;
  if (as === 'Table') return tableOf(type, objects, { version, include: includeOf(call), metadata, nowMs: call.deps.clock.wallMs() });
  if (as === 'PartialObjectMetadata') {
    const goPackage = type.group === '' ? 'core' : type.group.split('.')[0];
    throw new StatusError(406, 'NotAcceptable', `you requested PartialObjectMetadata, but the requested object is a list (*${goPackage}.${type.listKind})`);
  }
  if (as !== '') {
    const items = objects.map((object) => partial(object, version));
    return { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${version}`, metadata, items };
  }
  const items = type.custom ? objects : objects.map(withoutKind);
  return { kind: type.listKind, apiVersion: formatApiVersion(type.group, type.version), metadata, items };
}

function withoutKind(object: Unstructured): Record<string, unknown> {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  return rest;
}

/** Items of builtin lists carry no kind; items of custom resources do, as on the real server. */
function listBytes(type: ResourceType, entries: readonly Entry[], metadata: unknown): Uint8Array {
  const head = `{"kind":${JSON.stringify(type.listKind)},"apiVersion":${JSON.stringify(formatApiVersion(type.group, type.version))},"metadata":${JSON.stringify(metadata)},"items":[`;
  const parts: Uint8Array[] = [Buffer.from(head)];
  const itemHead = type.custom ? headOf(type) : undefined;
  for (const [i, entry] of entries.entries()) {
    if (i > 0) parts.push(COMMA);
    if (type.custom?.view) parts.push(wireBytes(entry.value, type));
    else if (itemHead) parts.push(itemHead, entry.value.subarray(1));
    else parts.push(entry.value);
  }
  parts.push(END);
  return Buffer.concat(parts);
}

const COMMA = Buffer.from(',');
const END = Buffer.from(']}');

function pretty({ info }: Call): boolean {
  const value = info.query.get('pretty');
  return value !== null && value !== 'false' && value !== '0';
}

function present(status: number, body: unknown, negotiated: Negotiated): ApiResponse {
  if (negotiated.yaml) return bytesResponse(status, Buffer.from(dumpYaml(body)), 'application/yaml');
  return negotiated.pretty ? bytesResponse(status, Buffer.from(`${JSON.stringify(body, null, 2)}\n`)) : jsonResponse(status, body);
}

/** Warnings as headers of their own. Rule: RFC 7234 §5.5, code 299, as kubectl reads it. */
export function withWarnings({ warnings }: Pick<Call, 'warnings'>, response: ApiResponse): ApiResponse {
  if (warnings.length > 0) response.headers['warning'] = [...new Set(warnings)].map((text) => `299 - ${JSON.stringify(text)}`);
  return response;
}

export function statusResponse(error: StatusError, request?: { headers: Call['request']['headers'] }): ApiResponse {
  const { reason, ...rest } = error.toStatus();
  const body = { ...rest, ...(reason ? { reason } : {}) };
  const response = wantsYaml(request) ? bytesResponse(error.code, Buffer.from(dumpYaml(body)), 'application/yaml') : jsonResponse(error.code, body);
  const retry = error.details?.retryAfterSeconds;
  if (retry !== undefined) response.headers['retry-after'] = String(retry);
  return response;
}

function wantsYaml(request: { headers: Call['request']['headers'] } | undefined): boolean {
  return request !== undefined && header(request, 'accept') === 'application/yaml';
}
