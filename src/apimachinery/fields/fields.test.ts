import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeFieldValue, matchesFields, parseFieldSelector } from '#apimachinery/fields';

test('terms are parsed in sorted order; == is =', () => {
  assert.deepEqual(parseFieldSelector('status.phase!=Running,,metadata.name==a'), [
    { field: 'metadata.name', operator: '=', value: 'a' },
    { field: 'status.phase', operator: '!=', value: 'Running' },
  ]);
  assert.deepEqual(parseFieldSelector(''), []);
});

test('text that is no selector is refused', () => {
  for (const [text, message] of [
    ['name', "invalid selector: 'name'; can't understand 'name'"],
    ['a=b\\x', 'invalid field selector: invalid escape sequence: \\x'],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
  ] as const) assert.throws(() => parseFieldSelector(text), { message });
});

test('an absent field counts as empty', () => {
  const fields = (field: string) => ({ 'spec.nodeName': 'n1' })[field];
  assert.equal(matchesFields(parseFieldSelector('spec.nodeName=n1,spec.other='), fields), true);
  assert.equal(matchesFields(parseFieldSelector('spec.nodeName!=n1'), fields), false);
});

test('every escaped value is read back', () => {
  fc.assert(fc.property(fc.string(), (value) => assert.deepEqual(parseFieldSelector(`a=${escapeFieldValue(value)}`), [{ field: 'a', operator: '=', value }])));
});
