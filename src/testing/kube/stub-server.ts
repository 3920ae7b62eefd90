/**
 * Entry of a worker thread that serves an {@link ApiStub} over plain HTTP on 127.0.0.1, for tests that block
 * the main thread. Posts its port.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { ApiStub } from './api-stub.ts';

const stub = new ApiStub();

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const raw = { method: request.method ?? 'GET', path: request.url ?? '/', ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}) };
  if (!raw.path.includes('watch=true')) {
    const { status, body } = await stub.request(raw);
    response.writeHead(status).end(body);
    return;
  }
  const abort = new AbortController();
  response.on('close', () => abort.abort());
  const { status, body } = await stub.stream({ ...raw, signal: abort.signal });
  response.writeHead(status).flushHeaders();
  for await (const chunk of body) response.write(chunk);
  response.end();
}

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});
server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));
