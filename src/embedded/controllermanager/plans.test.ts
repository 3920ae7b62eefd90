/** Tables of the smaller decisions: budgets, ownership, endpoints, daemon placement, schedules, namespaces, rules. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseApiVersion, type KubeObject, type OwnerReference } from '#apimachinery/meta';
import type { ClusterRole, CronJob, DaemonSet, Job, Node, Pod, PodDisruptionBudget, Service } from '#api/builtin';
import { aggregatedRules } from './clusterrole/reconciler.ts';
import { dueTimes, surplusHistory } from './cronjob/plan.ts';
import { nodeAdmits, planDaemonSet } from './daemonset/plan.ts';
import { planBudget } from './disruption/plan.ts';
import { endpointSubsets, podsBehind, sliceContents } from './endpoints/plan.ts';
import { blockingDependents, DependencyGraph, FOREGROUND, graphNode, judge, ORPHAN, type OwnerState } from './garbagecollector/graph.ts';
import { namespaceConditions, retryAfterMs, type Remains } from './namespace/plan.ts';
import { templateHash } from './workload/hash.ts';
import { scaledValue } from './workload/intorpercent.ts';
import { planClaim } from './workload/ownership.ts';

const NOW = '2026-01-01T00:10:00Z';
const at = { now: NOW, nowMs: Date.parse(NOW) };

function pod(name: string, more: { ready?: boolean; deleting?: boolean; phase?: string; node?: string; labels?: Record<string, string>; ip?: string } = {}): Pod {
  const { ready = true, deleting, phase = 'Running', node, labels = { app: 'x' }, ip = '10.0.0.1' } = more;
  return {
    metadata: { name, namespace: 'ns', uid: name, labels, ...(deleting ? { deletionTimestamp: NOW } : {}) },
    spec: { containers: [{ name: 'm', ports: [{ name: 'http', containerPort: 8080 }] }], ...(node ? { nodeName: node } : {}) },
    status: { phase, podIP: ip, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: NOW }] },
  };
}

test('counts and percentages are read alike', () => {
  const check = (value: number | string, total: number, round: 'up' | 'down', expected: number) => assert.equal(scaledValue(value, total, round), expected);
  check(3, 10, 'up', 3);
  check('25%', 10, 'up', 3);
  check('25%', 10, 'down', 2);
  check('100%', 7, 'up', 7);
  check('odd', 7, 'up', 0);
});

test('equal templates have equal hashes, and a collision gives another', () => {
  assert.equal(templateHash({ a: 1, b: 2 }), templateHash({ b: 2, a: 1 }));
  assert.notEqual(templateHash({ a: 1 }), templateHash({ a: 1 }, 1));
  assert.match(templateHash({ a: 1 }), /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
});

test('a budget allows what is healthy beyond what is desired', () => {
  const check = (spec: PodDisruptionBudget['spec'], pods: Pod[], scale: number | undefined, expected: [number, number, number, number], disrupted: Record<string, string> = {}) => {
    const { status } = planBudget({ metadata: { generation: 1 }, spec: spec ?? {}, status: { disruptedPods: disrupted } }, pods, scale, at);
    assert.deepEqual([status.disruptionsAllowed, status.currentHealthy, status.desiredHealthy, status.expectedPods], expected);
  };
  const three = [pod('a'), pod('b'), pod('c')];
  check({ minAvailable: 2 }, three, 3, [1, 3, 2, 3]);
  check({ minAvailable: 2 }, [pod('a'), pod('b'), pod('c', { ready: false })], 3, [0, 2, 2, 3]);
  check({ minAvailable: 2 }, [...three, pod('d', { deleting: true })], 3, [1, 3, 2, 4]);
  check({ minAvailable: '50%' }, three, 3, [1, 3, 2, 3]);
  check({ maxUnavailable: 1 }, three, 3, [1, 3, 2, 3]);
  check({ maxUnavailable: '50%' }, [pod('a')], 4, [0, 1, 2, 4]);
  check({ minAvailable: 2 }, three, 3, [0, 2, 2, 3], { a: NOW });
  check({ minAvailable: 2 }, three, 3, [1, 3, 2, 3], { a: '2026-01-01T00:00:00Z' });
  check({ minAvailable: 0 }, [], 0, [0, 0, 0, 0]);
});

test('children are kept, adopted or released by label and controller', () => {
  const owner: KubeObject = { metadata: { name: 'o', uid: 'o' } };
  const reference = (uid: string): OwnerReference => ({ apiVersion: 'v1', kind: 'K', name: uid, uid, controller: true });
  const child = (name: string, app: string, controller?: string): KubeObject => ({ metadata: { name, labels: { app }, ...(controller ? { ownerReferences: [reference(controller)] } : {}) } });
  const all = [child('mine', 'x', 'o'), child('orphan', 'x'), child('strayed', 'y', 'o'), child('foreign', 'x', 'p'), child('other', 'y')];
  const names = (claim: ReturnType<typeof planClaim>) => [claim.owned, claim.adopt, claim.release].map((each) => each.map((one) => one.metadata.name).join());
  assert.deepEqual(names(planClaim(owner, { matchLabels: { app: 'x' } }, all)), ['mine', 'orphan', 'strayed']);
  assert.deepEqual(names(planClaim({ metadata: { ...owner.metadata, deletionTimestamp: NOW } }, { matchLabels: { app: 'x' } }, all)), ['mine', '', '']);
});

test('an object is collected when no owner is left, and released when one is', () => {
  const resource = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true, verbs: [] };
  const node = (finalizers: string[] = []) => graphNode(resource, { metadata: { name: 'd', uid: 'd', finalizers, ownerReferences: ['a', 'b'].map((uid) => ({ apiVersion: 'v1', kind: 'K', name: uid, uid })) } });
  const check = (states: [OwnerState, OwnerState], blocking: boolean, expected: object, finalizers: string[] = []) => assert.deepEqual(judge(node(finalizers), new Map([['a', states[0]], ['b', states[1]]]), blocking), expected);
  check(['solid', 'solid'], false, { kind: 'keep' });
  check(['solid', 'absent'], false, { kind: 'release', uids: ['b'] });
  check(['solid', 'waiting'], false, { kind: 'release', uids: ['b'] });
  check(['absent', 'absent'], false, { kind: 'delete', policy: 'Background' });
  check(['waiting', 'absent'], true, { kind: 'delete', policy: 'Foreground' });
  check(['waiting', 'absent'], false, { kind: 'delete', policy: 'Background' });
  check(['absent', 'absent'], false, { kind: 'delete', policy: 'Orphan' }, [ORPHAN]);
  check(['absent', 'absent'], false, { kind: 'delete', policy: 'Foreground' }, [FOREGROUND]);
});

test('the graph follows owner references as they come and go', () => {
  const resource = { group: 'apps', version: 'v1', plural: 'replicasets', kind: 'ReplicaSet', namespaced: true, verbs: [] };
  const graph = new DependencyGraph();
  const object = (owners: OwnerReference[]): KubeObject => ({ metadata: { name: 'd', uid: 'd', ownerReferences: owners } });
  const reference = { apiVersion: 'v1', kind: 'K', name: 'o', uid: 'o', blockOwnerDeletion: true };
  const owner = graphNode(resource, { metadata: { name: 'o', uid: 'o' } });
  graph.put(owner);
  graph.put(graphNode(resource, object([reference])));
  assert.equal(blockingDependents(owner, graph.dependents('o')).length, 1);
  graph.put(graphNode(resource, object([])));
  assert.deepEqual(graph.dependents('o'), []);
  graph.put(graphNode(resource, object([reference])));
  graph.remove('d');
  assert.deepEqual(graph.dependents('o'), []);
  assert.equal(parseApiVersion('apps/v1').group, 'apps');
});

test('endpoints are ready, serving or terminating, and ports resolve by name', () => {
  const service = (spec: Service['spec'] = {}): Service => ({ metadata: { name: 's', namespace: 'ns' }, spec: { selector: { app: 'x' }, ports: [{ port: 80, targetPort: 'http' }], ...spec } });
  const all = [pod('a'), pod('b', { ready: false }), pod('c', { deleting: true }), pod('d', { phase: 'Succeeded' }), pod('e', { ip: '' }), pod('f', { labels: {} })];
  const behind = podsBehind(service(), all);
  assert.deepEqual(behind.map((each) => each.metadata.name), ['a', 'b', 'c']);
  const [slice] = sliceContents(service(), behind);
  assert.deepEqual(slice?.endpoints?.map(({ conditions }) => [conditions?.ready, conditions?.serving, conditions?.terminating]), [[true, true, false], [false, false, false], [false, true, true]]);
  assert.equal(slice?.ports?.[0]?.port, 8080);
  assert.deepEqual(endpointSubsets(service(), behind).map(({ addresses, notReadyAddresses }) => [addresses?.length, notReadyAddresses?.length]), [[1, 1]]);
  assert.ok(sliceContents(service({ publishNotReadyAddresses: true }), behind)[0]?.endpoints?.every(({ conditions }) => conditions?.ready));
  assert.deepEqual(sliceContents(service(), [])[0]?.endpoints, []);
});

test('a daemon goes where it is admitted, stays through ill health, and is replaced one by one', () => {
  const set = (spec: object = {}): DaemonSet => ({ metadata: { name: 'd' }, spec: { selector: {}, template: { metadata: { labels: {} }, spec: { containers: [], ...spec } } } });
  const node = (name: string, taints: NonNullable<Node['spec']>['taints'] = [], labels: Record<string, string> = {}): Node => ({ metadata: { name, labels }, spec: { taints } });
  assert.deepEqual(nodeAdmits(set(), node('a', [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }])), { run: true, keep: true });
  assert.deepEqual(nodeAdmits(set(), node('a', [{ key: 'x', effect: 'NoSchedule' }])), { run: false, keep: true });
  assert.deepEqual(nodeAdmits(set(), node('a', [{ key: 'x', effect: 'NoExecute' }])), { run: false, keep: false });
  assert.deepEqual(nodeAdmits(set({ nodeSelector: { role: 'edge' } }), node('a')), { run: false, keep: false });
  const old = (name: string, where: string) => pod(name, { node: where, labels: { 'controller-revision-hash': 'old' } });
  const plan = planDaemonSet(set(), [old('1', 'a'), old('2', 'b'), old('3', 'b')], [node('a'), node('b'), node('c')], { hash: 'new', nowMs: at.nowMs });
  assert.deepEqual(plan.create, ['c']);
  assert.deepEqual(plan.remove.map((each) => each.metadata.name), ['3'], 'the surplus goes; an update waits while a node has none');
  const update = planDaemonSet(set(), [old('1', 'a'), old('2', 'b')], [node('a'), node('b')], { hash: 'new', nowMs: at.nowMs });
  assert.equal(update.remove.length, 1);
});

test('a schedule is made up for once, unless its deadline has passed', () => {
  const cron = (spec: Partial<CronJob['spec']>, last: string): CronJob => ({ metadata: { creationTimestamp: '2026-01-01T00:00:00Z' }, spec: { schedule: '*/5 * * * *', jobTemplate: {}, ...spec }, status: { lastScheduleTime: last } });
  const iso = (ms: number | undefined) => ms && new Date(ms).toISOString().slice(11, 16);
  const check = (job: CronJob, now: string, expected: [string | undefined, string | undefined]) => {
    const due = dueTimes(job, Date.parse(now));
    assert.deepEqual([iso(due.runAtMs), iso(due.nextAtMs)], expected);
  };
  check(cron({}, '2026-01-01T00:05:00Z'), '2026-01-01T00:07:00Z', [undefined, '00:10']);
  check(cron({}, '2026-01-01T00:05:00Z'), '2026-01-01T00:21:00Z', ['00:20', '00:25']);
  check(cron({ startingDeadlineSeconds: 30 }, '2026-01-01T00:05:00Z'), '2026-01-01T00:21:00Z', [undefined, '00:25']);
  check(cron({ schedule: '0 12 * * *', timeZone: 'Europe/Berlin' }, '2026-01-01T00:00:00Z'), '2026-01-01T00:21:00Z', [undefined, '11:00']);
  assert.throws(() => dueTimes(cron({ schedule: 'nonsense' }, NOW), at.nowMs));
});

