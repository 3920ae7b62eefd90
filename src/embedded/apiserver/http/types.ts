/**
 * Requests and responses without sockets: what the API server handles and what adapters carry
 * (`listen` for TLS, `#embedded/inprocess` for clients in the same process, `fetch` for tests).
 */

/** A TLS client certificate that the listener has verified against the cluster's CA. */
export interface ClientCertificate {
  commonName: string;
  organizations: readonly string[];
}

export interface ApiRequest {
  method: string;
  /** Path with query, as it stands in the request line. */
  path: string;
  /** Names in lower case; a header that came several times is a list. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  body: Uint8Array;
  clientCertificate?: ClientCertificate;
}

/** Where a streamed body goes. `write` never blocks; `buffered` tells how much the receiver lags behind. */
export interface BodySink {
  write(chunk: Uint8Array): void;
  end(): void;
  /** Ends the body at once and drops what the receiver has not taken. */
  abort(): void;
  /** Bytes written but not taken by the receiver yet. */
  readonly buffered: number;
}

/** A body that arrives over time. `open` starts it and returns what to call when the receiver is gone. */
export interface BodyStream {
  open(sink: BodySink): () => void;
}

export interface ApiResponse {
  status: number;
  headers: Record<string, string | string[]>;
  body: Uint8Array | BodyStream;
}

export function isStream(body: ApiResponse['body']): body is BodyStream {
  return !(body instanceof Uint8Array);
}

/** The first value of a header. */
export function header(request: Pick<ApiRequest, 'headers'>, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** All values of a header. */
export function headerValues(request: Pick<ApiRequest, 'headers'>, name: string): readonly string[] {
  const value = request.headers[name];
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

const JSON_TYPE = 'application/json';

export function jsonResponse(status: number, body: unknown, contentType = JSON_TYPE): ApiResponse {
  return bytesResponse(status, Buffer.from(JSON.stringify(body)), contentType);
}

export function bytesResponse(status: number, body: Uint8Array, contentType = JSON_TYPE): ApiResponse {
  return { status, headers: { 'content-type': contentType }, body };
}

export function textResponse(status: number, text: string, contentType = 'text/plain; charset=utf-8'): ApiResponse {
  return bytesResponse(status, Buffer.from(text), contentType);
}
