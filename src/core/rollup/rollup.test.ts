import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { BundleDeployment, BundleDeploymentSpec, BundleDeploymentStatus, BundleState, Cluster, ResourceCounts } from '#api/fleet';
import { BUNDLE_STATE_RANK } from '#api/fleet';
import { checkStatusLaws } from '#testing/statuslaws';
import { addCounts, addSummaries, bundleStatus, clusterGroupStatus, clusterStatus, countResources, deploymentState, isReady, readyMessage, reportOf, resourcesOf, sourceStatus, summarize, summaryState, worstState, type Report } from './index.ts';

const NOW = '2026-01-01T00:00:00Z';
const CONFIG = { kind: 'ConfigMap', apiVersion: 'v1', namespace: 'n', name: 'a' };

function deployment(cluster: string, bundle: string, spec: BundleDeploymentSpec = { deploymentID: 'v1', stagedDeploymentID: 'v1' }, status: BundleDeploymentStatus = { appliedDeploymentID: 'v1', ready: true, nonModified: true }): BundleDeployment {
  const labels = { 'fleet.cattle.io/cluster': cluster, 'fleet.cattle.io/cluster-namespace': 'fleet-default', 'fleet.cattle.io/bundle-name': bundle, 'fleet.cattle.io/bundle-namespace': 'fleet-default', 'fleet.cattle.io/repo-name': bundle.split('-')[0] ?? '' };
  return { kind: 'BundleDeployment', metadata: { name: bundle, namespace: `cluster-${cluster}`, labels }, spec, status };
}

describe('the state of a deployment', () => {
  const check = (expected: BundleState, spec: BundleDeploymentSpec, status?: BundleDeploymentStatus) => it(`is ${expected} for ${JSON.stringify([spec, status])}`, () => assert.equal(deploymentState({ spec, ...(status ? { status } : {}) }), expected));
  const released = { deploymentID: 'b', stagedDeploymentID: 'b' };
  const refused: BundleDeploymentStatus['conditions'] = [{ type: 'Deployed', status: 'False' }];
  check('Pending', {});
  check('Pending', { stagedDeploymentID: 'b' });
  check('WaitApplied', released);
  check('WaitApplied', released, { appliedDeploymentID: 'a', ready: true });
  check('ErrApplied', released, { appliedDeploymentID: 'a', conditions: refused });
  check('NotReady', released, { appliedDeploymentID: 'b', ready: false, conditions: refused });
  check('NotReady', { ...released, stagedDeploymentID: 'c' }, { appliedDeploymentID: 'b' });
  check('OutOfSync', { ...released, stagedDeploymentID: 'c' }, { appliedDeploymentID: 'b', ready: true, nonModified: false });
  check('Modified', released, { appliedDeploymentID: 'b', ready: true, nonModified: false });
  check('Ready', released, { appliedDeploymentID: 'b', ready: true, nonModified: true });

  it('of many is the worst', () => {
    assert.equal(worstState(['Ready', 'NotReady', 'Modified', 'Pending']), 'Modified');
    assert.equal(worstState([]), undefined);
  });
});

