/** The four styles of bundles, what belongs to one, and where its objects go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Unstructured } from '#apimachinery/meta';
import { utf8 } from '#base/hash';
import { seededRandom } from '#base/random';
import { BundleRenderError, type BundleRenderInput, type BundleRenderOptions, renderBundle } from './index.ts';

const CHART = 'apiVersion: v2\nname: web\nversion: 1.2.3\n';
const TEMPLATE = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-config\ndata:\n  size: "{{ .Values.size }}"\n  upgrade: "{{ .Release.IsUpgrade }}"\n';
const configMap = (name: string, extra = '') => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${extra}`;
const KUSTOMIZATION = 'resources:\n- map.yaml\nnamePrefix: pre-\n';

function render(files: Record<string, string>, options: BundleRenderOptions = {}, input: Partial<BundleRenderInput> = {}) {
  return renderBundle({
    files: new Map(Object.entries(files).map(([path, text]) => [path, utf8(text)])),
    options,
    release: { name: 'web', namespace: 'apps', revision: 1, isUpgrade: false },
    setID: 'default-web',
    isNamespaced: (_apiVersion, kind) => (kind === 'Widget' ? undefined : kind !== 'Namespace'),
    random: seededRandom(1),
    nowMs: 0,
    ...input,
  });
}

/** Style and objects as `Kind/namespace/name`. */
function check(files: Record<string, string>, options: BundleRenderOptions, style: string, objects: string[]): void {
  const rendered = render(files, options);
  assert.equal(rendered.style, style);
  assert.deepEqual(rendered.objects.map(({ kind, metadata }) => `${kind}/${metadata.namespace ?? ''}/${metadata.name}`), objects);
}

test('what is there decides the style', () => {
  const chart = { 'Chart.yaml': CHART, 'templates/map.yaml': TEMPLATE };
  check({ 'map.yaml': configMap('a') }, {}, 'raw', ['ConfigMap/apps/a']);
  check(chart, {}, 'helm', ['ConfigMap/apps/web-config']);
  check({ 'map.yaml': configMap('a'), 'kustomization.yaml': KUSTOMIZATION }, {}, 'kustomize', ['ConfigMap/apps/pre-a']);
  check({ 'map.yaml': configMap('a'), 'k/map.yaml': configMap('b'), 'k/kustomization.yaml': KUSTOMIZATION }, { kustomizeDir: 'k' }, 'kustomize', ['ConfigMap/apps/pre-b']);
  check({ ...chart, 'kustomization.yaml': 'namePrefix: pre-\n' }, {}, 'helm-kustomize', ['ConfigMap/apps/pre-web-config']);
  check({}, {}, 'raw', []);
});

test('a chart may lie in a folder, or where it was fetched to', () => {
  const files = { 'charts/web/Chart.yaml': CHART, 'charts/web/templates/a.yaml': configMap('folder'), '.chart/abc/Chart.yaml': CHART, '.chart/abc/templates/a.yaml': configMap('fetched') };
  check(files, { chart: 'charts/web' }, 'helm', ['ConfigMap/apps/folder']);
  check(files, { chart: './charts/web/' }, 'helm', ['ConfigMap/apps/folder']);
  check(files, { chart: 'web', chartKey: '.chart/abc' }, 'helm', ['ConfigMap/apps/fetched']);
});

test('a chart that is named and not there is an error, not raw YAML', () => {
  const files = { 'charts/web/templates/a.yaml': configMap('a') };
  for (const chart of ['charts/web', '../elsewhere', 'nothing']) assert.throws(() => render(files, { chart }), (error) => error instanceof BundleRenderError && error.message.startsWith(`helm.chart ${JSON.stringify(chart)}:`), chart);
});

test('values and the release reach templates; the chart of the release is the chart', () => {
  const files = { 'Chart.yaml': CHART, 'values.yaml': 'size: 1\nother: kept\n', 'templates/a.yaml': TEMPLATE };
  const { objects, chart, values } = render(files, { values: { size: 2 } }, { release: { name: 'shop', namespace: 'apps', revision: 4, isUpgrade: true } });
  assert.deepEqual([objects[0]?.metadata.name, (objects[0] as unknown as { data: object }).data], ['shop-config', { size: '2', upgrade: 'true' }]);
  assert.deepEqual([chart.name, chart.version, values.other], ['web', '1.2.3', 'kept']);
});

test('a bundle that is no chart gets a made-up one, the same for the same files', () => {
  const version = (files: Record<string, string>) => render(files).chart.version;
  assert.match(version({ 'a.yaml': configMap('a') }), /^v0\.0\.0\+s-[0-9a-f]+$/);
  assert.ok(version({ 'a.yaml': configMap('a') }).length <= 63);
  assert.equal(version({ 'a.yaml': configMap('a') }), version({ 'a.yaml': configMap('a') }));
  assert.notEqual(version({ 'a.yaml': configMap('a') }), version({ 'a.yaml': configMap('b') }));
});

