/** Flags, connections and charts as the binaries read them. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readFolder, readOwnChart } from './charts.ts';
import { processConnection, readKubeconfig } from './connection.ts';
import { FlagError, parseFlags } from './flags.ts';

const folder = mkdtempSync(join(tmpdir(), 'fleet-ts-adapters-'));
before(() => mkdirSync(join(folder, 'pki')));
after(() => rmSync(folder, { recursive: true, force: true }));

const write = (path: string, text: string): string => {
  writeFileSync(join(folder, path), text);
  return join(folder, path);
};

test('flags come with one dash or two, with = or a blank, and are true without a value', () => {
  const known = ['namespace', 'debug', 'metrics-bind-address'];
  const check = (args: string[], flags: Record<string, string>, words: string[] = []) => assert.deepEqual(parseFlags(args, known), { flags, words });
  check([], {});
  check(['--namespace', 'a'], { namespace: 'a' });
  check(['--namespace=a=b'], { namespace: 'a=b' });
  check(['-namespace=a'], { namespace: 'a' });
  check(['--namespace='], { namespace: '' });
  check(['--debug'], { debug: 'true' });
  check(['--debug', '--namespace', 'a'], { debug: 'true', namespace: 'a' });
  check(['--debug=false'], { debug: 'false' });
  check(['--metrics-bind-address', ':8080', 'word'], { 'metrics-bind-address': ':8080' }, ['word']);
  check(['a', 'b'], {}, ['a', 'b']);
  check(['--namespace', 'a', '--namespace', 'b'], { namespace: 'b' });
});

test('an unknown flag is named, with those that are known', () => {
  assert.throws(() => parseFlags(['--nonsense'], ['debug', 'namespace']), (error) => error instanceof FlagError && error.message === 'unknown flag --nonsense; known: --debug, --namespace');
});

const kubeconfig = (cluster: object) =>
  JSON.stringify({ clusters: [{ name: 'c', cluster }], users: [{ name: 'u', user: { token: 'secret' } }], contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }], 'current-context': 'x' });

test('a kubeconfig may name files, from its own folder on', () => {
  write('pki/ca.crt', 'the CA');
  const file = write('config', kubeconfig({ server: 'https://a.example', 'certificate-authority': 'pki/ca.crt' }));
  const { server, ca } = readKubeconfig(file);
  assert.deepEqual([server, ca], ['https://a.example', 'the CA']);
});

test('what cannot be used says which file, and never what is in it', () => {
  const check = (file: string) => assert.throws(() => readKubeconfig(file), (error) => error instanceof Error && error.message === `kubeconfig ${file} cannot be used` && !String(error.cause).includes('secret'));
  check(join(folder, 'missing'));
  check(write('empty', ''));
  check(write('broken', 'clusters: ['));
  check(write('lost', kubeconfig({ server: 'https://a', 'certificate-authority': 'nowhere.crt' })));
});

test('who we talk to: the flag before KUBECONFIG before the pod', () => {
  const [a, b] = [write('a', kubeconfig({ server: 'https://a.example' })), write('b', kubeconfig({ server: 'https://b.example' }))];
  assert.equal(processConnection(a, { KUBECONFIG: b }).server, 'https://a.example');
  assert.equal(processConnection(undefined, { KUBECONFIG: b }).server, 'https://b.example');
  const account = join(folder, 'var/run/secrets/kubernetes.io/serviceaccount');
  mkdirSync(account, { recursive: true });
  for (const [name, text] of Object.entries({ 'ca.crt': 'CA', token: 't', namespace: 'home\n' })) writeFileSync(join(account, name), text);
  const inPod = processConnection(undefined, { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443', FLEET_TS_ROOT: folder });
  assert.deepEqual([inPod.server, inPod.ca, inPod.namespace], ['https://10.0.0.1:443', 'CA', 'home']);
  assert.throws(() => processConnection(undefined, {}), /no API server: pass --kubeconfig FILE, set KUBECONFIG, or run in a pod/);
});

test('the charts beside the program are found whole', () => {
  for (const name of ['fleet', 'fleet-crd', 'fleet-agent'] as const) {
    const files = readOwnChart(name);
    assert.ok(files.has('Chart.yaml'), name);
    assert.ok([...files.keys()].some((path) => path.startsWith('templates/')), name);
  }
  assert.throws(() => readOwnChart('nothing' as 'fleet'), /chart nothing: not found beside the program/);
});

test('a folder is read by relative path, at any depth, bytes as they are', () => {
  mkdirSync(join(folder, 'tree', 'a', 'b'), { recursive: true });
  writeFileSync(join(folder, 'tree', 'a', 'b', 'c.bin'), Uint8Array.of(0, 255));
  writeFileSync(join(folder, 'tree', 'd'), '');
  assert.deepEqual(new Map([...readFolder(join(folder, 'tree'))].map(([path, bytes]) => [path, [...bytes]])), new Map([['a/b/c.bin', [0, 255]], ['d', []]]));
});