describe('summaries', () => {
  const states = Object.keys(BUNDLE_STATE_RANK) as BundleState[];
  const reports = fc.array(fc.record({ name: fc.constantFrom('a', 'b', 'c'), state: fc.constantFrom(...states), message: fc.constantFrom('', 'why') }).map((part): Report => ({ ...part, modified: [], nonReady: [] })), { maxLength: 30 });

  it('count every report once, whether summed up early or late', () => {
    fc.assert(
      fc.property(reports, reports, (left, right) => {
        const whole = summarize([...left, ...right]);
        assert.deepEqual(addSummaries([summarize(left), summarize(right)]), whole);
        assert.equal(whole.desiredReady, left.length + right.length);
        assert.equal(isReady(whole), [...left, ...right].every(({ state }) => state === 'Ready'));
        assert.equal(summaryState(whole), worstState([...left, ...right].map(({ state }) => state)) ?? 'Ready');
        assert.equal(readyMessage(whole, 'Cluster') === '', isReady(whole));
      }),
    );
  });

  it('obey the laws of statuses', () => {
    fc.assert(
      fc.property(reports, (list) => {
        const status = bundleStatus(undefined, summarize(list), NOW);
        assert.deepEqual(checkStatusLaws([{ kind: 'Bundle', metadata: { name: 'x' }, status } as never]), []);
      }),
    );
  });

  it('explain themselves the same way every time', () => {
    const drifted: Report = { name: 'ns/c1', state: 'Modified', message: '', modified: [{ ...CONFIG, patch: '{"data":{}}' }, { ...CONFIG, name: 'b', missing: true }], nonReady: [] };
    const failed: Report = { name: 'ns/c2', state: 'ErrApplied', message: 'no space', modified: [], nonReady: [] };
    const waiting: Report = { name: 'ns/c3', state: 'NotReady', message: '', modified: [], nonReady: [{ kind: 'Deployment', apiVersion: 'apps/v1', namespace: 'n', name: 'web', summary: { state: 'in-progress', transitioning: true, message: ['ready replicas: 0/1'] } }] };
    const message = 'ErrApplied(1) [Cluster ns/c2: no space]; Modified(1) [Cluster ns/c1]; NotReady(1) [Cluster ns/c3]; configmap n/a modified {"data":{}}; configmap n/b missing; deployment.apps n/web [progressing] ready replicas: 0/1';
    assert.equal(readyMessage(summarize([drifted, failed, waiting]), 'Cluster'), message);
    assert.equal(readyMessage(summarize([waiting, drifted, failed]), 'Cluster'), message);
  });

  it('name states whose examples were cut off', () => {
    const many = Array.from({ length: 12 }, (_, index): Report => ({ name: `c${index}`, state: 'NotReady', message: '', modified: [], nonReady: [] }));
    const summary = summarize([...many, { name: 'last', state: 'ErrApplied', message: 'x', modified: [], nonReady: [] }]);
    assert.equal(summary.nonReadyResources?.length, 10);
    assert.equal(summaryState(summary), 'ErrApplied');
    assert.equal(readyMessage(summary, 'Cluster'), 'ErrApplied(1); NotReady(12) [Cluster c0]');
  });
});

describe('objects', () => {
  const findings = { resources: [CONFIG, { ...CONFIG, name: 'b' }, { ...CONFIG, name: 'c' }], modified: [{ ...CONFIG, patch: '{}' }, { ...CONFIG, name: 'gone', missing: true }, { ...CONFIG, name: 'extra', delete: true }], nonReady: [{ ...CONFIG }, { ...CONFIG, name: 'b' }] };

  it('are counted once each', () => {
    assert.deepEqual(countResources(findings), { ready: 1, desiredReady: 4, waitApplied: 0, modified: 1, orphaned: 1, missing: 1, unknown: 0, notReady: 1 });
    assert.equal(countResources({ ...findings, waitApplied: true }).waitApplied, 4);
  });

  it('add up', () => {
    const one: ResourceCounts = countResources(findings);
    assert.deepEqual(addCounts([one, undefined, one]), { ready: 2, desiredReady: 8, waitApplied: 0, modified: 2, orphaned: 2, missing: 2, unknown: 0, notReady: 2 });
  });

  it('of a source are listed once, with the clusters where they differ', () => {
    const status = { appliedDeploymentID: 'v1', ready: true, nonModified: true, resources: [CONFIG] };
    const list = resourcesOf([deployment('b', 'app', undefined, { ...status, nonModified: false, modifiedStatus: [{ ...CONFIG, missing: true }] }), deployment('a', 'app', undefined, status), deployment('c', 'app', { deploymentID: 'v2', stagedDeploymentID: 'v2' }, status)]);
    assert.deepEqual(list, [{ ...CONFIG, type: 'configmap', id: 'n/a', state: 'Missing', perClusterState: { missing: ['fleet-default/b'], ready: ['fleet-default/a'], waitApplied: ['fleet-default/c'] } }]);
  });
});

