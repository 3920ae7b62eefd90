import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ComparePatch, ModifiedStatus } from '#api/fleet';
import type { Unstructured } from '#apimachinery/meta';
import { deepClone } from '#base/json';
import { differences, findDrift, type DriftInput } from './index.ts';

type Fields = Record<string, unknown>;
const object = (kind: string, fields: Fields, apiVersion = 'v1', metadata: Fields = {}): Unstructured => ({ apiVersion, kind, metadata: { name: 'x', namespace: 'n', ...metadata }, ...fields });

function drift(desired: Unstructured, live: Unstructured | undefined, over: Partial<DriftInput> = {}): ModifiedStatus[] {
  return findDrift({ desired: [desired], live: () => live, ...over });
}

const patchOf = (desired: Unstructured, live: Unstructured, comparePatches: ComparePatch[] = []): unknown => {
  const [status] = drift(desired, live, { comparePatches });
  return status?.patch === undefined ? undefined : JSON.parse(status.patch);
};

const workload = (template: Fields, spec: Fields = {}) => object('Deployment', { spec: { replicas: 1, ...spec, template: { spec: template } } }, 'apps/v1');

describe('no drift', () => {
  const check = (title: string, desired: Unstructured, live: Unstructured) => it(title, () => assert.equal(patchOf(desired, live), undefined));
  check('keys and labels that were added', object('ConfigMap', { data: { a: '1' } }), object('ConfigMap', { data: { a: '1', b: '2' } }, 'v1', { labels: { added: 'x' }, uid: 'u', resourceVersion: '1' }));
  check('status and what the server writes', object('Thing', { status: { a: 1 } }, 'v1', { creationTimestamp: null }), object('Thing', { status: { a: 2 } }));
  check('defaults, injected sidecars and another order of containers', workload({ containers: [{ name: 'a', image: 'i', ports: [{ containerPort: 80 }] }, { name: 'b', image: 'j' }] }), workload({ restartPolicy: 'Always', containers: [{ name: 'side', image: 's' }, { name: 'b', image: 'j', env: [] }, { name: 'a', image: 'i', ports: [{ containerPort: 80, protocol: 'TCP' }], imagePullPolicy: 'Always' }] }));
  check('zero values the server leaves out', workload({ containers: [], hostNetwork: false, nodeName: '', volumes: [], securityContext: {} }), workload({}));
  check('null and omitted fields', workload({ nodeSelector: null }), workload({}));
  check('quantities written otherwise', workload({ containers: [{ name: 'a', resources: { limits: { cpu: '1000m', memory: '1024Mi' }, requests: { cpu: 0.5 } } }] }), workload({ containers: [{ name: 'a', resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } } }] }));
  check('the CA bundle of a webhook', object('ValidatingWebhookConfiguration', { webhooks: [{ name: 'w', clientConfig: { caBundle: 'a' } }] }, 'admissionregistration.k8s.io/v1'), object('ValidatingWebhookConfiguration', { webhooks: [{ name: 'w', clientConfig: { caBundle: 'b' } }] }, 'admissionregistration.k8s.io/v1'));
  check('stringData of a Secret', object('Secret', { stringData: { a: 'b' } }), object('Secret', { data: { a: 'Yg==' } }));
  check('aggregated rules', object('ClusterRole', { aggregationRule: {}, rules: [] }, 'rbac.authorization.k8s.io/v1'), object('ClusterRole', { aggregationRule: {}, rules: [{ verbs: ['get'] }] }, 'rbac.authorization.k8s.io/v1'));
  check('another API version of the kind', object('HorizontalPodAutoscaler', { spec: { maxReplicas: 2 } }, 'autoscaling/v1'), object('HorizontalPodAutoscaler', { spec: { maxReplicas: 2 } }, 'autoscaling/v2'));

  it('replicas that an autoscaler sets', () => {
    assert.deepEqual(drift(workload({}), workload({}, { replicas: 5 }), { isScaled: () => true }), []);
    assert.deepEqual(drift(workload({}), workload({}, { replicas: 5 }))[0]?.patch, '{"spec":{"replicas":1}}');
  });
});

