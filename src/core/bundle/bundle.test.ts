import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { utf8, utf8Text } from '#base/hash';
import type { SourceTree } from '#base/sourcetree';
import { parseYaml } from '#render/rawyaml';
import { buildBundles, buildContent, bundleName, chartFolder, contentName, decodeResource, extractValues, injectValues, requiredCharts, safeConcatName, type BuildOptions, type BuildResult } from './index.ts';
import { lineOf } from './locate.ts';
import { fleetIgnores, globMatch, helmIgnore } from './patterns.ts';

const tools = { parseYaml: (text: string) => parseYaml(text), gzip: (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes)) };

function treeOf(files: Record<string, string | Uint8Array>, links: Record<string, string> = {}): SourceTree {
  return {
    files: new Map(Object.entries(files).map(([path, content]) => [path, typeof content === 'string' ? utf8(content) : content])),
    links: new Map(Object.entries(links)),
  };
}

function build(files: Record<string, string | Uint8Array>, options: Partial<BuildOptions> = {}, links: Record<string, string> = {}): BuildResult {
  return buildBundles(treeOf(files, links), { repoName: 'repo', namespace: 'fleet-default', ...options }, tools);
}

const names = (result: BuildResult) => result.bundles.map(({ bundle }) => bundle.metadata.name);
const resources = (result: BuildResult, at = 0) => (result.bundles[at]?.bundle.spec.resources ?? []).map(({ name }) => name);
const MANIFEST = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';

describe('bundleName', () => {
  const check = (path: string, expected: string | RegExp) =>
    it(`${JSON.stringify(path)} becomes ${expected}`, () => (typeof expected === 'string' ? assert.equal(bundleName(path), expected) : assert.match(bundleName(path), expected)));
  check('repo', 'repo');
  check('repo/single/path', 'repo-single-path');
  check('repo/a--b', 'repo-a-b');
  check('Repo/Path', /^repo-path-[0-9a-f]{8}$/);
  check('repo/a_b', /^repo-a-b-[0-9a-f]{8}$/);
  check('repo/.', /^repo-[0-9a-f]{8}$/);
  check('', /^[0-9a-f]{24}$/);
  // Names Fleet gives to these paths (its own tests), so that an existing installation keeps them.
  check('long-name-test-shortpath-with@char', 'long-name-test-shortpath-with-char-031bab5e');
  check('long-name-test-0.App_ ', 'long-name-test-0-app-5bf6b3fb');
  check('long-name-test--App_-_12.factor', 'long-name-test-app-12-factor-0efbac37');
  check('bundle.name.example.com', 'bundle-name-example-com-645ef821');
  check(`${'1234567890'.repeat(5)}123a`, '12345678901234567890123456789012345678901234567-fdba4');
  check(`${'1234567890'.repeat(4)}123456-1234567`, '1234567890123456789012345678901234567890123456-d0bce');
  check(`repo/${'x'.repeat(80)}`, /^repo-x{42}-[0-9a-f]{5}$/);
  check(`${'a'.repeat(46)}-${'b'.repeat(20)}`, /^a{46}-[0-9a-f]{5}$/);

  it('is always a release name, and keeps paths apart that differ in case or characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (path, other) => {
        assert.match(bundleName(path), /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
        assert.ok(bundleName(path).length <= 53);
        if (path.toLowerCase() === other.toLowerCase() && path !== other) assert.notEqual(bundleName(path), bundleName(other));
      }),
    );
  });

  it('cuts joined names to a label with a hash', () => {
    assert.equal(safeConcatName('a', 'b'), 'a-b');
    const long = safeConcatName('cluster', 'x'.repeat(70));
    assert.equal(long.length, 63);
    assert.match(long, /-[0-9a-f]{5}$/);
  });
});

