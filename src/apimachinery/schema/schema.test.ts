import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StatusError } from '#apimachinery/status';
import { fieldErrorText } from '../validation/field-error.ts';
import {
  applyDefaults, findDuplicateFields, findUnknownFields, pruneObject, validateCustomResourceDefinition, validateCustomResourceDefinitionUpdate, validateRules, validateSchema,
  type Schema,
} from '#apimachinery/schema';
import type { Unstructured } from '#apimachinery/meta';
import { hasFormat } from './formats.ts';

const text: Schema = { type: 'string' };
const texts = (errors: readonly { field: string; message: string }[]) => errors.map((error) => fieldErrorText(error as Parameters<typeof fieldErrorText>[0])).sort();

function check(title: string, schema: Schema, cases: readonly (readonly [unknown, ...string[]])[]): void {
  test(`validation: ${title}`, () => {
    for (const [value, ...expected] of cases) {
      assert.deepEqual(texts(validateSchema({ type: 'object', properties: { v: schema } }, { v: value })), [...expected].sort(), JSON.stringify(value));
    }
  });
}

check('types', { type: 'integer' }, [[1], ['x', 'v: Invalid value: "string": v in body must be of type integer: "string"'], [null, 'v: Invalid value: "null": v in body must be of type integer: "null"'], [[1], 'v: Invalid value: "array": v in body must be of type integer: "array"']]);
check('a nullable field may be null', { type: 'string', nullable: true }, [[null], ['x']]);
check('integers count as numbers', { type: 'number', minimum: 0, exclusiveMinimum: true }, [[1], [0.5], [0, 'v: Invalid value: 0: v in body should be greater than 0']]);
check('bounds of numbers', { type: 'number', minimum: 1, maximum: 3, multipleOf: 0.5 }, [[1.5], [4, 'v: Invalid value: 4: v in body should be less than or equal to 3'], [1.2, 'v: Invalid value: 1.2: v in body should be a multiple of 0.5']]);
check('a fraction is no integer, and is told twice', { type: 'integer' }, [[1.5, '<nil>: Invalid value: "": Checked value must be of type integer (default format) in v', 'v: Invalid value: "number": v in body must be of type integer: "number"']]);
check('lengths count characters', { type: 'string', minLength: 2, maxLength: 3 }, [['äöü'], ['x', 'v: Invalid value: "x": v in body should be at least 2 chars long'], ['xxxx', 'v: Too long: may not be more than 3 bytes']]);
check('patterns are RE2 and unanchored', { type: 'string', pattern: '(?i)B+' }, [['abc'], ['xyz', "v: Invalid value: \"xyz\": v in body should match '(?i)B+'"]]);
check('enums', { type: 'string', enum: ['a', 'b'] }, [['a'], ['c', 'v: Unsupported value: "c": supported values: "a", "b"']]);
check('sizes of lists and maps', { type: 'array', maxItems: 1, items: { type: 'object', minProperties: 1 } }, [[[{ a: 1 }]], [[{}], 'v[0]: Invalid value: 0: v[0] in body should have at least 1 properties'], [[{ a: 1 }, { a: 1 }], 'v: Too many: 2: must have at most 1 item']]);
check('int-or-string', { 'x-kubernetes-int-or-string': true }, [[5], ['5%'], [true, 'v: Invalid value: "boolean": v in body must be of type integer,string: "boolean"']]);
check('anyOf explains the alternative that got furthest', { type: 'object', anyOf: [{ required: ['a'] }, { properties: { b: { enum: ['x'] } }, required: ['b'] }] }, [[{ a: 1 }], [{ b: 'y' }, '<nil>: Invalid value: "": "v" must validate at least one schema (anyOf)', 'v.b: Unsupported value: "y": supported values: "x"']]);
check('allOf tells all', { type: 'object', allOf: [{ required: ['a'] }, { required: ['b'] }] }, [[{ a: 1, b: 1 }], [{ a: 1 }, '<nil>: Invalid value: "": "v" must validate all the schemas (allOf)', 'v.b: Required value']]);
check('items of sets and maps are unique', { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], items: { type: 'object', properties: { k: { type: 'string', default: 'd' }, x: { type: 'integer' } } } }, [[[{ k: 'a' }, { k: 'b' }]], [[{ k: 'd' }, { x: 1 }, {}], 'v[1]: Duplicate value: {"k":"d"}']]);
check('embedded resources say what they are', { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true }, [[{ apiVersion: 'v1', kind: 'Pod' }], [{ kind: 'Pod' }, 'v.apiVersion: Required value']]);

