/**
 * Half-done Helm operations survive: the process is killed at every single API write of an install, an
 * upgrade, a rollback and an uninstallation, and a successor with a higher epoch finishes. The result is that
 * of an uninterrupted run; no hook runs twice per revision; nothing stays pending.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { configMaps, namespaces, secrets, type Secret } from '#api/builtin';
import { converge, type ReleaseContent, type ReleaseOptions, type ReleaseResult, type Wanted } from '#agent/release';
import { decodeRelease, HOOK_REVISION_ANNOTATION } from '#core/release';
import { silentLog } from '#base/log';
import { createRestMapper } from '#kube/client';
import { chart, NAMESPACE, OPTIONS, WITH_THINGS, KINDS } from './chart.ts';
import { crashPoints, type Death, type Replica, timeless, World } from './world.ts';

interface Goal {
  deploymentID: string | undefined;
  content: ReleaseContent;
  options?: Partial<ReleaseOptions>;
  retry?: boolean;
  /** Put drifted objects back, if there are any when the process looks. */
  repair?: boolean;
}

interface Scenario {
  name: string;
  before: readonly Goal[];
  goal: Goal;
  /** How the uninterrupted run ends. */
  ends: ReleaseResult['status'];
  history: readonly string[];
}

function wantedOf({ deploymentID, content, options, ...rest }: Goal): Wanted {
  return { namespace: NAMESPACE, name: 'web', deploymentID, options: { ...OPTIONS, ...options }, content: async () => content, ...rest };
}

async function reach(world: World, wanted: Goal, replica: Replica): Promise<ReleaseResult> {
  const goal = wanted.repair ? { ...wanted, repair: await hasDrifted(world) } : wanted;
  const options = { client: replica.client, mapper: createRestMapper(replica.plain, world.clock), clock: world.clock, log: silentLog, signal: replica.signal, isReady: (live: unknown) => live !== undefined };
  return world.run(converge(wantedOf(goal), options));
}

async function hasDrifted(world: World): Promise<boolean> {
  return (await world.run(world.admin.get(configMaps, { namespace: NAMESPACE, name: 'settings' }))).data?.['version'] === 'drifted';
}

async function worldBefore(scenario: Scenario): Promise<World> {
  const world = await World.start();
  await world.run(world.admin.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }));
  for (const goal of scenario.before) await reach(world, goal, world.replica('first', 1));
  if (scenario.goal.repair) await world.run(world.admin.patch(configMaps, { namespace: NAMESPACE, name: 'settings' }, { type: 'merge', body: { data: { version: 'drifted' } } }, { fieldManager: 'somebody' }));
  world.writes.length = 0;
  return world;
}

/** Everything that must be equal after equal operations. */
async function outcome(world: World): Promise<Record<string, unknown>> {
  const served = await world.run(world.admin.request({ method: 'GET', path: '/apis/example.org/v1' }));
  const objects = await world.dump(served.status === 200 ? WITH_THINGS : KINDS);
  const records: Record<string, unknown> = {};
  for (const secret of (await world.run(world.admin.list(secrets, { namespace: NAMESPACE, labelSelector: 'owner=helm' }))).items) {
    delete objects[`Secret ${NAMESPACE}/${secret.metadata.name}`];
    records[secret.metadata.name ?? ''] = recordOf(secret);
  }
  return { objects, records };
}

function recordOf(secret: Secret): unknown {
  const { record, journal } = decodeRelease(secret, (bytes) => gunzipSync(bytes));
  const { first_deployed: _first, last_deployed: _last, deleted: _deleted, ...info } = record.info;
  const { epoch: _epoch, ...rest } = journal ?? { epoch: 0 };
  return timeless({ ...record, info, journal: rest });
}

/** How often each hook's object was created, by name, kind and revision. */
function hookRuns(world: World): Record<string, number> {
  const runs: Record<string, number> = {};
  for (const { method, object } of world.writes) {
    const revision = object?.metadata.annotations?.[HOOK_REVISION_ANNOTATION];
    if (method !== 'POST' || !object || revision === undefined) continue;
    const key = `${object.kind}/${object.metadata.name} of revision ${revision}`;
    runs[key] = (runs[key] ?? 0) + 1;
  }
  return runs;
}

