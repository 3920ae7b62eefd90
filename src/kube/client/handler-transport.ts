/**
 * A transport without sockets: requests go to a `fetch`-style handler in the same process. It serves the
 * embedded API server's own controllers and tests.
 */
import type { Clock } from '#base/clock';
import { createDeadline } from './transport/index.ts';
import type { RawRequest, Transport } from './types.ts';

const ORIGIN = 'http://in-process';
const DEFAULT_TIMEOUT_MS = 30_000;

export interface HandlerTransportOptions {
  handler: (request: Request) => Promise<Response>;
  clock: Clock;
  /** Added to every request, e.g. who is asking. */
  headers?: Readonly<Record<string, string>>;
}

export function createHandlerTransport({ handler, clock, headers = {} }: HandlerTransportOptions): Transport {
  const begin = (request: RawRequest) => createDeadline(clock, request.signal, request.timeoutMs ?? DEFAULT_TIMEOUT_MS, `${request.method} ${request.path.split('?')[0]}`);
  const call = async (request: RawRequest, signal: AbortSignal): Promise<Response> => {
    signal.throwIfAborted();
    request.beforeSend?.();
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    const body = request.body === undefined ? {} : { body: request.body as NonNullable<RequestInit['body']> };
    return Promise.race([handler(new Request(ORIGIN + request.path, { method: request.method, headers: { ...headers, ...request.headers }, signal, ...body })), aborted]);
  };
  return {
    server: ORIGIN,
    async request(request) {
      const deadline = begin(request);
      try {
        const response = await call(request, deadline.signal);
        return { status: response.status, headers: Object.fromEntries(response.headers), body: new Uint8Array(await response.arrayBuffer()) };
      } catch (error) {
        throw deadline.reason(error);
      } finally {
        deadline.dispose();
      }
    },
    async stream(request) {
      const deadline = begin(request);
      try {
        const response = await call(request, deadline.signal);
        deadline.stopTimer();
        const body = readBody(response.body, deadline.signal, () => deadline.dispose());
        return { status: response.status, headers: Object.fromEntries(response.headers), body };
      } catch (error) {
        deadline.dispose();
        throw deadline.reason(error);
      }
    },
    close() {},
  };
}

async function* readBody(body: ReadableStream<Uint8Array> | null, signal: AbortSignal, dispose: () => void): AsyncIterable<Uint8Array> {
  const reader = body?.getReader();
  const onAbort = () => void reader?.cancel(signal.reason).catch(() => {});
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    while (reader && !signal.aborted) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    onAbort();
    dispose();
  }
}
