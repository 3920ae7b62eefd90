/**
 * Strategies of custom resources: what a CustomResourceDefinition says, as the registry understands it.
 * Rule: apiextensions-apiserver `pkg/registry/customresource`.
 */
import { deepClone, deepEqual, isRecord } from '#base/json';
import { formatApiVersion, parseApiVersion, type Unstructured } from '#apimachinery/meta';
import { applyDefaults, findDuplicateFields, findUnknownFields, pruneObject, validateRules, validateSchema, type Schema } from '#apimachinery/schema';
import { dns1123Subdomain, finalizerWarnings, invalid as invalidField, validateObjectMeta, validateObjectMetaUpdate, type FieldError } from '#apimachinery/validation';
import { checkEnvelope, goKind } from '../strategies/envelope.ts';
import { compareVersions } from '../discovery/discovery.ts';
import { badRequest, invalid } from '../errors.ts';
import { DecodeFailure, type Decoded, type FieldValidation, type ResourceType, type Strategy, type WriteContext } from '../registry/types.ts';
import type { CrdSpec, CrdVersion } from './types.ts';

const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const SUB_VERBS = ['get', 'patch', 'update'];
const OPEN_SCHEMA: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** The served versions of a definition as resources; `names` are the accepted ones. */
export function customTypes(spec: CrdSpec, origin: Origin): ResourceType[] {
  return spec.versions.filter((version) => version.served).map((version) => customType(spec, version, origin));
}

export interface Origin {
  /** Of the definition. */
  uid: string;
  /** The definition has changed since its creation: stored objects may not fit it. */
  evolved: boolean;
}

/** Names the newest served version that is not deprecated, if there is a better one. */
function deprecationText({ group, names, versions }: CrdSpec, { name }: CrdVersion): string {
  const better = versions.filter((version) => version.served && !version.deprecated && compareVersions(version.name, name) < 0).map((version) => version.name);
  const [best] = better.sort(compareVersions);
  return `${group}/${name} ${names.kind} is deprecated${best ? `; use ${group}/${best} ${names.kind}` : ''}`;
}

/**
 * How stored objects look through this version: pruned and defaulted by its schema. Undefined where that
 * changes nothing, so that stored bytes go out as they lie.
 */
function viewOf(spec: CrdSpec, version: CrdVersion, evolved: boolean): ((object: Unstructured) => void) | undefined {
  const schema = version.schema?.openAPIV3Schema;
  if (!schema || (spec.versions.length === 1 && !evolved)) return undefined;
  return (object) => {
    if (!spec.preserveUnknownFields) pruneObject(schema, object);
    applyDefaults(schema, object);
  };
}

function customType(spec: CrdSpec, version: CrdVersion, { uid, evolved }: Origin): ResourceType {
  const { names, group } = spec;
  const status = version.subresources?.status !== undefined;
  const scale = version.subresources?.scale;
  const view = viewOf(spec, version, evolved);
  return {
    group,
    version: version.name,
    kind: names.kind,
    listKind: names.listKind ?? `${names.kind}List`,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: spec.scope === 'Namespaced',
    verbs: VERBS,
    subresources: [
      ...(status ? [{ name: 'status', verbs: SUB_VERBS, kind: names.kind }] : []),
      ...(scale ? [{ name: 'scale', verbs: SUB_VERBS, kind: 'Scale', group: 'autoscaling', version: 'v1' }] : []),
    ],
    collection: `${group}/${names.plural}`,
    strategy: customStrategy(spec, version),
    custom: {
      columns: version.additionalPrinterColumns ?? [],
      storageVersion: version.storage,
      uid,
      selectable: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath),
      ...(scale ? { scale } : {}),
      ...(version.deprecated ? { deprecated: version.deprecationWarning ?? deprecationText(spec, version) } : {}),
      ...(view ? { view } : {}),
    },
  };
}

