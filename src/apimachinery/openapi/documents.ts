/**
 * OpenAPI v2 and v3 documents of the served kinds, with what clients read from them: definitions by kind
 * (kubectl explain, diff), list and patch extensions (client-side strategic merges), and the query parameters
 * each verb supports (kubectl decides by them whether the server validates fields). No descriptions.
 */
import { isRecord } from '#base/json';
import { OBJECT_META_SCHEMA, type Schema } from '../schema/index.ts';

export interface ServedKind {
  group: string;
  version: string;
  kind: string;
  plural: string;
  namespaced: boolean;
  verbs: readonly string[];
  schema: Schema;
  /** Name of the definition, e.g. `io.k8s.api.apps.v1.Deployment`. */
  definition: string;
  /** Names of subresources with their verbs. */
  subresources?: readonly { name: string; verbs: readonly string[] }[];
}

type Json = Record<string, unknown>;

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const TIME = `${META}.Time`;
const MICRO_TIME = `${META}.MicroTime`;
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
const RAW = 'io.k8s.apimachinery.pkg.runtime.RawExtension';
const PATCH_TYPES = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json'];

const LEAVES: Readonly<Record<string, Json>> = {
  [TIME]: { type: 'string', format: 'date-time' },
  [MICRO_TIME]: { type: 'string', format: 'date-time' },
  [RAW]: { type: 'object' },
  [`${META}.ListMeta`]: { type: 'object', properties: { continue: { type: 'string' }, remainingItemCount: { type: 'integer', format: 'int64' }, resourceVersion: { type: 'string' }, selfLink: { type: 'string' } } },
};

/** Collects definitions while schemas are written. */
class Writer {
  readonly definitions: Json = {};
  readonly #v3: boolean;

  constructor(v3: boolean) {
    this.#v3 = v3;
  }

  ref(name: string): Json {
    return { $ref: `${this.#v3 ? '#/components/schemas/' : '#/definitions/'}${name}` };
  }

  leaf(name: string): Json {
    if (!this.definitions[name]) this.definitions[name] = this.#leafSchema(name);
    return this.ref(name);
  }

