import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '#base/clock';
import { utf8Text } from '#base/hash';
import { createGitClient, GitError, nodeGitFiles, nodeGitRunner, parseGitmodules, parseRemote, refCandidates, resolveModuleUrl, type GitFailure, type GitOptions, type GitRunner } from './index.ts';

const PATH = process.env.PATH ?? '';
const root = mkdtempSync(join(tmpdir(), 'fleet-git-'));
const work = join(root, 'work');
const bare = join(root, 'repo.git');
const run = nodeGitRunner(systemClock);
let first = '';
let second = '';

function git(cwd: string, ...args: string[]): string {
  const env = { PATH, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' };
  return execFileSync('git', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

function client(over: Partial<GitOptions> = {}) {
  const cacheDir = mkdtempSync(join(root, 'cache-'));
  return { cacheDir, ...createGitClient({ run, files: nodeGitFiles, cacheDir, env: { PATH }, allowLocal: true, ...over }) };
}

async function fails(promise: Promise<unknown>, failure: GitFailure, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof GitError, String(error));
    assert.match(error.message, message);
    assert.equal(error.failure, failure);
    return true;
  });
}

before(() => {
  mkdirSync(join(work, 'dir'), { recursive: true });
  git(root, 'init', '-q', '-b', 'main', 'work');
  writeFileSync(join(work, 'a.yaml'), 'one');
  writeFileSync(join(work, 'dir/ü b.bin'), new Uint8Array([0, 255, 10, 13]));
  writeFileSync(join(work, '.gitattributes'), '*.yaml export-ignore eol=crlf\n');
  symlinkSync('a.yaml', join(work, 'link'));
  git(work, 'add', '.');
  git(work, 'commit', '-qm', 'one');
  git(work, 'tag', 'light');
  git(work, 'tag', '-am', 'annotated', 'v1');
  first = git(work, 'rev-parse', 'HEAD');
  writeFileSync(join(work, 'a.yaml'), 'two');
  git(work, 'commit', '-qam', 'two');
  second = git(work, 'rev-parse', 'HEAD');
  git(root, 'clone', '-q', '--bare', 'work', 'repo.git');
});

after(() => rmSync(root, { recursive: true, force: true }));

describe('lsRemote', () => {
  it('finds branches, tags and commits', async () => {
    const { lsRemote } = client();
    assert.equal(await lsRemote(bare, { branch: 'main' }), second);
    assert.equal(await lsRemote(bare, { revision: 'light' }), first);
    assert.equal(await lsRemote(bare, { revision: 'v1' }), first, 'an annotated tag stands for its commit');
    assert.equal(await lsRemote(bare, { branch: 'main', revision: 'v1' }), first, 'revision wins');
    assert.equal(await lsRemote(bare, { revision: first }), first);
  });

  it('says what was not found', async () => {
    const { lsRemote } = client();
    await fails(lsRemote(bare, {}), 'not-found', /branch "master" was not found: correct spec.branch/);
    await fails(lsRemote(bare, { revision: 'v9' }), 'not-found', /revision "v9" was not found: correct spec.revision/);
    await fails(lsRemote(join(root, 'none.git'), { branch: 'main' }), 'not-found', /the repository was not found/);
  });
});

