import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMapKey, dns1123Label, dns1123Subdomain, finalizerWarnings, invalid, invalidError, labelValue, portName, qualifiedName, required, validateLabelSelector, validateObjectMeta, validateObjectMetaUpdate } from '#apimachinery/validation';

function check(title: string, rule: (value: string) => string[], { good, bad }: { good: readonly string[]; bad: readonly string[] }): void {
  test(title, () => {
    for (const value of good) assert.deepEqual(rule(value), [], value);
    for (const value of bad) assert.notDeepEqual(rule(value), [], value);
  });
}

check('labels of RFC 1123', dns1123Label, { good: ['a', 'a-1', '1a', 'x'.repeat(63)], bad: ['', '-a', 'a-', 'A', 'a.b', 'x'.repeat(64)] });
check('subdomains of RFC 1123', dns1123Subdomain, { good: ['a.b', '1.2', 'x'.repeat(253)], bad: ['a..b', '.a', 'A.b', 'x'.repeat(254)] });
check('label values', labelValue, { good: ['', 'A_b.c-1'], bad: ['-a', 'a b', 'x'.repeat(64)] });
check('qualified names', qualifiedName, { good: ['a', 'example.com/Name_1'], bad: ['', '/a', 'a/', 'A.com/x', 'a/b/c', 'bad key'] });
check('keys of config maps', configMapKey, { good: ['a.txt', '_x', '.hidden', '-'], bad: ['', '.', '..', '..a', 'a/b', 'a b'] });
check('names of ports', portName, { good: ['http', 'a-1'], bad: ['1', 'a--b', '-a', 'Http', 'x'.repeat(16)] });

test('an invalid object is told with every cause, equal texts once', () => {
  const error = invalidError({ group: 'apps', kind: 'Deployment', name: 'd' }, [required('spec.a'), invalid('spec.b', 'x', 'must be y'), invalid('spec.b', 'x', 'must be y')]);
  assert.equal(error.code, 422);
  assert.equal(error.message, 'Deployment.apps "d" is invalid: [spec.a: Required value, spec.b: Invalid value: "x": must be y]');
  assert.deepEqual(error.details?.causes?.length, 3);
  assert.equal(invalidError({ kind: 'Pod', name: '' }, [required('a')]).message, 'Pod "" is invalid: a: Required value');
});

const options = { namespaced: true, checkName: dns1123Subdomain };

test('metadata needs a name and a namespace; a prefix may end in a dash', () => {
  assert.deepEqual(validateObjectMeta({}, options).map(({ field }) => field), ['metadata.name', 'metadata.namespace']);
  assert.deepEqual(validateObjectMeta({ name: 'a-x1', generateName: 'a-', namespace: 'n' }, options), []);
  assert.deepEqual(validateObjectMeta({ name: 'A', generateName: 'A_', namespace: 'n' }, options).map(({ field }) => field), ['metadata.generateName', 'metadata.name']);
  assert.deepEqual(validateObjectMeta({ name: 'a', namespace: 'n' }, { ...options, namespaced: false }).map(({ type }) => type), ['FieldValueForbidden']);
});

test('only one owner controls, and events own nothing', () => {
  const owner = { apiVersion: 'v1', kind: 'Pod', uid: 'u' };
  const errors = validateObjectMeta({ name: 'a', namespace: 'n', ownerReferences: [{ ...owner, name: 'x', controller: true }, { ...owner, name: 'y', controller: true }, { ...owner, kind: 'Event', name: 'e' }] }, options);
  assert.equal(errors.length, 2);
  assert.match(errors[1]?.message ?? '', /Found "true" in references for Pod\/x and Pod\/y$/);
});

test('an update cannot change identity, nor add finalizers to what is being deleted', () => {
  const old = { name: 'a', namespace: 'n', uid: 'u', resourceVersion: '1', finalizers: ['x/a'], deletionTimestamp: '2026-01-01T00:00:00Z' };
  assert.deepEqual(validateObjectMetaUpdate(old, old), []);
  assert.deepEqual(validateObjectMetaUpdate({ ...old, uid: 'v', finalizers: ['x/b'] }, old).map(({ field, type }) => [field, type]), [['metadata.finalizers', 'FieldValueForbidden'], ['metadata.uid', 'FieldValueInvalid']]);
});

test('selectors inside objects need values where the operator asks for them', () => {
  const fields = validateLabelSelector({ matchExpressions: [{ key: 'a', operator: 'In' }, { key: 'a', operator: 'Exists', values: ['x'] }, { key: '', operator: 'Odd' }] }, 's').map(({ field }) => field);
  assert.deepEqual(fields, ['s.matchExpressions[0].values', 's.matchExpressions[1].values', 's.matchExpressions[2].operator', 's.matchExpressions[2].key', 's.matchExpressions[2].key']);
});

test('finalizers without a domain are warned about', () => {
  assert.deepEqual(finalizerWarnings(['orphan', 'a.b/c']), []);
  assert.equal(finalizerWarnings(['mine']).length, 1);
});
