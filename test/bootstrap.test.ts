/** `tools/bootstrap.mjs` as far as it goes without installing or building: a word it does not know. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const script = join(import.meta.dirname, '..', 'tools', 'bootstrap.mjs');

test('an unknown verb fails at once, before anything is installed or built', () => {
  for (const args of [['nonsense'], []]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', timeout: 10_000 });
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^fleet-ts: unknown verb \S+: use start, test, build or run\n$/);
  }
});
