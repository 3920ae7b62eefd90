import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openSession } from './environment.ts';
import { GitError, type GitCredentials, type GitFiles } from './types.ts';
import { parseRemote } from './url.ts';

interface Written {
  text: string;
  executable: boolean;
}

async function session(url: string, credentials: GitCredentials) {
  const written = new Map<string, Written>();
  const files: GitFiles = {
    makeDir: () => Promise.resolve(),
    remove: (path) => {
      for (const name of written.keys()) if (name.startsWith(path)) written.delete(name);
      return Promise.resolve();
    },
    writePrivate: (path, text, executable = false) => {
      written.set(path, { text, executable });
      return Promise.resolve();
    },
    exists: () => Promise.resolve(false),
    findBySuffix: () => Promise.resolve([]),
  };
  const options = { run: () => Promise.reject(new Error('unused')), files, cacheDir: "/cache/it's", env: { PATH: '/bin', HTTPS_PROXY: 'http://proxy' } };
  const opened = await openSession(options, parseRemote(url, true), credentials, '1');
  return { ...opened, close: () => opened.close(), written };
}

describe('the environment of git', () => {
  it('holds the path, proxies and nothing of the user', async () => {
    const { env, config } = await session('https://h.example/r', {});
    assert.deepEqual([env.PATH, env.HTTPS_PROXY, env.LC_ALL], ['/bin', 'http://proxy', 'C']);
    assert.equal(env.GIT_ASKPASS, 'true', 'a prompt is answered with nothing');
    assert.ok(config.includes('core.hooksPath=/dev/null') && config.includes('credential.helper='));
  });

  const allows = (url: string, protocols: string, credentials: GitCredentials = {}) => it(`allows ${protocols} for ${url}`, async () => assert.equal((await session(url, credentials)).env.GIT_ALLOW_PROTOCOL, protocols));
  allows('https://h.example/r', 'https');
  allows('http://h.example/r', 'http:https');
  allows('git@h.example:r', 'ssh', { insecureSkipHostKey: true });
  allows('/srv/r.git', 'file');

  it('hands over a password by askpass, in the environment, and forgets it', async () => {
    const { env, written, close } = await session('https://h.example/r', { username: 'u', password: 'geheim' });
    assert.equal(written.get(env.GIT_ASKPASS ?? '')?.executable, true);
    assert.deepEqual([env.FLEET_GIT_USERNAME, env.FLEET_GIT_PASSWORD], ['u', 'geheim']);
    assert.ok(![...written.values()].some(({ text }) => text.includes('geheim')), 'the file itself holds no secret');
    await close();
    assert.equal(written.size, 0);
  });

  it('takes user info out of the URL and uses it', async () => {
    const { env } = await session('https://u:p%40ss@h.example/r', {});
    assert.deepEqual([env.FLEET_GIT_USERNAME, env.FLEET_GIT_PASSWORD], ['u', 'p@ss']);
  });

  it('trusts the given authority, or nobody if told so', async () => {
    const { env, written } = await session('https://h.example/r', { caBundle: 'PEM', insecureSkipTLSVerify: true });
    assert.equal(written.get(env.GIT_SSL_CAINFO ?? '')?.text, 'PEM');
    assert.equal(env.GIT_SSL_NO_VERIFY, 'true');
  });
});

describe('ssh', () => {
  it('uses only the given key and known hosts, quoted for the shell', async () => {
    const { env, written } = await session('git@h.example:r', { sshPrivateKey: 'KEY', knownHosts: 'h.example ssh-ed25519 AAA' });
    const command = env.GIT_SSH_COMMAND ?? '';
    for (const part of ['-F /dev/null', 'StrictHostKeyChecking=yes', 'GlobalKnownHostsFile=/dev/null', 'IdentitiesOnly=yes', 'BatchMode=yes']) assert.ok(command.includes(part), part);
    assert.ok(command.endsWith(`-i '/cache/it'\\''s/sessions/1/key'`), command);
    assert.deepEqual([...written.values()].map(({ text }) => text), ['KEY\n', 'h.example ssh-ed25519 AAA']);
  });

  it('checks no host key only when told so', async () => {
    assert.ok((await session('git@h.example:r', { insecureSkipHostKey: true })).env.GIT_SSH_COMMAND?.includes('StrictHostKeyChecking=no'));
    await assert.rejects(session('git@h.example:r', { sshPrivateKey: 'KEY' }), (error) => error instanceof GitError && error.failure === 'host-key');
  });
});
