/**
 * `npm run conformance [-- --only REGEX …]`: starts an embedded cluster on a free port and plays the recorded
 * behaviour of a real Kubernetes against it. The recordings are read where they lie, `../shared/kube-conformance`
 * (or `--recordings DIR`); the project's own cases, when there are any, from `test/conformance/`. Prints the
 * failing cases and `N passed, N failed`; the exit code says whether all passed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const TOKEN = 'conformance-admin';
const READY_MS = 30_000;
const STOP_MS = 10_000;

const args = process.argv.slice(2);
const recordingsAt = args.indexOf('--recordings');
const recordings = resolve(recordingsAt >= 0 ? (args.splice(recordingsAt, 2)[1] ?? '') : join(root, '..', 'shared', 'kube-conformance'));
const runner = join(recordings, 'conformance.mjs');

if (!existsSync(runner)) {
  process.stderr.write(`conformance: no recordings at ${recordings}: pass --recordings DIR\n`);
  process.exit(2);
}

const data = mkdtempSync(join(tmpdir(), 'fleet-conformance-'));
const server = spawn(process.execPath, [join(root, 'src/cmd/apiserver.ts'), '--port', '0', '--admin-token', TOKEN, '--data', data, '--nodes', '2', '--node-lease-renewal', '2s'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
let code = 1;
try {
  const url = await ready(server);
  const cases = [join(recordings, 'cases'), join(root, 'test', 'conformance')].filter((path) => existsSync(path));
  code = await run([runner, '--server', url, '--token', TOKEN, '--ca', join(data, 'ca.crt'), ...args, ...cases]);
} finally {
  await stop(server);
  rmSync(data, { recursive: true, force: true });
}
process.exit(code);

/** The URL that the server prints before `ready`. */
function ready(child: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    let text = '';
    const timer = setTimeout(() => fail(new Error(`the server was not ready after ${READY_MS} ms: ${text}`)), READY_MS);
    child.once('exit', (status) => fail(new Error(`the server ended with ${status}`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const url = /^(https:\/\/\S+)/m.exec(text)?.[1];
      if (!url || !/^ready$/m.test(text)) return;
      clearTimeout(timer);
      done(url);
    });
  });
}

function run(argv: string[]): Promise<number> {
  return new Promise((done) => {
    spawn(process.execPath, argv, { stdio: 'inherit' }).once('exit', (status) => done(status ?? 1));
  });
}

function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.once('exit', () => {
      clearTimeout(timer);
      done();
    });
    child.kill('SIGTERM');
  });
}