  #leafSchema(name: string): Json {
    if (name === QUANTITY) return this.#v3 ? { oneOf: [{ type: 'string' }, { type: 'number' }] } : { type: 'string' };
    if (name === INT_OR_STRING) return this.#v3 ? { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] } : { type: 'string', format: 'int-or-string' };
    return LEAVES[name] ?? { type: 'object' };
  }

  /** The value of a field: a reference where the type has a name. */
  value(schema: Schema): Json {
    switch (schema.go?.codec) {
      case 'time':
        return this.#field(this.leaf(TIME), schema);
      case 'microTime':
        return this.#field(this.leaf(MICRO_TIME), schema);
      case 'quantity':
        return this.#field(this.leaf(QUANTITY), schema);
      case 'intOrString':
        return this.#field(this.leaf(INT_OR_STRING), schema);
      case 'any':
        return schema.type ? this.#field(this.leaf(RAW), schema) : {};
      case 'schemaOrList':
      case 'schemaOrBoolean':
      case 'schemaOrNames':
        return {};
      default:
        return schema.go?.definition ? this.#field(this.struct(schema.go.definition, schema), schema) : this.#inline(schema);
    }
  }

  /** v3 does not allow siblings of a reference. */
  #field(ref: Json, schema: Schema): Json {
    const extra = extensionsOf(schema);
    if (this.#v3) return { allOf: [ref], ...extra };
    return { ...ref, ...extra };
  }

  struct(name: string, schema: Schema): Json {
    if (!this.definitions[name]) {
      const definition: Json = { type: 'object' };
      this.definitions[name] = definition;
      if (schema['x-kubernetes-map-type']) definition['x-kubernetes-map-type'] = schema['x-kubernetes-map-type'];
      definition['properties'] = Object.fromEntries(Object.entries(schema.properties ?? {}).map(([field, property]) => [field, this.value(property)]));
      if (schema.required) definition['required'] = schema.required;
    }
    return this.ref(name);
  }

  #inline(schema: Schema): Json {
    const { go: _go, properties, items, additionalProperties, allOf, anyOf, oneOf, not, ...rest } = schema;
    const list = (options: Schema[] | undefined) => options?.map((option) => this.value(option));
    const result: Json = { ...rest };
    if (properties) result['properties'] = Object.fromEntries(Object.entries(properties).map(([field, property]) => [field, this.value(property)]));
    if (items) result['items'] = this.value(items);
    if (additionalProperties !== undefined) result['additionalProperties'] = isRecord(additionalProperties) ? this.value(additionalProperties as Schema) : additionalProperties;
    if (rest['x-kubernetes-validations'] === undefined) delete result['x-kubernetes-validations'];
    // OpenAPI v2 has no alternatives; the real server leaves them out there.
    if (this.#v3) Object.assign(result, allOf ? { allOf: list(allOf) } : {}, anyOf ? { anyOf: list(anyOf) } : {}, oneOf ? { oneOf: list(oneOf) } : {}, not ? { not: this.value(not) } : {});
    // Nor has it null: a nullable field has no type there.
    else if (rest.nullable) for (const key of ['type', 'nullable', 'properties', 'items']) delete result[key];
    return result;
  }

  /** The definition of a kind and of its list. */
  kind(served: ServedKind): void {
    const gvk = { group: served.group, kind: served.kind, version: served.version };
    if (served.schema.go?.definition) this.struct(served.definition, served.schema);
    else this.definitions[served.definition] = this.#custom(served.schema);
    const definition = this.definitions[served.definition] as Json;
    const known = (definition['x-kubernetes-group-version-kind'] as unknown[] | undefined) ?? [];
    definition['x-kubernetes-group-version-kind'] = [...known, gvk];
    if (!served.verbs.includes('list')) return;
    this.definitions[`${served.definition}List`] = {
      type: 'object',
      required: ['items'],
      properties: { apiVersion: { type: 'string' }, items: { type: 'array', items: this.ref(served.definition) }, kind: { type: 'string' }, metadata: this.leaf(`${META}.ListMeta`) },
      'x-kubernetes-group-version-kind': [{ ...gvk, kind: `${served.kind}List` }],
    };
  }

  #custom(schema: Schema): Json {
    const name = `${META}.ObjectMeta`;
    if (!this.definitions[name]) this.definitions[name] = this.#inline(OBJECT_META_SCHEMA);
    const inline = this.#inline(schema);
    const properties = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: this.#v3 ? { allOf: [this.ref(name)] } : this.ref(name) };
    return { ...inline, type: 'object', properties: { ...(inline['properties'] as Json | undefined), ...properties } };
  }
}

function extensionsOf(schema: Schema): Json {
  const extra: Json = {};
  for (const key of ['x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-patch-strategy', 'x-kubernetes-patch-merge-key', 'default'] as const) if (schema[key] !== undefined) extra[key] = schema[key];
  return extra;
}

const ACTIONS: Readonly<Record<string, { method: string; action: string; parameters: readonly string[] }>> = {
  list: { method: 'get', action: 'list', parameters: ['allowWatchBookmarks', 'continue', 'fieldSelector', 'labelSelector', 'limit', 'resourceVersion', 'resourceVersionMatch', 'sendInitialEvents', 'timeoutSeconds', 'watch'] },
  create: { method: 'post', action: 'post', parameters: ['dryRun', 'fieldManager', 'fieldValidation'] },
  deletecollection: { method: 'delete', action: 'deletecollection', parameters: ['continue', 'dryRun', 'fieldSelector', 'gracePeriodSeconds', 'labelSelector', 'limit', 'orphanDependents', 'propagationPolicy'] },
  get: { method: 'get', action: 'get', parameters: [] },
  update: { method: 'put', action: 'put', parameters: ['dryRun', 'fieldManager', 'fieldValidation'] },
  patch: { method: 'patch', action: 'patch', parameters: ['dryRun', 'fieldManager', 'fieldValidation', 'force'] },
  delete: { method: 'delete', action: 'delete', parameters: ['dryRun', 'gracePeriodSeconds', 'orphanDependents', 'propagationPolicy'] },
};
const COLLECTION_VERBS = ['list', 'create', 'deletecollection'];
const OBJECT_VERBS = ['get', 'update', 'patch', 'delete'];
const NUMBERS = new Set(['limit', 'timeoutSeconds', 'gracePeriodSeconds']);
const BOOLEANS = new Set(['allowWatchBookmarks', 'sendInitialEvents', 'watch', 'force', 'orphanDependents']);

