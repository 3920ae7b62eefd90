/** Typed verbs over a {@link Transport}: paths, queries, bodies and errors of the Kubernetes REST API. */
import { keyOf, type KubeObject, type ObjectKey, type ObjectList } from '#apimachinery/meta';
import { apiVersionOf, resourcePath, type Resource } from '#apimachinery/resource';
import { statusErrorOf } from './errors.ts';
import type { ApplyOptions, CallOptions, Client, DeleteOptions, ListOptions, Patch, RawRequest, RawResponse, Transport, WatchOptions, WriteOptions } from './types.ts';
import { parseWatchEvent, splitLines } from './watch/index.ts';

export interface ClientOptions {
  /** Limit of a request that sets none; default 30 s. */
  requestTimeoutMs?: number;
  /** Sent as `User-Agent`; names the component in audit logs. */
  userAgent?: string;
  /** Default field manager of writes. */
  fieldManager?: string;
  /** Receives the server's `Warning` headers (deprecated APIs, ignored fields). */
  onWarning?: (text: string) => void;
}

const PATCH_TYPES = { json: 'application/json-patch+json', merge: 'application/merge-patch+json', strategic: 'application/strategic-merge-patch+json' } as const;
const APPLY_TYPE = 'application/apply-patch+yaml';
const JSON_TYPE = 'application/json';

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export function createClient(transport: Transport, options: ClientOptions = {}): Client {
  const { requestTimeoutMs = 30_000, userAgent = 'fleet-ts' } = options;
  const baseHeaders = { 'user-agent': userAgent, accept: JSON_TYPE };

  const raw = async (request: RawRequest): Promise<RawResponse> => {
    const response = await transport.request({ timeoutMs: requestTimeoutMs, ...request, headers: { ...baseHeaders, ...request.headers } });
    if (options.onWarning && response.headers['warning']) for (const text of parseWarnings(response.headers['warning'])) options.onWarning(text);
    return response;
  };
  const call = async <T>({ method, path, body, contentType = JSON_TYPE, options: callOptions = {} }: Call): Promise<T> => {
    const { signal, beforeSend, timeoutMs = requestTimeoutMs } = callOptions;
    const content = body === undefined ? {} : { headers: { 'content-type': contentType }, body: JSON.stringify(body) };
    const response = await raw({ method, path, timeoutMs, ...(signal ? { signal } : {}), ...(beforeSend ? { beforeSend } : {}), ...content });
    if (response.status < 200 || response.status > 299) throw statusErrorOf(response, method, path);
    return parseBody<T>(response, method, path);
  };
  const writeQuery = (write: WriteOptions = {}): Query => ({
    fieldManager: write.fieldManager ?? options.fieldManager,
    dryRun: write.dryRun ? 'All' : undefined,
    fieldValidation: write.fieldValidation,
  });

  return {
    server: transport.server,
    request: raw,
    close: () => transport.close(),
    get: (resource, key, get) => call({ method: 'GET', path: resourcePath(resource, named(resource, key), get?.subresource), options: get }),
    async list<T extends KubeObject>(resource: Resource<T>, list: ListOptions = {}) {
      const path = resourcePath(resource, scope(list)) + queryText(listQuery(list));
      return withTypes(resource, await call<ObjectList<T>>({ method: 'GET', path, options: list }));
    },
    watch: (resource, watch = {}) => watchEvents(transport, resource, watch, { ...baseHeaders }),
    create(resource, object, write) {
      // A subresource (eviction, token, binding) is created below its object; an object below its collection.
      const key = write?.subresource ? keyOf(object) : scope(object.metadata);
      return call({ method: 'POST', path: resourcePath(resource, key, write?.subresource) + queryText(writeQuery(write)), body: typed(resource, object), options: write });
    },
    update: (resource, object, write) =>
      call({ method: 'PUT', path: resourcePath(resource, named(resource, keyOf(object)), write?.subresource) + queryText(writeQuery(write)), body: typed(resource, object), options: write }),
    patch: (resource, key, patch: Patch, write) =>
      call({
        method: 'PATCH',
        path: resourcePath(resource, named(resource, key), write?.subresource) + queryText(writeQuery(write)),
        body: patch.type === 'json' ? patch.operations : patch.body,
        contentType: PATCH_TYPES[patch.type],
        options: write,
      }),
    apply<T extends KubeObject>(resource: Resource<T>, object: T, apply: ApplyOptions) {
      const { managedFields: _, ...metadata } = object.metadata;
      const query = queryText({ ...writeQuery(apply), force: apply.force ? true : undefined });
      const path = resourcePath(resource, named(resource, keyOf(object)), apply.subresource) + query;
      return call<T>({ method: 'PATCH', path, body: typed(resource, { ...object, metadata }), contentType: APPLY_TYPE, options: apply });
    },
    async delete(resource, key, del) {
      await call({ method: 'DELETE', path: resourcePath(resource, named(resource, key)), body: deleteBody(del), options: del });
    },
    async deleteCollection(resource, list, del) {
      const path = resourcePath(resource, scope(list)) + queryText(listQuery(list));
      await call({ method: 'DELETE', path, body: deleteBody(del), options: { ...list, ...del } });
    },
  };
}

