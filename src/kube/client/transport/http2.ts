/**
 * HTTP/2 by node:http2: all requests and watches of a process share one connection (a second one is
 * opened only when the server's stream limit is reached). A connection is pinged when it has been silent;
 * a pong that does not come within the deadline breaks it, so that a half-open connection (peer's power
 * gone, a dropped NAT entry) costs seconds and not the kernel's quarter of an hour.
 *
 * Invariant: a broken connection fails its requests at once and is never chosen again; the next request
 * opens a new one. Absent: retries; who sent a request knows what a lost answer means.
 */
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import { TimeoutError } from '#base/async';
import type { Clock, Timer } from '#base/clock';
import type { Connection } from './connection.ts';
import { tlsOptions } from './tls.ts';
import type { Wire, WireRequest, WireResponse } from './wire.ts';

/** TCP and TLS handshakes together. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Receive window per stream: a page of a list fits without waiting for window updates. */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
/** Assumed until the server says otherwise (kube-apiserver announces 100 or more). */
const STREAMS_MAX_DEFAULT = 100;

export interface PingOptions {
  /** Silence after which a ping is sent; default 5 s. */
  intervalMs: number;
  /** Time for the pong; default 2 s. */
  deadlineMs: number;
}

export const DEFAULT_PING: PingOptions = { intervalMs: 5_000, deadlineMs: 2_000 };

/** The server speaks no HTTP/2; the caller falls back to HTTP/1.1. */
export class NoHttp2Error extends Error {
  override name = 'NoHttp2Error';
}

interface Session {
  http2: ClientHttp2Session;
  open: number;
  lastHeardMs: number;
  usable: boolean;
  pinging: Timer | undefined;
}

export function createHttp2Wire(connection: Connection, clock: Clock, ping: PingOptions = DEFAULT_PING): Wire {
  return new Http2Wire(connection, clock, ping);
}

class Http2Wire implements Wire {
  readonly #connection: Connection;
  readonly #url: URL;
  readonly #clock: Clock;
  readonly #ping: PingOptions;
  #sessions: Session[] = [];
  #connecting: { session: Promise<Session>; cancel: (error: Error) => void } | undefined;
  #closed = false;

  constructor(connection: Connection, clock: Clock, ping: PingOptions) {
    this.#connection = connection;
    this.#url = new URL(connection.server);
    this.#clock = clock;
    this.#ping = ping;
  }

