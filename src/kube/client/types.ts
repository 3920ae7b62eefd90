/**
 * The contract of a Kubernetes client: typed verbs over plain JSON. Reading and writing are separate
 * interfaces because leadership separates them: anybody may hold a {@link Reader}; a component that can
 * be replicated gets its {@link Writer} only from a leadership term (`#kube/leaderelection`).
 *
 * Absent: caches (`#kube/cache`), retries (callers know what a conflict means), knowledge of any kind.
 */
import type { KubeObject, ObjectKey, ObjectList } from '#apimachinery/meta';
import type { Resource } from '#apimachinery/resource';

/** Options every request takes. */
export interface CallOptions {
  /** Aborts the request. */
  signal?: AbortSignal;
  /** Upper bound of the whole request in milliseconds; default `requestTimeoutMs` of the client. */
  timeoutMs?: number;
  /**
   * Called synchronously right before the request's bytes are handed to the connection (which may be long
   * after the call, when one had to be opened); throwing stops the request. Leadership is checked here.
   */
  beforeSend?: () => void;
}

export interface GetOptions extends CallOptions {
  subresource?: string;
}

export interface ListOptions extends CallOptions {
  /** Absent: all namespaces. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** `''` or absent: consistent read; `'0'`: any cached state. */
  resourceVersion?: string;
  limit?: number;
  continue?: string;
}

export interface WatchOptions extends Omit<ListOptions, 'limit' | 'continue' | 'timeoutMs'> {
  allowBookmarks?: boolean;
  sendInitialEvents?: boolean;
  resourceVersionMatch?: 'NotOlderThan' | 'Exact';
  /** Asks the server to end the watch after this many seconds. */
  timeoutSeconds?: number;
}

export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  | { type: 'BOOKMARK'; object: KubeObject };

export interface WriteOptions extends CallOptions {
  fieldManager?: string;
  dryRun?: boolean;
  fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
  subresource?: string;
}

export interface ApplyOptions extends WriteOptions {
  fieldManager: string;
  force?: boolean;
}

export interface DeleteOptions extends CallOptions {
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  preconditions?: { uid?: string; resourceVersion?: string };
  gracePeriodSeconds?: number;
  dryRun?: boolean;
}

/** A patch body with the type that goes into Content-Type. */
export type Patch =
  | { type: 'json'; operations: readonly { op: string; path: string; value?: unknown; from?: string }[] }
  | { type: 'merge' | 'strategic'; body: unknown };

/** Consistent reads from the API server. All methods throw `StatusError` for what the server refuses. */
export interface Reader {
  get<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, options?: GetOptions): Promise<T>;
  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions): Promise<ObjectList<T>>;
  /**
   * Events until the server ends the watch or the signal aborts (both end the iteration normally). Throws
   * `StatusError` for an ERROR event (410 as Expired) and an `Error` for a broken connection.
   */
  watch<T extends KubeObject>(resource: Resource<T>, options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
}

/** Mutations. Everything returns the object as the server stored it. */
export interface Writer {
  create<T extends KubeObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<T>;
  /** Guarded by `metadata.resourceVersion` when the object carries one. */
  update<T extends KubeObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, patch: Patch, options?: WriteOptions): Promise<T>;
  /** Server-side apply; the object must carry apiVersion, kind, name (and namespace). */
  apply<T extends KubeObject>(resource: Resource<T>, object: T, options: ApplyOptions): Promise<T>;
  delete(resource: Resource<KubeObject>, key: ObjectKey, options?: DeleteOptions): Promise<void>;
  deleteCollection(resource: Resource<KubeObject>, list: ListOptions, options?: DeleteOptions): Promise<void>;
}

export interface RawRequest extends CallOptions {
  method: string;
  /** Path with query. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array | string;
}

export interface RawResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
}

export interface Client extends Reader, Writer {
  /** A request outside the typed verbs (discovery, logs, health). Does not throw for HTTP error codes. */
  request(request: RawRequest): Promise<RawResponse>;
  /** The base URL, for messages and for handing on. */
  readonly server: string;
  /** Ends connections; later requests fail. */
  close(): void;
}

/** How bytes reach an API server; implementations: HTTP/2, HTTP/1.1, an in-process handler. */
export interface Transport {
  request(request: RawRequest): Promise<RawResponse>;
  /** A response whose body arrives over time (watches, logs). Ends when the signal aborts. */
  stream(request: RawRequest): Promise<{ status: number; headers: Readonly<Record<string, string>>; body: AsyncIterable<Uint8Array> }>;
  readonly server: string;
  close(): void;
}
