/** Applying, pruning and waiting against a stub that speaks discovery, merge and conflicts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Unstructured } from '#apimachinery/meta';
import { createClient, createRestMapper } from '#kube/client';
import { FakeClock } from '#testing/clock';
import { ApiStub, ok, status } from '#testing/kube';
import { createApplier, referenceText, type ChangeSet } from './index.ts';

const core = [
  { name: 'configmaps', kind: 'ConfigMap', namespaced: true },
  { name: 'namespaces', kind: 'Namespace', namespaced: false },
  { name: 'namespaces/status', kind: 'Namespace', namespaced: false },
];
const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

function setup() {
  const stub = new ApiStub();
  const clock = new FakeClock();
  let crdServed = false;
  stub.intercept = (request, path) => {
    if (path === '/api/v1') return ok({ resources: core });
    if (path === '/apis/apiextensions.k8s.io/v1') return ok({ resources: [{ name: 'customresourcedefinitions', kind: 'CustomResourceDefinition', namespaced: false }] });
    if (path === '/apis/x.io/v1') return crdServed ? ok({ resources: [{ name: 'things', kind: 'Thing', namespaced: true }] }) : status(404, 'NotFound', 'none');
    if (request.method === 'PATCH' && String(request.body).includes('"reject"')) return status(422, 'Invalid', 'field is immutable');
    return undefined;
  };
  const client = createClient(stub);
  return { stub, clock, applier: createApplier({ client, mapper: createRestMapper(client, clock), clock }), serveCrd: () => (crdServed = true) };
}

const configMap = (name: string, data?: Record<string, string>): Unstructured => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...(data ? { data } : {}) });
const namespace: Unstructured = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } };
const crd: Unstructured = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'things.x.io' } };
const thing: Unstructured = { apiVersion: 'x.io/v1', kind: 'Thing', metadata: { name: 't' } };
const text = ({ changes }: ChangeSet) => changes.map(({ action, reference }) => `${action} ${referenceText(reference)}`);
const options = { fieldManager: 'fleet', defaultNamespace: 'a' };

test('objects are applied in install order and the account says what is new', async () => {
  const { applier } = setup();
  assert.deepEqual(text(await applier.apply([configMap('x', { k: '1' }), namespace], options)), ['created Namespace/a', 'created ConfigMap/a/x']);
});

test('what is known saves the read; the same resourceVersion means unchanged', async () => {
  const { applier, stub } = setup();
  const first = await applier.apply([configMap('x', { k: '1' })], options);
  const live = first.changes[0]?.live as Unstructured;
  stub.requests.length = 0;
  const original = stub.intercept;
  stub.intercept = (request, path, query) => (request.method === 'PATCH' ? ok(live) : original?.(request, path, query));
  assert.deepEqual(text(await applier.apply([configMap('x', { k: '1' })], { ...options, known: () => live })), ['unchanged ConfigMap/a/x']);
  assert.equal(stub.requests.length, 1);
  stub.intercept = original;
  assert.deepEqual(text(await applier.apply([configMap('x', { k: '2' })], options)), ['configured ConfigMap/a/x']);
});

test('a refused object is reported and those after it are not tried, unless asked to', async () => {
  const { applier } = setup();
  const bad = configMap('bad', { v: 'reject' });
  assert.deepEqual(text(await applier.apply([thing, bad], options)), ['failed ConfigMap/a/bad', 'skipped Thing/t']);
  const all = await applier.apply([thing, bad, namespace], { ...options, continueOnError: true });
  assert.deepEqual(text(all), ['created Namespace/a', 'failed ConfigMap/a/bad', 'failed Thing/t']);
  assert.match(String(all.changes[2]?.error?.message), /no kind Thing in x.io\/v1: .* is its CustomResourceDefinition installed/);
});

test('objects of a new kind wait for their CRD to be established', async () => {
  const { applier, stub, clock, serveCrd } = setup();
  const pending = applier.apply([thing, crd], options);
  await clock.advance(50);
  assert.ok(stub.read(crdPath, 'things.x.io'));
  stub.put(crdPath, { ...crd, status: { conditions: [{ type: 'Established', status: 'True' }] } } as Unstructured);
  serveCrd();
  await clock.advance(200);
  assert.deepEqual(text(await pending), ['created CustomResourceDefinition/things.x.io', 'created Thing/a/t']);
});

test('pruning goes in reverse order, keeps what must stay, and does not mind what is gone', async () => {
  const { applier } = setup();
  await applier.apply([namespace, configMap('x'), configMap('kept', { keep: 'yes' })], options);
  const references = [{ apiVersion: 'v1', kind: 'Namespace', name: 'a' }, ...['x', 'kept', 'gone'].map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'a', name }))];
  const result = await applier.prune([...references, { ...thing, name: 't', apiVersion: 'x.io/v1', kind: 'Thing' }], { keep: (live) => (live['data'] ? 'policy' : undefined) });
  assert.deepEqual(text(result), ['skipped Thing/t', 'deleted ConfigMap/a/x', 'skipped ConfigMap/a/kept', 'skipped ConfigMap/a/gone', 'deleted Namespace/a']);
});

test('an abort is thrown, not recorded', async () => {
  const { applier } = setup();
  await assert.rejects(applier.apply([namespace], { ...options, signal: AbortSignal.abort(new Error('term over')) }), /term over/);
});

test('waiting ends in time and names who did not get there', async () => {
  const { applier, clock } = setup();
  const failed = assert.rejects(applier.wait([{ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'a', name: 'x' }], (live) => live !== undefined, { timeoutMs: 1000 }), /ConfigMap\/a\/x: not there yet after 1000 ms/);
  await clock.advance(2000);
  await failed;
});