describe('finding bundles', () => {
  const check = (title: string, paths: string[], options: Partial<BuildOptions>, expected: string[]) =>
    it(title, () => assert.deepEqual(names(build(Object.fromEntries(paths.map((path) => [path, /fleet\.ya?ml$/.test(path) ? '' : MANIFEST])), options)), expected));
  check('the root, when there is loose YAML', ['a.yaml'], {}, ['repo']);
  check('the root, for YAML in folders without fleet.yaml', ['deep/er/a.yml'], {}, ['repo']);
  check('no root bundle when every YAML belongs to a fleet.yaml', ['one/fleet.yaml', 'one/a.yaml', 'two/fleet.yml', 'two/a.yaml'], {}, ['repo-one', 'repo-two']);
  check('the root and folders with fleet.yaml of their own', ['a.yaml', 'sub/fleet.yaml', 'sub/b.yaml'], {}, ['repo', 'repo-sub']);
  check('only below the given paths, globs included', ['x/a/m.yaml', 'x/b/m.yaml', 'y/m.yaml'], { paths: ['x/*'] }, ['repo-x-a', 'repo-x-b']);
  check('a path given twice only once', ['x/a.yaml'], { paths: ['x', '/x', './x/'] }, ['repo-x']);
  check('never in .git', ['a.yaml', '.git/fleet.yaml', '.git/x.yaml'], {}, ['repo']);
  check('exactly what a driven scan lists', ['base/a.yaml', 'base/dev.yaml', 'other/fleet.yaml', 'other/b.yaml'], { bundles: [{ base: 'other' }] }, ['repo-other']);

  it('gives one bundle per options file in a driven scan', () => {
    const files = { 'base/a.yaml': MANIFEST, 'base/dev.yaml': 'namespace: dev', 'base/prod.yaml': 'namespace: prod' };
    const result = build(files, { bundles: [{ base: 'base', options: 'dev.yaml' }, { base: 'base', options: 'prod.yaml' }, { base: 'gone' }] });
    assert.deepEqual(result.bundles.map(({ bundle }) => bundle.spec.namespace), ['dev', 'prod']);
    assert.deepEqual(names(result), ['repo-base-dev', 'repo-base-prod']);
    assert.deepEqual(resources(result), ['a.yaml', 'prod.yaml']);
    assert.match(result.errors[0]?.message ?? '', /"gone" is not in the repository/);
  });

  it('says so when there is nothing', () => {
    assert.match(build({ 'README.md': 'hello' }, { paths: ['nowhere'] }).errors[0]?.message ?? '', /no resource found to deploy: correct spec.paths/);
  });
});

describe('the files of a bundle', () => {
  it('leave out fleet.yaml, hidden entries and values files, but not nested fleet.yaml', () => {
    const files = { 'fleet.yaml': 'helm: {valuesFiles: [v.yaml]}', 'v.yaml': 'a: 1', 'a.yaml': MANIFEST, '.hidden': 'x', '.git/x.yaml': 'x', 'sub/fleet.yaml': '', 'sub/b.yaml': MANIFEST };
    assert.deepEqual(resources(build(files)), ['a.yaml', 'sub/b.yaml', 'sub/fleet.yaml']);
  });

  it('keep configuration files when asked to', () => {
    assert.deepEqual(resources(build({ 'fleet.yaml': 'namespace: x', 'a.yaml': MANIFEST }, { keepConfigFiles: true })), ['a.yaml', 'fleet.yaml']);
  });

  it('obey .fleetignore downwards, not sideways', () => {
    const files = { '.fleetignore': '# none\n*.md\nskip/*\n', 'a.yaml': MANIFEST, 'x.md': '', 'skip/a.yaml': '', 'one/.fleetignore': 'b.yaml\n', 'one/b.yaml': '', 'one/deep/b.yaml': '', 'one/y.md': '', 'two/b.yaml': '' };
    assert.deepEqual(resources(build(files)), ['a.yaml', 'two/b.yaml']);
  });

  it('obey .helmignore inside charts', () => {
    const files = { 'chart/Chart.yaml': 'name: c', 'chart/.helmignore': '*.bak\nci/\n', 'chart/a.bak': '', 'chart/ci/x.yaml': '', 'chart/templates/a.yaml': '', 'b.bak': '' };
    assert.deepEqual(resources(build(files)), ['b.bak', 'chart/Chart.yaml', 'chart/templates/a.yaml']);
  });

  it('follow links that stay inside', () => {
    const files = { 'app/a.yaml': MANIFEST, 'app/dir/c.yaml': MANIFEST };
    assert.deepEqual(resources(build(files, { paths: ['app'] }, { 'app/b.yaml': 'a.yaml', 'app/linked': 'dir' })), ['a.yaml', 'b.yaml', 'dir/c.yaml', 'linked/c.yaml']);
  });

  const refused = (title: string, links: Record<string, string>, message: RegExp) =>
    it(title, () => {
      const result = build({ 'app/a.yaml': MANIFEST, 'secret.yaml': 'x', 'other/b.yaml': MANIFEST }, { paths: ['app', 'other'] }, links);
      assert.deepEqual(names(result), ['repo-other']);
      assert.match(result.errors[0]?.message ?? '', message);
      assert.equal(result.errors[0]?.path, 'app');
    });
  refused('refuse links out of the bundle', { 'app/x.yaml': '../secret.yaml' }, /leaves the bundle/);
  refused('refuse absolute links', { 'app/x.yaml': '/etc/passwd' }, /leaves the bundle/);
  refused('refuse links out of the repository', { 'app/x.yaml': '../../../../etc/passwd' }, /leaves the bundle/);
  refused('refuse links in a circle', { 'app/x.yaml': 'y.yaml', 'app/y.yaml': 'x.yaml' }, /leaves the bundle/);
  refused('refuse links to nothing', { 'app/x.yaml': 'gone.yaml' }, /points to nothing/);

  it('are encoded when they are no text, all of them when the bundle is large', () => {
    const binary = build({ 'a.yaml': MANIFEST, 'b.bin': new Uint8Array([0xff, 0xfe]) }).bundles[0]?.bundle.spec.resources ?? [];
    assert.deepEqual(binary.map(({ encoding }) => encoding), [undefined, 'base64+gz']);
    assert.deepEqual([...decodeResource(binary[1] ?? {}, (bytes) => gunzipSync(bytes))], [0xff, 0xfe]);
    const large = build({ 'a.yaml': MANIFEST, 'b.yaml': `# ${'x'.repeat(1_000_000)}` }).bundles[0]?.bundle.spec.resources ?? [];
    assert.ok(large.every(({ encoding }) => encoding === 'base64+gz'));
  });
});

