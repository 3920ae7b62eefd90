import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deepClone } from '#base/json';
import type { ManagedFieldsEntry, Unstructured } from '#apimachinery/meta';
import type { Schema } from '#apimachinery/schema';
import { StatusError } from '#apimachinery/status';
import { difference, equalSets, fromFieldsV1, intersection, serverSideApply, toFieldsV1, trackUpdate, union, type ApplyRequest } from '#apimachinery/managedfields';

const text: Schema = { type: 'string' };
const schema: Schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        data: { type: 'object', additionalProperties: text },
        items: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name', 'protocol'],
          items: { type: 'object', properties: { name: text, protocol: { type: 'string', default: 'TCP' }, value: text } },
        },
        words: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
        atomicList: { type: 'array', items: text },
        atomicMap: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: text, b: text } },
      },
    },
    status: { type: 'object', properties: { phase: text } },
  },
};

const NOW = '2026-01-01T00:00:00Z';
const LATER = '2026-01-02T00:00:00Z';
const object = (spec: Record<string, unknown>, rest: Record<string, unknown> = {}): Unstructured => ({ apiVersion: 'x/v1', kind: 'K', metadata: { name: 'a' }, spec, ...rest });

function apply(live: Unstructured | undefined, manager: string, spec: Record<string, unknown>, options: Partial<ApplyRequest> = {}): Unstructured {
  return serverSideApply({ live, applied: object(spec), manager, now: NOW, schema, apiVersion: 'x/v1', ...options }).object;
}

const fieldsOf = (entry: ManagedFieldsEntry | undefined) => entry?.fieldsV1;
const entryOf = (live: Unstructured, manager: string) => live.metadata.managedFields?.find((entry) => entry.manager === manager);