function customStrategy(spec: CrdSpec, version: CrdVersion): Strategy {
  const schema = version.schema?.openAPIV3Schema ?? OPEN_SCHEMA;
  const preserve = spec.preserveUnknownFields === true;
  const status = version.subresources?.status !== undefined;
  const selectable = (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.replace(/^\./, ''));
  const storedSchema = spec.versions.find(({ storage }) => storage)?.schema?.openAPIV3Schema;
  const namespaced = spec.scope === 'Namespaced';
  const meta = { namespaced, checkName: dns1123Subdomain };
  return {
    schema,
    strategicPatch: false,
    resetFields: (subresource) => (!status ? [] : subresource === 'status' ? [['spec'], ['metadata']] : [['status']]),
    decode: (document, fieldValidation, text) => decode({ spec, version, schema, preserve }, checkEnvelope(document), fieldValidation, text),
    default: (object) => applyDefaults(schema, object),
    prepareForCreate(object) {
      if (status) delete object['status'];
      object.metadata.generation = 1;
    },
    prepareForUpdate: (object, old, context) => prepareForUpdate(status, object, old, context),
    validateCreate: (object) => [...validateObjectMeta(object.metadata, meta), ...validateContent(schema, object, undefined)],
    validateUpdate: (object, old, { subresource }) => [
      ...validateObjectMetaUpdate(object.metadata, old.metadata),
      ...validateContent(schema, object, old).map((finding) => (subresource === 'status' ? withinStatus(finding) : finding)),
    ],
    warnings: (object, old) => finalizerWarnings(object.metadata.finalizers?.filter((name) => !old?.metadata.finalizers?.includes(name))),
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: false,
    selectableFields: selectable,
    ...(selectable.length > 0 ? { fields: (object: Unstructured) => Object.fromEntries(selectable.map((path) => [path, textAt(object, path)])) } : {}),
    returnDeletedObject: false,
    // Objects are stored in the storage version: what its schema does not know is not kept.
    normalise(object) {
      if (storedSchema && storedSchema !== schema && !preserve) pruneObject(storedSchema, object);
    },
  };
}

function validateContent(schema: Schema, object: Unstructured, old: Unstructured | undefined): FieldError[] {
  const options = old ? { old } : {};
  const findings = validateSchema(schema, object, options);
  return findings.length > 0 ? findings : validateRules(schema, object, options);
}

/** The status is validated by its own part of the schema, and messages name fields from there. */
function withinStatus(finding: FieldError): FieldError {
  return { ...finding, message: finding.message.replace(/(^|: )status\.(\S+ in body )/, '$1$2') };
}

function textAt(object: unknown, path: string): string {
  let value = object;
  for (const step of path.split('.')) value = isRecord(value) ? value[step] : undefined;
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
}

interface DecodeFacts {
  spec: CrdSpec;
  version: CrdVersion;
  schema: Schema;
  preserve: boolean;
}

function decode({ spec, version, schema, preserve }: DecodeFacts, document: Unstructured, fieldValidation: FieldValidation, text: string): Decoded {
  checkKind(spec, version, document);
  const object = deepClone(document);
  object.apiVersion = formatApiVersion(spec.group, version.name);
  const metadata = decodeMetadata(object.metadata);
  object.metadata = metadata.known;
  const problems = fieldValidation === 'Ignore' ? [] : [...findDuplicateFields(text), ...metadata.unknown, ...findUnknownFields(schema, object)];
  if (fieldValidation === 'Strict' && problems.length > 0) {
    throw new DecodeFailure(`strict decoding error: ${problems.join(', ')}`);
  }
  if (!preserve) pruneObject(schema, object);
  return { object, warnings: problems };
}

function checkKind(spec: CrdSpec, version: CrdVersion, document: Unstructured): void {
  const { group, version: found } = parseApiVersion(document.apiVersion ?? '');
  if (group === spec.group && found === version.name && document.kind !== spec.names.kind) {
    const kind = document.kind ?? '';
    throw invalid({ group: spec.group, kind }, document.metadata?.name ?? '', [invalidField('kind', kind, `must be ${spec.names.kind}`)]);
  }
  if (group !== spec.group || found !== version.name) throw badRequest(`the API version in the data (${document.apiVersion}) does not match the expected API version (${formatApiVersion(spec.group, version.name)})`);
}

const META_FIELDS = new Set([
  'name', 'generateName', 'namespace', 'selfLink', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp',
  'deletionGracePeriodSeconds', 'labels', 'annotations', 'ownerReferences', 'finalizers', 'managedFields',
]);
const TEXT_FIELDS = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion', 'selfLink'];