test('validation: the path of a part goes into fields, not into messages', () => {
  assert.deepEqual(texts(validateSchema({ type: 'object', properties: { n: { type: 'integer' } } }, { n: 'x' }, { path: 'status' })), ['status.n: Invalid value: "string": n in body must be of type integer: "string"']);
});

test('validation: what did not change is not judged again', () => {
  const schema: Schema = { type: 'object', properties: { a: { type: 'string', maxLength: 1 }, l: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], items: { type: 'object', properties: { k: text, v: { type: 'string', maxLength: 1 } } } } } };
  const old = { a: 'long', l: [{ k: 'x', v: 'long' }] };
  assert.deepEqual(validateSchema(schema, { a: 'long', l: [{ k: 'y', v: 'z' }, { k: 'x', v: 'long' }], b: 1 }, { old }), []);
  assert.deepEqual(validateSchema(schema, { a: 'loong', l: [{ k: 'y', v: 'long' }] }, { old }).map(({ field }) => field), ['a', 'l[0].v']);
});

test('formats', () => {
  const table: Record<string, { good: string[]; bad: string[] }> = {
    ipv4: { good: ['1.2.3.4'], bad: ['1.2.3', '256.1.1.1', '01.1.1.1', '1.2.3.4.'] },
    ipv6: { good: ['::', '::1', '1:2:3:4:5:6:7:8', '::ffff:1.2.3.4'], bad: ['1::2::3', '1:2:3:4:5:6:7', ':1', 'x::'] },
    cidr: { good: ['10.0.0.0/8', '::/0'], bad: ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/08'] },
    'date-time': { good: ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.5+01:00'], bad: ['2026-13-01T00:00:00Z', '2026-01-01', 'x'] },
    date: { good: ['2024-02-29'], bad: ['2023-02-29', '2024-2-1'] },
    duration: { good: ['1h30m', '2s'], bad: ['x', '1y'] },
    uuid: { good: ['123e4567-e89b-12d3-a456-426614174000'], bad: ['x'] },
    hostname: { good: ['a.example'], bad: ['-a', ''] },
    byte: { good: ['aGk='], bad: ['a'] },
    mac: { good: ['00:11:22:33:44:55'], bad: ['00:11'] },
    unheard: { good: ['anything'], bad: [] },
  };
  for (const [format, { good, bad }] of Object.entries(table)) {
    for (const value of good) assert.equal(hasFormat(format, value), true, `${format} ${value}`);
    for (const value of bad) assert.equal(hasFormat(format, value), false, `${format} ${value}`);
  }
});

const shape: Schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      default: {},
      properties: { a: { type: 'string', default: 'x' }, n: { type: 'string', nullable: true, default: 'y' }, gone: text, free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, l: { type: 'array', items: { type: 'object', properties: { k: { type: 'integer', default: 1 } } } }, m: { type: 'object', additionalProperties: { type: 'object', properties: { k: text } } } },
    },
  },
};

test('pruning removes what is not specified, and names it', () => {
  const object = { apiVersion: 'v1', kind: 'K', metadata: { name: 'a', odd: 1 }, extra: 1, spec: { a: '1', b: 2, free: { any: [1] }, l: [{ k: 1, z: 1 }], m: { key: { k: 'v', z: 1 } } } };
  const unknown = findUnknownFields(shape, object);
  assert.deepEqual(unknown, ['extra', 'metadata.odd', 'spec.b', 'spec.l[0].z', 'spec.m.key.z'].map((path) => `unknown field "${path}"`));
  assert.deepEqual(pruneObject(shape, object), ['extra', 'metadata.odd', 'spec.b', 'spec.l[0].z', 'spec.m.key.z']);
  assert.deepEqual(object, { apiVersion: 'v1', kind: 'K', metadata: { name: 'a' }, spec: { a: '1', free: { any: [1] }, l: [{ k: 1 }], m: { key: { k: 'v' } } } });
  assert.deepEqual(pruneObject(shape, object), []);
});

test('pruning refuses embedded metadata of a wrong type', () => {
  const schema: Schema = { type: 'object', properties: { t: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true } } };
  assert.throws(() => pruneObject(schema, { apiVersion: 'x/v1', kind: 'K', t: { metadata: { labels: [] } } }), (error) => error instanceof StatusError && error.code === 400 && /t\.metadata: Invalid value: \{"labels":\[\]\}: json: cannot unmarshal array/.test(error.message));
});

