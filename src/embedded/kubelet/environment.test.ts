import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, EnvVar, Pod } from '#api/builtin';
import { ContainerConfigError, containerEnvironment, expand, type References } from './environment.ts';

const pod: Pod = { metadata: { name: 'p', namespace: 'ns', uid: 'u', labels: { app: 'x', b: 'y"z' }, annotations: { note: 'n' } }, spec: { containers: [], serviceAccountName: 'sa' } };
const facts = { nodeName: 'node', hostIP: '127.1.1.1', podIP: '127.1.1.2' };
const references: References = {
  secret: (name) => (name === 's' ? { metadata: {}, data: { key: Buffer.from('geheim').toString('base64') } } : undefined),
  configMap: (name) => (name === 'c' ? { metadata: {}, data: { a: '1', b: '2' } } : undefined),
};

function env(variables: EnvVar[], container: Partial<Container> = {}): Record<string, string> {
  return containerEnvironment(pod, { name: 'm', ...container, env: variables }, references, facts);
}

test('variables expand earlier ones, and leave the unknown alone', () => {
  const check = (text: string, expected: string) => assert.equal(expand(text, { A: '1', B_C: '2' }), expected);
  check('$(A)/$(B_C)', '1/2');
  check('$(X) $A ${A}', '$(X) $A ${A}');
  check('$$(A) $$', '$(A) $');
  check('$(A', '$(A');
});

test('fields of the pod, the node and resources become values', () => {
  const field = (fieldPath: string) => env([{ name: 'X', valueFrom: { fieldRef: { fieldPath } } }])['X'];
  assert.equal(field('metadata.name'), 'p');
  assert.equal(field("metadata.labels['app']"), 'x');
  assert.equal(field("metadata.annotations['none']"), '');
  assert.equal(field('metadata.labels'), 'app="x"\nb="y\\"z"');
  assert.equal(field('spec.serviceAccountName'), 'sa');
  assert.equal(field('spec.nodeName'), 'node');
  assert.equal(field('status.podIP'), '127.1.1.2');
  const resource = (name: string, divisor?: string) => env([{ name: 'X', valueFrom: { resourceFieldRef: { resource: name, ...(divisor ? { divisor } : {}) } } }], { resources: { limits: { cpu: '1500m', memory: '1Gi' } } })['X'];
  assert.equal(resource('limits.cpu'), '2');
  assert.equal(resource('limits.cpu', '1m'), '1500');
  assert.equal(resource('limits.memory', '1Mi'), '1024');
});

test('own variables win over envFrom, and optional references may be missing', () => {
  const container = { envFrom: [{ configMapRef: { name: 'c' } }, { secretRef: { name: 's' }, prefix: 'S_' }, { secretRef: { name: 'none', optional: true } }] };
  assert.deepEqual(env([{ name: 'a', value: 'own' }, { name: 'o', valueFrom: { secretKeyRef: { name: 'none', key: 'k', optional: true } } }], container), { a: 'own', b: '2', S_key: 'geheim' });
});

test('a missing required reference is named', () => {
  const check = (variable: EnvVar['valueFrom'], message: string) => assert.throws(() => env([{ name: 'X', ...(variable ? { valueFrom: variable } : {}) }]), (error) => error instanceof ContainerConfigError && error.message === message);
  check({ secretKeyRef: { name: 'none', key: 'k' } }, 'secret "none" not found');
  check({ secretKeyRef: { name: 's', key: 'k' } }, `couldn't find key k in secret "s"`);
  check({ configMapKeyRef: { name: 'none', key: 'k' } }, 'configmap "none" not found');
});