test('keyed items, defaults of keys, sets and atomic values are owned as they merge', () => {
  const live = apply(undefined, 'm', { items: [{ name: 'a', value: '1' }], words: ['x'], atomicList: ['1'], atomicMap: { a: '1' }, data: {} });
  assert.deepEqual(fieldsOf(entryOf(live, 'm')), {
    'f:spec': {
      'f:atomicList': {},
      'f:atomicMap': {},
      'f:data': {},
      'f:items': { 'k:{"name":"a","protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
      'f:words': { 'v:"x"': {} },
    },
  });
});

test('a conflict names every field and manager, and force takes the fields over', () => {
  const live = apply(apply(undefined, 'one', { data: { x: '1' } }), 'two', { data: { y: '1' } });
  assert.throws(
    () => apply(live, 'three', { data: { x: '2', y: '2' } }),
    (error) => {
      assert.ok(error instanceof StatusError);
      assert.equal(error.code, 409);
      assert.equal(error.message, 'Apply failed with 2 conflicts: conflicts with "one":\n- .spec.data.x\nconflicts with "two":\n- .spec.data.y');
      return true;
    },
  );
  const forced = apply(live, 'three', { data: { x: '2', y: '2' } }, { force: true });
  assert.deepEqual(forced['spec'], { data: { x: '2', y: '2' } });
  assert.deepEqual(forced.metadata.managedFields?.map(({ manager }) => manager), ['three']);
});

test('what is applied no more goes, unless somebody else owns it', () => {
  const live = apply(apply(undefined, 'one', { data: { x: '1', y: '1' }, items: [{ name: 'a' }, { name: 'b' }] }), 'two', { data: { y: '1' }, items: [{ name: 'b' }] });
  const after = apply(live, 'one', { data: {} });
  assert.deepEqual(after['spec'], { data: { y: '1' }, items: [{ name: 'b' }] });
});

test('labels may go without taking the rest of the metadata along', () => {
  const first = serverSideApply({ live: undefined, applied: { ...object({}), metadata: { name: 'a', labels: { l: '1' } } }, manager: 'm', now: NOW, schema, apiVersion: 'x/v1' }).object;
  const stored = { ...first, metadata: { ...first.metadata, uid: 'u', resourceVersion: '5' } };
  const { metadata } = apply(stored, 'm', {});
  assert.deepEqual({ uid: metadata.uid, resourceVersion: metadata.resourceVersion, labels: metadata.labels }, { uid: 'u', resourceVersion: '5', labels: undefined });
});

test('an apply without a change changes nothing, not even times', () => {
  const live = apply(undefined, 'm', { data: { x: '1' } });
  const again = serverSideApply({ live, applied: object({ data: { x: '1' } }), manager: 'm', now: LATER, schema, apiVersion: 'x/v1' });
  assert.equal(again.changed, false);
  assert.equal(again.object, live);
});

test('an object that nobody tracked belongs to before-first-apply', () => {
  assert.throws(() => apply(object({ data: { x: '1' } }), 'm', { data: { x: '2' } }), { message: 'Apply failed with 1 conflict: conflict with "before-first-apply" using x/v1: .spec.data.x' });
});

test('kubectl takes over what its client-side form applied and nobody changed', () => {
  const lastApplied = JSON.stringify(object({ data: { x: '1' } }));
  const live = trackUpdate({ live: undefined, object: { ...object({ data: { x: '1' } }), metadata: { name: 'a', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': lastApplied } } }, manager: 'kubectl-client-side-apply', now: NOW, schema, apiVersion: 'x/v1' });
  const after = apply(live, 'kubectl', { data: { x: '2' } });
  assert.deepEqual(after['spec'], { data: { x: '2' } });
  assert.throws(() => apply(live, 'other', { data: { x: '2' } }), StatusError);
});

test('what does not fit the schema is refused with 500, what carries managedFields or another version with 400', () => {
  const cases: [Unstructured, number, RegExp][] = [
    [{ ...object({}), nosuch: 1 }, 500, /failed to create typed patch object \(\/a; x\/v1, Kind=K\): \.nosuch: field not declared in schema/],
    [object({ data: { a: 1 } }), 500, /\.spec\.data\.a: expected string, got &value\.valueUnstructured\{Value:1\}/],
    [object({ items: [{ name: 'a' }, { name: 'a', protocol: 'TCP' }] }), 500, /\.spec\.items: duplicate entries for key \[name="a",protocol="TCP"\]/],
    [{ ...object({}), metadata: { name: 'a', managedFields: [] } }, 400, /metadata\.managedFields must be nil/],
    [{ ...object({}), apiVersion: 'x/v2' }, 400, /Incorrect version/],
  ];
  for (const [applied, code, message] of cases) {
    assert.throws(() => serverSideApply({ live: undefined, applied, manager: 'm', now: NOW, schema, apiVersion: 'x/v1' }), (error) => error instanceof StatusError && error.code === code && message.test(error.message));
  }
});

test('an update takes what it changes, keeps its time otherwise, and never owns fields of another endpoint', () => {
  const track = (live: Unstructured | undefined, next: Unstructured, manager: string, now: string) => trackUpdate({ live, object: next, manager, now, schema, apiVersion: 'x/v1', resetFields: [['status']] });
  const first = track(undefined, object({ data: { a: '1' } }, { status: { phase: 'x' } }), 'one', NOW);
  assert.deepEqual(fieldsOf(entryOf(first, 'one')), { 'f:spec': { '.': {}, 'f:data': { '.': {}, 'f:a': {} } } });
  const second = track(first, { ...first, spec: { data: { a: '2', b: '1' } } }, 'two', LATER);
  assert.deepEqual(fieldsOf(entryOf(second, 'two')), { 'f:spec': { 'f:data': { 'f:a': {}, 'f:b': {} } } });
  assert.equal(entryOf(second, 'one')?.time, NOW);
  assert.deepEqual(track(second, second, 'three', LATER).metadata.managedFields, second.metadata.managedFields);
});

test('an empty list of managers, or one empty entry, forgets all', () => {
  const live = apply(undefined, 'm', { data: { x: '1' } });
  for (const managedFields of [[], [{}]]) {
    const reset = trackUpdate({ live, object: { ...live, metadata: { ...live.metadata, managedFields } }, manager: 'z', now: LATER, schema, apiVersion: 'x/v1' });
    assert.equal(reset.metadata.managedFields, undefined);
  }
});

test('at most ten managers of updates are kept; the oldest become one', () => {
  let live = trackUpdate({ live: undefined, object: object({ data: {} }), manager: 'm0', now: NOW, schema, apiVersion: 'x/v1' });
  for (let i = 1; i <= 14; i += 1) {
    live = trackUpdate({ live, object: { ...live, spec: { data: { ...(live['spec'] as { data: object }).data, [`k${i}`]: '1' } } }, manager: `m${i}`, now: `2026-01-01T00:00:${String(i).padStart(2, '0')}Z`, schema, apiVersion: 'x/v1' });
  }
  assert.equal(live.metadata.managedFields?.length, 10);
  assert.ok(entryOf(live, 'ancient-changes'));
});

const words = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 });
const specs = fc.record({
  data: fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.constantFrom('1', '2'), { noNullPrototype: true }),
  words,
  items: words.map((names) => names.map((name) => ({ name, value: name }))),
  atomicList: fc.array(fc.constantFrom('1', '2'), { maxLength: 3 }),
});

test('applying twice is applying once, and everything applied is there', () => {
  fc.assert(
    fc.property(specs, specs, (first, second) => {
      const live = apply(apply(undefined, 'one', first), 'two', second, { force: true });
      const before = deepClone(live);
      const again = serverSideApply({ live, applied: object(second), manager: 'two', now: LATER, schema, apiVersion: 'x/v1', force: true });
      assert.equal(again.changed, false);
      assert.deepEqual(live, before, 'the input is left alone');
      const spec = live['spec'] as typeof second;
      assert.deepEqual({ ...spec.data, ...second.data }, spec.data);
      assert.deepEqual(spec.words.filter((word) => second.words.includes(word)), second.words);
      assert.deepEqual(spec.atomicList, second.atomicList);
    }),
  );
});

test('a manager that applies nothing more leaves what the other one applied', () => {
  fc.assert(
    fc.property(specs, specs, (first, second) => {
      const live = apply(apply(undefined, 'one', first), 'two', second, { force: true });
      // An empty set has no items, so nobody owns it, and it goes with its last owner.
      const { data = {}, words: left = [] } = apply(live, 'one', {})['spec'] as Partial<typeof second>;
      assert.deepEqual(data, second.data);
      assert.deepEqual([...left].sort(), [...second.words].sort());
    }),
  );
});

test('sets obey the laws of sets, and their wire form is read back', () => {
  const fields = fc.letrec<{ node: Record<string, unknown> }>((tie) => ({ node: fc.dictionary(fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}', 'v:1', '.'), fc.oneof({ maxDepth: 3 }, fc.constant({}), tie('node')), { noNullPrototype: true }) })).node;
  fc.assert(
    fc.property(fields, fields, (a, b) => {
      const [left, right] = [fromFieldsV1(a), fromFieldsV1(b)];
      assert.ok(equalSets(union(left, right), union(right, left)));
      assert.ok(equalSets(union(difference(left, right), intersection(left, right)), left));
      assert.ok(equalSets(fromFieldsV1(toFieldsV1(left)), left));
    }),
  );
});
