import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '#base/random';
import type { Node, Pod, PodSpec } from '#api/builtin';
import { placePod, type NodeInfo, type Snapshot } from './place.ts';
import { podRequests } from './resources.ts';
import { quantity } from './quantity.ts';

function node(name: string, more: { labels?: Record<string, string>; taints?: NonNullable<Node['spec']>['taints']; unschedulable?: boolean; cpu?: string } = {}): Node {
  return {
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...more.labels } },
    spec: { ...(more.taints ? { taints: more.taints } : {}), ...(more.unschedulable ? { unschedulable: true } : {}) },
    status: { allocatable: { cpu: more.cpu ?? '4', memory: '8Gi', pods: '110' } },
  };
}

function pod(name: string, spec: Partial<PodSpec> = {}, labels: Record<string, string> = { app: 'web' }): Pod {
  return { metadata: { name, namespace: 'ns', labels }, spec: { containers: [{ name: 'm' }], ...spec } };
}

const cpu = (amount: string): Partial<PodSpec> => ({ containers: [{ name: 'm', resources: { requests: { cpu: amount } } }] });

function snapshot(infos: [Node, Pod[]][], group?: Record<string, string>): Snapshot {
  return { nodes: infos.map(([each, pods]): NodeInfo => ({ node: each, pods })), namespaces: new Map(), groupOf: () => group };
}

function place(incoming: Pod, infos: [Node, Pod[]][], group?: Record<string, string>): string {
  const placement = placePod(incoming, snapshot(infos, group), seededRandom(1));
  return placement.kind === 'node' ? placement.name : placement.message.split('. no new')[0] ?? '';
}

test('quantities are read with their suffixes, and init containers count by their peak', () => {
  assert.deepEqual(['500m', '1Gi', '2k', '1e3', '', '0.5'].map(quantity), [0.5, 2 ** 30, 2000, 1000, 0, 0.5]);
  const spec: PodSpec = { containers: [{ name: 'a', resources: { requests: { cpu: '1' } } }, { name: 'b', resources: { limits: { cpu: '1' } } }], initContainers: [{ name: 'i', resources: { requests: { cpu: '3' } } }] };
  assert.equal(podRequests(pod('p', spec))['cpu'], 3);
});

test('a pod goes only where it fits, and says why nowhere', () => {
  const check = (incoming: Pod, infos: [Node, Pod[]][], expected: string) => assert.equal(place(incoming, infos), expected);
  check(pod('p', cpu('3')), [[node('a'), [pod('q', cpu('2'))]], [node('b'), []]], 'b');
  check(pod('p', cpu('5')), [[node('a'), []], [node('b'), []]], '0/2 nodes are available: 2 Insufficient cpu');
  check(pod('p'), [[node('a', { unschedulable: true }), []], [node('b'), []]], 'b');
  check(pod('p', { nodeSelector: { disk: 'ssd' } }), [[node('a'), []], [node('b', { labels: { disk: 'ssd' } }), []]], 'b');
  check(pod('p'), [[node('a', { taints: [{ key: 'k', effect: 'NoSchedule' }] }), []]], '0/1 nodes are available: 1 node(s) had untolerated taint(s)');
  check(pod('p', { tolerations: [{ key: 'k', operator: 'Exists' }] }), [[node('a', { taints: [{ key: 'k', effect: 'NoSchedule' }] }), []]], 'a');
  check(pod('p'), [], 'no nodes available to schedule pods');
  const affinity = { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['z1'] }] }] } } } };
  check(pod('p', affinity), [[node('a', { labels: { zone: 'z1' } }), []], [node('b', { labels: { zone: 'z2' } }), []]], 'b');
});

test('host ports exclude each other', () => {
  const port = (hostIP?: string): Partial<PodSpec> => ({ containers: [{ name: 'm', ports: [{ containerPort: 80, hostPort: 80, ...(hostIP ? { hostIP } : {}) }] }] });
  assert.match(place(pod('p', port()), [[node('a'), [pod('q', port('127.0.0.1'))]]]), /free ports/);
  assert.equal(place(pod('p', port('127.0.0.2')), [[node('a'), [pod('q', port('127.0.0.1'))]]]), 'a');
});

test('required anti-affinity keeps pods apart, in both directions', () => {
  const apart: Partial<PodSpec> = { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } }] } } };
  assert.equal(place(pod('p', apart), [[node('a'), [pod('q')]], [node('b'), []]]), 'b');
  assert.equal(place(pod('p', apart), [[node('a'), [pod('q')]]]), "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules");
  assert.equal(place(pod('p'), [[node('a'), [pod('q', apart)]]]), "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules");
});

test('required affinity follows its kind, and the first of a kind starts anywhere', () => {
  const together: Partial<PodSpec> = { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } }] } } };
  assert.equal(place(pod('p', together), [[node('a'), []], [node('b'), [pod('q')]]]), 'b');
  assert.notEqual(place(pod('p', together), [[node('a'), []]]), '');
  assert.match(place(pod('p', together, { app: 'other' }), [[node('a'), []]]), /didn't match pod affinity rules/);
});

test('spread constraints bound the skew over domains', () => {
  const spread: Partial<PodSpec> = { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } } }] };
  const zones = (inZ1: number, inZ2: number, cordoned = false): [Node, Pod[]][] => [
    [node('a', { labels: { zone: 'z1' } }), Array.from({ length: inZ1 }, (_, index) => pod(`x${index}`))],
    [node('b', { labels: { zone: 'z2' }, unschedulable: cordoned }), Array.from({ length: inZ2 }, (_, index) => pod(`y${index}`))],
  ];
  assert.equal(place(pod('p', spread), zones(1, 0)), 'b');
  assert.equal(place(pod('p', spread), zones(3, 3, true)), 'a');
  assert.match(place(pod('p', spread), zones(4, 3, true)), /1 node\(s\) didn't match pod topology spread constraints, 1 node\(s\) were unschedulable/);
  assert.match(place(pod('p', spread), [[node('a'), []]]), /missing required label/);
});

test('preferences decide between fit nodes: taints, affinity, spreading, free room', () => {
  assert.equal(place(pod('p'), [[node('a', { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] }), []], [node('b'), []]]), 'b');
  assert.equal(place(pod('p'), [[node('a'), [pod('q')]], [node('b'), []]], { app: 'web' }), 'b');
  assert.equal(place(pod('p', cpu('1'), {}), [[node('a'), [pod('q', cpu('3'), {})]], [node('b'), []]]), 'b');
  const prefer: Partial<PodSpec> = { affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } } }] } } };
  assert.equal(place(pod('p', prefer), [[node('a'), [pod('q')]], [node('b'), []]]), 'b');
});
