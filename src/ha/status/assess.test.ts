/** What the status says about clusters in all kinds of states. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment, Lease, Node, Pod, PodDisruptionBudget } from '#api/builtin';
import { rfc3339, rfc3339Micro } from '#base/clock';
import { DETAILS_ANNOTATION } from '#kube/leaderelection';
import { formatTable } from '#cli/output';
import { findingsOf, fix, formatFindings } from '../doctor/index.ts';
import { assessHa, type ClusterFacts, formatHaStatus } from './index.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const NS = 'cattle-fleet-system';

function deployment(replicas = 2, env: Record<string, string> = {}, name = 'fleet-agent'): Deployment {
  const container = { name, env: Object.entries(env).map(([key, value]) => ({ name: key, value })) };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: NS, labels: { app: 'fleet-agent' } }, spec: { replicas, selector: { matchLabels: { app: 'fleet-agent' } }, template: { metadata: {}, spec: { containers: [container] } } } } as Deployment;
}

function pod(name: string, node: string, { ready = true, deletedAgoMs }: { ready?: boolean; deletedAgoMs?: number } = {}): Pod {
  return {
    apiVersion: 'v1', kind: 'Pod',
    metadata: { name, namespace: NS, uid: name, labels: { app: 'fleet-agent' }, ...(deletedAgoMs === undefined ? {} : { deletionTimestamp: rfc3339(NOW - deletedAgoMs) }) },
    spec: { nodeName: node, containers: [] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  } as Pod;
}

function lease(holder = 'a_1', ageMs = 400): Lease {
  const renewTime = rfc3339Micro(NOW - ageMs);
  const details = { holder, renewTime, transitions: 4, durationMs: 6000, evidence: 'pod-terminated', gapMs: 812, bootId: 'b', startedAtMs: 1, node: 'n1' };
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'fleet-agent', namespace: NS, annotations: { [DETAILS_ANNOTATION]: JSON.stringify(details) } }, spec: { holderIdentity: holder, leaseDurationSeconds: 7, renewTime, acquireTime: rfc3339Micro(NOW - 60_000), leaseTransitions: 4 } } as Lease;
}

const node = (name: string, status = 'True'): Node => ({ apiVersion: 'v1', kind: 'Node', metadata: { name }, status: { conditions: [{ type: 'Ready', status, lastTransitionTime: rfc3339(NOW - 600_000) }] } }) as Node;

function facts(change: Partial<ClusterFacts> = {}): ClusterFacts {
  return { name: 'prod', server: 'https://x', deployments: [deployment()], pods: [pod('a', 'n1'), pod('b', 'n2')], leases: [lease()], configMaps: [], budgets: [], nodes: [node('n1'), node('n2')], ...change };
}

function check(change: Partial<ClusterFacts>, codes: string[]): void {
  const [cluster] = assessHa([facts(change)], NOW).clusters;
  assert.deepEqual(cluster?.warnings.map(({ code }) => code), codes);
}

test('a healthy component: who leads, since when, how the last takeover went, who stands by', () => {
  const [component] = assessHa([facts()], NOW).clusters[0]?.components ?? [];
  assert.deepEqual(
    { ...component, timings: undefined },
    {
      component: 'agent', namespace: NS, deployment: 'fleet-agent', lease: 'fleet-agent', lock: 'leases', holder: 'a_1', leaderPod: 'a', leaderNode: 'n1', epoch: 4, renewedMsAgo: 400, leaseDurationMs: 6000,
      lastTransition: { at: rfc3339Micro(NOW - 60_000), evidence: 'pod-terminated', gapMs: 812 },
      replicas: { wanted: 2, ready: 2 },
      pods: [{ pod: 'a', node: 'n1', role: 'leader', warm: true, phase: 'Running' }, { pod: 'b', node: 'n2', role: 'standby', warm: true, phase: 'Running' }],
      timings: undefined, warnings: [],
    },
  );
});

test('each thing that would make a failure hurt has a warning of its own', () => {
  check({}, []);
  check({ deployments: [deployment(1)], pods: [pod('a', 'n1')] }, ['one-replica']);
  check({ pods: [pod('a', 'n1'), pod('b', 'n1')] }, ['same-node']);
  check({ pods: [pod('a', 'n1'), pod('b', 'n2', { ready: false })] }, ['missing-replicas', 'no-warm-standby']);
  check({ pods: [pod('a', 'n1', { ready: false }), pod('b', 'n2')] }, ['unready-leader', 'missing-replicas']);
  check({ leases: [lease('')] }, ['no-leader']);
  check({ leases: [] }, ['no-leader']);
  check({ leases: [lease('a_1', 20_000)] }, ['stale-lease']);
  check({ pods: [pod('a', 'n1'), pod('b', 'n2'), pod('c', 'n3', { deletedAgoMs: 60_000 })] }, ['stuck-terminating']);
  check({ pods: [pod('a', 'n1'), pod('b', 'n2'), pod('c', 'n3', { deletedAgoMs: 1_000 })] }, []);
  check({ error: 'no route' }, ['unreachable-cluster']);
});

test('budgets that never allow a disruption are told, others are not', () => {
  const budget = (spec: object, disruptionsAllowed: number): PodDisruptionBudget => ({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'p', namespace: NS }, spec: { selector: { matchLabels: { app: 'fleet-agent' } }, ...spec }, status: { disruptionsAllowed } }) as PodDisruptionBudget;
  check({ budgets: [budget({ maxUnavailable: 0 }, 0)] }, ['budget-blocks-drains']);
  check({ budgets: [budget({ minAvailable: 2 }, 0)] }, ['budget-blocks-drains']);
  check({ budgets: [budget({ maxUnavailable: 1 }, 1)] }, []);
});

test('timings: refused ones are critical, lowered ones are told', () => {
  check({ deployments: [deployment(2, { CATTLE_ELECTION_LEASE_DURATION: '5s', CATTLE_ELECTION_RENEW_DEADLINE: '5s', CATTLE_ELECTION_RETRY_PERIOD: '1s' })] }, ['unsafe-timings']);
  check({ deployments: [deployment(2, { CATTLE_ELECTION_LEASE_DURATION: '30s', CATTLE_ELECTION_RENEW_DEADLINE: '25s', CATTLE_ELECTION_RETRY_PERIOD: '10s' })] }, ['lowered-timings', 'lowered-timings']);
});

test('a shard has a lease of its own', () => {
  const shard = { ...deployment(2, {}, 'fleet-agent-shard-x') };
  const [component] = assessHa([facts({ deployments: [shard], leases: [{ ...lease(), metadata: { ...lease().metadata, name: 'fleet-agent-x' } }] })], NOW).clusters[0]?.components ?? [];
  assert.deepEqual([component?.lease, component?.leaderPod], ['fleet-agent-x', 'a']);
});

test('the table has a row per component, and remedies below', () => {
  const text = formatHaStatus(assessHa([facts(), facts({ name: 'dev', deployments: [deployment(1)], pods: [pod('a', 'n1')] })], NOW), formatTable);
  assert.match(text, /prod +agent +a +n1 +4 +0\.4s ago +6s +1\/1 warm \(n2\) +2026-01-01T11:59:00, pod-terminated, 812 ms/);
  assert.match(text, /! dev: agent runs as 1 replica.*\n +set the chart value agent\.replicas=2/);
});

test('doctor: critical things first; the fix removes what the safe rule lets go and says what it left', async () => {
  const pods = [pod('a', 'n1'), pod('b', 'n2'), pod('c', 'n3', { deletedAgoMs: 400_000 }), pod('d', 'n4', { deletedAgoMs: 400_000 })];
  const own = facts({ pods, nodes: [node('n1'), node('n2'), node('n3', 'Unknown'), node('n4')], leases: [lease('a_1', 30_000)] });
  const status = assessHa([own], NOW);
  const removed: string[] = [];
  const client = { delete: async (_: unknown, key: { name: string }) => void removed.push(key.name) };
  const [cluster] = status.clusters;
  assert.ok(cluster);
  const findings = await fix(findingsOf(status), [{ facts: own, status: cluster, client }], { unreachableAfterMs: 300_000, nowMs: NOW });
  assert.deepEqual(removed, ['c']);
  assert.deepEqual(findings.map(({ code, outcome }) => [code, outcome]), [['stale-lease', undefined], ['stuck-terminating', 'removed'], ['stuck-terminating', undefined]]);
  assert.match(formatFindings(findings), /^CRITICAL prod: agent: a holds the lease/);
  assert.equal(formatFindings([]), 'Everything is as it should be.');
});
