/** The generic verbs: what each does with a request, from body and options to the answer. */
import { randomInt } from 'node:crypto';
import { isRecord } from '#base/json';
import { findDuplicateFields } from '#apimachinery/schema';
import { formatApiVersion, type Unstructured } from '#apimachinery/meta';
import { isTrue } from '../http/requestinfo.ts';
import { header, type ApiResponse } from '../http/types.ts';
import { badRequest, methodNotAllowed } from '../errors.ts';
import { createObject } from '../registry/create.ts';
import { decodeEntry } from '../registry/codec.ts';
import { deleteObject, type DeleteOptions, type DeleteResult } from '../registry/delete.ts';
import { managerOf, type Manager } from '../registry/managers.ts';
import { getEntry, listEntries } from '../registry/read.ts';
import { DecodeFailure, type Decoded, type FieldValidation } from '../registry/types.ts';
import { updateObject, type UpdateRequest } from '../registry/update.ts';
import { openWatch, plainFormat, type EventFormat } from '../watch/watch.ts';
import { metadataFormat, tableFormat } from '../watch/formats.ts';
import type { Call } from './call.ts';
import { checkApiVersion, readDocument, readObject } from './body.ts';
import { negotiate } from './negotiate.ts';
import { checkVersionText, deleteOptions, listOptions, watchVersion, writeOptions, type WriteOptions } from './options.ts';
import { applyTo, decodePatched, patchKind, planPatch, readApplied } from './patch.ts';
import { entryResponse, listResponse, objectListResponse, objectResponse, plainResponse, includeOf } from './respond.ts';

/** A watch without timeoutSeconds ends after this many seconds, and up to twice as many. */
const WATCH_SECONDS_MIN = 1800;

export function getVerb(call: Call): ApiResponse {
  const { info, type, deps } = call;
  negotiate(call.request, true);
  const resourceVersion = info.query.get('resourceVersion') ?? '';
  checkVersionText(resourceVersion);
  return entryResponse(call, getEntry(deps, type, info, resourceVersion));
}

export function listVerb(call: Call): ApiResponse {
  const { info, type, deps } = call;
  negotiate(call.request, true);
  const options = listOptions(info.query, type, info.namespace);
  return listResponse(call, listEntries(deps, type, options));
}

export function watchVerb(call: Call): ApiResponse {
  const { info, type, deps } = call;
  const negotiated = negotiate(call.request, true);
  const options = listOptions(watchQuery(call), type, info.namespace);
  const revision = watchVersion(options.resourceVersion);
  const initial = isTrue(info.query.get('sendInitialEvents'));
  const bookmarks = isTrue(info.query.get('allowWatchBookmarks'));
  const seconds = options.timeoutSeconds || WATCH_SECONDS_MIN + randomInt(WATCH_SECONDS_MIN);
  const format: EventFormat = negotiated.as === '' ? plainFormat(type) : negotiated.as === 'Table' ? tableFormat(type, includeOf(call), deps.clock) : metadataFormat(type);
  const body = openWatch(deps, {
    type,
    ...(info.namespace ? { namespace: info.namespace } : {}),
    selection: options,
    since: initial || revision === 0 ? undefined : revision,
    bookmarks,
    markInitialEnd: initial && bookmarks,
    timeoutMs: seconds * 1000,
    format,
  });
  return { status: 200, headers: { 'content-type': 'application/json' }, body };
}

/** `/api/v1/watch/…/name` is a watch of one name. */
function watchQuery({ info }: Call): URLSearchParams {
  if (!info.rest[0] || info.query.has('fieldSelector')) return withWatch(info.query);
  const query = withWatch(info.query);
  query.set('fieldSelector', `metadata.name=${info.rest[0]}`);
  return query;
}

function withWatch(query: URLSearchParams): URLSearchParams {
  const copy = new URLSearchParams(query);
  copy.set('watch', 'true');
  return copy;
}

export async function createVerb(call: Call): Promise<ApiResponse> {
  const { info, type, deps, user } = call;
  negotiate(call.request, true);
  const options = writeOptions(info.query, 'CreateOptions');
  const object = decodeBody(call, options);
  const created = await createObject(deps, { type, namespace: info.namespace, object, user, manager: managerFor(call, options), dryRun: options.dryRun });
  warn(call, created, undefined);
  return objectResponse(call, created, 201);
}

