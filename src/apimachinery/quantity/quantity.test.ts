import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addQuantities, canonicalQuantity, compareQuantities, formatQuantity, isQuantity, parseQuantity, quantityMilli, quantityValue, subtractQuantities } from '#apimachinery/quantity';

function check(text: string, canonical: string): void {
  test(`quantity ${text} is written ${canonical}`, () => assert.equal(canonicalQuantity(text), canonical));
}

const CANONICAL: readonly (readonly [string, string])[] = [
  ['0', '0'], ['0Gi', '0'], ['1000m', '1'], ['1500m', '1500m'], ['0.5', '500m'], ['.5', '500m'], ['5.', '5'], ['1024Mi', '1Gi'], ['1.5Gi', '1536Mi'], ['1024', '1024'], ['1000', '1k'], ['1073741824', '1073741824'],
  ['1e3', '1e3'], ['12E2', '1200'], ['1E', '1E'], ['100Ki', '100Ki'], ['0.1Gi', '107374182400m'], ['-1Mi', '-1Mi'], ['+5', '5'], ['512', '512'], ['1n', '1n'], ['0.1n', '1n'], ['0.0000000001', '1n'], ['100k', '100k'], ['1e-3', '1e-3'], ['0.5Ki', '512'],
];
for (const [text, canonical] of CANONICAL) check(text, canonical);

test('text that is no quantity is refused', () => {
  for (const text of ['', 'abc', '1 Gi', '1GiB', '--1', '1.2.3', 'Ki', '.', 'e5', '1e', '1e99999']) assert.equal(isQuantity(text), false, text);
});

test('quantities compare by value, not by suffix', () => {
  assert.equal(compareQuantities(parseQuantity('1Gi'), parseQuantity('1024Mi')), 0);
  assert.ok(compareQuantities(parseQuantity('1G'), parseQuantity('1Gi')) < 0);
  assert.equal(quantityMilli(parseQuantity('250m')), 250);
  assert.equal(quantityMilli(parseQuantity('1u')), 1);
  assert.equal(quantityValue(parseQuantity('1.5')), 2);
});

const quantities = fc.tuple(fc.integer(), fc.constantFrom('', 'm', 'k', 'M', 'Ki', 'Mi', 'Gi', 'e2', 'n')).map(([digits, suffix]) => `${digits}${suffix}`);

test('the canonical form keeps the value and is its own canonical form', () => {
  fc.assert(
    fc.property(quantities, (text) => {
      const canonical = canonicalQuantity(text);
      assert.equal(compareQuantities(parseQuantity(canonical), parseQuantity(text)), 0);
      assert.equal(canonicalQuantity(canonical), canonical);
    }),
  );
});

test('what is added can be subtracted', () => {
  fc.assert(
    fc.property(quantities, quantities, (a, b) => {
      const sum = addQuantities(parseQuantity(a), parseQuantity(b));
      assert.equal(compareQuantities(subtractQuantities(sum, parseQuantity(b)), parseQuantity(a)), 0, formatQuantity(sum));
    }),
  );
});
