import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deepClone } from '#base/json';
import type { Schema } from '#apimachinery/schema';
import { StatusError } from '#apimachinery/status';
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch, createMergePatch, requireObjectPatch } from '#apimachinery/patch';

const text: Schema = { type: 'string' };
const byName = (items: Schema): Schema => ({ type: 'array', items, 'x-kubernetes-patch-strategy': 'merge', 'x-kubernetes-patch-merge-key': 'name' });
const pod: Schema = {
  type: 'object',
  properties: {
    list: byName({ type: 'object', properties: { name: text, image: text, env: byName({ type: 'object', properties: { name: text, value: text } }) } }),
    words: { type: 'array', items: text, 'x-kubernetes-patch-strategy': 'merge' },
    plain: { type: 'array', items: text },
    strategy: { type: 'object', properties: { type: text, rolling: { type: 'object' } }, 'x-kubernetes-patch-strategy': 'retainKeys' },
    labels: { type: 'object', additionalProperties: text },
  },
};

function check(title: string, { from, patch, to }: { from: unknown; patch: unknown; to: unknown }): void {
  test(`strategic: ${title}`, () => {
    const before = deepClone(from);
    assert.deepEqual(applyStrategicMergePatch(from, patch, pod), to);
    assert.deepEqual(from, before, 'the input is left alone');
  });
}

const named = (...names: string[]) => names.map((name) => ({ name }));

check('a new item goes before items that the patch does not name', { from: { list: named('a', 'b') }, patch: { list: named('c') }, to: { list: named('c', 'a', 'b') } });
check('an item keeps its place behind items that preceded it', { from: { list: named('a', 'b') }, patch: { list: [{ name: 'b', image: 'x' }, { name: 'c' }] }, to: { list: [{ name: 'a' }, { name: 'b', image: 'x' }, { name: 'c' }] } });
check('lists inside items merge, too', { from: { list: [{ name: 'a', env: named('A') }] }, patch: { list: [{ name: 'a', env: [{ name: 'A', value: '1' }] }] }, to: { list: [{ name: 'a', env: [{ name: 'A', value: '1' }] }] } });
check('$patch: delete removes an item', { from: { list: named('a', 'b') }, patch: { list: [{ name: 'a', $patch: 'delete' }] }, to: { list: named('b') } });
check('$patch: delete of an absent item changes nothing', { from: { list: named('b') }, patch: { list: [{ name: 'a', $patch: 'delete' }] }, to: { list: named('b') } });
check('$patch: replace replaces a list', { from: { list: named('a', 'b') }, patch: { list: [{ name: 'n' }, { $patch: 'replace' }] }, to: { list: named('n') } });
check('$patch: replace replaces a map', { from: { labels: { a: '1', b: '2' } }, patch: { labels: { $patch: 'replace', c: '3' } }, to: { labels: { c: '3' } } });
check('$patch: delete empties a map', { from: { labels: { a: '1' } }, patch: { labels: { $patch: 'delete' } }, to: { labels: {} } });
check('$retainKeys drops what it does not name', { from: { strategy: { type: 'R', rolling: {} } }, patch: { strategy: { $retainKeys: ['type'], type: 'C' } }, to: { strategy: { type: 'C' } } });
check('words merge as a set', { from: { words: ['a', 'b'] }, patch: { words: ['c', 'a'] }, to: { words: ['c', 'a', 'b'] } });
check('words are deleted by name', { from: { words: ['a', 'b'] }, patch: { '$deleteFromPrimitiveList/words': ['a', 'x'] }, to: { words: ['b'] } });
check('an ordinary list is replaced', { from: { plain: ['a', 'b'] }, patch: { plain: ['c'] }, to: { plain: ['c'] } });
check('null removes a field and nulls of new maps vanish', { from: { labels: { a: '1' } }, patch: { labels: null, strategy: { type: 'x', rolling: null } }, to: { strategy: { type: 'x' } } });
check('$setElementOrder alone reorders', { from: { list: named('a', 'b', 'c') }, patch: { '$setElementOrder/list': named('c', 'a') }, to: { list: named('b', 'c', 'a') } });
check('$setElementOrder orders merged items', { from: { list: named('a', 'b') }, patch: { '$setElementOrder/list': named('b', 'n', 'a'), list: named('n') }, to: { list: named('b', 'n', 'a') } });

