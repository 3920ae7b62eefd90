/** The transport against real sockets on 127.0.0.1: protocols, limits, aborts, half-open connections, tokens. */
import assert from 'node:assert/strict';
import { createServer as createHttp1Server } from 'node:http';
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createHttpsServer } from 'node:https';
import { after, describe, test } from 'node:test';
import { systemClock } from '#base/clock';
import { TimeoutError } from '#base/async';
import { FakeClock, settle } from '#testing/clock';
import { createTestIdentity } from '#testing/kube';
import { isUnauthorized } from '#apimachinery/status';
import { defineResource } from '#apimachinery/resource';
import { createClient, createTransport, type Connection, type Transport } from '#kube/client';

const identity = createTestIdentity();
const pods = defineResource('', 'v1', 'Pod', 'pods');
const closers: (() => void)[] = [];
after(() => closers.forEach((close) => close()));

type Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

async function listen(server: Server | Http2SecureServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function http2Server(handler: Handler): Promise<{ port: number; sessions: () => number }> {
  const server = createSecureServer({ cert: identity.cert, key: identity.key }, handler);
  let sessions = 0;
  const sockets = new Set<{ destroy(): void }>();
  server.on('session', (session) => {
    sessions++;
    sockets.add(session);
    session.on('error', () => {});
  });
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: await listen(server), sessions: () => sessions };
}

function transportTo(port: number, more: Partial<Connection> = {}, options: Partial<Parameters<typeof createTransport>[1]> = {}): Transport {
  const transport = createTransport({ server: `https://127.0.0.1:${port}`, ca: identity.cert, auth: { kind: 'none' }, ...more }, { clock: systemClock, ...options });
  closers.push(() => transport.close());
  return transport;
}

const text = (body: Uint8Array) => new TextDecoder().decode(body);

describe('HTTP/2', () => {
  test('many requests and watches share one connection', async () => {
    const server = await http2Server((request, response) => {
      response.setHeader('x-path', request.url);
      response.end(request.url);
    });
    const transport = transportTo(server.port);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => transport.request({ method: 'GET', path: `/p/${i}` })));
    assert.deepEqual(answers.map(({ status, body, headers }) => [status, text(body), headers['x-path']])[49], [200, '/p/49', '/p/49']);
    assert.equal(server.sessions(), 1);
  });

  test('a body goes out and large ones come back whole', async () => {
    const server = await http2Server((request, response) => request.pipe(response));
    const body = 'x'.repeat(3_000_000);
    const answer = await transportTo(server.port).request({ method: 'POST', path: '/', body });
    assert.equal(text(answer.body) === body, true);
  });

  test('a stream yields as data arrives and ends normally when the signal aborts', async () => {
    const server = await http2Server((_, response) => void response.write('one\n'));
    const abort = new AbortController();
    const { body } = await transportTo(server.port).stream({ method: 'GET', path: '/', signal: abort.signal });
    const seen: string[] = [];
    for await (const chunk of body) {
      seen.push(text(chunk));
      abort.abort();
    }
    assert.deepEqual(seen, ['one\n']);
  });

  test('a watch fails, and does not end, when the connection breaks', async () => {
    const server = await http2Server((request, response) => {
      response.write('one\n');
      setImmediate(() => request.stream.session?.destroy());
    });
    const { body } = await transportTo(server.port).stream({ method: 'GET', path: '/w' });
    await assert.rejects(async () => {
      for await (const _ of body);
    }, /\/w: connection failed/);
  });

  test('the request after a broken connection opens a new one', async () => {
    const server = await http2Server((request, response) => {
      if (request.url === '/break') request.stream.session?.destroy();
      else response.end('fine');
    });
    const transport = transportTo(server.port);
    await assert.rejects(transport.request({ method: 'GET', path: '/break' }));
    assert.equal(text((await transport.request({ method: 'GET', path: '/' })).body), 'fine');
    assert.equal(server.sessions(), 2);
  });

  test('a request has a limit in time, and an abort carries its own reason', async () => {
    const server = await http2Server(() => {});
    const transport = transportTo(server.port);
    await assert.rejects(transport.request({ method: 'GET', path: '/x?labelSelector=secret', timeoutMs: 20 }), (error: Error) => {
      assert.ok(error instanceof TimeoutError);
      assert.match(error.message, /^GET https:\/\/127.0.0.1:\d+\/x: no answer after 20 ms$/);
      return true;
    });
    const abort = new AbortController();
    const pending = transport.request({ method: 'GET', path: '/x', signal: abort.signal });
    abort.abort(new Error('term over'));
    await assert.rejects(pending, /^Error: term over$/);
  });

  test('a certificate of another authority is refused', async () => {
    const server = await http2Server((_, response) => response.end());
    const { ca: _, ...rest } = { server: `https://127.0.0.1:${server.port}`, ca: '', auth: { kind: 'none' } as const };
    const transport = createTransport(rest, { clock: systemClock });
    await assert.rejects(transport.request({ method: 'GET', path: '/' }), (error: Error) => /self-signed/.test(String((error.cause as Error).message)));
  });
});