describe('one broken bundle', () => {
  const check = (title: string, fleetYaml: string, expected: { line?: number; file?: string; message: RegExp }, files: Record<string, string> = {}) =>
    it(title, () => {
      const result = build({ 'good/fleet.yaml': 'namespace: ok', 'good/a.yaml': MANIFEST, 'bad/fleet.yaml': fleetYaml, 'bad/a.yaml': MANIFEST, ...files });
      assert.deepEqual(names(result), ['repo-good']);
      assert.equal(result.errors.length, 1);
      const [error] = result.errors;
      assert.equal(error?.file, expected.file ?? 'bad/fleet.yaml');
      assert.match(error?.message ?? '', expected.message);
      if (expected.line !== undefined) assert.equal(error?.line, expected.line);
    });
  check('broken YAML', 'namespace: x\nhelm:\n  values: {a: [1\n', { message: /broken YAML/ });
  check('a broken values file', 'helm:\n  valuesFiles:\n  - v.yaml\n', { file: 'bad/v.yaml', message: /broken YAML/ }, { 'bad/v.yaml': 'a: b: c\n' });
  check('a values file that is not there', 'helm:\n  valuesFiles: [gone.yaml]\n', { message: /"gone.yaml" is not in the repository/ });
  check('an unknown field', '# comment\nnamespace: x\nhelm:\n  realeaseName: y\n', { line: 4, message: /helm\.realeaseName: unknown field: did you mean "releaseName"\?/ });
  check('an unknown field in a customization', 'targetCustomizations:\n- name: a\n  clusterName: x\n- name: b\n  clusterSelecter: {}\n', { line: 5, message: /targetCustomizations\[1\]\.clusterSelecter: unknown field: did you mean "clusterSelector"/ });
  check('a field of the wrong type', 'helm:\n  atomic: maybe\n', { line: 2, message: /helm\.atomic: holds "maybe", true or false is wanted/ });
  check('a list where fields belong', 'helm:\n- a\n', { line: 1, message: /helm: holds a list, fields are wanted/ });
  check('text instead of fields', 'just text\n', { line: 1, message: /the file holds "just text", not fields/ });
  check('a target that can choose nothing', 'namespace: x\ntargets:\n- name: nobody\n', { line: 3, message: /targets\[0\]: can choose no cluster/ });
  check('an unknown operator', 'targetCustomizations:\n- name: a\n  clusterSelector:\n    matchExpressions:\n    - {key: env, operator: Equals, values: [dev]}\n', { line: 5, message: /operator "Equals" is unknown/ });
  check('In without values', 'targetCustomizations:\n- name: a\n  clusterSelector:\n    matchExpressions:\n    - key: env\n      operator: In\n', { line: 5, message: /operator In needs values/ });
  check('a selector that contradicts itself', 'targetCustomizations:\n- name: a\n  clusterSelector:\n    matchLabels: {env: dev}\n    matchExpressions:\n    - {key: env, operator: NotIn, values: [dev]}\n', { line: 3, message: /contradict each other/ });
  check('a dependency without a name', 'dependsOn:\n- acceptedStates: [Ready]\n', { line: 2, message: /names no bundle/ });
  check('a dependency on an unknown state', 'dependsOn:\n- name: x\n  acceptedStates: [Fine]\n', { line: 3, message: /"Fine" is no bundle state/ });
  check('a release name Helm refuses', `helm:\n  releaseName: ${'x'.repeat(54)}\n`, { line: 2, message: /is no release name/ });
  check('a namespace that is none', 'namespace: Not_A_Namespace\n', { line: 1, message: /is no namespace/ });
  check('a name that is taken', 'name: repo-good\n', { message: /"repo-good" is taken by "good"/ });
});