function parameter(name: string, v3: boolean): Json {
  const type = NUMBERS.has(name) ? 'integer' : BOOLEANS.has(name) ? 'boolean' : 'string';
  return { name, in: 'query', ...(v3 ? { schema: { type, uniqueItems: true } } : { type, uniqueItems: true }) };
}

function pathParameter(name: string, v3: boolean): Json {
  return { name, in: 'path', required: true, ...(v3 ? { schema: { type: 'string', uniqueItems: true } } : { type: 'string', uniqueItems: true }) };
}

function operations(served: ServedKind, verbs: readonly string[], writer: Writer, v3: boolean): Json {
  const gvk = { group: served.group, kind: served.kind, version: served.version };
  const result: Json = {};
  for (const verb of verbs) {
    const known = ACTIONS[verb];
    if (!known || !served.verbs.includes(verb)) continue;
    const schema = writer.ref(verb === 'list' ? `${served.definition}List` : served.definition);
    const content = { 'application/json': { schema } };
    const body = verb === 'create' || verb === 'update' || verb === 'patch';
    const bodyTypes = verb === 'patch' ? PATCH_TYPES : ['*/*'];
    result[known.method] = {
      operationId: `${verb}${served.group.replaceAll('.', '')}${served.version}${served.namespaced ? 'Namespaced' : ''}${served.kind}`,
      parameters: [...(body && !v3 ? [{ name: 'body', in: 'body', required: true, schema: verb === 'patch' ? { type: 'object' } : schema }] : []), ...known.parameters.map((name) => parameter(name, v3))],
      ...(body && v3 ? { requestBody: { required: true, content: Object.fromEntries(bodyTypes.map((type) => [type, { schema: verb === 'patch' ? { type: 'object' } : schema }])) } } : {}),
      ...(v3 ? {} : { consumes: bodyTypes, produces: ['application/json', 'application/yaml'], schemes: ['https'] }),
      responses: { 200: v3 ? { description: 'OK', content } : { description: 'OK', schema } },
      'x-kubernetes-action': known.action,
      'x-kubernetes-group-version-kind': gvk,
    };
  }
  return result;
}

function pathsOf(served: ServedKind, writer: Writer, v3: boolean): Json {
  const root = served.group ? `/apis/${served.group}/${served.version}` : `/api/${served.version}`;
  const collection = `${root}${served.namespaced ? '/namespaces/{namespace}' : ''}/${served.plural}`;
  const common = served.namespaced ? [pathParameter('namespace', v3)] : [];
  const paths: Json = {};
  const put = (path: string, verbs: readonly string[], parameters: Json[]) => {
    const found = operations(served, verbs, writer, v3);
    if (Object.keys(found).length > 0) paths[path] = { ...found, parameters };
  };
  put(collection, COLLECTION_VERBS, common);
  put(`${collection}/{name}`, OBJECT_VERBS, [pathParameter('name', v3), ...common]);
  if (served.namespaced) put(`${root}/${served.plural}`, ['list'], []);
  for (const { name, verbs } of served.subresources ?? []) {
    const sub = operations({ ...served, verbs }, OBJECT_VERBS, writer, v3);
    if (Object.keys(sub).length > 0) paths[`${collection}/{name}/${name}`] = { ...sub, parameters: [pathParameter('name', v3), ...common] };
  }
  return paths;
}

export function buildOpenApiV2(kinds: readonly ServedKind[], serverVersion: string): Record<string, unknown> {
  const writer = new Writer(false);
  const paths: Json = {};
  for (const kind of kinds) {
    writer.kind(kind);
    Object.assign(paths, pathsOf(kind, writer, false));
  }
  return { swagger: '2.0', info: { title: 'Kubernetes', version: serverVersion }, paths, definitions: writer.definitions, securityDefinitions: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } }, security: [{ BearerToken: [] }] };
}

/** The document of one group version. */
export function buildOpenApiV3(kinds: readonly ServedKind[], serverVersion: string): Record<string, unknown> {
  const writer = new Writer(true);
  const paths: Json = {};
  for (const kind of kinds) {
    writer.kind(kind);
    Object.assign(paths, pathsOf(kind, writer, true));
  }
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version: serverVersion }, paths, components: { schemas: writer.definitions, securitySchemes: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } } } };
}