test('a half-open connection is found by a ping whose pong does not come', async () => {
  const server = await http2Server((_, response) => void response.write('{}\n'));
  // A proxy that goes silent without closing: a power cut, a lost NAT entry.
  let silent = false;
  const proxy = createTcpServer((inbound) => {
    const outbound = connect(server.port, '127.0.0.1');
    const forward = (from: Socket, to: Socket) => from.on('data', (data) => void (silent || to.write(data))).on('error', () => to.destroy()).on('close', () => to.destroy());
    forward(inbound, outbound);
    forward(outbound, inbound);
  });
  closers.push(() => proxy.close());
  const clock = new FakeClock();
  const transport = transportTo(await listen(proxy), {}, { clock, ping: { intervalMs: 5_000, deadlineMs: 2_000 } });
  const { body } = await transport.stream({ method: 'GET', path: '/' });
  const reading = (async () => {
    for await (const _ of body);
  })();
  await settle();
  silent = true;
  const failed = assert.rejects(reading, (error: Error) => /no answer to a ping within 2000 ms/.test(String((error.cause as Error).message)));
  await clock.advance(5_000);
  await clock.advance(5_000);
  await clock.advance(2_000);
  await failed;
});

test('a handshake that hangs costs one request its time, not those that follow', async () => {
  const server = await http2Server((_, response) => response.end('fine'));
  // Accepts connections and says nothing at first: a stopped process, a path that swallows packets.
  let silent = true;
  const proxy = createTcpServer((inbound) => {
    inbound.on('error', () => {});
    if (silent) return;
    const outbound = connect(server.port, '127.0.0.1');
    outbound.on('error', () => inbound.destroy());
    inbound.pipe(outbound).pipe(inbound);
  });
  closers.push(() => proxy.close());
  const transport = transportTo(await listen(proxy));
  await assert.rejects(transport.request({ method: 'GET', path: '/', timeoutMs: 30 }), TimeoutError);
  silent = false;
  assert.equal(text((await transport.request({ method: 'GET', path: '/', timeoutMs: 5_000 })).body), 'fine');
});

describe('HTTP/1.1', () => {
  test('is used when the server offers nothing newer, with TLS and without', async () => {
    const handler = (request: { method?: string | undefined; url?: string | undefined; httpVersion: string }, response: { end(text: string): void }) => response.end(`${request.httpVersion} ${request.method} ${request.url}`);
    const plain = createHttp1Server(handler);
    const secure = createHttpsServer({ cert: identity.cert, key: identity.key }, handler);
    closers.push(() => (plain.close(), plain.closeAllConnections()), () => (secure.close(), secure.closeAllConnections()));
    const viaTls = transportTo(await listen(secure));
    assert.equal(text((await viaTls.request({ method: 'GET', path: '/a' })).body), '1.1 GET /a');
    assert.equal(text((await viaTls.request({ method: 'PUT', path: '/b', body: 'x' })).body), '1.1 PUT /b');
    const viaHttp = transportTo(0, { server: `http://127.0.0.1:${await listen(plain)}/prefix/` });
    assert.equal(text((await viaHttp.request({ method: 'GET', path: '/c' })).body), '1.1 GET /prefix/c');
  });
});

describe('credentials', () => {
  test('a token file is read again after a 401 and the request repeated once', async () => {
    const seen: string[] = [];
    const server = await http2Server((request, response) => {
      seen.push(String(request.headers['authorization']));
      response.statusCode = seen.at(-1) === 'Bearer new' ? 200 : 401;
      response.end('{}');
    });
    let token = 'old\n';
    const transport = transportTo(server.port, { auth: { kind: 'tokenFile', path: '/token' } }, { readFile: () => Promise.resolve(token) });
    const client = createClient(transport);
    await assert.rejects(client.list(pods), isUnauthorized);
    token = 'new';
    await client.list(pods);
    assert.deepEqual(seen, ['Bearer old', 'Bearer old', 'Bearer new']);
  });

  test('an exec plugin gives the token, gets its contract in the environment, and is kept until the expiry', async () => {
    const server = await http2Server((request, response) => response.end(JSON.stringify({ token: request.headers['authorization'] })));
    const runs: string[] = [];
    const clock = new FakeClock();
    const transport = transportTo(
      server.port,
      { auth: { kind: 'exec', command: 'get-token', args: ['-x'], env: { A: '1' }, apiVersion: 'client.authentication.k8s.io/v1' } },
      {
        clock,
        run(command, args, env) {
          runs.push(`${command} ${args.join(' ')} ${env['A']} ${JSON.parse(env['KUBERNETES_EXEC_INFO'] ?? '{}').kind}`);
          return Promise.resolve(JSON.stringify({ status: { token: `t${runs.length}`, expirationTimestamp: new Date(clock.wallMs() + 60_000).toISOString() } }));
        },
      },
    );
    const ask = async () => (JSON.parse(text((await transport.request({ method: 'GET', path: '/' })).body)) as { token: string }).token;
    assert.equal(await ask(), 'Bearer t1');
    assert.equal(await ask(), 'Bearer t1');
    await clock.advance(31_000);
    assert.equal(await ask(), 'Bearer t2');
    assert.deepEqual(runs[0], 'get-token -x 1 ExecCredential');
  });

  test('basic credentials are sent as such', async () => {
    const server = await http2Server((request, response) => response.end(String(request.headers['authorization'])));
    const transport = transportTo(server.port, { auth: { kind: 'basic', username: 'u', password: 'p' } });
    assert.equal(text((await transport.request({ method: 'GET', path: '/' })).body), `Basic ${Buffer.from('u:p').toString('base64')}`);
  });
});