describe('drift', () => {
  const check = (title: string, desired: Unstructured, live: Unstructured, patch: unknown) => it(title, () => assert.deepEqual(patchOf(desired, live), patch));
  check('a changed value', object('ConfigMap', { data: { a: '1', b: '2' } }), object('ConfigMap', { data: { a: '1', b: 'changed' } }), { data: { b: '2' } });
  check('a removed key', object('ConfigMap', { data: { a: '1' } }), object('ConfigMap', {}), { data: { a: '1' } });
  check('a removed label', object('ConfigMap', {}, 'v1', { labels: { a: 'b' } }), object('ConfigMap', {}), { metadata: { labels: { a: 'b' } } });
  check('data that only look like quantities', object('ConfigMap', { data: { a: '1' } }), object('ConfigMap', { data: { a: '1.0' } }), { data: { a: '1' } });
  check('replicas', workload({}, { replicas: 0 }), workload({}, { replicas: 3 }), { spec: { replicas: 0 } });
  check('an image', workload({ containers: [{ name: 'a', image: 'i' }] }), workload({ containers: [{ name: 'a', image: 'j' }] }), { spec: { template: { spec: { containers: [{ name: 'a', image: 'i' }] } } } });
  check('a removed container', workload({ containers: [{ name: 'a' }, { name: 'b' }] }), workload({ containers: [{ name: 'a' }] }), { spec: { template: { spec: { containers: [{ name: 'a' }, { name: 'b' }] } } } });
  check('an entry more in a list without identities', object('Role', { rules: [{ verbs: ['get'] }] }), object('Role', { rules: [{ verbs: ['get', 'delete'] }] }), { rules: [{ verbs: ['get'] }] });
  check('the order of variables that occur twice', workload({ containers: [{ name: 'a', env: [{ name: 'x', value: '1' }, { name: 'x', value: '2' }] }] }), workload({ containers: [{ name: 'a', env: [{ name: 'x', value: '2' }, { name: 'x', value: '1' }] }] }), { spec: { template: { spec: { containers: [{ name: 'a', env: [{ name: 'x', value: '1' }, { name: 'x', value: '2' }] }] } } } });
  check('does not show secrets', object('Secret', { data: { a: 'Z2VoZWlt' } }), object('Secret', { data: { a: 'eA==' } }), { data: { a: '***' } });

  it('missing, foreign and orphaned objects', () => {
    const desired = object('ConfigMap', {});
    assert.deepEqual(drift(desired, undefined), [{ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'n', name: 'x', missing: true }]);
    assert.equal(drift(desired, desired, { isOurs: () => false })[0]?.exist, true);
    assert.deepEqual(drift(desired, desired, { orphans: [object('Service', {})] }), [{ apiVersion: 'v1', kind: 'Service', namespace: 'n', name: 'x', delete: true }]);
  });
});

describe('comparePatches', () => {
  const desired = object('ConfigMap', { data: { 'a/b': '1', c: '2' }, list: [1, 2] });
  const live = object('ConfigMap', { data: { 'a/b': 'x', c: '2' }, list: [1, 2] });
  const check = (title: string, patch: ComparePatch, expected: unknown) => it(title, () => assert.deepEqual(patchOf(desired, live, [patch]), expected));
  check('take a pointer out', { kind: 'ConfigMap', jsonPointers: ['/data/a~1b'] }, undefined);
  check('take a pointer without its slash out', { jsonPointers: ['data/a~1b'] }, undefined);
  check('remove a path', { operations: [{ op: 'remove', path: '/data' }] }, undefined);
  check('ignore the object', { operations: [{ op: 'ignore' }] }, undefined);
  check('set a value on both sides', { operations: [{ op: 'replace', path: '/data/a~1b', value: '"same"' }] }, undefined);
  check('fit by regular expression', { kind: 'Config.*', name: '[xyz]', operations: [{ op: 'ignore' }] }, undefined);
  check('do not concern other objects', { kind: 'Secret', operations: [{ op: 'ignore' }] }, { data: { 'a/b': '1' } });
  check('fit the whole name only', { name: 'x.+', operations: [{ op: 'ignore' }] }, { data: { 'a/b': '1' } });
  check('survive a pattern that is none, or hostile', { name: '(', operations: [{ op: 'ignore' }] }, { data: { 'a/b': '1' } });
  check('may name what is not there', { jsonPointers: ['/none/at/all', '/list/9'] }, { data: { 'a/b': '1' } });

  it('ignore missing and orphaned objects too', () => {
    const comparePatches = [{ kind: 'ConfigMap', operations: [{ op: 'ignore' }] }];
    assert.deepEqual(drift(desired, undefined, { comparePatches, orphans: [live] }), []);
  });
});

describe('any object', () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ maxDepth: 4 }, fc.string(), fc.integer(), fc.boolean(), fc.array(tie('any'), { maxLength: 3 }), fc.dictionary(fc.constantFrom('name', 'containers', 'a', 'b', 'limits'), tie('any'), { maxKeys: 3, noNullPrototype: true })),
  })).any;

  it('does not differ from itself, nor from itself with keys added', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'spec'), value, { noNullPrototype: true }), value, (desired, extra) => {
        assert.equal(differences(desired, deepClone(desired)), undefined);
        assert.equal(differences(desired, { ...deepClone(desired), added: extra }), undefined);
      }),
    );
  });

  it('is left unchanged by the comparison', () => {
    const desired = object('Secret', { stringData: { a: 'b' } });
    const before = deepClone(desired);
    drift(desired, object('Secret', {}), { comparePatches: [{ jsonPointers: ['/stringData'] }] });
    assert.deepEqual(desired, before);
  });
});
