/** Content lives while a BundleDeployment names it, and for a minute of grace. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { namespaces } from '#api/builtin';
import { type BundleDeployment, bundleDeployments, type Content, contents, FLEET_API_VERSION } from '#api/fleet';
import { isConflict, isNotFound } from '#apimachinery/status';
import type { Informer } from '#kube/cache';
import { type ManagementServer, startManagementServer } from '#testing/management';
import { BY_CONTENT, ContentReconciler, contentNamesOf } from './index.ts';

const GRACE_MS = 60_000;

let server: ManagementServer;
let cache: Informer<Content>;
let deployments: Informer<BundleDeployment>;
let count = 0;
let name = '';

before(async () => {
  server = await startManagementServer();
  cache = server.informer({ resource: contents });
  deployments = server.informer({ resource: bundleDeployments, indexers: { [BY_CONTENT]: contentNamesOf } });
  await server.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'cluster-a' } });
});
after(() => server.stop());
beforeEach(async () => {
  name = `s-${++count}`;
  await server.put(contents, { apiVersion: FLEET_API_VERSION, kind: 'Content', metadata: { name }, content: 'AA==' });
});

const run = () => server.reconcile(new ContentReconciler({ contents: cache, deployments, clock: server.clock }), { name });
const deployment = (spec: BundleDeployment['spec'], labels = {}) => server.put(bundleDeployments, { apiVersion: FLEET_API_VERSION, kind: 'BundleDeployment', metadata: { namespace: 'cluster-a', name: `bd-${name}`, labels }, spec });
const remove = () => server.client.delete(bundleDeployments, { namespace: 'cluster-a', name: `bd-${name}` });
const there = () => server.client.get(contents, { name }).then(() => true, (error: unknown) => !isNotFound(error) && assert.fail(String(error)));

test('a young Content waits for its first BundleDeployment, no longer than the grace', async () => {
  await server.clock.advance(10_000);
  assert.deepEqual(await run(), { kind: 'requeueAfter', delayMs: GRACE_MS - 10_000 });
  assert.equal(await there(), true);
  await server.clock.advance(GRACE_MS - 10_000);
  assert.equal((await run()).kind, 'done');
  assert.equal(await there(), false);
});

test('whatever a BundleDeployment names is kept: staged, released, or by label', async () => {
  const check = async (spec: BundleDeployment['spec'], labels = {}) => {
    await deployment(spec, labels);
    await server.clock.advance(GRACE_MS);
    assert.equal((await run()).kind, 'done');
    assert.equal(await there(), true, JSON.stringify({ spec, labels }));
    await remove();
  };
  await check({ stagedDeploymentID: `${name}:options` });
  await check({ deploymentID: `${name}:old`, stagedDeploymentID: 's-other:new' });
  await check({}, { 'fleet.cattle.io/content-name': name });
  await run();
  assert.equal(await there(), false, 'nobody names it any more');
});

test('names of contents are read from a BundleDeployment once each', () => {
  const check = (spec: BundleDeployment['spec'], labels: Record<string, string>, names: string[]) => assert.deepEqual(contentNamesOf({ metadata: { labels }, spec } as BundleDeployment), names);
  check({}, {}, []);
  check({ deploymentID: 'a:1', stagedDeploymentID: 'a:2' }, {}, ['a']);
  check({ deploymentID: 'a:1', stagedDeploymentID: 'b:2' }, { 'fleet.cattle.io/content-name': 'c' }, ['c', 'a', 'b']);
  check({ deploymentID: '' }, {}, []);
});

test('a Content that somebody has taken up again meanwhile is not deleted', async () => {
  await server.clock.advance(GRACE_MS);
  await run().catch(() => undefined);
  name = `${name}-again`;
  const old = await server.put(contents, { apiVersion: FLEET_API_VERSION, kind: 'Content', metadata: { name }, content: 'AA==' });
  await server.clock.advance(GRACE_MS);
  await server.client.patch(contents, { name }, { type: 'merge', body: { metadata: { labels: { used: 'again' } } } });
  const stale = { ...cache, get: () => old } as unknown as typeof cache;
  const late = new ContentReconciler({ contents: stale, deployments, clock: server.clock });
  await assert.rejects(late.reconcile({ name }, server.context('upstream')), isConflict);
  assert.equal(await there(), true);
});

test('one that is already gone is no error', async () => {
  const old = await server.client.get(contents, { name });
  await server.client.delete(contents, { name });
  await server.clock.advance(GRACE_MS);
  const stale = { ...cache, get: () => old } as unknown as typeof cache;
  assert.equal((await new ContentReconciler({ contents: stale, deployments, clock: server.clock }).reconcile({ name }, server.context('upstream'))).kind, 'done');
});