describe('snapshot', () => {
  it('gives the files of a commit as they were committed, links as links', async () => {
    const { snapshot } = client();
    const { tree, commit } = await snapshot(bare, first);
    assert.equal(commit, first);
    assert.deepEqual([...tree.files.keys()].sort(), ['.gitattributes', 'a.yaml', 'dir/ü b.bin']);
    assert.equal(utf8Text(tree.files.get('a.yaml') ?? new Uint8Array()), 'one');
    assert.deepEqual([...(tree.files.get('dir/ü b.bin') ?? [])], [0, 255, 10, 13]);
    assert.deepEqual([...tree.links], [['link', 'a.yaml']]);
  });

  it('needs the remote only once for a commit', async () => {
    const commands: string[] = [];
    const recording: GitRunner = (command) => {
      commands.push(command.args.find((arg) => /^(fetch|ls-tree)$/.test(arg)) ?? '');
      return run(command);
    };
    const { snapshot } = client({ run: recording });
    await Promise.all([snapshot(bare, first), snapshot(bare, first), snapshot(bare, second)]);
    assert.equal(commands.filter((name) => name === 'fetch').length, 2);
  });

  it('does not give one credential what another fetched', async () => {
    const commands: string[] = [];
    const { snapshot } = client({ run: (command) => (commands.push(command.args.join(' ')), run(command)) });
    await snapshot(bare, first, { username: 'a', password: 'x' });
    await snapshot(bare, first, { username: 'b', password: 'y' });
    assert.equal(commands.filter((text) => / fetch /.test(text)).length, 2);
  });

  it('goes on after it was killed in the middle and left locks behind', async () => {
    const { snapshot, cacheDir } = client();
    await snapshot(bare, first);
    const [cache = ''] = readdirSync(cacheDir).filter((name) => name.endsWith('.git'));
    for (const lock of ['shallow.lock', 'config.lock', 'HEAD.lock', 'packed-refs.lock']) writeFileSync(join(cacheDir, cache, lock), '');
    writeFileSync(join(cacheDir, cache, 'HEAD'), 'garbage');
    const { tree } = await snapshot(bare, second);
    assert.equal(utf8Text(tree.files.get('a.yaml') ?? new Uint8Array()), 'two');
  });

  it('keeps to its limits', async () => {
    await fails(client({ limits: { entriesMax: 2 } }).snapshot(bare, first), 'too-large', /entries, at most 2 are taken/);
    await fails(client({ limits: { bytesMax: 3 } }).snapshot(bare, first), 'too-large', /bytes, at most 3 are taken/);
  });

  it('says when a commit is gone', async () => {
    await fails(client().snapshot(bare, '0'.repeat(39) + '1'), 'not-found', /the commit is not there/);
    await fails(client().snapshot(bare, 'HEAD; rm -rf'), 'refused', /is not a full object name/);
  });

  it('brings submodules along', async () => {
    const outer = join(root, 'outer');
    git(root, 'init', '-q', '-b', 'main', 'outer');
    writeFileSync(join(outer, '.gitmodules'), '[submodule "x"]\n\tpath = mods/x\n\turl = ../repo.git\n');
    git(outer, 'add', '.');
    git(outer, 'update-index', '--add', '--cacheinfo', `160000,${first},mods/x`);
    git(outer, 'commit', '-qm', 'outer');
    const { tree, submodules } = await client().snapshot(outer, git(outer, 'rev-parse', 'HEAD'));
    assert.deepEqual(submodules, ['mods/x']);
    assert.equal(utf8Text(tree.files.get('mods/x/a.yaml') ?? new Uint8Array()), 'one');
    assert.equal(tree.links.get('mods/x/link'), 'a.yaml');
  });
});

