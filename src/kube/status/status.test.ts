import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergePatchBetween } from './index.ts';

const check = (current: object, wanted: object, patch: unknown) => assert.deepEqual(mergePatchBetween(current, wanted), patch);

test('nothing is written when nothing differs', () => {
  check({ a: 1, b: { c: [1, 2] }, other: true }, { a: 1, b: { c: [1, 2] } }, undefined);
  check({}, { a: undefined }, undefined);
});

test('only differences are written, and nested keys that are gone are removed', () => {
  check({ a: 1, b: 2 }, { a: 1, b: 3 }, { b: 3 });
  check({ display: { state: 'NotReady', ready: '0/1' } }, { display: { ready: '1/1' } }, { display: { state: null, ready: '1/1' } });
  check({ list: [1] }, { list: [1, 2] }, { list: [1, 2] });
});

test('keys the caller does not name belong to somebody else', () => {
  check({ agent: { lastSeen: 'x' } }, { ready: true }, { ready: true });
});

test('an explicit undefined removes what was there', () => {
  check({ message: 'x' }, { message: undefined }, { message: null });
});
