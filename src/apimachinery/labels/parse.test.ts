import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatSelector, matchesRequirements, parseSelector, requirementsOf, type LabelSelector } from '#apimachinery/labels';

function accepts(selector: string, labels: Record<string, string>, expected: boolean): void {
  test(`selector ${JSON.stringify(selector)} ${expected ? 'accepts' : 'refuses'} ${JSON.stringify(labels)}`, () => {
    assert.equal(matchesRequirements(parseSelector(selector), labels), expected);
  });
}

accepts('', {}, true);
accepts('app=web', { app: 'web' }, true);
accepts('app==web, tier', { app: 'web', tier: 'x' }, true);
accepts('app!=web', {}, true);
accepts('app in (web, db)', { app: 'db' }, true);
accepts('app notin (web,)', { app: '' }, false);
accepts('app in ()', { app: 'x' }, false);
accepts('!app', { app: '' }, false);
accepts('in in (in)', { in: 'in' }, true);
accepts('n>2', { n: '10' }, true);
accepts('n<2', { n: 'x' }, false);
accepts('app=', { app: '' }, true);

function refuses(selector: string, message: string): void {
  test(`selector ${JSON.stringify(selector)} is refused`, () => assert.throws(() => parseSelector(selector), { message }));
}

refuses('app=x y', "found 'y', expected: ',' or 'end of string'");
refuses('app in', "unable to parse requirement: found '' expected: '('");
refuses('app in (a', "unable to parse requirement: found '', expected: ',' or ')'");
refuses('x (a)', "unable to parse requirement: found '(', expected: in, notin, =, ==, !=, gt, lt");
refuses('=x', "found '=', expected: !, identifier, or 'end of string'");
refuses('a,', "found '', expected: identifier after ','");
refuses('a<x', "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer");

test('what is formatted is parsed back to the same requirements', () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
  const value = fc.stringMatching(/^[a-z0-9]{1,4}$/);
  const expression = fc.oneof(
    fc.record({ key, operator: fc.constantFrom('In' as const, 'NotIn' as const), values: fc.uniqueArray(value, { minLength: 1, maxLength: 3 }) }),
    fc.record({ key, operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const) }),
  );
  fc.assert(
    fc.property(fc.array(expression, { maxLength: 4 }), (matchExpressions) => {
      const selector: LabelSelector = { matchExpressions };
      const sorted = (list: ReturnType<typeof requirementsOf>) => list.map((item) => ({ ...item, values: [...item.values].sort() }));
      assert.deepEqual(sorted(parseSelector(formatSelector(selector))), sorted(requirementsOf(selector)));
    }),
  );
});
