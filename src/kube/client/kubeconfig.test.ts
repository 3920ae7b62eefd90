/** Kubeconfig texts to connections. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inClusterConnection, parseKubeconfig, type KubeconfigOptions } from './index.ts';

const config = (user: string, cluster = 'server: https://c.example:6443/') => `
apiVersion: v1
kind: Config
current-context: main
contexts:
- name: main
  context: { cluster: c, user: u, namespace: ns }
- name: anonymous
  context: { cluster: c }
clusters:
- name: c
  cluster: { ${cluster} }
users:
- name: u
  user: ${user}
`;

const check = (name: string, user: string, expected: unknown, options: KubeconfigOptions = {}) =>
  test(name, () => assert.deepEqual(parseKubeconfig(config(user), options).auth, expected));

check('a token', '{ token: abc }', { kind: 'token', token: 'abc' });
check('a token file, relative to the kubeconfig', '{ tokenFile: t, token: abc }', { kind: 'tokenFile', path: '/etc/k/t' }, { baseDir: '/etc/k/' });
check('basic credentials', '{ username: u, password: p }', { kind: 'basic', username: 'u', password: 'p' });
check('an exec plugin on the PATH', '{ exec: { command: aws, args: [eks, 1], env: [{ name: A, value: b }], apiVersion: client.authentication.k8s.io/v1beta1 } }', {
  kind: 'exec', command: 'aws', args: ['eks', '1'], env: { A: 'b' }, apiVersion: 'client.authentication.k8s.io/v1beta1',
});
check('an exec plugin by path', '{ exec: { command: ./bin/x } }', { kind: 'exec', command: '/k/./bin/x', args: [], env: {}, apiVersion: 'client.authentication.k8s.io/v1' }, { baseDir: '/k' });
check('another context, without a user', '{ token: abc }', { kind: 'none' }, { context: 'anonymous' });

test('certificates come inline or from files; inline wins', () => {
  const data = Buffer.from('PEM').toString('base64');
  const files: string[] = [];
  const text = config(`{ client-certificate-data: ${data}, client-certificate: ignored, client-key: k.pem }`, `server: "https://[::1]:1", certificate-authority: /abs/ca.pem, tls-server-name: kubernetes, insecure-skip-tls-verify: true`);
  const connection = parseKubeconfig(text, { baseDir: '/k', readFile: (path) => (files.push(path), `file ${path}`) });
  assert.deepEqual(connection, { server: 'https://[::1]:1', ca: 'file /abs/ca.pem', insecureSkipTlsVerify: true, tlsServerName: 'kubernetes', cert: 'PEM', key: 'file /k/k.pem', auth: { kind: 'none' }, namespace: 'ns' });
  assert.deepEqual(files, ['/abs/ca.pem', '/k/k.pem']);
});

test('what is wrong is named', () => {
  const fails = (text: string, message: RegExp, options: KubeconfigOptions = {}) => assert.throws(() => parseKubeconfig(text, options), message);
  fails('[]', /not a YAML mapping/);
  fails('{}', /no current-context/);
  fails(config('{}'), /context "other" is not in contexts/, { context: 'other' });
  fails(config('{}', 'server: nonsense'), /cluster.server "nonsense" is not a URL/);
  fails(config('{}', 'server: "https://x", proxy-url: "http://p"'), /proxy-url is not supported/);
  fails(config('{ client-key: k }'), /client-key refers to a file/);
  fails(config('{ auth-provider: { name: gcp } }'), /auth-provider was removed/);
});

test('a pod reaches its API server with its service account, by IPv6 too', () => {
  assert.deepEqual(inClusterConnection({ host: 'fd00::1', port: 443, ca: 'PEM', tokenFile: '/t', namespace: 'a' }), {
    server: 'https://[fd00::1]:443', ca: 'PEM', auth: { kind: 'tokenFile', path: '/t' }, namespace: 'a',
  });
});
