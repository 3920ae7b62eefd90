import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { BundleDeployment, BundleDeploymentStatus, RolloutStrategy } from '#api/fleet';
import type { Target } from '#core/target';
import { planRollout, limitOf, type RolloutPlan } from './index.ts';

function target(index: number, deploymentID: string, over: Partial<Target> = {}): Target {
  const clusterName = `c${String(index).padStart(3, '0')}`;
  return {
    bundleName: 'app',
    bundleNamespace: 'fleet-default',
    clusterName,
    clusterNamespace: 'fleet-default',
    clusterLabels: { env: index % 2 === 0 ? 'even' : 'odd' },
    deploymentNamespace: `cluster-${clusterName}`,
    clusterGroups: [],
    targetName: 'default',
    options: { namespace: deploymentID },
    deploymentID,
    paused: false,
    offSchedule: false,
    ...over,
  };
}

function targets(count: number, deploymentID = 'v2', over: Partial<Target> = {}): Target[] {
  return Array.from({ length: count }, (_, index) => target(index, deploymentID, over));
}

function deployment(index: number, deploymentID: string, status: BundleDeploymentStatus = { appliedDeploymentID: deploymentID, ready: true, nonModified: true }): BundleDeployment {
  const { deploymentNamespace } = target(index, '');
  return {
    metadata: { name: 'app', namespace: deploymentNamespace, uid: `u${index}` },
    spec: { stagedDeploymentID: deploymentID, deploymentID, options: { namespace: deploymentID }, stagedOptions: { namespace: deploymentID } },
    status,
  };
}

/** What the plan leaves behind, as the API server would hold it; agents then apply what `apply` says. */
function perform(existing: readonly BundleDeployment[], plan: RolloutPlan): BundleDeployment[] {
  const byKey = new Map(existing.map((item) => [item.metadata.namespace, item]));
  for (const removed of plan.remove) byKey.delete(removed.namespace);
  for (const planned of [...plan.create, ...plan.promote, ...plan.stage, ...plan.sync]) {
    const before = byKey.get(planned.namespace);
    byKey.set(planned.namespace, { metadata: { name: planned.name, namespace: planned.namespace, labels: planned.labels }, spec: planned.spec, ...(before?.status ? { status: before.status } : {}) });
  }
  return [...byKey.values()];
}

function applyAll(existing: readonly BundleDeployment[]): BundleDeployment[] {
  return existing.map((item) => ({ ...item, status: { ...(item.spec.deploymentID ? { appliedDeploymentID: item.spec.deploymentID } : {}), ready: true, nonModified: true } }));
}

const unavailableNow = (items: readonly BundleDeployment[]) => items.filter(({ spec, status }) => status?.appliedDeploymentID !== spec.deploymentID || !status?.ready).length;

describe('limitOf', () => {
  const check = (expected: number, total: number, ...values: (number | string | undefined)[]) =>
    it(`${values.join(', ')} of ${total} is ${expected}`, () => assert.equal(limitOf(total, ...values), expected));
  check(10, 10);
  check(5, 10, '50%');
  check(1, 10, '5%');
  check(57, 230, '25%');
  check(1, 10, '0%');
  check(0, 10, 0);
  check(3, 10, undefined, 3);
  check(3, 10, '3');
  check(1, 0, 7);
  it('refuses a text that is no limit', () => assert.throws(() => limitOf(10, 'many'), /"many" is no limit: use a number or a percentage/));
});