it('a target of the GitRepo that cannot be understood concerns all bundles', () => {
  const targets = [{ name: 'ok', clusterSelector: {} }, { clusterSelector: { matchExpressions: [{ key: 'env', operator: 'Is' as 'In' }] } }];
  const { bundles, errors } = build({ 'a.yaml': MANIFEST }, { targets });
  assert.deepEqual(bundles, []);
  assert.deepEqual(errors, [{ path: '', file: 'GitRepo repo', message: 'spec.targets[1].clusterSelector.matchExpressions[0]: operator "Is" is unknown: use In, NotIn, Exists, DoesNotExist' }]);
  assert.equal(build({ 'a.yaml': MANIFEST }, { targets: [{}] }).errors.length, 0);
});

describe('fleet.yaml', () => {
  const spec = (fleetYaml: string, options: Partial<BuildOptions> = {}, files: Record<string, string> = {}) => build({ 'fleet.yaml': fleetYaml, 'a.yaml': MANIFEST, ...files }, options).bundles[0]?.bundle;

  it('is read as Go reads it: any case, numbers as text, null as absent', () => {
    const bundle = spec('Namespace: x\nhelm:\n  version: 1.5\n  releasename: r\n  force:\n  values:\nlabels: {num: 1, t: true}\n');
    assert.equal(bundle?.spec.namespace, 'x');
    assert.deepEqual(bundle?.spec.helm, { version: '1.5', releaseName: 'r' });
    assert.deepEqual(bundle?.metadata.labels, { num: '1', t: 'true' });
  });

  it('names the bundle and labels it over what the GitRepo says', () => {
    const bundle = spec('name: mine\nlabels: {a: file}\n', { labels: { a: 'repo', b: 'repo' }, commit: 'c0ffee' });
    assert.equal(bundle?.metadata.name, 'mine');
    assert.deepEqual(bundle?.metadata.labels, { a: 'file', b: 'repo', 'fleet.cattle.io/commit': 'c0ffee' });
  });

  it('folds values files into values, later ones winning', () => {
    const bundle = spec('helm:\n  values: {a: 1, m: {x: 1}}\n  valuesFiles: [one.yaml, sub/two.yaml]\n', {}, { 'one.yaml': 'm: {z: 1}\na: 2\n', 'sub/two.yaml': 'a: 3\n' });
    assert.deepEqual(bundle?.spec.helm?.values, { a: 3, m: { x: 1, z: 1 } });
  });

  it('puts customizations before the targets of the GitRepo, which are restrictions too', () => {
    const bundle = spec('targetCustomizations:\n- clusterName: one\n- {name: two, clusterSelector: {}}\n', { targets: [{ name: 'all', clusterSelector: {} }] });
    assert.deepEqual(bundle?.spec.targets?.map(({ name }) => name), ['target000', 'two', 'all']);
    assert.deepEqual(bundle?.spec.targetRestrictions, [{ name: 'all', clusterSelector: {} }]);
  });

  it('lets overrideTargets replace the targets of the GitRepo', () => {
    const bundle = spec('overrideTargets:\n- clusterName: one\n', { targets: [{ name: 'all', clusterSelector: {} }] });
    assert.deepEqual(bundle?.spec.targets, [{ clusterName: 'one' }]);
    assert.deepEqual(bundle?.spec.targetRestrictions, [{ clusterName: 'one' }]);
  });

  it('aims at cluster group default when nothing says otherwise', () => {
    assert.deepEqual(spec('')?.spec.targets, [{ name: 'default', clusterGroup: 'default' }]);
    assert.deepEqual(spec('', { targets: [] })?.spec.targetRestrictions, [{ name: 'default', clusterGroup: 'default' }]);
  });

  it('yields to what the GitRepo imposes', () => {
    const bundle = spec('namespace: mine\nserviceAccount: mine\ntargets: [{clusterName: x, namespace: y}]\n', { targetNamespace: 'forced', serviceAccount: 'sa', paused: true, keepResources: true, deleteNamespace: true, correctDrift: { enabled: true, force: true }, forceSyncGeneration: 3 });
    assert.deepEqual(bundle?.spec.targets?.map(({ namespace }) => namespace), ['forced']);
    const { namespace, serviceAccount, paused, keepResources, deleteNamespace, correctDrift, forceSyncGeneration } = bundle?.spec ?? {};
    assert.deepEqual({ namespace, serviceAccount, paused, keepResources, deleteNamespace, correctDrift, forceSyncGeneration }, { namespace: 'forced', serviceAccount: 'sa', paused: true, keepResources: true, deleteNamespace: true, correctDrift: { enabled: true, force: true }, forceSyncGeneration: 3 });
  });

  it('makes image scans', () => {
    const result = build({ 'fleet.yaml': 'imageScans:\n- {tagName: web, image: nginx, policy: {semver: {range: ">1"}}}\n', 'a.yaml': MANIFEST });
    assert.deepEqual(result.bundles[0]?.imageScans[0]?.metadata.name, 'imagescan-repo-0');
    assert.equal(result.bundles[0]?.imageScans[0]?.spec.gitrepoName, 'repo');
  });

  it('wants remote charts fetched beforehand, one per variant', () => {
    const files = { 'fleet.yaml': 'helm: {chart: web, repo: https://charts.example, version: "1"}\ntargetCustomizations:\n- {name: new, clusterName: x, helm: {version: "2"}}\n- {name: same, clusterName: y, helm: {values: {a: 1}}}\n' };
    const charts = requiredCharts(treeOf(files), { repoName: 'repo', namespace: 'n' }, tools);
    assert.deepEqual(charts.map(({ version }) => version), ['1', '2']);
    assert.match(build(files).errors[0]?.message ?? '', /could not be fetched/);
    const fetched = new Map(charts.map(({ key }) => [key, new Map([['web/Chart.yaml', utf8('name: web')]])]));
    assert.deepEqual(resources(build(files, { charts: fetched })), charts.map(({ key }) => `${key}/web/Chart.yaml`).sort());
    const [first] = charts;
    assert.equal(chartFolder(new Map([[`${first?.key}/web/Chart.yaml`, '']]), first), `${first?.key}/web`);
    assert.equal(chartFolder(new Map([['Chart.yaml', '']]), { chart: '' }), undefined);
  });
});

