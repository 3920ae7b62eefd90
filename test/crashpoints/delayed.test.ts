/**
 * A write that a dead leader left on the wire arrives long after its successor's: it must not undo anything.
 * For every write of an operation: the leader dies with that write delayed, the successor finishes (or does
 * what is wanted by now), something newer is deployed, and only then the old write arrives.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { chart } from './chart.ts';
import { failing, type Goal, gone, hookRuns, outcome, reach, v1, v2, worldAfter } from './release.ts';
import { crashPoints, type Write } from './world.ts';

const v3: Goal = { deploymentID: 'three', content: chart('3') };
/** What the first version deployed, under another name: for unchanged objects an apply of it changes nothing. */
const v1Again: Goal = { deploymentID: 'one again', content: chart('1') };

interface Race {
  name: string;
  before: readonly Goal[];
  /** What the leader does when it dies. */
  goal: Goal;
  /** What its successors do before the write arrives. */
  after: readonly Goal[];
}

const RACES: readonly Race[] = [
  { name: 'install, finished', before: [], goal: v1, after: [v1] },
  { name: 'install, finished and upgraded', before: [], goal: v1, after: [v1, v2] },
  { name: 'install, and something else wanted by now', before: [], goal: v1, after: [v2] },
  { name: 'install, finished and uninstalled and installed', before: [], goal: v1, after: [v1, gone, v2] },
  { name: 'upgrade, finished', before: [v1], goal: v2, after: [v2] },
  { name: 'upgrade, finished and upgraded', before: [v1], goal: v2, after: [v2, v3] },
  { name: 'upgrade, and the version before wanted by now', before: [v1], goal: v2, after: [v1Again] },
  { name: 'failing upgrade, and the version before wanted by now', before: [v1], goal: failing, after: [v1Again] },
  { name: 'uninstallation, and wanted again', before: [v1], goal: gone, after: [v1] },
];

for (const race of RACES) {
  describe(race.name, () => {
    test('a delayed write takes no effect', async (t) => {
      const writes = await countWrites(race);
      const points = crashPoints(writes, ['delayed']);
      t.diagnostic(`${points.length} of ${writes} writes delayed`);
      const effects: string[] = [];
      for (const dies of points) {
        const world = await worldAfter(race.before);
        const victim = world.replica('victim', 2, dies);
        await reach(world, race.goal, victim).catch(() => {});
        assert.equal(world.delayed.length, 1);
        let epoch = 3;
        for (const goal of race.after) await reach(world, goal, world.replica('successor', epoch++));
        const before = { outcome: await outcome(world), hooks: hookRuns(world) };
        await world.deliver();
        const arrived = world.writes.at(-1);
        const after = { outcome: await outcome(world), hooks: hookRuns(world) };
        if (!isDeepStrictEqual(after, before) && !isHarmless(arrived)) effects.push(`write ${dies.at}: ${arrived?.method} ${arrived?.path}`);
        for (const [job, runs] of jobsOf(after.hooks)) assert.ok(runs <= Math.max(eventsOf(job), before.hooks[job] ?? 0), `${job} ran ${runs} times`);
        world.stop();
      }
      assert.deepEqual(effects, []);
    });
  });
}

/** The chart's farewell runs before and after an uninstallation. */
const eventsOf = (job: string) => (job.startsWith('Job/farewell') ? 2 : 1);
const jobsOf = (runs: Record<string, number>) => Object.entries(runs).filter(([name]) => name.startsWith('Job/'));

/** Something that was absent is created; or the mark of an uninstallation lands on what its successor has not touched. */
function isHarmless(arrived: Write | undefined): boolean {
  const { object } = arrived ?? {};
  if (arrived?.status === 201) return object?.kind !== 'Job' || (object['spec'] as { suspend?: boolean }).suspend === true;
  if (object?.kind === 'Job' && arrived?.method === 'PATCH') return true; // let go for the first time, after its uninstallation was given up
  if (arrived?.method === 'DELETE' && /\/(farewell|epitaph)$/.test(arrived.path)) return true; // the spent hook of an uninstallation that was given up
  return object?.metadata.labels?.['status'] === 'uninstalling' || (arrived?.method === 'DELETE' && arrived.path.includes('sh.helm.release'));
}

async function countWrites({ before, goal }: Race): Promise<number> {
  const world = await worldAfter(before);
  const replica = world.replica('only', 2);
  await reach(world, goal, replica);
  world.stop();
  return replica.writes();
}