test('strategic: a patch list that contradicts $setElementOrder, or lacks the merge key, is refused with 500', () => {
  for (const patch of [{ '$setElementOrder/list': named('b', 'a'), list: named('a', 'b') }, { list: [{ image: 'x' }] }, { labels: { $patch: 'odd' } }]) {
    assert.throws(() => applyStrategicMergePatch({ list: named('a', 'b'), labels: {} }, patch, pod), (error) => error instanceof StatusError && error.code === 500);
  }
});

test('strategic: $retainKeys must name every key of the patch', () => {
  assert.throws(() => applyStrategicMergePatch({}, { strategy: { $retainKeys: ['x'], type: 'C' } }, pod), (error) => error instanceof StatusError && error.code === 422);
});

test('strategic: without merge keys it is a merge patch', () => {
  const json = fc.jsonValue({ maxDepth: 3 });
  const patches = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), json);
  fc.assert(
    fc.property(patches, patches, (document, patch) => {
      assert.deepEqual(applyMergePatch(document, patch), applyMergePatch(applyMergePatch(document, patch), patch), 'merge patches are idempotent');
    }),
  );
});

test('merge: the patch made of two documents turns one into the other', () => {
  const noNull = fc.letrec((tie) => ({ value: fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.integer(), { maxLength: 3 }), tie('object')), object: fc.dictionary(fc.stringMatching(/^[a-c_]{1,2}$/), tie('value'), { maxKeys: 4, noNullPrototype: true }) })).object;
  fc.assert(
    fc.property(noNull, noNull, (from, to) => {
      const patch = createMergePatch(from, to);
      assert.deepEqual(patch === undefined ? from : applyMergePatch(from, patch), to);
    }),
  );
});

test('merge: a key named __proto__ stays a key', () => {
  const result = applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}')) as Record<string, unknown>;
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  assert.equal(JSON.stringify(result), '{"__proto__":{"polluted":true}}');
});

test('merge and strategic: a server takes only objects', () => {
  for (const [value, name] of [[[1], 'array'], ['x', 'string'], [true, 'bool'], [3, 'number']] as const) {
    assert.throws(() => requireObjectPatch(value), { message: `error decoding patch: json: cannot unmarshal ${name} into Go value of type map[string]interface {}` });
  }
});

test('json: operations apply in order and the input stays', () => {
  const document = { list: ['x', 'y'], a: { b: 1 } };
  const result = applyJsonPatch(document, [
    { op: 'add', path: '/list/-', value: 'z' },
    { op: 'add', path: '/list/0', value: 'first' },
    { op: 'test', path: '/a/b', value: 1 },
    { op: 'move', from: '/a/b', path: '/c' },
    { op: 'copy', from: '/c', path: '/d' },
    { op: 'remove', path: '/a' },
    { op: 'replace', path: '/d', value: { e: null } },
  ]);
  assert.deepEqual(result, { list: ['first', 'x', 'y', 'z'], c: 1, d: { e: null } });
  assert.deepEqual(document, { list: ['x', 'y'], a: { b: 1 } });
});

test('json: what does not apply is refused with 422, what is no patch with 400', () => {
  const refusals: [unknown, number][] = [
    [[{ op: 'add', path: '/list/7', value: 1 }], 422], [[{ op: 'remove', path: '/nosuch' }], 422], [[{ op: 'test', path: '/a', value: 2 }], 422],
    [[{ op: 'replace', path: '/nosuch', value: 1 }], 422], [[{ op: 'odd', path: '/a' }], 422], [[{ path: '/a' }], 422], [{ op: 'add' }, 400], [['x'], 400],
  ];
  for (const [operations, code] of refusals) {
    assert.throws(() => applyJsonPatch({ a: 1, list: [] }, operations), (error) => error instanceof StatusError && error.code === code, JSON.stringify(operations));
  }
});