describe('planRollout', () => {
  it('creates and promotes new deployments, at most maxNew in one step', () => {
    const plan = planRollout({ targets: targets(60), existing: [] });
    assert.equal(plan.create.length, 50);
    assert.equal(plan.status.newlyCreated, 50);
    assert.ok(plan.create.every(({ spec }) => spec.deploymentID === 'v2'));
  });

  it('counts maxNew over all partitions', () => {
    const strategy = { maxNew: 3, maxUnavailablePartitions: 10, partitions: [{ name: 'a', clusterSelector: { matchLabels: { env: 'odd' } } }, { name: 'b', clusterSelector: { matchLabels: { env: 'even' } } }] };
    assert.equal(planRollout({ targets: targets(10), existing: [], strategy }).create.length, 3);
  });

  it('promotes within maxUnavailable and only stages the rest', () => {
    const existing = Array.from({ length: 10 }, (_, index) => deployment(index, 'v1'));
    const plan = planRollout({ targets: targets(10), existing, strategy: { maxUnavailable: '20%' } });
    assert.equal(plan.promote.length, 2);
    assert.equal(plan.stage.length, 8);
    assert.ok(plan.stage.every(({ spec }) => spec.deploymentID === 'v1' && spec.stagedDeploymentID === 'v2'));
    assert.equal(plan.status.unavailable, 2);
  });

  it('promotes what is down anyway even when nothing else may go down', () => {
    const existing = [deployment(0, 'v1', { appliedDeploymentID: 'v1', ready: false }), deployment(1, 'v1')];
    const plan = planRollout({ targets: targets(2), existing, strategy: { maxUnavailable: 0 } });
    assert.deepEqual(plan.promote.map(({ namespace }) => namespace), ['cluster-c000']);
  });

  it('only stages while paused, also new ones', () => {
    const plan = planRollout({ targets: targets(2, 'v2', { paused: true }), existing: [deployment(0, 'v1')] });
    assert.deepEqual(plan.promote, []);
    assert.equal(plan.stage[0]?.spec.deploymentID, 'v1');
    assert.equal(plan.create[0]?.spec.deploymentID, undefined);
    assert.equal(plan.create[0]?.spec.stagedDeploymentID, 'v2');
  });

  it('does not touch the next partition while one is unavailable', () => {
    const strategy: RolloutStrategy = { maxUnavailable: 1, partitions: [{ name: 'even', clusterSelector: { matchLabels: { env: 'even' } } }, { name: 'odd', clusterSelector: { matchLabels: { env: 'odd' } } }] };
    const existing = Array.from({ length: 6 }, (_, index) => deployment(index, 'v1'));
    const plan = planRollout({ targets: targets(6), existing, strategy });
    assert.equal(plan.status.unavailablePartitions, 1);
    assert.ok([...plan.promote, ...plan.stage].every(({ target: { clusterLabels } }) => clusterLabels.env === 'even'));
    assert.deepEqual(plan.status.partitions.map(({ name, count, unavailable }) => [name, count, unavailable]), [['even', 3, 3], ['odd', 3, 0]]);
  });

  it('gives nothing to targets that fit no manual partition', () => {
    const strategy = { partitions: [{ name: 'even', clusterSelector: { matchLabels: { env: 'even' } } }] };
    assert.equal(planRollout({ targets: targets(4), existing: [], strategy }).create.length, 2);
  });

  it('slices 230 clusters into four partitions of 57 and one of 2', () => {
    const { status } = planRollout({ targets: targets(230), existing: [], strategy: { maxUnavailablePartitions: 9 } });
    assert.deepEqual(status.partitions.map(({ name, count }) => [name, count]), [
      ['Partition 0 - 57', 57],
      ['Partition 57 - 114', 57],
      ['Partition 114 - 171', 57],
      ['Partition 171 - 228', 57],
      ['Partition 228 - 230', 2],
    ]);
  });

  it('removes what no target asks for, except what it is told to keep or is going already', () => {
    const gone = { ...deployment(7, 'v1'), metadata: { ...deployment(7, 'v1').metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    const plan = planRollout({ targets: targets(1), existing: [deployment(0, 'v2'), deployment(5, 'v1'), deployment(6, 'v1'), gone], keep: new Set(['cluster-c006/app']) });
    assert.deepEqual(plan.remove, [{ namespace: 'cluster-c005', name: 'app', uid: 'u5' }]);
  });

  it('carries drift rules to a deployment whose version does not change, and is quiet afterwards', () => {
    const diff = { comparePatches: [{ kind: 'Service' }] };
    const wanted = [target(0, 'v1', { options: { namespace: 'v1', diff } })];
    const plan = planRollout({ targets: wanted, existing: [deployment(0, 'v1')] });
    assert.deepEqual(plan.sync[0]?.spec.options?.diff, diff);
    const after = planRollout({ targets: wanted, existing: perform([deployment(0, 'v1')], plan) });
    assert.deepEqual([after.create, after.promote, after.stage, after.sync], [[], [], [], []]);
  });

  it('waits for clusters that have no namespace yet', () => {
    assert.deepEqual(planRollout({ targets: [target(0, 'v1', { deploymentNamespace: '' })], existing: [] }).create, []);
  });
});

describe('any rollout', () => {
  const strategies: fc.Arbitrary<RolloutStrategy> = fc.record(
    {
      maxUnavailable: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom('10%', '50%', '100%')),
      maxUnavailablePartitions: fc.integer({ min: 0, max: 3 }),
      autoPartitionThreshold: fc.integer({ min: 1, max: 40 }),
      autoPartitionSize: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom('10%', '25%')),
      maxNew: fc.integer({ min: 1, max: 20 }),
    },
    { requiredKeys: [] },
  );
  const fleets = fc.array(fc.constantFrom('absent', 'old', 'old-down', 'new', 'new-down', 'old-waiting'), { minLength: 1, maxLength: 40 });

  const build = (kinds: readonly string[]): BundleDeployment[] =>
    kinds.flatMap((kind, index) => {
      if (kind === 'absent') return [];
      const version = kind.startsWith('new') ? 'v2' : 'v1';
      if (kind.endsWith('waiting')) return [deployment(index, version, { appliedDeploymentID: 'v0', ready: true })];
      return [deployment(index, version, { appliedDeploymentID: version, ready: !kind.endsWith('down'), nonModified: true })];
    });

  it('takes down no more healthy deployments than its limit leaves room for', () => {
    fc.assert(
      fc.property(fleets, strategies, (kinds, strategy) => {
        const existing = build(kinds);
        const before = unavailableNow(existing);
        const plan = planRollout({ targets: targets(kinds.length), existing, strategy });
        const after = unavailableNow(perform(existing, plan)) - plan.create.length;
        const limit = limitOf(kinds.length, strategy.maxUnavailable);
        assert.ok(after <= Math.max(before, limit), `${before} before, ${after} after, limit ${limit}`);
        assert.ok(plan.create.length <= (strategy.maxNew ?? 50));
      }),
    );
  });

  it('reaches every cluster in bounded steps when agents do their work, and then has nothing to do', () => {
    fc.assert(
      fc.property(fleets, strategies, (kinds, strategy) => {
        let existing = build(kinds);
        for (let step = 0; step < 60; step++) {
          existing = applyAll(perform(existing, planRollout({ targets: targets(kinds.length), existing, strategy })));
        }
        assert.equal(existing.length, kinds.length);
        assert.ok(existing.every(({ spec }) => spec.deploymentID === 'v2'));
        const rest = planRollout({ targets: targets(kinds.length), existing, strategy });
        assert.deepEqual([rest.create.length, rest.promote.length, rest.stage.length, rest.sync.length, rest.remove.length], [0, 0, 0, 0, 0]);
      }),
      { numRuns: 40 },
    );
  });

  it('plans the same after its writes were cut off anywhere and a new leader plans again', () => {
    fc.assert(
      fc.property(fleets, strategies, fc.nat(40), (kinds, strategy, cut) => {
        const existing = build(kinds);
        const input = { targets: targets(kinds.length), strategy };
        const plan = planRollout({ ...input, existing });
        const all = [...plan.promote, ...plan.stage];
        const partly = perform(existing, { ...plan, create: [], sync: [], remove: [], promote: all.slice(0, cut), stage: [] });
        const again = planRollout({ ...input, existing: partly });
        const final = unavailableNow(perform(partly, again)) - again.create.length;
        assert.ok(final <= Math.max(unavailableNow(existing), limitOf(kinds.length, strategy.maxUnavailable)));
      }),
    );
  });
});
