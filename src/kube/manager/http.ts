/** A small HTTP server for the manager's endpoints. It serves probes and scrapes, nothing from outside the cluster. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EndpointHandler } from './types.ts';

/** Starts serving a handler; the manager calls it at start. */
export type Listener = (handler: EndpointHandler) => Promise<{ close(): Promise<void> }>;

/** A prober that does not finish its request in this time is cut off. */
const REQUEST_TIMEOUT_MS = 10_000;

/** A listener on one address; port 0 takes a free one and tells it. */
export function httpListener(host: string, port: number, onListening?: (port: number) => void): Listener {
  return async (handler) => {
    const server = createServer((request, response) => {
      void answer(handler, request.method ?? 'GET', request.url ?? '/', response);
    });
    server.requestTimeout = REQUEST_TIMEOUT_MS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    onListening?.((server.address() as AddressInfo).port);
    return {
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    };
  };
}

async function answer(handler: EndpointHandler, method: string, url: string, response: ServerResponse): Promise<void> {
  try {
    const found = method === 'GET' || method === 'HEAD' ? await handler(url.split('?')[0] ?? '/') : undefined;
    response.writeHead(found?.status ?? 404, { 'content-type': found?.contentType ?? 'text/plain' });
    response.end(found?.body ?? 'not found\n');
  } catch {
    response.writeHead(500).end();
  }
}
