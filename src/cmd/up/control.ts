/**
 * How other `fleet` commands talk to a running `fleet up`: HTTP over a Unix socket in the data folder, which
 * only its owner can open. Requests are few and small; nothing here is an API for others.
 */
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { DataDir } from './data-dir.ts';

const LIMITS = { requestMs: 120_000, bodyBytes: 64 * 1024 };

/** Answers `POST /VERB` with a JSON body; thrown errors become a message for the caller. */
export type ControlHandler = (verb: string, body: unknown) => Promise<unknown>;

export function serveControl(dir: DataDir, handler: ControlHandler): Promise<Server> {
  rmSync(dir.controlSocket, { force: true });
  const server = createServer((incoming, response) => {
    const answer = (status: number, value: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value ?? {}));
    };
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= LIMITS.bodyBytes) chunks.push(chunk);
    });
    incoming.on('end', () => {
      if (size > LIMITS.bodyBytes) {
        answer(413, { error: `the request is larger than ${LIMITS.bodyBytes} bytes` });
        return;
      }
      const work = async () => handler((incoming.url ?? '/').slice(1), parseBody(chunks));
      work().then(
        (value) => answer(200, value),
        (error: unknown) => answer(422, { error: error instanceof Error ? error.message : String(error) }),
      );
    });
  });
  server.requestTimeout = LIMITS.requestMs;
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new Error(`${dir.controlSocket}: cannot be opened (paths of sockets have about 100 characters at most: choose a shorter folder with --data)`, { cause: error })));
    server.listen(dir.controlSocket, () => {
      chmodSync(dir.controlSocket, 0o600);
      resolve(server);
    });
  });
}

function parseBody(chunks: readonly Buffer[]): unknown {
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error('the message is not JSON', { cause: error });
  }
}

/** Asks the running `fleet up`. Throws an `Error` that says how to start one when there is none. */
export function askControl<T>(dir: DataDir, verb: string, body: unknown = {}): Promise<T> {
  if (!existsSync(dir.controlSocket)) return Promise.reject(new Error(`no fleet runs with ${dir.root}: start one with 'fleet up'`));
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ socketPath: dir.controlSocket, path: `/${verb}`, method: 'POST', timeout: LIMITS.requestMs }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        try {
          const value = parseBody(chunks) as T & { error?: string };
          if (incoming.statusCode === 200) resolve(value);
          else reject(new Error(value.error ?? `HTTP ${incoming.statusCode}`));
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`fleet up did not answer within ${LIMITS.requestMs / 1000} s`)));
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? new Error(`no fleet runs with ${dir.root}: start one with 'fleet up'`) : error);
    });
    outgoing.end(JSON.stringify(body));
  });
}
