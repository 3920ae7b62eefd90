/**
 * The TLS listener: HTTP/2 and HTTP/1.1 on one port, carrying requests to the handler. Bodies are bounded here,
 * before anything reads them; connections and streams are bounded too.
 */
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { isStream, type ApiRequest, type ApiResponse, type BodySink, type ClientCertificate } from '../http/types.ts';
import { BODY_BYTES_MAX } from '../server.ts';

const STREAMS_PER_CONNECTION_MAX = 1000;
/** A request must have arrived completely within this time. */
const REQUEST_TIMEOUT_MS = 60_000;
const HEADERS_TIMEOUT_MS = 30_000;
const HEADER_BYTES_MAX = 64 * 1024;
/** What one connection may have queued before its new streams are refused: a few watchers at their lag limit. */
const SESSION_MEMORY_MB = 128;
/** Large bodies go out in parts, each when the one before is on its way, so that several lists share a connection. */
const BODY_PART_BYTES = 256 * 1024;

export interface ListenOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  certificate: string;
  key: string;
  /** Client certificates signed by this authority are believed. */
  clientCa: string;
  handle: (request: ApiRequest) => Promise<ApiResponse>;
}

export interface Listener {
  host: string;
  port: number;
  /** Ends every connection and frees the port. */
  close(): Promise<void>;
}

type Incoming = IncomingMessage | Http2ServerRequest;
type Outgoing = ServerResponse | Http2ServerResponse;

export function listen(options: ListenOptions): Promise<Listener> {
  const server = createSecureServer(
    {
      allowHTTP1: true,
      cert: options.certificate,
      key: options.key,
      ca: options.clientCa,
      requestCert: true,
      rejectUnauthorized: false,
      maxHeaderSize: HEADER_BYTES_MAX,
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: { maxConcurrentStreams: STREAMS_PER_CONNECTION_MAX, initialWindowSize: 1024 * 1024 },
    } as Parameters<typeof createSecureServer>[0],
    (request, response) => void serve(options.handle, request, response),
  );
  Object.assign(server, { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS });
  return open(server, options);
}

function open(server: Http2SecureServer, { host, port }: ListenOptions): Promise<Listener> {
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
    session.once('close', () => sessions.delete(session));
  });
  server.on('tlsClientError', () => {});
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve({ host, port: (server.address() as AddressInfo).port, close: () => shut(server, sockets, sessions) });
    });
  });
}

function shut(server: Http2SecureServer, sockets: Set<Socket>, sessions: Set<ServerHttp2Session>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const session of sessions) session.destroy();
    for (const socket of sockets) socket.destroy();
  });
}

/** Resets the stream; what was written and not sent is dropped. */
function abort(outgoing: Outgoing): void {
  if ('stream' in outgoing && outgoing.stream) outgoing.stream.destroy();
  else (outgoing as ServerResponse).destroy();
}

async function serve(handle: ListenOptions['handle'], incoming: Incoming, outgoing: Outgoing): Promise<void> {
  incoming.on('error', () => {});
  outgoing.on('error', () => {});
  const body = await readBody(incoming);
  if (!body) return;
  const certificate = clientCertificate(incoming.socket as TLSSocket);
  const response = await handle({
    method: incoming.method ?? 'GET',
    path: incoming.url ?? '/',
    headers: incoming.headers,
    body,
    ...(certificate ? { clientCertificate: certificate } : {}),
  });
  send(outgoing, incoming.method ?? 'GET', response);
}

/** The body, cut one byte beyond the limit so that the handler refuses it; undefined when the client is gone. */
function readBody(incoming: Incoming): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on('data', (chunk: Buffer) => {
      if (size > BODY_BYTES_MAX) return;
      size += chunk.byteLength;
      chunks.push(chunk);
    });
    incoming.on('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    incoming.on('close', () => resolve(undefined));
    incoming.on('error', () => resolve(undefined));
  });
}

function clientCertificate(socket: TLSSocket | undefined): ClientCertificate | undefined {
  if (!socket?.authorized) return undefined;
  const { subject } = socket.getPeerCertificate();
  if (!subject?.CN) return undefined;
  const organizations = subject.O === undefined ? [] : Array.isArray(subject.O) ? (subject.O as string[]) : [subject.O];
  return { commonName: Array.isArray(subject.CN) ? String(subject.CN[0]) : subject.CN, organizations };
}

function send(outgoing: Outgoing, method: string, { status, headers, body }: ApiResponse): void {
  const out = outgoing as ServerResponse;
  if (out.destroyed || out.writableEnded) return;
  for (const [name, value] of Object.entries(headers)) out.setHeader(name, value);
  out.setHeader('cache-control', 'no-cache, private');
  if (!isStream(body)) {
    out.setHeader('content-length', body.byteLength);
    out.writeHead(status);
    if (method === 'HEAD') out.end();
    else sendBody(out, body);
    return;
  }
  out.writeHead(status);
  out.flushHeaders?.();
  const sink: BodySink = {
    write: (chunk) => void (out.destroyed || out.write(chunk)),
    end: () => void out.end(),
    abort: () => abort(outgoing),
    get buffered() {
      return out.writableLength;
    },
  };
  const cancel = body.open(sink);
  out.once('close', cancel);
}

function sendBody(out: ServerResponse, body: Uint8Array): void {
  let sent = 0;
  const more = () => {
    while (body.byteLength - sent > BODY_PART_BYTES) {
      if (out.destroyed) return;
      const isRoom = out.write(body.subarray(sent, sent + BODY_PART_BYTES));
      sent += BODY_PART_BYTES;
      if (!isRoom) return void out.once('drain', more);
    }
    out.end(body.subarray(sent));
  };
  more();
}
