import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextBackoff, restartPolicyOf, shouldRestart } from './restart.ts';

test('the policy and the exit code decide about a restart', () => {
  const check = (policy: string | undefined, code: number, expected: boolean) => assert.equal(shouldRestart(policy, code), expected);
  check(undefined, 0, true);
  check('Always', 1, true);
  check('OnFailure', 0, false);
  check('OnFailure', 1, true);
  check('Never', 1, false);
  assert.equal(restartPolicyOf({ metadata: {}, spec: { containers: [] } }, { name: 'i' }, true), 'OnFailure', 'an init container that ended well is done');
  assert.equal(restartPolicyOf({ metadata: {}, spec: { containers: [], restartPolicy: 'Never' } }, { name: 'i', restartPolicy: 'Always' }, true), 'Always', 'a sidecar runs on');
});

test('the first restart is immediate, then delays double to five minutes, and ten quiet minutes forgive', () => {
  const waits: number[] = [];
  let backoff = { delayMs: 0 };
  for (let crash = 0; crash < 9; crash++) {
    const next = nextBackoff(backoff, 1000);
    waits.push(next.waitMs / 1000);
    backoff = next.backoff;
  }
  assert.deepEqual(waits, [0, 10, 20, 40, 80, 160, 300, 300, 300]);
  assert.equal(nextBackoff(backoff, 600_000).waitMs, 0);
  assert.deepEqual(nextBackoff({ delayMs: 0 }, 1000, 3000), { waitMs: 0, backoff: { delayMs: 3000 } }, 'a lower maximum bounds every delay');
  assert.deepEqual(nextBackoff({ delayMs: 3000 }, 1000, 3000), { waitMs: 3000, backoff: { delayMs: 3000 } });
});