test('finished Jobs beyond the history go, oldest first', () => {
  const job = (name: string, type: string, start: string): Job => ({ metadata: { name }, status: { startTime: start, conditions: [{ type, status: 'True' }] } });
  const all = [job('a', 'Complete', '2026-01-01T00:01:00Z'), job('b', 'Complete', '2026-01-01T00:02:00Z'), job('c', 'Failed', '2026-01-01T00:03:00Z'), { metadata: { name: 'd' } }];
  const cron = (successfulJobsHistoryLimit: number, failedJobsHistoryLimit: number): CronJob => ({ metadata: {}, spec: { schedule: '', jobTemplate: {}, successfulJobsHistoryLimit, failedJobsHistoryLimit } });
  assert.deepEqual(surplusHistory(cron(1, 0), all).map((each) => each.metadata.name), ['a', 'c']);
  assert.deepEqual(surplusHistory(cron(3, 1), all), []);
});

test('a namespace waits for pods first, then for finalizers, and then goes', () => {
  const remains = (more: Partial<Remains>): Remains => ({ undiscovered: [], failures: [], counts: new Map(), finalizers: new Map(), podGraceMs: 0, ...more });
  const truths = (each: Remains) => namespaceConditions([], each, NOW).filter(({ status }) => status === 'True').map(({ reason }) => reason);
  const pods = remains({ counts: new Map([['pods', 1]]), podGraceMs: 1000 });
  const held = remains({ counts: new Map([['configmaps', 1]]), finalizers: new Map([['x/y', 1]]) });
  assert.deepEqual(truths(pods), ['ContentDeletionFailed']);
  assert.deepEqual(truths(held), ['SomeResourcesRemain', 'SomeFinalizersRemain']);
  assert.deepEqual(truths(remains({ undiscovered: ['a/v1'], failures: ['b'] })), ['DiscoveryFailed', 'ContentDeletionFailed']);
  assert.deepEqual([pods, held, remains({ failures: ['b'] }), remains({})].map(retryAfterMs), [1000, 8000, 500, undefined]);
});

test('an aggregating role has each selected rule once', () => {
  const rule = (resource: string) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] });
  const role = (name: string, label: string, ...rules: ReturnType<typeof rule>[]): ClusterRole => ({ metadata: { name, labels: { part: label } }, rules });
  const sum: ClusterRole = { metadata: { name: 'sum' }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'a' } }, { matchLabels: { part: 'b' } }] }, rules: [] };
  assert.deepEqual(aggregatedRules(sum, [role('2', 'a', rule('pods')), role('1', 'a', rule('secrets'), rule('pods')), role('3', 'b', rule('nodes')), role('4', 'c', rule('x'))]).map((each) => each.resources?.[0]), ['secrets', 'pods', 'nodes']);
});