export async function updateVerb(call: Call): Promise<ApiResponse> {
  const { info, type } = call;
  negotiate(call.request, true);
  const options = writeOptions(info.query, 'UpdateOptions');
  const object = decodeBody(call, options);
  checkNames(call, object);
  const make = type.strategy.allowCreateOnUpdate && info.subresource === '' ? { make: () => object } : {};
  return finishUpdate(call, { ...updateBase(call, options), transform: () => object, uidIsPrecondition: true, ...make });
}

export async function patchVerb(call: Call): Promise<ApiResponse> {
  const { info, type, request } = call;
  negotiate(request, true);
  const kind = patchKind(call);
  const options = writeOptions(info.query, 'PatchOptions', kind === 'apply');
  if (kind === 'apply') return applyVerb(call, options);
  const plan = planPatch(kind, request.body, type);
  const transform = (old: Unstructured) => {
    const result = decodePatched(type, plan, plan.apply(old), options.fieldValidation, call.warnings);
    type.strategy.default(result);
    return result;
  };
  return finishUpdate(call, { ...updateBase(call, options), transform });
}

async function applyVerb(call: Call, options: WriteOptions): Promise<ApiResponse> {
  const { info, type } = call;
  const { applied, text } = readApplied(call);
  checkApplied(call, applied);
  const manager = options.fieldManager as string;
  const force = options.force ?? false;
  const duplicates = options.fieldValidation === 'Ignore' || !text.trimStart().startsWith('{') ? [] : findDuplicateFields(text);
  if (options.fieldValidation === 'Strict' && duplicates.length > 0) throw badRequest(`error strict decoding YAML: ${duplicates.join(', ')}`);
  const merge = (live: Unstructured | undefined) => {
    const { object, changed } = applyTo({ call, live, applied, manager, force });
    if (!changed && live) return live;
    const result = decodeDocument(type, object, 'Ignore', '').object;
    if (!live) delete result.metadata.resourceVersion;
    type.strategy.default(result);
    return result;
  };
  call.warnings.push(...duplicates);
  const base = { ...updateBase(call, options), manager: { name: manager, applied: true }, uidIsPrecondition: true };
  const make = info.subresource === '' ? { make: () => merge(undefined) } : {};
  return finishUpdate(call, { ...base, transform: merge, ...make });
}

function checkApplied({ info, type }: Call, applied: Unstructured): void {
  if (!isRecord(applied.metadata)) applied.metadata = {};
  const wanted = formatApiVersion(type.group, type.version);
  if (applied.apiVersion !== wanted || applied.kind !== type.kind) {
    if (!applied.apiVersion || !applied.kind) throw badRequest(`invalid object type: /, Kind=`);
  }
  if (applied.metadata.name && applied.metadata.name !== info.name) throw badRequest(`name in URL does not match name in the object`);
  applied.metadata.name = info.name;
}

function updateBase(call: Call, options: WriteOptions): Omit<UpdateRequest, 'transform'> {
  const { info, type, user } = call;
  return { type, namespace: info.namespace, name: info.name, subresource: info.subresource, user, manager: managerFor(call, options), dryRun: options.dryRun };
}

async function finishUpdate(call: Call, request: UpdateRequest): Promise<ApiResponse> {
  const { object, created, old } = await updateObject(call.deps, request);
  warn(call, object, old);
  return objectResponse(call, object, created ? 201 : 200);
}

export function managerFor(call: Call, { fieldManager }: WriteOptions): Manager {
  return managerOf(fieldManager, header(call.request, 'user-agent'));
}

export function decodeBody(call: Call, { fieldValidation }: WriteOptions): Unstructured {
  const { type } = call;
  const { object: raw, text } = readObject(call.request, { ...type, explicit: type.custom !== undefined });
  const { object, warnings } = decodeDocument(type, raw, fieldValidation, text);
  call.warnings.push(...warnings);
  checkApiVersion(object, type);
  type.strategy.default(object);
  return object;
}