test('defaults fill in what is absent, and nulls that may not be', () => {
  const object: Record<string, unknown> = { spec: { a: null, n: null, gone: null, l: [{}] } };
  applyDefaults(shape, object);
  assert.deepEqual(object, { spec: { a: 'x', n: null, l: [{ k: 1 }] } });
  const empty: Record<string, unknown> = {};
  applyDefaults(shape, empty);
  assert.deepEqual(empty, { spec: { a: 'x', n: 'y' } });
});

test('keys that occur twice are found, wherever they are', () => {
  assert.deepEqual(findDuplicateFields('{"a":{"x":1,"\\u0078":2},"l":[{"q":1},{"q":[],"q":{}}],"a":3}'), ['duplicate field "a.x"', 'duplicate field "l[1].q"', 'duplicate field "a"']);
  fc.assert(fc.property(fc.jsonValue(), (value) => assert.deepEqual(findDuplicateFields(JSON.stringify(value, null, 1)), [])));
});

function rule(schema: Schema, rules: Schema['x-kubernetes-validations'] & object, value: unknown, old?: unknown): string[] {
  return texts(validateRules({ type: 'object', properties: { v: { ...schema, 'x-kubernetes-validations': rules } } }, { v: value }, old === undefined ? {} : { old: { v: old } }));
}

test('rules: messages, reasons and field paths', () => {
  const object: Schema = { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'integer' } } };
  assert.deepEqual(rule({ type: 'integer' }, [{ rule: 'self > 1' }], 1), ['v: Invalid value: 1: failed rule: self > 1']);
  assert.deepEqual(rule(object, [{ rule: 'self.a < self.b', message: 'a before b', fieldPath: '.a', reason: 'FieldValueForbidden' }], { a: 2, b: 1 }), ['v.a: Forbidden: a before b']);
  assert.deepEqual(rule(object, [{ rule: 'self.a < self.b', messageExpression: "'a is %d'.format([self.a])" }], { a: 2, b: 1 }), ['v: Invalid value: a is 2']);
  assert.deepEqual(rule(object, [{ rule: 'has(self.c)' }], { a: 2, b: 1 }), ['v: Invalid value: failed rule: has(self.c)']);
});

test('rules: transitions need a past, unless they ask for an optional one', () => {
  assert.deepEqual(rule(text, [{ rule: 'self == oldSelf' }], 'a'), []);
  assert.deepEqual(rule(text, [{ rule: 'self == oldSelf', message: 'immutable' }], 'b', 'a'), ['v: Invalid value: "b": immutable']);
  assert.deepEqual(rule(text, [{ rule: 'oldSelf.hasValue() || self == "first"', optionalOldSelf: true }], 'a'), ['v: Invalid value: "a": failed rule: oldSelf.hasValue() || self == "first"']);
  assert.deepEqual(rule(text, [{ rule: 'self == "x"' }], 'a', 'a'), [], 'unchanged values are not judged again');
});

test('rules: the Kubernetes library', () => {
  const list: Schema = { type: 'array', items: { type: 'integer' } };
  const holds: [Schema, string, unknown][] = [
    [text, 'quantity(self).isLessThan(quantity("1Gi")) && isQuantity(self) && quantity(self).add(1).isGreaterThan(quantity(self))', '500Mi'],
    [text, 'url(self).getHostname() == "a.b" && url(self).getPort() == "80" && isURL(self)', 'http://a.b:80/x'],
    [text, 'cidr("10.0.0.0/8").containsIP(self) && ip(self).family() == 4 && !ip(self).isLoopback()', '10.1.2.3'],
    [text, 'cidr(self).masked() == cidr(self) || cidr(self).prefixLength() == 24', '10.1.2.3/24'],
    [text, 'self.find("[0-9]+") == "12" && self.findAll("[0-9]").size() == 3 && self.matches("^a")', 'a12b3'],
    [list, 'self.isSorted() && self.sum() == 6 && self.min() == 1 && self.max() == 3 && self.indexOf(2) == 1', [1, 2, 3]],
    [list, 'sets.contains(self, [1]) && sets.intersects(self, [3, 4]) && !sets.equivalent(self, [1])', [1, 2, 3]],
    [{ type: 'string', format: 'date-time' }, 'self > timestamp("2020-01-01T00:00:00Z")', '2021-01-01T00:00:00Z'],
    [{ type: 'object', properties: { 'a-b': text, in: text } }, 'self.a__dash__b == "x" && self.__in__ == "y" && self.?zz.orValue("z") == "z"', { 'a-b': 'x', in: 'y' }],
    [text, 'self.replace("a", "b").reverse() == "cbb" && self.charAt(0) == "a"', 'abc'],
  ];
  for (const [schema, expression, value] of holds) assert.deepEqual(rule(schema, [{ rule: expression }], value), [], expression);
});

