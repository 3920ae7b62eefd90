/** The safe rule, case by case. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '#api/builtin';
import { silentLog } from '#base/log';
import { createClient } from '#kube/client';
import { FakeClock } from '#testing/clock';
import { ApiStub } from '#testing/kube';
import { findStuckPods, nodeUnreachableMs, parseForceDelete, type StuckFacts, type StuckPolicy, watchStuckPods } from './index.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

function pod(name: string, { node = 'dead', deletedAgo, ready = true }: { node?: string; deletedAgo?: number; ready?: boolean } = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'fleet', uid: `uid-${name}`, labels: { app: 'fleet-agent' }, ...(deletedAgo === undefined ? {} : { deletionTimestamp: ago(deletedAgo) }) },
    spec: { nodeName: node, containers: [] },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  } as Pod;
}

function node(name: string, status: string, since: number): Node {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name }, status: { conditions: [{ type: 'Ready', status, lastTransitionTime: ago(since) }] } } as Node;
}

const allow: StuckPolicy = { forceDelete: 'UnreachableNode', unreachableAfterMs: 300_000 };
const facts = (change: Partial<StuckFacts> = {}): StuckFacts => ({ pods: [pod('old', { deletedAgo: 400 }), pod('new', { node: 'live' })], nodes: [node('dead', 'Unknown', 500), node('live', 'True', 5000)], holder: 'new_1', nowMs: NOW, ...change });

function check(change: Partial<StuckFacts>, policy: StuckPolicy, expected: (string | RegExp)[]): void {
  const found = findStuckPods(facts(change), policy);
  assert.equal(found.length, expected.length);
  for (const [index, { kept }] of found.entries()) {
    const wanted = expected[index];
    if (wanted === 'remove') assert.equal(kept, undefined);
    else assert.match(kept ?? 'removed', wanted as RegExp);
  }
}

test('removed only when everything the rule asks for is true', () => {
  check({}, allow, ['remove']);
  check({ holder: '' }, allow, ['remove']);
  check({}, { ...allow, forceDelete: 'Never' }, [/Never/]);
  check({ nodes: [node('dead', 'Unknown', 200), node('live', 'True', 5000)] }, allow, [/unreachable for 200 s/]);
  check({ holder: 'old_1' }, allow, [/holds the lease/]);
  check({ holder: 'old' }, allow, [/holds the lease/]);
  check({ pods: [pod('old', { deletedAgo: 400 }), pod('new', { node: 'live', ready: false })] }, allow, [/no replacement/]);
  check({ pods: [pod('old', { deletedAgo: 400 }), pod('new', { node: 'live', deletedAgo: 1 })] }, allow, [/no replacement/]);
});

test('a node whose object is gone is as unreachable as can be', () => {
  check({ nodes: [node('live', 'True', 5000)] }, allow, ['remove']);
});

test('pods on nodes that answer are not stuck: their kubelet is at work', () => {
  check({ nodes: [node('dead', 'True', 500), node('live', 'True', 500)] }, allow, []);
  check({ nodes: [node('dead', 'False', 500), node('live', 'True', 500)] }, allow, []);
  check({ pods: [pod('old', { deletedAgo: 1 }), pod('new', { node: 'live' })] }, allow, []);
  check({ pods: [pod('old')] }, allow, []);
});

test('unreachable means that the node lifecycle controller says Unknown', () => {
  assert.equal(nodeUnreachableMs(node('n', 'Unknown', 7), NOW), 7000);
  assert.equal(nodeUnreachableMs(node('n', 'False', 7), NOW), undefined);
  assert.equal(nodeUnreachableMs(undefined, NOW), Number.POSITIVE_INFINITY);
});

test('the option is one of two words', () => {
  assert.deepEqual([undefined, '', 'Never', 'UnreachableNode'].map(parseForceDelete), ['Never', 'Never', 'Never', 'UnreachableNode']);
  assert.throws(() => parseForceDelete('Always'), /use Never or UnreachableNode/);
});

test('the watch tells each stuck pod once, as an Event, and removes it once the rule lets it go', async () => {
  const stub = new ApiStub();
  const clock = new FakeClock(NOW);
  const [POD_PATH, NODE_PATH, EVENT_PATH] = ['/api/v1/namespaces/fleet/pods', '/api/v1/nodes', '/api/v1/namespaces/fleet/events'];
  for (const each of facts().pods) stub.put(POD_PATH, each);
  for (const each of [node('dead', 'Unknown', 260), node('live', 'True', 5000)]) stub.put(NODE_PATH, each);
  const counts: number[] = [];
  const abort = new AbortController();
  const done = watchStuckPods({ client: createClient(stub), namespace: 'fleet', app: 'fleet-agent', lease: 'fleet-agent', policy: allow, clock, log: silentLog, signal: abort.signal, onCount: (count) => counts.push(count) });
  await clock.advance(1_000);
  assert.ok(stub.read(POD_PATH, 'old'), 'too early');
  assert.match((stub.read(EVENT_PATH, 'old.stuck-terminating') as { message?: string } | undefined)?.message ?? '', /left alone: .*260 s/);
  await clock.advance(60_000);
  assert.equal(stub.read(POD_PATH, 'old'), undefined);
  assert.ok(stub.read(POD_PATH, 'new'));
  await clock.advance(30_000);
  assert.deepEqual(counts, [1, 1, 1, 0]);
  abort.abort(new Error('done'));
  await done;
});