function decodeDocument(type: Call['type'], raw: Unstructured, fieldValidation: FieldValidation, text: string): Decoded {
  try {
    return type.strategy.decode(raw, fieldValidation, text);
  } catch (error) {
    if (!(error instanceof DecodeFailure)) throw error;
    const { kind, version } = error.found ?? type;
    throw badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${type.kind}: ${error.message}`);
  }
}

function checkNames({ info, type }: Call, { metadata }: Unstructured): void {
  if (!metadata.name) throw badRequest('name must be provided');
  if (metadata.name !== info.name) throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${info.name})`);
  if (type.namespaced && metadata.namespace && metadata.namespace !== info.namespace) {
    throw badRequest(`the namespace of the object (${metadata.namespace}) does not match the namespace on the URL (${info.namespace})`);
  }
}

function warn(call: Call, object: Unstructured, old: Unstructured | undefined): void {
  call.warnings.push(...(call.type.strategy.warnings?.(object, old) ?? []));
}

export async function deleteVerb(call: Call): Promise<ApiResponse> {
  const { info, type, deps, user } = call;
  negotiate(call.request, true);
  const options = readDeleteOptions(call);
  const result = await deleteObject(deps, { type, namespace: info.namespace, name: info.name, user, options });
  const accepted = !result.deleted && options.orphanDependents === false;
  return deletedResponse(call, result, accepted ? 202 : 200);
}

export function deletedResponse(call: Call, result: DeleteResult, status = 200): ApiResponse {
  const { type } = call;
  const showsObject = type.strategy.returnDeletedObject || (!result.deleted && !result.pending);
  if (showsObject) return objectResponse(call, result.object, status);
  return plainResponse(call, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: result.object.metadata.name, ...(type.group ? { group: type.group } : {}), kind: type.plural, uid: result.object.metadata.uid },
  });
}

export function readDeleteOptions(call: Call): DeleteOptions {
  const { request, info } = call;
  if (request.body.byteLength === 0) return deleteOptions(info.query, undefined);
  const { document } = readDocument(request, { group: '', version: 'v1', kind: 'DeleteOptions' });
  if (document === null) return deleteOptions(info.query, undefined);
  if (!isRecord(document)) throw badRequest('the body of a delete must be a DeleteOptions object');
  return deleteOptions(info.query, document);
}

export async function deleteCollectionVerb(call: Call): Promise<ApiResponse> {
  const { info, type, deps, user } = call;
  negotiate(call.request, true);
  const listing = listOptions(info.query, type, info.namespace);
  const options = readDeleteOptions(call);
  const page = listEntries(deps, type, listing);
  const objects = page.entries.map((entry) => decodeEntry(entry, type));
  const results = await Promise.all(objects.map((object) => deleteQuietly(call, object, options, user)));
  return objectListResponse(call, results.filter((object) => object !== undefined), String(page.revision));
}

/** An object that vanished meanwhile is as deleted as the caller wanted. */
async function deleteQuietly(call: Call, { metadata }: Unstructured, options: DeleteOptions, user: Call['user']): Promise<Unstructured | undefined> {
  const { deps, type } = call;
  const { preconditions: _, ...rest } = options;
  try {
    const { object } = await deleteObject(deps, { type, namespace: metadata.namespace ?? '', name: metadata.name ?? '', user, options: rest });
    return object;
  } catch (error) {
    if ((error as { code?: number }).code === 404) return undefined;
    throw error;
  }
}

const VERBS: Readonly<Record<string, (call: Call) => ApiResponse | Promise<ApiResponse>>> = {
  get: getVerb,
  list: listVerb,
  watch: watchVerb,
  create: createVerb,
  update: updateVerb,
  patch: patchVerb,
  delete: deleteVerb,
  deletecollection: deleteCollectionVerb,
};

export function runVerb(call: Call): ApiResponse | Promise<ApiResponse> {
  const { info, type } = call;
  const verb = VERBS[info.verb];
  if (!verb || !type.verbs.includes(info.verb)) throw methodNotAllowed();
  if (info.verb === 'create' && (info.name !== '' || (type.namespaced && !info.namespace))) throw methodNotAllowed();
  if (info.verb === 'deletecollection' && type.namespaced && !info.namespace) throw methodNotAllowed();
  if ((info.verb === 'update' || info.verb === 'patch') && info.rest.length === 0) throw methodNotAllowed();
  return verb(call);
}
