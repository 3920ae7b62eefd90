/**
 * One HTTP exchange, whatever the protocol below: {@link Wire} sends a request and gives the response's
 * head and body. {@link createWireTransport} makes a {@link Transport} of it: credentials, time limits,
 * aborts, size limits and error texts are here once, for HTTP/2 and HTTP/1.1 alike.
 */
import type { Readable } from 'node:stream';
import type { Clock } from '#base/clock';
import type { Authorizer } from './auth.ts';
import { createDeadline, type Deadline } from './deadline.ts';
import type { RawRequest, RawResponse, Transport } from '../types.ts';

/** A response body above this size fails the request; lists are paged long before. */
const RESPONSE_BYTES_MAX = 256 * 1024 * 1024;
/** Used when neither the request nor the client sets a limit. */
const DEFAULT_TIMEOUT_MS = 30_000;

export interface WireResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: Readable;
  /** Once the body has ended: why it is not whole, if so. Node ends a body cut off by the peer like a complete one. */
  broken(): string | undefined;
}

export interface WireRequest {
  method: string;
  path: string;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array | string | undefined;
  signal: AbortSignal;
  /** See CallOptions.beforeSend; to be called when nothing else stands between the request and the connection. */
  beforeSend: (() => void) | undefined;
}

export interface Wire {
  /** Resolves when the head has arrived. Must destroy the body when the signal aborts. */
  exchange(request: WireRequest): Promise<WireResponse>;
  close(): void;
}

export interface WireTransportOptions {
  server: string;
  wire: Wire;
  authorizer: Authorizer;
  clock: Clock;
}

export function createWireTransport({ server, wire, authorizer, clock }: WireTransportOptions): Transport {
  const url = new URL(server);
  const prefix = url.pathname.replace(/\/+$/, '');
  let closed = false;

  const send = async (request: RawRequest, signal: AbortSignal): Promise<WireResponse> => {
    const authorization = await authorizer.header();
    signal.throwIfAborted();
    const headers = { 'accept-encoding': 'identity', ...request.headers, ...(authorization && !request.headers?.['authorization'] ? { authorization } : {}) };
    return wire.exchange({ method: request.method, path: prefix + request.path, headers, body: request.body, signal, beforeSend: request.beforeSend });
  };
  const exchange = async (request: RawRequest, signal: AbortSignal): Promise<WireResponse> => {
    if (closed) throw new Error(`${server}: the connection was closed by us`);
    const response = await send(request, signal);
    // A bound token may have been replaced since it was read: one more attempt with what is there now.
    if (response.status !== 401 || !(await authorizer.refresh())) return response;
    response.body.destroy();
    return send(request, signal);
  };
  const begin = (request: RawRequest): Deadline =>
    createDeadline(clock, request.signal, request.timeoutMs ?? DEFAULT_TIMEOUT_MS, `${request.method} ${server}${withoutQuery(request.path)}`);
  const failure = (request: RawRequest, deadline: Deadline, error: unknown): Error => {
    if (deadline.signal.aborted) return deadline.reason(error);
    return new Error(`${request.method} ${server}${withoutQuery(request.path)}: connection failed`, { cause: error });
  };

  return {
    server,
    async request(request): Promise<RawResponse> {
      const deadline = begin(request);
      try {
        const response = await exchange(request, deadline.signal);
        return { status: response.status, headers: response.headers, body: await collect(response) };
      } catch (error) {
        throw failure(request, deadline, error);
      } finally {
        deadline.dispose();
      }
    },
    async stream(request) {
      const deadline = begin(request);
      try {
        const response = await exchange(request, deadline.signal);
        deadline.stopTimer();
        return { status: response.status, headers: response.headers, body: read(request, response, deadline) };
      } catch (error) {
        deadline.dispose();
        throw failure(request, deadline, error);
      }
    },
    close() {
      closed = true;
      wire.close();
    },
  };

  async function* read(request: RawRequest, response: WireResponse, deadline: Deadline): AsyncIterable<Uint8Array> {
    try {
      for await (const chunk of response.body) yield chunk as Uint8Array;
      assertWhole(response.broken());
    } catch (error) {
      if (!request.signal?.aborted) throw failure(request, deadline, error);
    } finally {
      deadline.dispose();
      response.body.destroy();
    }
  }
}

function assertWhole(reason: string | undefined): void {
  if (reason) throw new Error(reason);
}

async function collect(response: WireResponse): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += (chunk as Buffer).length;
    if (size > RESPONSE_BYTES_MAX) throw new Error(`response body is larger than ${RESPONSE_BYTES_MAX} bytes: ask for smaller pages`);
    chunks.push(chunk as Buffer);
  }
  assertWhole(response.broken());
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

/** Queries can carry selectors with user data; messages do not need them. */
function withoutQuery(path: string): string {
  const question = path.indexOf('?');
  return question < 0 ? path : path.slice(0, question);
}
