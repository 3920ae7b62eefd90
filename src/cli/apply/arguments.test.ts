import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readArguments, UsageError, type FlagSpec } from './index.ts';

const FLAGS: FlagSpec = { output: { type: 'string', short: 'o' }, label: { type: 'string', short: 'l', multiple: true }, quiet: { type: 'boolean', short: 'q' } };
const read = (...args: string[]) => readArguments(args, FLAGS, 'fleet x NAME');

describe('arguments', () => {
  it('may stand in any order and any form', () => {
    for (const args of [['-o', '-', 'name', '-q'], ['name', '-q', '--output=-'], ['-qo-', 'name']]) {
      const parsed = read(...args);
      assert.deepEqual([parsed.text('output'), parsed.flag('quiet'), parsed.positionals], ['-', true, ['name']]);
    }
  });

  it('collect pairs over repetitions and commas, the last of a key winning', () => {
    assert.deepEqual(read('-l', 'a=1,b=2', '--label', 'b=3', '-l', 'c=').pairs('label'), { a: '1', b: '3', c: '' });
    assert.deepEqual(read('-l', 'a=b=c').pairs('label'), { a: 'b=c' });
    assert.deepEqual(read().pairs('label'), {});
  });

  const wrong = (...args: string[]) =>
    it(`${args.join(' ')} is wrong usage`, () =>
      assert.throws(
        () => read(...args).pairs('label'),
        (error) => error instanceof UsageError,
      ));
  wrong('--nonsense');
  wrong('-o');
  wrong('-l', 'novalue');
  wrong('-l', '=x');
  wrong('--quiet=maybe');
});
