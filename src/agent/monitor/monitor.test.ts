/** Live objects of bundles: watched from the moment their kind is known, found by set, waited for. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { configMaps, customResourceDefinitions, namespaces } from '#api/builtin';
import type { Unstructured } from '#apimachinery/meta';
import { defineResource } from '#apimachinery/resource';
import { silentLog } from '#base/log';
import { createRestMapper } from '#kube/client';
import { type ManagementServer, startManagementServer } from '#testing/management';
import { Monitor } from './index.ts';

const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' };
const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace' };
const LIMIT_MS = 5_000;

let server: ManagementServer;
let monitor: Monitor;
let started = 0;
let home = '';
let count = 0;

before(async () => {
  server = await startManagementServer();
});
after(() => server.stop());
beforeEach(async () => {
  started = 0;
  home = `home-${++count}`;
  const { client, clock } = server;
  monitor = new Monitor({
    mapper: createRestMapper(client, clock),
    informer: (options) => {
      started++;
      return server.informer(options);
    },
    clock,
    log: silentLog,
  });
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: home } });
});

const marks = (setID: string) => ({ labels: { 'objectset.rio.cattle.io/hash': setID }, annotations: { 'objectset.rio.cattle.io/id': setID } });
const put = (name: string, setID?: string) => server.client.create(configMaps, { ...CONFIG_MAP, metadata: { namespace: home, name, ...(setID ? marks(setID) : {}) } });
const watch = (...kinds: { apiVersion: string; kind: string }[]) => monitor.watch(kinds, AbortSignal.timeout(10_000));
const reference = (name: string) => ({ ...CONFIG_MAP, namespace: home, name });
const namesOf = (objects: Unstructured[]) => objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort();

test('what carries the mark of a set is found, alone and with its set; the rest is not even fetched', async () => {
  await put('ours', `${home}-set`);
  await put('theirs');
  await server.client.patch(namespaces, { name: home }, { type: 'merge', body: { metadata: marks(`${home}-set`) } });
  await watch(CONFIG_MAP, NAMESPACE, CONFIG_MAP);
  assert.equal(started, 2, 'one watch per kind');
  assert.equal(monitor.get(reference('ours'))?.metadata.name, 'ours');
  assert.equal(monitor.get(reference('theirs')), undefined);
  assert.equal(monitor.get({ ...NAMESPACE, namespace: 'ignored for this kind', name: home })?.metadata.name, home);
  assert.deepEqual(namesOf(monitor.ofSet(`${home}-set`)), ['ConfigMap/ours', `Namespace/${home}`]);
  assert.deepEqual(monitor.ofSet('another'), []);
  await watch(CONFIG_MAP);
  assert.equal(started, 2, 'a kind that is watched is not watched again');
});

test('a kind nobody knows yet is left out, and watched once its CRD is there', async () => {
  const widgets = defineResource<Unstructured>(`g${count}.example`, 'v1', 'Widget', 'widgets');
  const kind = { apiVersion: `${widgets.group}/v1`, kind: 'Widget' };
  await watch(kind, CONFIG_MAP);
  assert.equal(started, 1);
  assert.equal(monitor.get({ ...kind, namespace: home, name: 'w' }), undefined);
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  await server.client.create(customResourceDefinitions, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${widgets.group}` },
    spec: { group: widgets.group, scope: 'Namespaced', names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' }, versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }] },
  } as never);
  await server.eventually('the kind to be served', () => server.client.list(widgets).then(() => true, () => false));
  await server.client.create(widgets, { ...kind, metadata: { namespace: home, name: 'w', ...marks(`${home}-set`) } });
  await server.eventually('the watch', async () => {
    await watch(kind);
    if (monitor.get({ ...kind, namespace: home, name: 'w' })) return true;
    await server.clock.advance(1_000); // what the mapper remembers of discovery grows old
    return false;
  });
});

test('a standby prepares kinds without waiting, unknown ones without harm', async () => {
  await put('ours', `${home}-set`);
  monitor.prepare([CONFIG_MAP, { apiVersion: 'nobody.example/v1', kind: 'Knows' }]);
  await server.eventually('the cache to fill', () => monitor.get(reference('ours')));
});

test('changes name the set they belong to, deletions too', async () => {
  const seen: string[] = [];
  monitor.onChange((setID) => seen.push(setID));
  await watch(CONFIG_MAP);
  await put('ours', `${home}-set`);
  await put('theirs');
  await server.eventually('the creation', () => seen.includes(`${home}-set`));
  seen.length = 0;
  await server.client.patch(configMaps, { namespace: home, name: 'ours' }, { type: 'merge', body: { data: { a: 'b' } } });
  await server.eventually('the change', () => seen.includes(`${home}-set`));
  seen.length = 0;
  await server.client.delete(configMaps, { namespace: home, name: 'ours' });
  await server.eventually('the deletion', () => seen.includes(`${home}-set`));
  assert.deepEqual(monitor.ofSet(`${home}-set`), []);
});

/** Whether a promise has settled by now. */
function watched(promise: Promise<void>): { settled: boolean } {
  const state = { settled: false };
  void promise.then(() => (state.settled = true));
  return state;
}

test('waiting ends when the last object is there, at once when all are, and at the limit when not', async () => {
  await watch(CONFIG_MAP);
  await put('one', 's');
  const waiting = watched(monitor.waitFor([reference('one'), reference('two')], LIMIT_MS));
  await server.eventually('the first', () => monitor.get(reference('one')));
  assert.equal(waiting.settled, false);
  await put('two', 's');
  await server.eventually('the wait to end', () => waiting.settled);
  await monitor.waitFor([reference('one'), reference('two')], LIMIT_MS);
  await monitor.waitFor([], LIMIT_MS);

  const timers = server.clock.pending;
  const late = watched(monitor.waitFor([reference('never')], LIMIT_MS));
  await server.clock.advance(LIMIT_MS - 1);
  assert.equal(late.settled, false);
  await server.clock.advance(1);
  assert.equal(late.settled, true);
  assert.ok(server.clock.pending <= timers, 'no timer is left behind');
});