  async exchange(request: WireRequest): Promise<WireResponse> {
    const session = await this.#acquire(request.signal);
    request.signal.throwIfAborted();
    request.beforeSend?.();
    const sentMs = this.#clock.monotonicMs();
    try {
      return await open(session, request, this.#url, this.#clock);
    } catch (error) {
      // Not a byte since this request went out, and its time is over: the peer is gone, as far as anyone can tell.
      const timedOut = request.signal.aborted && request.signal.reason instanceof TimeoutError;
      if (timedOut && session.usable && session.lastHeardMs < sentMs) this.#drop(session, 'silent since a request was sent');
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    for (const session of this.#sessions) {
      session.pinging?.cancel();
      session.http2.destroy();
    }
    this.#sessions = [];
  }

  async #acquire(signal: AbortSignal): Promise<Session> {
    const free = this.#sessions.find((session) => session.usable && session.open < streamsMax(session));
    if (free) return free;
    this.#connecting ??= this.#connect();
    const connecting = this.#connecting;
    return abortable(connecting.session, signal, (reason) => {
      // A handshake that outlasts a whole request is stuck; who comes next starts a fresh one.
      if (!(reason instanceof TimeoutError)) return;
      if (this.#connecting === connecting) this.#connecting = undefined;
      connecting.cancel(reason);
    });
  }

  #connect(): { session: Promise<Session>; cancel: (error: Error) => void } {
    const { http2, cancel } = dial(this.#connection, this.#clock);
    const session = http2
      .then((opened) => this.#adopt(opened))
      .finally(() => {
        if (this.#connecting?.session === session) this.#connecting = undefined;
      });
    return { session, cancel };
  }

  #adopt(http2: ClientHttp2Session): Session {
    const session: Session = { http2, open: 0, lastHeardMs: this.#clock.monotonicMs(), usable: true, pinging: undefined };
    http2.on('goaway', () => this.#forget(session));
    http2.on('close', () => this.#forget(session));
    http2.on('error', () => this.#forget(session));
    if (this.#closed) {
      http2.destroy();
      return session;
    }
    this.#sessions.push(session);
    this.#schedulePing(session);
    return session;
  }

  #forget(session: Session): void {
    session.usable = false;
    session.pinging?.cancel();
    this.#sessions = this.#sessions.filter((other) => other !== session);
  }

  #drop(session: Session, why: string): void {
    this.#forget(session);
    session.http2.destroy(new Error(`${this.#connection.server}: ${why}`), constants.NGHTTP2_CANCEL);
  }

  #schedulePing(session: Session): void {
    session.pinging?.cancel();
    if (!session.usable) return;
    const { intervalMs, deadlineMs } = this.#ping;
    session.pinging = this.#clock.after(intervalMs, () => {
      if (this.#clock.monotonicMs() - session.lastHeardMs < intervalMs) return this.#schedulePing(session);
      session.pinging = this.#clock.after(deadlineMs, () => this.#drop(session, `no answer to a ping within ${deadlineMs} ms`));
      if (!session.http2.destroyed) session.http2.ping((error) => this.#onPong(session, error));
    });
  }

  #onPong(session: Session, error: Error | null): void {
    if (error || !session.usable) return;
    session.lastHeardMs = this.#clock.monotonicMs();
    this.#schedulePing(session);
  }
}

function streamsMax(session: Session): number {
  return Math.min(session.http2.remoteSettings?.maxConcurrentStreams ?? STREAMS_MAX_DEFAULT, 1000);
}

/** The promise, or the signal's reason if it aborts first. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal, onAbort: (reason: unknown) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      onAbort(signal.reason);
      reject(signal.reason as Error);
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function dial(connection: Connection, clock: Clock): { http2: Promise<ClientHttp2Session>; cancel: (error: Error) => void } {
  const url = new URL(connection.server);
  const socket: TLSSocket = tlsConnect({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 443),
    ALPNProtocols: ['h2', 'http/1.1'],
    ...tlsOptions(connection),
  });
  const http2 = new Promise<ClientHttp2Session>((resolve, reject) => {
    const timer = clock.after(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error(`${connection.server}: no connection after ${CONNECT_TIMEOUT_MS} ms`)));
    const fail = (error: Error) => {
      timer.cancel();
      reject(error);
    };
    socket.once('error', fail);
    socket.once('close', () => fail(new Error(`${connection.server}: closed during the handshake`)));
    socket.once('secureConnect', () => {
      timer.cancel();
      socket.setNoDelay(true);
      if (socket.alpnProtocol !== 'h2') {
        socket.destroy();
        return reject(new NoHttp2Error(`${connection.server}: no HTTP/2`));
      }
      resolve(connect(url.origin, { createConnection: () => socket, settings: { initialWindowSize: STREAM_WINDOW_BYTES, enablePush: false } }));
    });
  });
  return { http2, cancel: (error) => socket.destroy(error) };
}

function open(session: Session, request: WireRequest, url: URL, clock: Clock): Promise<WireResponse> {
  return new Promise((resolve, reject) => {
    const stream: ClientHttp2Stream = session.http2.request(
      { ':method': request.method, ':path': request.path, ':authority': url.host, ':scheme': 'https', ...request.headers },
      { endStream: request.body === undefined },
    );
    session.open++;
    const onAbort = () => stream.destroy(request.signal.reason as Error);
    request.signal.addEventListener('abort', onAbort, { once: true });
    stream.on('data', () => {
      session.lastHeardMs = clock.monotonicMs();
    });
    stream.pause();
    stream.once('response', (headers) => {
      session.lastHeardMs = clock.monotonicMs();
      resolve({ status: headers[':status'] ?? 0, headers: plainHeaders(headers), body: stream, broken: () => brokenReason(stream) });
    });
    stream.on('error', reject);
    stream.once('close', () => {
      session.open--;
      request.signal.removeEventListener('abort', onAbort);
      reject(new Error('the stream was closed before an answer'));
    });
    if (request.body !== undefined) stream.end(request.body);
  });
}

function brokenReason(stream: ClientHttp2Stream): string | undefined {
  return stream.rstCode === constants.NGHTTP2_NO_ERROR ? undefined : `the answer was cut off (HTTP/2 code ${stream.rstCode})`;
}

function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(':')) plain[name] = Array.isArray(value) ? value.join(', ') : String(value ?? '');
  }
  return plain;
}
