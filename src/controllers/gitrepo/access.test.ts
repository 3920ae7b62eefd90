/** How a repository is reached, from the GitRepo and its Secret. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GitRepo } from '#api/fleet';
import { type GitAccess, gitAccessOf } from './access.ts';

const encode = (text: string) => Buffer.from(text).toString('base64');

function check(spec: Partial<GitRepo['spec']>, data: Record<string, string> | undefined, access: Partial<GitAccess>): void {
  const repo = { metadata: {}, spec: { repo: 'https://git.example/a', ...spec } } as GitRepo;
  const secret = data && { apiVersion: 'v1', kind: 'Secret', metadata: {}, data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, encode(text)])) };
  assert.deepEqual(gitAccessOf(repo, secret), { url: 'https://git.example/a', branch: 'master', insecureSkipTLSVerify: false, ...access });
}

test('without a Secret: address, branch or revision, and the CA', () => {
  check({}, undefined, {});
  check({ branch: 'main' }, undefined, { branch: 'main' });
  check({ branch: '', revision: 'v1.2.3' }, undefined, { revision: 'v1.2.3' });
  check({ caBundle: encode('PEM'), insecureSkipTLSVerify: true }, undefined, { caBundle: 'PEM', insecureSkipTLSVerify: true });
});

test('a Secret for passwords, and one for keys', () => {
  check({}, { username: 'u', password: 'p' }, { basicAuth: { username: 'u', password: 'p' } });
  check({}, { username: 'token' }, { basicAuth: { username: 'token', password: '' } });
  check({}, { 'ssh-privatekey': 'KEY', known_hosts: 'HOSTS' }, { ssh: { privateKey: 'KEY', knownHosts: 'HOSTS' } });
  check({}, { 'ssh-privatekey': 'KEY' }, { ssh: { privateKey: 'KEY' } });
  check({}, { other: 'x' }, {});
});
