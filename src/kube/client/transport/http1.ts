/**
 * HTTP/1.1 by node:http and node:https, for servers without HTTP/2 and for plain http in tests.
 * Each watch holds a socket of its own; idle sockets are kept for reuse.
 */
import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Connection } from './connection.ts';
import { tlsOptions } from './tls.ts';
import type { Wire, WireRequest, WireResponse } from './wire.ts';

/** Idle sockets kept for reuse. */
const FREE_SOCKETS_MAX = 8;
/** TCP keep-alive probes start after this much silence; they find a dead peer under a silent watch. */
const KEEPALIVE_DELAY_MS = 15_000;

export function createHttp1Wire(connection: Connection): Wire {
  const url = new URL(connection.server);
  const secure = url.protocol === 'https:';
  const keep = { keepAlive: true, keepAliveMsecs: KEEPALIVE_DELAY_MS, maxFreeSockets: FREE_SOCKETS_MAX };
  const agent = secure ? new HttpsAgent({ ...keep, ...tlsOptions(connection) }) : new HttpAgent(keep);
  const open = (options: RequestOptions): ClientRequest => (secure ? httpsRequest(options) : httpRequest(options));

  const once = (request: WireRequest): Promise<WireResponse> =>
    new Promise((resolve, reject) => {
      request.beforeSend?.();
      const outgoing = open({
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port || (secure ? 443 : 80),
        method: request.method,
        path: request.path,
        headers: { ...request.headers, ...(request.body === undefined ? {} : { 'content-length': Buffer.byteLength(request.body) }) },
        agent,
      });
      const onAbort = () => outgoing.destroy(request.signal.reason as Error);
      if (request.signal.aborted) onAbort();
      request.signal.addEventListener('abort', onAbort, { once: true });
      outgoing.on('error', (error) => reject(Object.assign(error, { reusedSocket: outgoing.reusedSocket })));
      outgoing.on('close', () => request.signal.removeEventListener('abort', onAbort));
      outgoing.on('response', (incoming) => resolve(responseOf(incoming)));
      outgoing.end(request.body);
    });

  return {
    async exchange(request) {
      try {
        return await once(request);
      } catch (error) {
        // The server closed an idle socket while we were sending: safe to repeat only what changes nothing.
        if (request.method === 'GET' && (error as { reusedSocket?: boolean }).reusedSocket && !request.signal.aborted) return once(request);
        throw error;
      }
    },
    close: () => agent.destroy(),
  };
}

function responseOf(incoming: IncomingMessage): WireResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) headers[name] = Array.isArray(value) ? value.join(', ') : (value ?? '');
  return { status: incoming.statusCode ?? 0, headers, body: incoming, broken: () => (incoming.complete ? undefined : 'the answer was cut off') };
}