async function statuses(world: World): Promise<string[]> {
  const { items } = await world.run(world.admin.list(secrets, { namespace: NAMESPACE, labelSelector: 'owner=helm' }));
  return items.map(({ metadata }) => `${metadata.labels?.version} ${metadata.labels?.status}`).sort();
}

const v1: Goal = { deploymentID: 'one', content: chart('1') };
const v2: Goal = { deploymentID: 'two', content: chart('2') };
const failing: Goal = { deploymentID: 'two', content: chart('2', { hookFails: true }) };
const atomic: Goal = { deploymentID: 'two', content: chart('2', { hookFails: true }), options: { atomic: true } };
const gone: Goal = { deploymentID: undefined, content: chart('1') };

const SCENARIOS: readonly Scenario[] = [
  { name: 'install', before: [], goal: v1, ends: 'deployed', history: ['1 deployed'] },
  { name: 'upgrade', before: [v1], goal: v2, ends: 'deployed', history: ['1 superseded', '2 deployed'] },
  { name: 'upgrade that drops old revisions', before: [v1, v2], goal: { deploymentID: 'three', content: chart('3'), options: { maxHistory: 2 } }, ends: 'deployed', history: ['2 superseded', '3 deployed'] },
  { name: 'upgrade whose post-hook fails', before: [v1], goal: failing, ends: 'failed', history: ['1 deployed', '2 failed'] },
  { name: 'atomic upgrade whose post-hook fails', before: [v1], goal: atomic, ends: 'failed', history: ['1 superseded', '2 failed', '3 deployed'] },
  { name: 'upgrade after a failed one', before: [v1, failing], goal: { deploymentID: 'three', content: chart('3') }, ends: 'deployed', history: ['1 superseded', '2 failed', '3 deployed'] },
  { name: 'return to the version before', before: [v1, v2], goal: { deploymentID: 'one again', content: chart('1') }, ends: 'deployed', history: ['1 superseded', '2 superseded', '3 deployed'] },
  { name: 'repair of drift', before: [v1, v2], goal: { ...v2, repair: true }, ends: 'deployed', history: ['1 superseded', '2 superseded', '3 deployed'] },
  { name: 'uninstallation that keeps the objects', before: [v1], goal: { ...gone, options: { keepResources: true } }, ends: 'absent', history: [] },
  { name: 'uninstallation after a failed upgrade', before: [v1, failing], goal: gone, ends: 'absent', history: [] },
  { name: 'uninstallation', before: [v1, v2], goal: gone, ends: 'absent', history: [] },
  { name: 'installation after an uninstallation', before: [v1, gone], goal: v1, ends: 'deployed', history: ['1 deployed'] },
];

interface Reference {
  outcome: Record<string, unknown>;
  hooks: Record<string, number>;
  writes: number;
}

async function uninterrupted(scenario: Scenario): Promise<Reference> {
  const world = await worldBefore(scenario);
  const replica = world.replica('second', 2);
  const result = await reach(world, scenario.goal, replica);
  assert.equal(result.status, scenario.ends);
  assert.deepEqual(await statuses(world), scenario.history);
  const reference = { outcome: await outcome(world), hooks: hookRuns(world), writes: replica.writes() };
  world.stop();
  return reference;
}

async function interrupted(scenario: Scenario, reference: Reference, dies: { at: number; how: Death }): Promise<void> {
  const where = `${dies.how} at write ${dies.at}`;
  const world = await worldBefore(scenario);
  const victim = world.replica('victim', 2, dies);
  await reach(world, scenario.goal, victim).catch(() => {});
  assert.ok(victim.dead(), `${where}: nobody died`);
  const result = await reach(world, scenario.goal, world.replica('successor', 3));
  assert.equal(result.status, scenario.ends, where);
  assert.deepEqual(await statuses(world), scenario.history, where);
  assert.deepEqual(hookRuns(world), reference.hooks, `${where}: hooks`);
  assert.deepEqual(await outcome(world), reference.outcome, where);
  world.stop();
}

for (const scenario of SCENARIOS) {
  describe(scenario.name, () => {
    test('survives death at any write', async (t) => {
      const reference = await uninterrupted(scenario);
      const points = crashPoints(reference.writes);
      assert.ok(points.length > 0);
      t.diagnostic(`${points.length} crash points, ${reference.writes} writes`);
      for (const dies of points) await interrupted(scenario, reference, dies);
    });
  });
}
