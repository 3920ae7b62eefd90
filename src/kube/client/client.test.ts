/** Verbs to paths, bodies and errors, over a scripted transport. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defineResource } from '#apimachinery/resource';
import { isConflict, isExpired, isForbidden, isNotFound, type StatusError } from '#apimachinery/status';
import type { KubeObject } from '#apimachinery/meta';
import { FakeClock } from '#testing/clock';
import { ApiStub, ok, status } from '#testing/kube';
import { parseWarnings } from './client.ts';
import { createClient, createHandlerTransport, type RawRequest } from './index.ts';
import { splitLines } from './watch/index.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}
const configMaps = defineResource<ConfigMap>('', 'v1', 'ConfigMap', 'configmaps');
const deployments = defineResource('apps', 'v1', 'Deployment', 'deployments');
const nodes = defineResource('', 'v1', 'Node', 'nodes', 'Cluster');

/** The request that a call makes, as one line of text. */
async function sent(call: (client: ReturnType<typeof createClient>) => Promise<unknown>): Promise<string> {
  const stub = new ApiStub();
  let line = '';
  stub.intercept = (request) => {
    const type = request.headers?.['content-type'];
    line = [request.method, request.path, ...(type ? [type] : []), ...(request.body === undefined ? [] : [String(request.body)])].join(' ');
    return ok({ metadata: {} });
  };
  await call(createClient(stub, { fieldManager: 'fm' }));
  return line;
}

describe('requests', () => {
  const check = (name: string, call: Parameters<typeof sent>[0], expected: string) => test(name, async () => assert.equal(await sent(call), expected));
  const map = { metadata: { namespace: 'a', name: 'x' } };
  const typedMap = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"a","name":"x"}}';
  check('get', (client) => client.get(configMaps, { namespace: 'a', name: 'x' }), 'GET /api/v1/namespaces/a/configmaps/x');
  check('get of a cluster-scoped object', (client) => client.get(nodes, { name: 'n' }), 'GET /api/v1/nodes/n');
  check('get of a subresource', (client) => client.get(deployments, { namespace: 'a', name: 'x' }, { subresource: 'scale' }), 'GET /apis/apps/v1/namespaces/a/deployments/x/scale');
  check('list of all namespaces', (client) => client.list(configMaps, { labelSelector: 'a in (b,c)', limit: 5 }), 'GET /api/v1/configmaps?labelSelector=a%20in%20(b%2Cc)&limit=5');
  check('list from a cache', (client) => client.list(configMaps, { namespace: 'a', resourceVersion: '0' }), 'GET /api/v1/namespaces/a/configmaps?resourceVersion=0');
  check('create', (client) => client.create(configMaps, map), `POST /api/v1/namespaces/a/configmaps?fieldManager=fm application/json ${typedMap}`);
  check('create of a subresource', (client) => client.create(configMaps, map, { subresource: 'eviction', fieldManager: 'x' }), `POST /api/v1/namespaces/a/configmaps/x/eviction?fieldManager=x application/json ${typedMap}`);
  check('update of a subresource, dry', (client) => client.update(configMaps, map, { subresource: 'status', dryRun: true }), `PUT /api/v1/namespaces/a/configmaps/x/status?fieldManager=fm&dryRun=All application/json ${typedMap}`);
  check('json patch', (client) => client.patch(configMaps, { namespace: 'a', name: 'x' }, { type: 'json', operations: [{ op: 'remove', path: '/data' }] }), 'PATCH /api/v1/namespaces/a/configmaps/x?fieldManager=fm application/json-patch+json [{"op":"remove","path":"/data"}]');
  check('strategic patch', (client) => client.patch(configMaps, { namespace: 'a', name: 'x' }, { type: 'strategic', body: {} }), 'PATCH /api/v1/namespaces/a/configmaps/x?fieldManager=fm application/strategic-merge-patch+json {}');
  check('apply drops managedFields', (client) => client.apply(configMaps, { metadata: { ...map.metadata, managedFields: [{}] } }, { fieldManager: 'me', force: true }), `PATCH /api/v1/namespaces/a/configmaps/x?fieldManager=me&force=true application/apply-patch+yaml ${typedMap}`);
  check('delete with preconditions', (client) => client.delete(configMaps, { namespace: 'a', name: 'x' }, { preconditions: { uid: 'u' }, propagationPolicy: 'Foreground', gracePeriodSeconds: 0 }), 'DELETE /api/v1/namespaces/a/configmaps/x application/json {"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Foreground","preconditions":{"uid":"u"},"gracePeriodSeconds":0}');
  check('delete of many', (client) => client.deleteCollection(configMaps, { namespace: 'a', labelSelector: 'x=y' }), 'DELETE /api/v1/namespaces/a/configmaps?labelSelector=x%3Dy application/json {"kind":"DeleteOptions","apiVersion":"v1"}');

  test('a name that is missing is a mistake of ours, found before anything is sent', () => {
    assert.throws(() => createClient(new ApiStub()).get(configMaps, { name: 'x' }), /ConfigMap\/x: a namespaced object needs metadata.namespace/);
  });
});

