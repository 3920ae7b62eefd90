/**
 * GitRepo → Bundle → Content → BundleDeployment survives the death of its controller at every API write, and a
 * rollout by partitions keeps its limits across a death anywhere.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { secrets } from '#api/builtin';
import { type BundleDeployment, bundleDeployments, bundles, contents, gitRepos } from '#api/fleet';
import { Management, type Repository, setUp } from './gitops.ts';
import { crashPoints, World } from './world.ts';

const KINDS = [gitRepos, bundles, contents, bundleDeployments, secrets];
const CLUSTERS = 10;
/** Without CRASHPOINTS=all, every so many points. */
const SAMPLE = 40;

const settings = (value: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  value: ${value}\n`;
const PLAIN: Repository = {
  commit: '1'.repeat(40),
  files: { 'a/settings.yaml': settings('a'), 'a/fleet.yaml': 'helm:\n  values:\n    secret: one\n', 'b/settings.yaml': settings('b') },
};
const CHANGED: Repository = {
  commit: '2'.repeat(40),
  files: { 'a/settings.yaml': settings('changed'), 'a/fleet.yaml': 'helm:\n  values:\n    secret: two\n', 'c/settings.yaml': settings('c') },
};
const ROLLOUT = 'rolloutStrategy:\n  maxUnavailable: 2\n  maxUnavailablePartitions: 0\n  partitions:\n  - name: canary\n    maxUnavailable: 1\n    clusterSelector:\n      matchLabels:\n        env: canary\n  - name: prod\n    maxUnavailable: 2\n    clusterSelector:\n      matchLabels:\n        env: prod\n';
const staged = (value: string): Repository => ({ commit: value.repeat(40).slice(0, 40), files: { 'a/settings.yaml': settings(value), 'a/fleet.yaml': ROLLOUT } });

interface Run {
  world: World;
  repository: Repository;
  /** Whether limits are watched: those of an update, not of a first deployment. */
  limited: boolean;
  /** Largest number of clusters that were being changed at one moment, by partition. */
  unavailable: Map<string, number>;
}

async function begin(initial: Repository | undefined, clusterCount: number): Promise<Run> {
  const world = await World.start();
  await setUp(world, clusterCount);
  const run: Run = { world, repository: initial ?? PLAIN, limited: false, unavailable: new Map() };
  if (initial) await process(run, 'first', 1);
  world.writes.length = 0;
  run.limited = initial?.files['a/fleet.yaml'] === ROLLOUT;
  return run;
}

async function process(run: Run, name: string, epoch: number, dies?: Parameters<World['replica']>[2]): Promise<number> {
  const { world } = run;
  const replica = world.replica(name, epoch, dies);
  await new Management(world, replica, () => run.repository, (deployments) => watchLimits(run, deployments)).work(() => true);
  return replica.writes();
}

function watchLimits({ limited, unavailable }: Run, deployments: readonly BundleDeployment[]): void {
  if (!limited) return;
  const counts = new Map<string, number>([['all', deployments.filter(({ spec, status }) => spec.deploymentID !== status?.appliedDeploymentID).length]]);
  for (const { metadata, spec, status } of deployments) {
    const partition = Number(metadata.namespace?.slice('cluster-c'.length)) < 3 ? 'canary' : 'prod';
    if (spec.deploymentID && spec.deploymentID !== status?.appliedDeploymentID) counts.set(partition, (counts.get(partition) ?? 0) + 1);
  }
  for (const [partition, count] of counts) unavailable.set(partition, Math.max(count, unavailable.get(partition) ?? 0));

}

async function survives(before: Repository | undefined, after: Repository, clusterCount: number, check: (run: Run) => void = () => {}, taken: Repository = after): Promise<string> {
  const reference = await begin(before, clusterCount);
  reference.repository = after;
  const writes = await process(reference, 'only', 2);
  assert.ok(writes > 5, `only ${writes} writes`);
  reference.repository = taken;
  if (taken !== after) await process(reference, 'only', 3);
  // Contents that nobody names any more are the garbage collector's.
  const kinds = taken === after ? KINDS : KINDS.filter((kind) => kind !== contents);
  const expected = await reference.world.dump(kinds);
  check(reference);
  reference.world.stop();
  const points = crashPoints(writes, undefined, SAMPLE);
  for (const dies of points) {
    const run = await begin(before, clusterCount);
    run.repository = after;
    await process(run, 'victim', 2, dies);
    run.repository = taken;
    await process(run, 'successor', 3);
    assert.deepEqual(withoutEpochs(await run.world.dump(kinds)), withoutEpochs(expected), `${dies.how} at write ${dies.at}`);
    check(run);
    run.world.stop();
  }
  return `${points.length} crash points, ${writes} writes`;
}

function withoutEpochs(dump: Record<string, unknown>): unknown {
  return JSON.parse(JSON.stringify(dump, (key, value: unknown) => (/epoch|generation$|observedGeneration|lastPollingTriggered|managedFields/i.test(key) ? undefined : value)));
}

describe('the management side', () => {
  test('a first commit', async (t) => t.diagnostic(await survives(undefined, PLAIN, 3)));
  test('a commit that changes, adds and removes bundles', async (t) => t.diagnostic(await survives(PLAIN, CHANGED, 3)));
  test('a commit that is taken back', async (t) => t.diagnostic(await survives(PLAIN, CHANGED, 2, undefined, PLAIN)));
  test('a rollout by partitions keeps its limits', async (t) =>
    t.diagnostic(
      await survives(staged('3'), staged('4'), CLUSTERS, ({ unavailable }) => {
        assert.ok((unavailable.get('canary') ?? 0) <= 1, `${unavailable.get('canary')} canaries unavailable`);
        assert.ok((unavailable.get('prod') ?? 0) <= 2, `${unavailable.get('prod')} of prod unavailable`);
        assert.ok((unavailable.get('all') ?? 0) <= 2, `${unavailable.get('all')} unavailable`);
        assert.ok((unavailable.get('prod') ?? 0) > 0);
      }),
    ));
});
