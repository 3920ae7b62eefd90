import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { utf8 } from '#base/hash';
import type { SourceTree } from '#base/sourcetree';
import { parseDocuments, parseYaml } from '#render/rawyaml';
import { runApply, UsageError, type FileHost } from '../apply/index.ts';
import { runTest } from './index.ts';

interface Run {
  code: number;
  out: string;
  err: string;
}

function treeOf(files: Record<string, string>): SourceTree {
  return { files: new Map(Object.entries(files).map(([path, text]) => [path, utf8(text)])), links: new Map() };
}

function folder(dir: string): SourceTree {
  const entries = globSync('**/*', { cwd: dir, withFileTypes: true }).filter((entry) => entry.isFile());
  return { files: new Map(entries.map((entry) => [join(entry.parentPath, entry.name).slice(dir.length + 1), readFileSync(join(entry.parentPath, entry.name))])), links: new Map() };
}

function run(command: typeof runApply, args: string[], tree: SourceTree, read: Record<string, string> = {}): Run {
  const result: Run = { code: -1, out: '', err: '' };
  const host: FileHost = {
    readTree: () => tree,
    readFile: (path) => read[path] ?? '',
    writeFile: (path, text) => void (read[path] = text),
    print: (text) => void (result.out += text),
    warn: (text) => void (result.err += text),
    env: { COMMIT: 'fake' },
    gzip: (bytes) => new Uint8Array(gzipSync(bytes)),
    gunzip: (bytes) => new Uint8Array(gunzipSync(bytes)),
    templates: { expand: (text) => text, parseYaml: (text) => parseYaml(text), formatYaml: (value) => JSON.stringify(value) },
    nowMs: 0,
  };
  result.code = command(args, host);
  return result;
}

const UNBUILT = -2;

/** Renderers that other rooms have yet to build say so; that is no failure of the command. */
function unlessUnbuilt(attempt: () => Run): Run {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof Error && /not built in yet/.test(error.message)) return { code: UNBUILT, out: '', err: error.message };
    throw error;
  }
}

const documents = (text: string) => parseDocuments(text).map(({ value }) => value);
const EXAMPLES = join(import.meta.dirname, '../../../../shared/fleet-examples');

describe('golden outputs of fleet-examples', { skip: existsSync(EXAMPLES) ? false : 'the examples are not beside this checkout' }, () => {
  for (const golden of globSync('tests/expected/*/*/*.yaml', { cwd: EXAMPLES }).sort()) {
    const [, , group = '', example = '', file = ''] = golden.split('/');
    it(`${group}/${example}/${file}`, (context) => {
      const tree = folder(join(EXAMPLES, group, example));
      const several = group === 'multi-cluster';
      const env = file.replace('-output.yaml', '');
      const attempt = () =>
        file === 'bundle.yaml' ? run(runApply, [...(several ? ['-n', 'fleet-default'] : []), '-o', '-', 'test'], tree) : run(runTest, several ? ['-l', `env=${env}`] : [], tree);
      const { code, out, err } = unlessUnbuilt(attempt);
      if (code === UNBUILT) return context.skip(err);
      assert.equal(code, 0, err);
      assert.deepEqual(documents(out), documents(readFileSync(join(EXAMPLES, golden), 'utf8')));
    });
  }
});

const MANIFEST = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n';