test('hooks are marked like objects, and are none of them', () => {
  const hook = configMap('before', '  annotations:\n    helm.sh/hook: pre-install\n');
  const { objects, hooks } = render({ 'Chart.yaml': CHART, 'templates/hook.yaml': hook, 'templates/a.yaml': TEMPLATE });
  assert.equal(objects.length, 1);
  const marked = hooks.map(({ object }) => (object as Unstructured).metadata);
  assert.deepEqual(marked.map(({ name, namespace, annotations }) => [name, namespace, annotations?.['objectset.rio.cattle.io/id']]), [['before', 'apps', 'default-web']]);
});

test('raw YAML: configuration, nested bundles and charts, overlays and other files do not belong to it', () => {
  const files = {
    'a.yaml': configMap('a'),
    'sub/b.yml': configMap('b'),
    'fleet.yaml': 'namespace: x\n',
    'nested/fleet.yaml': 'namespace: y\n',
    'nested/c.yaml': configMap('c'),
    'chart/Chart.yaml': CHART,
    'chart/templates/d.yaml': configMap('d'),
    'overlays/x/e.yaml': configMap('e'),
    'notes.txt': 'no',
  };
  check(files, {}, 'raw', ['ConfigMap/apps/a', 'ConfigMap/apps/b']);
});

test('lists are taken apart, empty documents left out', () => {
  const list = `apiVersion: v1\nkind: List\nitems:\n- ${configMap('a').replaceAll('\n', '\n  ').trimEnd()}\n- apiVersion: v1\n  kind: List\n  items: []\n`;
  check({ 'list.yaml': list, 'empty.yaml': '', 'comment.yaml': '# nothing\n---\n{}\n' }, {}, 'raw', ['ConfigMap/apps/a']);
});

test('namespaces: cluster-scoped kinds have none, unknown kinds keep what they say unless it is forced', () => {
  const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ns\n  namespace: wrong\n';
  const widget = (text: string) => `apiVersion: x/v1\nkind: Widget\nmetadata:\n  name: w\n${text}`;
  check({ 'a.yaml': namespace }, {}, 'raw', ['Namespace//ns']);
  check({ 'a.yaml': widget('') }, {}, 'raw', ['Widget//w']);
  check({ 'a.yaml': widget('  namespace: own\n') }, {}, 'raw', ['Widget/own/w']);
  check({ 'a.yaml': widget('  namespace: own\n') }, { forceNamespace: true }, 'raw', ['Widget/apps/w']);
});

test('own labels and annotations stay, those of the set and of the bundle are added', () => {
  const text = configMap('a', '  labels:\n    own: "1"\n    team: mine\n  annotations:\n    note: "2"\n');
  const [object] = render({ 'a.yaml': text }, {}, { labels: { team: 'theirs' }, annotations: { added: '3' } }).objects;
  const { 'objectset.rio.cattle.io/hash': hash, ...labels } = object?.metadata.labels ?? {};
  assert.deepEqual([labels, object?.metadata.annotations], [{ own: '1', team: 'theirs' }, { note: '2', added: '3', 'objectset.rio.cattle.io/id': 'default-web' }]);
  assert.match(hash ?? '', /^[0-9a-f]{40}$/);
});

test('every fault names its file, and an overlay both files', () => {
  const fails = (files: Record<string, string>, message: RegExp, options: BundleRenderOptions = {}) => assert.throws(() => render(files, options), message);
  fails({ 'a.yaml': 'kind: ConfigMap\n' }, /^BundleRenderError: a\.yaml:1: has no apiVersion or no kind/);
  fails({ 'a.yaml': `${configMap('a')}---\n- x\n` }, /a\.yaml:\d+: is not a Kubernetes object but a list/);
  fails({ 'a.yaml': 'apiVersion: v1\nkind: List\nitems:\n- x\n' }, /a\.yaml:1 \(item 0\): is not a Kubernetes object/);
  fails({ 'a.yaml': 'a: [\n' }, /a\.yaml: yaml: line 2/);
  fails({ 'overlays/x/a_patch.yaml': '{}' }, /overlays\/x\/a_patch\.yaml: patches a\.yaml, which the bundle does not have/, { overlays: ['x'] });
  fails({ 'a.yaml': `${configMap('a')}---\n${configMap('b')}`, 'overlays/x/a_patch.yaml': '{}' }, /a\.yaml holds 2 objects; a patch needs exactly one/, { overlays: ['x'] });
  fails({ 'a.yaml': configMap('a'), 'overlays/x/a_patch.yaml': '[{"op": "remove", "path": "/nowhere"}]' }, /overlays\/x\/a_patch\.yaml: cannot patch a\.yaml/, { overlays: ['x'] });
  fails({ 'a.yaml': configMap('a') }, /kustomize\.dir "\.\.\/x": leaves the bundle/, { kustomizeDir: '../x' });
});