interface Call {
  method: string;
  path: string;
  body?: unknown;
  contentType?: string;
  options?: CallOptions | undefined;
}

function scope({ namespace }: { namespace?: string }): Partial<ObjectKey> {
  return namespace ? { namespace } : {};
}

function named(resource: Resource<KubeObject>, key: ObjectKey): ObjectKey {
  if (!key.name) throw new Error(`${resource.kind}: a request for one object needs metadata.name`);
  if (resource.namespaced && !key.namespace) throw new Error(`${resource.kind}/${key.name}: a namespaced object needs metadata.namespace`);
  return key;
}

function typed<T extends KubeObject>(resource: Resource<T>, object: T): T {
  return object.kind && object.apiVersion ? object : { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object };
}

/** Servers omit the type of a list's items; messages and apply need it. */
function withTypes<T extends KubeObject>(resource: Resource<T>, list: ObjectList<T>): ObjectList<T> {
  const apiVersion = apiVersionOf(resource);
  for (const item of list.items ?? []) {
    item.apiVersion ??= apiVersion;
    item.kind ??= resource.kind;
  }
  return { ...list, items: list.items ?? [] };
}

function listQuery(list: ListOptions): Query {
  return { labelSelector: list.labelSelector, fieldSelector: list.fieldSelector, resourceVersion: list.resourceVersion, limit: list.limit, continue: list.continue };
}

function deleteBody(options: DeleteOptions = {}): unknown {
  const { propagationPolicy, preconditions, gracePeriodSeconds, dryRun } = options;
  return { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy, preconditions, gracePeriodSeconds, ...(dryRun ? { dryRun: ['All'] } : {}) };
}

function queryText(query: Query): string {
  const parts = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}

function parseBody<T>(response: RawResponse, method: string, path: string): T {
  const text = new TextDecoder().decode(response.body);
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new Error(`${method} ${path.split('?')[0]}: the answer is not JSON (${response.headers['content-type'] ?? 'no content type'})`, { cause: error });
  }
}

/** The texts of a `Warning` header (RFC 9111 §5.5 in its Kubernetes use: `299 - "text"`). */
export function parseWarnings(header: string): string[] {
  return [...header.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) => (match[1] ?? '').replace(/\\(.)/g, '$1'));
}

async function* watchEvents<T extends KubeObject>(transport: Transport, resource: Resource<T>, options: WatchOptions, headers: Readonly<Record<string, string>>) {
  const query = queryText({
    watch: true,
    ...listQuery(options),
    allowWatchBookmarks: options.allowBookmarks,
    sendInitialEvents: options.sendInitialEvents,
    resourceVersionMatch: options.resourceVersionMatch,
    timeoutSeconds: options.timeoutSeconds,
  });
  const path = resourcePath(resource, scope(options)) + query;
  if (options.signal?.aborted) return;
  const response = await transport.stream({ method: 'GET', path, headers, ...(options.signal ? { signal: options.signal } : {}) });
  if (response.status !== 200) throw statusErrorOf({ ...response, body: await drain(response.body) }, 'WATCH', path);
  for await (const line of splitLines(response.body)) yield parseWatchEvent<T>(line);
}

async function drain(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

