/** The listener over real sockets: HTTP/1.1 and HTTP/2, TLS and client certificates, many and hanging and slow clients. */
import assert from 'node:assert/strict';
import { request as httpsRequest } from 'node:https';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { after, before, it } from 'node:test';
import { systemClock } from '#base/clock';
import { silentLog } from '#base/log';
import { systemRandom } from '#base/random';
import { createCluster, type Cluster } from '#embedded';

const CONNECTIONS = 1000;
let cluster: Cluster;
let port = 0;

before(async () => {
  cluster = createCluster({ name: 'test', clock: systemClock, random: systemRandom, log: silentLog });
  await cluster.start();
  ({ port } = await cluster.listen({ host: '127.0.0.1', port: 0 }));
});
after(() => cluster.stop());

interface Answer {
  status: number;
  body: string;
}

function http1(path: string, options: { method?: string; body?: string; agent?: false } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({ host: '127.0.0.1', port, path, method: options.method ?? 'GET', ca: cluster.caCert, agent: false, headers: { authorization: `Bearer ${cluster.adminToken}`, 'content-type': 'application/json' } }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on('error', reject);
    request.end(options.body);
  });
}

it('speaks HTTP/1.1 and HTTP/2 on one port', async () => {
  assert.equal((await http1('/healthz')).body, 'ok');
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: cluster.caCert });
  const stream = session.request({ ':path': '/version' });
  let body = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) body += String(chunk);
  session.close();
  assert.equal((JSON.parse(body) as { major: string }).major, '1');
});

it('refuses bodies over three megabytes without keeping them', async () => {
  const { status } = await http1('/api/v1/namespaces/default/configmaps', { method: 'POST', body: JSON.stringify({ metadata: { name: 'big' }, data: { x: 'x'.repeat(4_000_000) } }) });
  assert.equal(status, 413);
});

it(`serves ${CONNECTIONS} connections at once, and hanging ones do not stand in the way`, { timeout: 120_000 }, async () => {
  const hanging = Array.from({ length: 50 }, () => {
    const socket = connectTls({ host: '127.0.0.1', port, ca: cluster.caCert, servername: 'localhost' });
    socket.on('error', () => {});
    socket.write('POST /api/v1/namespaces HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{');
    return socket;
  });
  const answers = await Promise.all(Array.from({ length: CONNECTIONS }, () => http1('/api/v1/namespaces/default')));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  for (const socket of hanging) socket.destroy();
});

it('one watcher that does not read keeps no event from another', { timeout: 60_000 }, async () => {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: cluster.caCert });
  const headers = { ':path': '/api/v1/namespaces/default/configmaps?watch=1', authorization: `Bearer ${cluster.adminToken}` };
  const slow = session.request(headers);
  slow.on('error', () => {});
  slow.pause();
  const healthy = connectHttp2(`https://127.0.0.1:${port}`, { ca: cluster.caCert });
  const reader = healthy.request(headers);
  let events = 0;
  // Every event is one line.
  reader.on('data', (chunk: Buffer) => (events += chunk.toString('latin1').split('\n').length - 1));
  const transport = cluster.adminTransport();
  const filler = 'x'.repeat(500_000);
  const rounds = 90;
  for (let i = 0; i < rounds; i++) {
    const { status } = await transport.request({ method: 'POST', path: '/api/v1/namespaces/default/configmaps', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ metadata: { name: `f${i}` }, data: { filler } }) });
    assert.equal(status, 201);
    while (events <= i) await new Promise((resolve) => reader.once('data', resolve));
  }
  assert.equal(events, rounds);
  session.destroy();
  healthy.destroy();
});

it('serves several large lists over one HTTP/2 connection', { timeout: 60_000 }, async () => {
  const collection = '/api/v1/namespaces/default/configmaps';
  for (let i = 0; i < 12; i++) await http1(collection, { method: 'POST', body: JSON.stringify({ metadata: { name: `large-${i}` }, data: { x: 'x'.repeat(900_000) } }) });
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: cluster.caCert, maxSessionMemory: 500 });
  const sizeOfList = async () => {
    const stream = session.request({ ':path': collection, authorization: `Bearer ${cluster.adminToken}` });
    let size = 0;
    for await (const chunk of stream) size += (chunk as Buffer).byteLength;
    return size;
  };
  const sizes = await Promise.all(Array.from({ length: 8 }, sizeOfList));
  session.close();
  assert.ok(sizes.every((size) => size > 12 * 900_000), String(sizes));
});
