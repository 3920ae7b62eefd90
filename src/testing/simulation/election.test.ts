/** The election survives imagined worlds, and the imagined worlds find elections that would not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulateElection, type Bug } from './index.ts';

test('a few hundred seeds without a violation (npm run sim for many more)', () => {
  for (let seed = 0; seed < 300; seed++) {
    const { violation } = simulateElection(seed);
    assert.equal(violation, undefined, `replay with: npm run sim -- --seed ${seed}`);
  }
});

test('a seed tells the same story each time', () => {
  const story = () => simulateElection(7, { transcript: true }).transcript;
  assert.ok(story().length > 3);
  assert.deepEqual(story(), story());
});

const catches = (bug: Bug, expected: RegExp) =>
  test(`catches a planted bug: ${bug}`, () => {
    for (let seed = 0; seed < 4_000; seed++) {
      const { violation } = simulateElection(seed, { bug });
      if (violation !== undefined) return assert.match(violation, expected);
    }
    assert.fail('4000 seeds did not find it');
  });
catches('no-guard', /sends a write of an old term|open terms at one instant/);
catches('deadline-from-response', /open terms at one instant|old term/);
catches('epoch-not-bumped', /term of epoch 0 after epoch 0/);
catches('barrier-skipped', /writes from a cache of version/);