describe('rolled up', () => {
  const broken = deployment('b', 'app-web', { deploymentID: 'v2', stagedDeploymentID: 'v2' }, { appliedDeploymentID: 'v1', ready: true, conditions: [{ type: 'Deployed', status: 'False', message: 'refused' }] });
  const all = [deployment('a', 'app-web'), deployment('a', 'db'), broken, deployment('b', 'db')];

  it('a source counts clusters and deployments', () => {
    const summary = summarize(all.map((item) => reportOf(`fleet-default/${item.metadata.name}`, item)));
    const status = sourceStatus(undefined, all, [summary], NOW);
    assert.deepEqual([status.readyClusters, status.desiredReadyClusters], [1, 2]);
    assert.deepEqual(status.display, { readyBundleDeployments: '3/4', state: 'ErrApplied', message: 'ErrApplied(1) [Bundle fleet-default/app-web: refused]', error: true });
    assert.equal(status.conditions?.[0]?.status, 'False');
    assert.deepEqual(Object.keys(status.perClusterResourceCounts ?? {}), ['fleet-default/a', 'fleet-default/b']);
    assert.deepEqual(sourceStatus(status, all, [summary], '2027-01-01T00:00:00Z').conditions, status.conditions, 'nothing changed, so no time does');
  });

  it('a cluster counts bundles and sources, and waits for its first check-in', () => {
    const status = clusterStatus(undefined, [broken, deployment('b', 'db')], NOW);
    assert.deepEqual([status.readyGitRepos, status.desiredReadyGitRepos, status.readyHelmOps], [1, 2, 0]);
    assert.deepEqual(status.display, { readyBundles: '1/2', state: 'WaitCheckIn' });
    assert.equal(clusterStatus({ agent: { lastSeen: NOW } }, [broken], NOW).display?.state, 'ErrApplied');
  });

  it('a group counts clusters', () => {
    const cluster = (name: string, deployments: BundleDeployment[]): Cluster => ({ metadata: { name }, spec: {}, status: clusterStatus({ agent: { lastSeen: NOW } }, deployments, NOW) });
    const status = clusterGroupStatus(undefined, [cluster('a', all.slice(0, 2)), cluster('b', all.slice(2)), { metadata: { name: 'new' }, spec: {} }], NOW);
    assert.deepEqual([status.clusterCount, status.nonReadyClusterCount, status.nonReadyClusters], [3, 2, ['b', 'new']]);
    assert.deepEqual(status.display, { readyClusters: '1/3', readyBundles: '3/4', state: 'ErrApplied' });
    assert.deepEqual(checkStatusLaws([{ kind: 'ClusterGroup', metadata: { name: 'g' }, status } as never]), []);
  });
});

describe('the laws of statuses', () => {
  const check = (law: number, kind: string, status: object, spec: object = {}, metadata: object = {}) => it(`law ${law} is noticed in a ${kind}`, () => assert.match(checkStatusLaws([{ kind, metadata: { name: 'x', ...metadata }, spec, status } as never])[0] ?? '', new RegExp(`^law ${law}: ${kind}/x: `)));
  check(1, 'Bundle', { summary: { ready: 0, desiredReady: 1, pending: 1 }, conditions: [{ type: 'Ready', status: 'True' }] });
  check(2, 'Bundle', { summary: { ready: 0, desiredReady: 1 } });
  check(3, 'Bundle', { summary: { ready: 1, desiredReady: 1, nonReadyResources: [{ bundleState: 'Modified' }] } });
  check(4, 'GitRepo', { conditions: [{ type: 'A', status: 'True' }, { type: 'A', status: 'True' }] });
  check(5, 'GitRepo', { observedGeneration: 3 }, {}, { generation: 2 });
  check(6, 'BundleDeployment', { ready: true, nonReadyStatus: [{}] });
  check(7, 'BundleDeployment', { modifiedStatus: Array.from({ length: 11 }, () => ({})) });
  check(8, 'Cluster', { resourceCounts: { ready: 1, desiredReady: 2, waitApplied: 0, modified: 0, orphaned: 0, missing: 0, unknown: 0, notReady: 0 } });
  check(9, 'BundleDeployment', {}, { deploymentID: 'x' });
  check(10, 'Bundle', { partitions: [{ name: 'p', count: 1, unavailable: 2 }] });
  check(11, 'GitRepo', { conditions: [{ type: 'A', status: 'False', message: 'https://user:pass@host/r' }] });
});