describe('answers', () => {
  test('round trip: what was written is read, listed with its type, and conflicts are told apart', async () => {
    const client = createClient(new ApiStub());
    const created = await client.create(configMaps, { metadata: { namespace: 'a', name: 'x' }, data: { k: '1' } });
    const updated = await client.update(configMaps, { ...created, data: { k: '2' } });
    assert.equal((await client.get(configMaps, { namespace: 'a', name: 'x' })).data?.['k'], '2');
    await assert.rejects(client.update(configMaps, created), isConflict);
    assert.deepEqual((await client.list(configMaps)).items, [updated]);
    await client.delete(configMaps, { namespace: 'a', name: 'x' });
    await assert.rejects(client.get(configMaps, { namespace: 'a', name: 'x' }), isNotFound);
  });

  test('an answer that is no Status still tells the reason, and when to come back', async () => {
    const stub = new ApiStub();
    stub.intercept = () => ({ status: 429, headers: { 'retry-after': '3' }, body: Buffer.from('slow down') });
    await assert.rejects(createClient(stub).list(configMaps), (error: StatusError) => {
      assert.deepEqual([error.code, error.reason, error.details?.retryAfterSeconds, error.message], [429, 'TooManyRequests', 3, 'GET /api/v1/configmaps: HTTP 429: slow down']);
      return true;
    });
    stub.intercept = () => status(403, 'Forbidden', 'no');
    await assert.rejects(createClient(stub).list(configMaps), isForbidden);
    stub.intercept = () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: Buffer.from('<html>') });
    await assert.rejects(createClient(stub).list(configMaps), /the answer is not JSON \(text\/html\)/);
  });

  test('warnings reach the one who asked for them', async () => {
    const stub = new ApiStub();
    stub.intercept = () => ({ ...ok({ items: [] }), headers: { warning: '299 - "v1beta1 is old", 299 - "say \\"hi\\""' } });
    const warnings: string[] = [];
    await createClient(stub, { onWarning: (text) => warnings.push(text) }).list(configMaps);
    assert.deepEqual(warnings, ['v1beta1 is old', 'say "hi"']);
    assert.deepEqual(parseWarnings('nonsense'), []);
  });
});

describe('watch', () => {
  test('delivers what happens after the revision, then what is new, until the signal aborts', async () => {
    const stub = new ApiStub();
    stub.put('/api/v1/namespaces/a/configmaps', { metadata: { namespace: 'a', name: 'old' } });
    const since = String(stub.revision);
    stub.put('/api/v1/namespaces/a/configmaps', { metadata: { namespace: 'a', name: 'x' } });
    const abort = new AbortController();
    const seen: string[] = [];
    for await (const event of createClient(stub).watch(configMaps, { resourceVersion: since, signal: abort.signal, allowBookmarks: true })) {
      seen.push(`${event.type} ${event.object.metadata.name ?? event.object.metadata.resourceVersion}`);
      if (seen.length === 1) stub.remove('/api/v1/namespaces/a/configmaps', 'old');
      if (seen.length === 2) stub.bookmark();
      if (seen.length === 3) abort.abort();
    }
    assert.deepEqual(seen, ['ADDED x', 'DELETED old', 'BOOKMARK 103']);
    assert.match(stub.requests.at(-1) ?? '', /^WATCH \/api\/v1\/configmaps\?watch=true&resourceVersion=101&allowWatchBookmarks=true$/);
  });

  test('an ERROR event and a refused watch are StatusErrors', async () => {
    const stub = new ApiStub();
    stub.compactedRevision = 1000;
    const read = async () => {
      for await (const _ of createClient(stub).watch(configMaps, { resourceVersion: '1' }));
    };
    await assert.rejects(read, isExpired);
    stub.intercept = () => status(403, 'Forbidden', 'no');
    await assert.rejects(read, isForbidden);
  });

  test('lines are found however the bytes are cut', async () => {
    const text = '{"a":"ä"}\n\n{"b":2}\n{"c":3}';
    const bytes = Buffer.from(text);
    for (let size = 1; size <= bytes.length; size++) {
      const chunks: Uint8Array[] = [];
      for (let i = 0; i < bytes.length; i += size) chunks.push(bytes.subarray(i, i + size));
      const lines: string[] = [];
      for await (const line of splitLines((async function* () {
        yield* chunks;
      })())) lines.push(line);
      assert.deepEqual(lines, ['{"a":"ä"}', '{"b":2}', '{"c":3}'], `chunks of ${size}`);
    }
  });
});

test('the in-process transport speaks to a fetch handler, streams included', async () => {
  const handler = (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    if (url.searchParams.get('watch')) return Promise.resolve(new Response(`{"type":"ADDED","object":{"metadata":{"name":"${request.headers.get('x-user')}"}}}\n`));
    return Promise.resolve(Response.json({ metadata: {}, items: [] }));
  };
  const client = createClient(createHandlerTransport({ handler, clock: new FakeClock(), headers: { 'x-user': 'me' } }));
  assert.deepEqual((await client.list(configMaps)).items, []);
  const names: unknown[] = [];
  for await (const event of client.watch(configMaps)) names.push(event.object.metadata.name);
  assert.deepEqual(names, ['me']);
  const aborted: RawRequest = { method: 'GET', path: '/', signal: AbortSignal.abort(new Error('enough')) };
  await assert.rejects(client.request(aborted), /enough/);
});