test('rules: nested loops over long lists are refused before they run', () => {
  const schema: Schema = { type: 'array', items: { type: 'integer' } };
  const value = Array.from({ length: 3000 }, (_, index) => index);
  const started = performance.now();
  assert.match(rule(schema, [{ rule: 'self.all(x, self.all(y, x != y || x == y))' }], value)[0] ?? '', /call cost exceeds limit/);
  assert.ok(performance.now() - started < 1000);
});

test('rules: a pattern that backtracks forever elsewhere does not here', () => {
  assert.equal(rule(text, [{ rule: 'self.matches("^(a+)+$")' }], `${'a'.repeat(5000)}!`).length, 1);
});

const crd = (schema: unknown, spec: Record<string, unknown> = {}): Unstructured => ({
  metadata: { name: 'things.example.com' },
  spec: { group: 'example.com', scope: 'Namespaced', names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' }, versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }], conversion: { strategy: 'None' }, ...spec },
  status: { storedVersions: ['v1'] },
});

function refusesSchema(title: string, schema: unknown, ...expected: string[]): void {
  test(`definitions: ${title}`, () => assert.deepEqual(texts(validateCustomResourceDefinition(crd(schema))), expected.map((message) => `spec.validation.openAPIV3Schema${message}`).sort()));
}

const object = (properties: Record<string, unknown>) => ({ type: 'object', properties });
refusesSchema('a good schema is fine', object({ a: { type: 'array', items: { type: 'string' } }, any: { 'x-kubernetes-preserve-unknown-fields': true }, ios: { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true } }));
refusesSchema('types are needed', object({ a: {}, b: { type: 'array', items: {} } }), '.properties[a].type: Required value: must not be empty for specified object fields', '.properties[b].items.type: Required value: must not be empty for specified array items');
refusesSchema('alternatives judge values only', object({ a: { type: 'object', oneOf: [{ type: 'object', required: ['x'] }] } }), '.properties[a].oneOf[0].type: Forbidden: must be empty to be structural');
refusesSchema('map lists need keys', object({ a: { type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'object', properties: {} } } }), '.properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map');
refusesSchema('unique items are too dear', object({ a: { type: 'string', uniqueItems: true } }), '.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic');
refusesSchema('defaults must fit', object({ a: { type: 'integer', default: 'x' } }), '.properties[a].default: Invalid value: "string":  in body must be of type integer: "string"');

test('definitions: patterns are RE2', () => {
  const [error] = validateCustomResourceDefinition(crd(object({ a: { type: 'string', pattern: 'a(?=b)' } })));
  assert.equal(error?.field, 'spec.validation.openAPIV3Schema.properties[a].pattern');
});

test('definitions: rules are compiled against the schema', () => {
  const errors = (expression: string) => texts(validateCustomResourceDefinition(crd(object({ l: { type: 'array', items: object({ x: { type: 'integer' } }), 'x-kubernetes-validations': [{ rule: expression }] } }))));
  assert.deepEqual(errors('self.all(i, i.x > 0)'), []);
  assert.match(errors('self.all(i, i.y > 0)')[0] ?? '', /undefined field 'y'\n \| self\.all\(i, i\.y > 0\)\n \| \.{13}\^$/);
  assert.match(errors('other == 1')[0] ?? '', /undeclared reference to 'other'/);
  assert.match(errors('self[0].x')[0] ?? '', /must evaluate to a bool/);
  assert.match(errors('self[0].x == "a"')[0] ?? '', /found no matching overload for '_==_' applied to '\(int, string\)'/);
});

test('definitions: names, versions and what may not change', () => {
  const fields = (definition: Unstructured) => validateCustomResourceDefinition(definition).map(({ field }) => field);
  const good = crd({ type: 'object' });
  assert.deepEqual(fields(good), []);
  assert.deepEqual(fields(crd({ type: 'object' }, { group: 'nodots', scope: '', names: { plural: 'Things', singular: 'thing', kind: 'Thing', listKind: 'Thing' } })), ['metadata.name', 'spec.group', 'spec.scope', 'spec.names.plural', 'spec.names.listKind']);
  assert.deepEqual(fields({ ...good, status: { storedVersions: ['v0'] } }), ['status.storedVersions', 'status.storedVersions[0]']);
  const changed = crd({ type: 'object' }, { scope: 'Cluster' });
  assert.deepEqual(validateCustomResourceDefinitionUpdate(changed, good).map(({ field }) => field), ['spec.scope']);
});
