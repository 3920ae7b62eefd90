import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '#base/hash';
import { seededRandom } from '#base/random';
import { BundleRenderError, type BundleRenderOptions, renderBundle, setHash } from './index.ts';

const DEPLOYMENT = 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n      - name: web\n        image: web:1\n';
const SERVICE = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: elsewhere\n';

function render(files: Record<string, string>, options: BundleRenderOptions = {}) {
  return renderBundle({
    files: new Map(Object.entries(files).map(([path, text]) => [path, utf8(text)])),
    options,
    release: { name: 'web', namespace: 'apps', revision: 1, isUpgrade: false },
    setID: 'default-web',
    isNamespaced: (_apiVersion, kind) => kind !== 'Namespace',
    random: seededRandom(1),
    nowMs: 0,
  });
}

test('raw YAML: every document becomes a marked object with a namespace, in the order of the files', () => {
  const { style, objects } = render({ 'b.yaml': SERVICE, 'a.yaml': `---\n${DEPLOYMENT}---\n# nothing\n`, 'README.md': 'no' });
  assert.equal(style, 'raw');
  assert.deepEqual(objects.map(({ kind, metadata }) => `${kind}/${metadata.namespace}`), ['Deployment/apps', 'Service/elsewhere']);
  assert.equal(objects[0]?.metadata.labels?.['objectset.rio.cattle.io/hash'], setHash('default-web'));
  assert.equal(objects[0]?.metadata.annotations?.['objectset.rio.cattle.io/id'], 'default-web');
});

test('a forced namespace wins, and a cluster-scoped object under it is an error', () => {
  assert.deepEqual(render({ 'b.yaml': SERVICE }, { forceNamespace: true }).objects.map(({ metadata }) => metadata.namespace), ['apps']);
  assert.throws(() => render({ 'n.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: x\n' }, { forceNamespace: true }), /Namespace\/x: is cluster-scoped/);
});

test('overlays add, replace, remove and patch, in the order given', () => {
  const files = {
    'web.yaml': DEPLOYMENT,
    'svc.yaml': SERVICE,
    'overlays/big/web_patch.yaml': 'spec:\n  replicas: 3\n  template:\n    spec:\n      containers:\n      - name: web\n        tty: true\n',
    'overlays/big/extra.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: extra\n',
    'overlays/bare/svc.yaml': '',
    'overlays/bare/web_patch.yaml': '[{"op": "replace", "path": "/spec/replicas", "value": 5}]',
  };
  const kinds = (overlays: string[]) => render(files, { overlays }).objects.map(({ kind }) => kind);
  assert.deepEqual(kinds([]), ['Service', 'Deployment']);
  assert.deepEqual(kinds(['big']), ['ConfigMap', 'Service', 'Deployment']);
  assert.deepEqual(kinds(['big', 'bare']), ['ConfigMap', 'Deployment']);
  const web = render(files, { overlays: ['big', 'bare'] }).objects[1] as unknown as { spec: { replicas: number; template: { spec: { containers: object[] } } } };
  assert.equal(web.spec.replicas, 5);
  assert.deepEqual(web.spec.template.spec.containers, [{ name: 'web', image: 'web:1', tty: true }]);
});

test('what cannot be rendered says where and why', () => {
  assert.throws(() => render({ 'a.yaml': 'just text' }), (error) => error instanceof BundleRenderError && /^a.yaml:1: is not a Kubernetes object/.test(error.message));
  assert.throws(() => render({ 'a.yaml': DEPLOYMENT }, { overlays: ['none'] }), /overlay "none": the bundle has no folder/);
  assert.throws(() => render({ 'a.yaml': DEPLOYMENT }, { kustomizeDir: 'x' }), /has no kustomization.yaml there/);
});