/** Metadata is typed even where the rest is not; empty fields go. */
function decodeMetadata(raw: unknown): { known: Unstructured['metadata']; unknown: string[] } {
  const refuse = (why: string) => new DecodeFailure(why);
  if (!isRecord(raw)) throw refuse('json: cannot unmarshal into Go value of type v1.ObjectMeta');
  const metadata: Record<string, unknown> = {};
  const unknown: string[] = [];
  for (const [key, value] of Object.entries(raw)) {
    if (value === null || value === undefined || value === '') continue;
    if (TEXT_FIELDS.includes(key) && typeof value !== 'string') throw refuse(`json: cannot unmarshal ${goKind(value)} into Go struct field ObjectMeta.metadata.${key} of type string`);
    const problem = shapeProblem(key, value);
    if (problem) throw refuse(problem);
    if (isRecord(value) && Object.keys(value).length === 0) continue;
    if (Array.isArray(value) && value.length === 0) continue;
    if (META_FIELDS.has(key)) metadata[key] = value;
    else unknown.push(`unknown field "metadata.${key}"`);
  }
  return { known: metadata as Unstructured['metadata'], unknown: unknown.sort() };
}

const NUMBER_FIELDS = new Set(['generation', 'deletionGracePeriodSeconds']);
const TIME_FIELDS = new Set(['creationTimestamp', 'deletionTimestamp']);

/** What is wrong with a metadata field that is no plain text. */
function shapeProblem(key: string, value: unknown): string | undefined {
  const mismatch = (found: unknown, type: string) => `json: cannot unmarshal ${goKind(found)} into Go struct field ObjectMeta.metadata.${key} of type ${type}`;
  if (key === 'labels' || key === 'annotations') {
    if (!isRecord(value)) return mismatch(value, 'map[string]string');
    const odd = Object.values(value).find((item) => typeof item !== 'string');
    return odd === undefined ? undefined : mismatch(odd, 'string');
  }
  if (key === 'finalizers') {
    if (!Array.isArray(value)) return mismatch(value, '[]string');
    const odd: unknown = value.find((item) => typeof item !== 'string');
    return odd === undefined ? undefined : mismatch(odd, 'string');
  }
  if (key === 'ownerReferences' || key === 'managedFields') {
    const type = key === 'ownerReferences' ? 'v1.OwnerReference' : 'v1.ManagedFieldsEntry';
    if (!Array.isArray(value)) return mismatch(value, `[]${type}`);
    const odd: unknown = value.find((item) => !isRecord(item) || Object.entries(item).some(([name, part]) => OWNER_TEXT.has(name) && typeof part !== 'string'));
    return odd === undefined ? undefined : mismatch(odd, type);
  }
  if (NUMBER_FIELDS.has(key) && !Number.isInteger(value)) return mismatch(value, 'int64');
  if (TIME_FIELDS.has(key) && (typeof value !== 'string' || Number.isNaN(Date.parse(value)))) return `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(value)} as "2006"`;
  return undefined;
}

const OWNER_TEXT = new Set(['apiVersion', 'kind', 'name', 'uid', 'manager', 'operation', 'fieldsType', 'subresource', 'time']);

/** The generation counts changes of anything but metadata (and status, where that is a subresource). */
function prepareForUpdate(status: boolean, object: Unstructured, old: Unstructured, { subresource }: WriteContext): void {
  if (status && subresource === 'status') {
    for (const key of Object.keys(object)) if (!['apiVersion', 'kind', 'metadata', 'status'].includes(key)) delete object[key];
    for (const key of Object.keys(old)) if (!['apiVersion', 'kind', 'metadata', 'status'].includes(key)) object[key] = deepClone(old[key]);
    const { managedFields } = object.metadata;
    object.metadata = { ...deepClone(old.metadata), ...(managedFields ? { managedFields } : {}) };
    return;
  }
  if (status) {
    if (old['status'] === undefined) delete object['status'];
    else object['status'] = deepClone(old['status']);
  }
  const content = (value: Unstructured) => {
    const { apiVersion: _, kind: __, metadata: ___, ...rest } = value;
    if (status) delete rest['status'];
    return rest;
  };
  if (!deepEqual(content(object), content(old))) object.metadata.generation = (old.metadata.generation ?? 0) + 1;
}