describe('a run of git', () => {
  const fake = (output: Partial<Awaited<ReturnType<GitRunner>>>): GitRunner => () => Promise.resolve({ code: 128, stdout: new Uint8Array(), stderr: '', ...output });
  const check = (stderr: string, failure: GitFailure, message: RegExp) => it(`explains ${JSON.stringify(stderr)}`, () => fails(client({ run: fake({ stderr }) }).lsRemote('https://user:geheim@host.example/r.git', { branch: 'x' }), failure, message));
  check('fatal: Authentication failed for https://user:geheim@host.example/r.git', 'authentication', /^(?!.*geheim).*check clientSecretName/);
  check('fatal: unable to access: Could not resolve host: host.example', 'network', /cannot be reached/);
  check('fatal: SSL certificate problem: self-signed certificate', 'tls', /set caBundle/);
  check('Host key verification failed.\nfatal: Could not read from remote repository.', 'host-key', /check known_hosts/);
  it('has a time limit', () => fails(client({ run: fake({ code: null, killed: 'timeout' }) }).lsRemote(bare, { branch: 'x' }), 'timeout', /raise gitClientTimeout/));

  it('sees no environment but the scrubbed one, and no secret on its command line', async () => {
    const seen: { args: readonly string[]; env: Readonly<Record<string, string>> }[] = [];
    const recording: GitRunner = ({ args, env }) => (seen.push({ args, env }), Promise.resolve({ code: 0, stdout: Buffer.from(`${first}\trefs/heads/x\n`), stderr: '' }));
    const { lsRemote, cacheDir } = client({ run: recording });
    assert.equal(await lsRemote('https://host.example/r.git', { branch: 'x' }, { username: 'u', password: 'geheim', caBundle: 'pem' }), first);
    const [{ args, env } = { args: [], env: {} as Record<string, string> }] = seen;
    assert.ok(!args.join(' ').includes('geheim'));
    assert.deepEqual(args.slice(args.indexOf('ls-remote')), ['ls-remote', '--quiet', '--', 'https://host.example/r.git', 'refs/heads/x']);
    const { GIT_CONFIG_NOSYSTEM, GIT_CONFIG_GLOBAL, GIT_TERMINAL_PROMPT, GIT_ALLOW_PROTOCOL, HOME } = env;
    assert.deepEqual({ GIT_CONFIG_NOSYSTEM, GIT_CONFIG_GLOBAL, GIT_TERMINAL_PROMPT, GIT_ALLOW_PROTOCOL, HOME }, { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0', GIT_ALLOW_PROTOCOL: 'https', HOME: cacheDir });
    assert.deepEqual(readdirSync(join(cacheDir, 'sessions')), [], 'credential files are gone afterwards');
  });

  it('is stopped by its signal, with its children', async () => {
    const controller = new AbortController();
    const started = run({ args: ['-c', 'alias.wait=!sleep 60', 'wait'], env: { PATH }, cwd: root, timeoutMs: 60_000, outputBytesMax: 10, signal: controller.signal });
    controller.abort();
    assert.equal((await started).killed, 'aborted');
  });

  it('is stopped when it says too much', async () => {
    const output = await run({ args: ['-c', 'alias.talk=!while :; do echo yes; done', 'talk'], env: { PATH }, cwd: root, timeoutMs: 60_000, outputBytesMax: 1000 });
    assert.equal(output.killed, 'output');
  });

  it('asks for ssh host keys', () => fails(client().lsRemote('git@host.example:r.git', { branch: 'x' }), 'host-key', /no known_hosts/));
});

describe('addresses', () => {
  const refused = (url: string, allowLocal = false) => it(`${JSON.stringify(url)} is refused`, () => assert.throws(() => parseRemote(url, allowLocal), GitError));
  for (const url of ['', '-uhttps://x', '--upload-pack=x', 'ext::sh -c x', 'ext::sh', 'fd::17/foo', '/etc', '../x', 'file:///etc', 'https://', 'ssh://-oProxyCommand=x/r', 'ftp://h/r', 'user@-oProxyCommand:r', 'host:-x', 'https://h/ x']) refused(url);
  const accepted = (url: string, transport: string, shown = url) => it(`${JSON.stringify(url)} is ${transport}`, () => assert.deepEqual([parseRemote(url, true).transport, parseRemote(url, true).shown], [transport, shown]));
  accepted('https://github.com/a/b', 'https');
  accepted('https://u:p@h.example/r', 'https', 'https://h.example/r');
  accepted('git@github.com:a/b.git', 'ssh');
  accepted('ssh://git@h.example:2222/r', 'ssh');
  accepted('/srv/r.git', 'file');
  accepted('file:///srv/r.git', 'file');

  for (const branch of ['-x', 'a..b', 'a b', 'a:b', 'a^', 'x@{1}', 'a.lock', '/a', 'a/']) it(`ref ${JSON.stringify(branch)} is refused`, () => assert.throws(() => refCandidates({ branch }), /is malformed/));

  it('of submodules are relative to the parent', () => {
    assert.equal(resolveModuleUrl('https://h.example/a/b.git', '../c.git'), 'https://h.example/a/c.git');
    assert.equal(resolveModuleUrl('git@h.example:a/b.git', '../c.git'), 'git@h.example:a/c.git');
    assert.equal(resolveModuleUrl('/srv/a.git', './x'), '/srv/a.git/x');
    assert.equal(resolveModuleUrl('https://h.example/a', 'https://o.example/x'), 'https://o.example/x');
    assert.throws(() => resolveModuleUrl('https://h.example/a', '../../../x'), /leaves the host/);
    assert.deepEqual([...parseGitmodules('[submodule "a"]\n path = "x y"\n url = u # no\n[other]\n path=z\n')], [['x y', 'u # no']]);
  });
});

/** A git server over HTTP that wants basic authentication: `git http-backend` behind a few lines of CGI. */
function httpBackend(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.authorization !== `Basic ${Buffer.from('user:ge heim').toString('base64')}`) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    return;
  }
  const url = new URL(request.url ?? '/', 'http://localhost');
  const env = { PATH, GIT_PROJECT_ROOT: root, GIT_HTTP_EXPORT_ALL: '1', PATH_INFO: url.pathname, QUERY_STRING: url.search.slice(1), REQUEST_METHOD: request.method ?? 'GET', CONTENT_TYPE: request.headers['content-type'] ?? '', GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''), HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''), REMOTE_USER: 'user' };
  const backend = spawn('git', ['http-backend'], { env });
  request.pipe(backend.stdin);
  const chunks: Buffer[] = [];
  backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  backend.on('close', () => {
    const output = Buffer.concat(chunks);
    const split = output.indexOf('\r\n\r\n');
    for (const line of output.subarray(0, split).toString().split('\r\n')) {
      const [name = '', value = ''] = line.split(/: (.*)/s);
      if (name.toLowerCase() === 'status') response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.end(output.subarray(split + 4));
  });
}

describe('over HTTP with a password', () => {
  let server: Server;
  let url = '';
  before(async () => {
    server = createServer(httpBackend);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/repo.git`;
  });
  after(() => void server.close());

  it('lists and fetches', async () => {
    const { lsRemote, snapshot } = client({ allowLocal: false });
    const credentials = { username: 'user', password: 'ge heim' };
    assert.equal(await lsRemote(url, { branch: 'main' }, credentials), second);
    assert.equal((await snapshot(url, first, credentials)).tree.files.size, 3, 'a commit no ref names');
  });

  it('is refused without', async () => {
    const { lsRemote } = client();
    await fails(lsRemote(url, { branch: 'main' }), 'authentication', /access was refused: check clientSecretName/);
    await fails(lsRemote(url, { branch: 'main' }, { username: 'user', password: 'falsch' }), 'authentication', /^(?!.*falsch)/);
  });
});
