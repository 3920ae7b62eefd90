/**
 * Clients in the server's own process: a transport that hands requests to the handler and streams back without
 * sockets, and the `fetch` form of the handler for tests.
 */
import { isStream, type ApiRequest, type ApiResponse } from '#embedded/apiserver';
import type { Clock } from '#base/clock';
import type { RawRequest, RawResponse, Transport } from '#kube/client';

export type Handle = (request: ApiRequest) => Promise<ApiResponse>;

export interface InProcessOptions {
  handle: Handle;
  clock: Clock;
  /** Added to every request, e.g. who is asking. */
  headers: Readonly<Record<string, string>>;
}

const DEFAULT_TIMEOUT_MS = 30_000;

export function inProcessTransport({ handle, clock, headers }: InProcessOptions): Transport {
  const closing = new AbortController();
  const call = (request: RawRequest): Promise<ApiResponse> => {
    const body = request.body === undefined ? new Uint8Array(0) : typeof request.body === 'string' ? Buffer.from(request.body) : request.body;
    const lower = Object.fromEntries(Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
    return handle({ method: request.method, path: request.path, headers: { ...headers, ...lower }, body });
  };
  return {
    server: 'http://in-process',
    async request(request) {
      const response = await bounded(clock, request, closing.signal, call(request));
      const bytes = isStream(response.body) ? await collect(readStream(response, request.signal, closing.signal)) : response.body;
      return { status: response.status, headers: flat(response.headers), body: bytes };
    },
    async stream(request) {
      const response = await bounded(clock, request, closing.signal, call(request));
      return { status: response.status, headers: flat(response.headers), body: readStream(response, request.signal, closing.signal) };
    },
    close: () => closing.abort(new Error('the transport is closed')),
  };
}

function bounded<T>(clock: Clock, request: RawRequest, closing: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const limitMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const settle = (act: () => void) => {
      timer.cancel();
      request.signal?.removeEventListener('abort', onAbort);
      closing.removeEventListener('abort', onClose);
      act();
    };
    const onAbort = () => settle(() => reject(request.signal?.reason as Error));
    const onClose = () => settle(() => reject(closing.reason as Error));
    const timer = clock.after(limitMs, () => settle(() => reject(new Error(`${request.method} ${request.path.split('?')[0]}: no answer after ${limitMs} ms`))));
    if (request.signal?.aborted) return onAbort();
    if (closing.aborted) return onClose();
    request.signal?.addEventListener('abort', onAbort, { once: true });
    closing.addEventListener('abort', onClose, { once: true });
    work.then((value) => settle(() => resolve(value)), (error: unknown) => settle(() => reject(error as Error)));
  });
}

/** Chunks of a body as they come; ends when the body ends or a signal aborts. */
async function* readStream({ body }: ApiResponse, ...signals: (AbortSignal | undefined)[]): AsyncIterable<Uint8Array> {
  if (!isStream(body)) {
    yield body;
    return;
  }
  const queue: Uint8Array[] = [];
  let buffered = 0;
  let ended = false;
  let wake: () => void = () => {};
  const end = () => {
    ended = true;
    wake();
  };
  const write = (chunk: Uint8Array) => {
    queue.push(chunk);
    buffered += chunk.byteLength;
    wake();
  };
  for (const signal of signals) signal?.addEventListener('abort', end, { once: true });
  if (signals.some((signal) => signal?.aborted)) ended = true;
  const abort = () => {
    queue.length = 0;
    end();
  };
  const cancel = body.open({ write, end, abort, get buffered() { return buffered; } });
  try {
    for (;;) {
      const aborted = signals.some((signal) => signal?.aborted);
      const chunk = aborted ? undefined : queue.shift();
      if (chunk) {
        buffered -= chunk.byteLength;
        yield chunk;
      } else if (ended) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    cancel();
    for (const signal of signals) signal?.removeEventListener('abort', end);
  }
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

function flat(headers: ApiResponse['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]));
}

/** The handler in the form of `fetch`; `headers` are added to every request. */
export function fetchHandler(handle: Handle, headers: Readonly<Record<string, string>> = {}): (request: Request) => Promise<Response> {
  return async (request) => {
    const url = new URL(request.url);
    const own = Object.fromEntries(request.headers);
    const body = new Uint8Array(await request.arrayBuffer());
    const response = await handle({ method: request.method, path: url.pathname + url.search, headers: { ...headers, ...own }, body });
    const content = isStream(response.body) ? ReadableStream.from(readStream(response, request.signal)) : response.body;
    const sent = new Headers();
    for (const [name, value] of Object.entries(response.headers)) for (const item of Array.isArray(value) ? value : [value]) sent.append(name, item);
    return new Response(response.status === 204 || response.status === 304 ? null : (content as ConstructorParameters<typeof Response>[0]), { status: response.status, headers: sent });
  };
}

export type { RawResponse };