describe('fleet apply', () => {
  it('prints every bundle of the folder, one document each', () => {
    const { out } = run(runApply, ['-o', '-', 'app'], treeOf({ 'a/fleet.yaml': 'namespace: x', 'a/m.yaml': MANIFEST, 'b/fleet.yml': '', 'b/m.yaml': MANIFEST }));
    assert.deepEqual(documents(out).map((value) => (value as { metadata: { name: string } }).metadata.name), ['app-a', 'app-b']);
  });

  it('prints the good ones, names the fault of the others, and fails', () => {
    const { code, out, err } = run(runApply, ['-o', '-', 'app'], treeOf({ 'a/fleet.yaml': 'nmespace: x', 'a/m.yaml': MANIFEST, 'b/fleet.yaml': '', 'b/m.yaml': MANIFEST }));
    assert.equal(code, 1);
    assert.equal(documents(out).length, 1);
    assert.equal(err, 'a/fleet.yaml:1: nmespace: unknown field: did you mean "namespace"?\n');
  });

  it('takes the flags of the git job', () => {
    const targets = 'targets: [{clusterSelector: {}}]\ntargetRestrictions: [{clusterSelector: {}}]\n';
    const args = ['-o', '-', '-l', 'a=b,c=d', '-n', 'ns', '--target-namespace', 'forced', '--targets-file', 't.yaml', '--sync-generation', '4', '--paused', '--correct-drift', '--commit', 'c1', 'app', 'sub'];
    const [bundle] = documents(run(runApply, args, treeOf({ 'sub/m.yaml': MANIFEST }), { 't.yaml': targets }).out) as { metadata: object; spec: Record<string, unknown> }[];
    assert.deepEqual(bundle?.metadata, { name: 'app-sub', namespace: 'ns', labels: { a: 'b', c: 'd', 'fleet.cattle.io/commit': 'c1' } });
    const { namespace, targetRestrictions, forceSyncGeneration, paused, correctDrift } = bundle?.spec ?? {};
    assert.deepEqual({ namespace, targetRestrictions, forceSyncGeneration, paused, correctDrift }, { namespace: 'forced', targetRestrictions: [{ clusterSelector: {} }], forceSyncGeneration: 4, paused: true, correctDrift: { enabled: true, force: false, keepFailHistory: false } });
  });

  it('says how it is used', () => {
    for (const args of [[], ['app'], ['-o', '-', '--nonsense', 'app'], ['-o', '-', '-l', 'novalue', 'app']]) assert.throws(() => run(runApply, args, treeOf({})), UsageError);
  });
});

describe('fleet test', () => {
  const fleetYaml = 'defaultNamespace: d\nhelm: {values: {e: global.fleet.clusterLabels.env}}\ntargetCustomizations:\n- {name: dev, clusterSelector: {matchLabels: {env: dev}}, namespace: forced}\n- {name: rest, clusterSelector: {}}\n';
  const tree = treeOf({ 'fleet.yaml': fleetYaml, 'm.yaml': MANIFEST, 'nested/fleet.yaml': '', 'nested/n.yaml': MANIFEST });
  const namespaceOf = ({ out }: Run) => (documents(out)[0] as { metadata: { namespace?: string } } | undefined)?.metadata.namespace;

  it('prints what a cluster with these labels gets', () => {
    assert.equal(namespaceOf(run(runTest, ['-l', 'env=dev'], tree)), 'forced');
    const rest = run(runTest, ['-l', 'env=prod'], tree);
    assert.equal(namespaceOf(rest), undefined);
    assert.equal(rest.err, '# Matched: rest\n');
    assert.equal(documents(rest.out).length, 1, 'nested bundles are not part of it');
  });

  it('takes a target by name, and may print nothing else', () => {
    assert.equal(namespaceOf(run(runTest, ['-t', 'dev'], tree)), 'forced');
    assert.deepEqual(run(runTest, ['-q', '-t', 'dev'], tree), { code: 0, out: '', err: '# Matched: dev\n' });
  });

  it('reads a Bundle that apply printed', () => {
    const bundle = run(runApply, ['-o', '-', 'test'], tree).out.split('---\n')[0] ?? '';
    assert.equal(run(runTest, ['-b', 'bundle.yaml', '-l', 'env=dev'], treeOf({}), { 'bundle.yaml': bundle }).out, run(runTest, ['-l', 'env=dev'], tree).out);
  });

  it('fails when nothing matches, and names a fault', () => {
    assert.deepEqual(run(runTest, ['-l', 'a=b'], treeOf({ 'm.yaml': MANIFEST })), { code: 1, out: '', err: 'no match found\n' });
    assert.throws(() => run(runTest, [], treeOf({ 'fleet.yaml': 'a: b: c', 'm.yaml': MANIFEST })), /fleet.yaml:1: broken YAML/);
  });
});