describe('lineOf', () => {
  const text = 'a: 1\nlist:\n  - name: x\n    deep:\n      key: 1\n  -\n    name: y\n"quoted": 1\nflow: {a: {b: 1}}\n';
  const check = (path: (string | number)[], line: number) => it(`${path.join('.')} stands in line ${line}`, () => assert.equal(lineOf(text, path), line));
  check(['a'], 1);
  check(['list', 0, 'deep', 'key'], 5);
  check(['list', 1, 'name'], 7);
  check(['list', 1], 6);
  check(['quoted'], 8);
  check(['flow', 'a', 'b'], 9);
  check(['absent'], 1);
});

describe('patterns', () => {
  const check = (pattern: string, name: string, expected: boolean) => it(`${pattern} ${expected ? 'fits' : 'does not fit'} ${name}`, () => assert.equal(globMatch(pattern, name), expected));
  check('*.md', 'a.md', true);
  check('*.md', 'd/a.md', false);
  check('a?c', 'abc', true);
  check('[a-c]x', 'bx', true);
  check('[^a-c]x', 'bx', false);
  check('\\*', '*', true);
  check('a.c', 'abc', false);
  it('refuses what Go refuses', () => assert.throws(() => globMatch('a[]', 'a'), /malformed pattern "a\[\]"/));
  check('a*b*c', 'aXbYbZc', true);
  check('a*b*c', 'aXbYbZ', false);
  check('[\\]x-z]', ']', true);
  check('*', 'ü', true);
  check('x/*', 'x/y', true);
  check('x/*', 'x/y/z', false);
  it('takes no longer for a hostile pattern', () => assert.equal(globMatch('*a'.repeat(100), 'a'.repeat(250) + 'b'), false));
  it('agrees with a plain definition', () => {
    const plain = (pattern: string, name: string): boolean => {
      if (pattern === '') return name === '';
      if (pattern[0] === '*') return plain(pattern.slice(1), name) || (name !== '' && plain(pattern, name.slice(1)));
      return name !== '' && (pattern[0] === '?' || pattern[0] === name[0]) && plain(pattern.slice(1), name.slice(1));
    };
    const text = (letters: string) => fc.array(fc.constantFrom(...letters), { maxLength: 8 }).map((list) => list.join(''));
    fc.assert(fc.property(text('ab*?'), text('ab'), (pattern, name) => assert.equal(globMatch(pattern, name), plain(pattern, name))));
  });
  it('covers folders by dir/*', () => {
    assert.equal(fleetIgnores('dir/*', 'dir', true), true);
    assert.equal(fleetIgnores('dir/*', 'dir', false), false);
  });
  it('knows negation, folders and roots of .helmignore', () => {
    const ignores = helmIgnore('/top.txt\nsub/*.txt\nbuild/\n');
    assert.deepEqual([ignores('top.txt', false), ignores('x/top.txt', false), ignores('sub/a.txt', false), ignores('build', true), ignores('build', false)], [true, false, true, true, false]);
  });
});

