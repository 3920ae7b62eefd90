/**
 * Half-done Helm operations survive: the process is killed at every single API write of an install, an
 * upgrade, a rollback and an uninstallation, and a successor with a higher epoch finishes. The result is that
 * of an uninterrupted run; no hook runs twice per revision; nothing stays pending.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ReleaseResult } from '#agent/release';
import { chart } from './chart.ts';
import { atomic, drift, failing, type Goal, gone, hookRuns, outcome, reach, statuses, v1, v2, worldAfter } from './release.ts';
import { crashPoints, type Death, type World } from './world.ts';

interface Scenario {
  name: string;
  before: readonly Goal[];
  goal: Goal;
  /** How the uninterrupted run ends. */
  ends: ReleaseResult['status'];
  history: readonly string[];
}

async function worldBefore(scenario: Scenario): Promise<World> {
  const world = await worldAfter(scenario.before);
  if (scenario.goal.repair) await drift(world);
  world.writes.length = 0;
  return world;
}

/** Its uninstallation fails at the first hook. */
const clinging: Goal = { deploymentID: 'one', content: chart('1', { farewellFails: true }) };

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
  { name: 'uninstallation whose pre-hook fails', before: [clinging], goal: gone, ends: 'failed', history: ['1 failed'] },
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
