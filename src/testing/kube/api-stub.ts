/**
 * A very small API server as a {@link Transport}: objects by path with resourceVersions, conflicts, merge
 * patches, lists and watches with history, and faults a test switches on. It knows no kind, no schema and
 * no defaults; for Kubernetes' own behaviour tests use the embedded API server.
 */
import type { KubeObject } from '#apimachinery/meta';
import { isRecord } from '#base/json';
import type { RawRequest, RawResponse, Transport } from '#kube/client';

interface HistoryEntry {
  revision: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  collection: string;
  object: KubeObject;
}

/** What an interceptor does with a request: answer it, fail it by throwing, or let it pass (`undefined`). */
export type Interceptor = (request: RawRequest, path: string, query: URLSearchParams) => Promise<RawResponse | undefined> | RawResponse | undefined;

interface Watcher {
  collection: string;
  query: URLSearchParams;
  push: (line: string) => void;
  end: (error?: Error) => void;
}

export class ApiStub implements Transport {
  readonly server = 'http://stub';
  readonly requests: string[] = [];
  intercept: Interceptor | undefined;
  /** Watches older than this revision get 410. */
  compactedRevision = 0;
  #revision = 100;
  #uid = 0;
  #objects = new Map<string, KubeObject>();
  #history: HistoryEntry[] = [];
  #watchers = new Set<Watcher>();

  get revision(): number {
    return this.#revision;
  }

  get watching(): number {
    return this.#watchers.size;
  }

  /** Puts an object as if some other client had written it. `path` is the collection's, e.g. `/api/v1/namespaces/a/pods`. */
  put(path: string, object: KubeObject): KubeObject {
    return this.#write(`${path}/${object.metadata.name}`, object);
  }

  remove(path: string, name: string): void {
    const full = `${path}/${name}`;
    const existing = this.#objects.get(full);
    if (!existing) return;
    this.#objects.delete(full);
    this.#record('DELETED', path, { ...existing, metadata: { ...existing.metadata, resourceVersion: String(++this.#revision) } });
  }

  read(path: string, name: string): KubeObject | undefined {
    return this.#objects.get(`${path}/${name}`);
  }

