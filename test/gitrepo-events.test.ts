/** What a GitRepo tells its user by Events: each thing once, when it begins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Management, type Repository, setUp } from './crashpoints/gitops.ts';
import { World } from './crashpoints/world.ts';

async function told(repository: () => Repository): Promise<string[]> {
  const world = await World.start();
  await setUp(world, 1);
  const management = new Management(world, world.replica('only', 1), repository);
  await management.work(() => true);
  world.stop();
  return management.told;
}

const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n';

test('a commit, a fault in it, and a repository out of reach', async () => {
  assert.deepEqual(await told(() => ({ commit: 'c'.repeat(40), files: { 'a/map.yaml': MAP } })), ['GotNewCommit']);
  assert.deepEqual(await told(() => ({ commit: 'c'.repeat(40), files: { 'a/map.yaml': MAP, 'b/fleet.yaml': 'unknown: 1\n', 'b/map.yaml': MAP } })), ['GotNewCommit', 'Failed']);
  const unreachable = () => {
    throw new Error('no route to host');
  };
  assert.deepEqual(await told(unreachable), ['FailedToCheckCommit']);
});