describe('Content', () => {
  it('is named by its resources alone', () => {
    const content = buildContent([{ name: 'a', content: '<&>' }], tools.gzip);
    assert.equal(content.metadata.name, contentName([{ name: 'a', content: '<&>' }]));
    assert.match(content.metadata.name ?? '', /^s-[0-9a-f]{61}$/);
    assert.equal(utf8Text(gunzipSync(Buffer.from(content.content ?? '', 'base64'))), '{"resources":[{"name":"a","content":"\\u003c\\u0026\\u003e"}]}');
    assert.notEqual(contentName([{ name: 'a', content: 'x' }]), contentName([{ name: 'a', content: 'y' }]));
  });
});

describe('values', () => {
  it('move to a Secret and back', () => {
    const spec = { helm: { chart: 'c', values: { a: 1 } }, targets: [{ name: 't', helm: { values: { b: [1, { c: null }] } } }, { name: 'u' }] };
    const { spec: bare, data, hash } = extractValues(spec);
    assert.deepEqual(bare, { helm: { chart: 'c' }, targets: [{ name: 't', helm: {} }, { name: 'u' }], valuesHash: hash });
    assert.deepEqual(Object.keys(data), ['values.yaml', 't']);
    assert.deepEqual(injectValues(bare, data), { ...spec, valuesHash: hash });
    assert.throws(() => injectValues(bare, { ...data, t: '{}' }), /does not belong to this version/);
  });
});

const EXAMPLES = join(import.meta.dirname, '../../../../shared/fleet-examples');

describe('golden bundles of fleet-examples', { skip: existsSync(EXAMPLES) ? false : 'the examples are not beside this checkout' }, () => {
  for (const golden of globSync('tests/expected/*/*/bundle.yaml', { cwd: EXAMPLES }).sort()) {
    const example = golden.split('/').slice(2, 4).join('/');
    it(example, () => {
      const files = Object.fromEntries(
        globSync('**/*', { cwd: join(EXAMPLES, example), withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .map((path) => [path.slice(join(EXAMPLES, example).length + 1), readFileSync(path)]),
      );
      const result = buildBundles(treeOf(files), { repoName: 'test', namespace: 'fleet-default', commit: 'fake', keepConfigFiles: true }, tools);
      const expected = parseYaml(readFileSync(join(EXAMPLES, golden), 'utf8')) as { metadata: unknown; spec: { targets: object[]; resources: unknown } };
      const actual = result.bundles[0]?.bundle;
      assert.deepEqual(result.errors, []);
      assert.deepEqual(actual?.spec.resources, expected.spec.resources);
      assert.deepEqual(actual?.spec.targets?.map((target) => ({ correctDrift: {}, ignore: {}, ...target })), expected.spec.targets);
    });
  }
});