  /** Ends every open watch: normally, or with an error as a broken connection would. */
  breakWatches(error?: Error): void {
    for (const watcher of Array.from(this.#watchers)) watcher.end(error);
  }

  bookmark(): void {
    for (const watcher of this.#watchers) watcher.push(JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(this.#revision) } } }));
  }

  /** Moves the revision on without touching any object, as writes to other kinds do. */
  skipRevisions(count: number): void {
    this.#revision += count;
  }

  close(): void {
    this.breakWatches(new Error('closed'));
  }

  async request(request: RawRequest): Promise<RawResponse> {
    request.signal?.throwIfAborted();
    const { pathname: path, searchParams: query } = new URL(request.path, this.server);
    this.requests.push(`${request.method} ${request.path}`);
    const answer = await raceAbort(request.signal, this.intercept?.(request, path, query));
    return answer ?? this.#answer(request, path, query);
  }

  async stream(request: RawRequest): Promise<{ status: number; headers: Record<string, string>; body: AsyncIterable<Uint8Array> }> {
    const { pathname: path, searchParams: query } = new URL(request.path, this.server);
    this.requests.push(`WATCH ${request.path}`);
    const answer = await raceAbort(request.signal, this.intercept?.(request, path, query));
    if (answer) return { ...answer, headers: {}, body: once(answer.body) };
    const since = Number(query.get('resourceVersion') ?? this.#revision);
    if (since < this.compactedRevision) {
      const gone = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' } };
      return { status: 200, headers: {}, body: once(Buffer.from(`${JSON.stringify(gone)}\n`)) };
    }
    return { status: 200, headers: {}, body: this.#watch(path, since, query, request.signal) };
  }

  async *#watch(path: string, since: number, query: URLSearchParams, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
    const queue: string[] = this.#history.filter((entry) => entry.revision > since && matches(entry, path, query)).map(eventLine);
    let wake = () => {};
    let ended: { error?: Error | undefined } | undefined;
    const watcher: Watcher = {
      collection: path,
      query,
      push: (line) => {
        queue.push(line);
        wake();
      },
      end: (error) => {
        ended = { error };
        this.#watchers.delete(watcher);
        wake();
      },
    };
    this.#watchers.add(watcher);
    const onAbort = () => watcher.end();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) {
        while (queue.length > 0) yield Buffer.from(`${queue.shift()}\n`);
        if (ended?.error) throw ended.error;
        if (ended || signal?.aborted) return;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#watchers.delete(watcher);
    }
  }

  #answer(request: RawRequest, path: string, query: URLSearchParams): RawResponse {
    const body = request.body === undefined ? undefined : (JSON.parse(Buffer.from(request.body as Uint8Array).toString()) as KubeObject);
    const existing = this.#objects.get(path);
    switch (request.method) {
      case 'GET':
        return existing ? ok(existing) : isCollection(path) ? this.#list(path, query) : status(404, 'NotFound', `${path} not found`);
      case 'POST': {
        const full = `${path}/${body?.metadata.name}`;
        return this.#objects.has(full) ? status(409, 'AlreadyExists', `${full} already exists`) : ok(this.#write(full, body as KubeObject));
      }
      case 'PUT': {
        if (!existing) return status(404, 'NotFound', `${path} not found`);
        const wanted = body?.metadata.resourceVersion;
        if (wanted && wanted !== existing.metadata.resourceVersion) return status(409, 'Conflict', 'the object has been modified');
        return ok(this.#write(path, body as KubeObject));
      }
      case 'PATCH':
        return ok(this.#write(path, mergePatch(existing ?? {}, body) as KubeObject));
      case 'DELETE':
        if (!existing) return status(404, 'NotFound', `${path} not found`);
        this.remove(path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1));
        return ok({ kind: 'Status', status: 'Success' });
      default:
        return status(405, 'MethodNotAllowed', request.method);
    }
  }

  #list(path: string, query: URLSearchParams): RawResponse {
    const all = [...this.#objects.entries()].filter(([key]) => collectionMatches(key.slice(0, key.lastIndexOf('/')), path)).map(([, object]) => object);
    const named = query.get('fieldSelector')?.match(/^metadata\.name=(.*)$/)?.[1];
    const items = named === undefined ? all : all.filter((object) => object.metadata.name === named);
    const from = Number(query.get('continue') ?? 0);
    const limit = Number(query.get('limit') ?? items.length);
    const more = from + limit < items.length ? { continue: String(from + limit) } : {};
    return ok({ kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: String(this.#revision), ...more }, items: items.slice(from, from + limit) });
  }

  #write(full: string, object: KubeObject): KubeObject {
    const existing = this.#objects.get(full);
    const uid = existing?.metadata.uid ?? object.metadata.uid ?? `uid-${++this.#uid}`;
    const stored = { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(++this.#revision) } };
    this.#objects.set(full, stored);
    this.#record(existing ? 'MODIFIED' : 'ADDED', full.slice(0, full.lastIndexOf('/')), stored);
    return stored;
  }

  #record(type: HistoryEntry['type'], collection: string, object: KubeObject): void {
    const entry = { revision: this.#revision, type, collection, object };
    this.#history.push(entry);
    for (const watcher of this.#watchers) {
      if (matches(entry, watcher.collection, watcher.query)) watcher.push(eventLine(entry));
    }
  }
}

/** A path is a collection when it ends in a plural: `/api/v1/pods`, `/apis/g/v/namespaces/n/things`. */
function isCollection(path: string): boolean {
  const parts = path.split('/').filter(Boolean).slice(path.startsWith('/apis/') ? 3 : 2);
  return parts.length === 1 || (parts[0] === 'namespaces' && parts.length === 3);
}

/** An all-namespaces path covers the collections of every namespace. */
function collectionMatches(collection: string, path: string): boolean {
  return collection === path || collection.replace(/\/namespaces\/[^/]+(?=\/)/, '') === path;
}

function matches(entry: HistoryEntry, path: string, query: URLSearchParams): boolean {
  const named = query.get('fieldSelector')?.match(/^metadata\.name=(.*)$/)?.[1];
  return collectionMatches(entry.collection, path) && (named === undefined || entry.object.metadata.name === named);
}

function eventLine({ type, object }: HistoryEntry): string {
  return JSON.stringify({ type, object });
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

export function ok(body: unknown): RawResponse {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(body)) };
}

export function status(code: number, reason: string, message: string): RawResponse {
  return { status: code, headers: {}, body: Buffer.from(JSON.stringify({ kind: 'Status', status: 'Failure', code, reason, message })) };
}

async function* once(body: Uint8Array): AsyncIterable<Uint8Array> {
  yield body;
}

function raceAbort<T>(signal: AbortSignal | undefined, promise: Promise<T> | T): Promise<T> | T {
  if (!signal || !(promise instanceof Promise)) return promise;
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    promise.then(resolve, reject);
  });
}
