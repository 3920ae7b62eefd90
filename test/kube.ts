/**
 * `npm run test:kube`: the recorded API cases and the integration tests that can take a server, against a real
 * kube-apiserver and etcd from `KUBEBUILDER_ASSETS`. Cases that need controllers are skipped unless that folder has
 * kube-controller-manager; those that need a scheduler, nodes or a compacted history always are. More arguments go to
 * the runner of the cases (`--only REGEX`, `--verbose`).
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { assetsProblem, startRealKube, type RealKube } from './support/real-kube.ts';

const root = join(import.meta.dirname, '..');
/** Read their server from FLEET_TEST_KUBECONFIG when it is set. */
const INTEGRATION_TESTS = ['src/kube/leaderelection/embedded.e2e.test.ts'];

const assets = process.env['KUBEBUILDER_ASSETS'];
const problem = assetsProblem(assets);
if (problem || !assets) {
  process.stderr.write(`test:kube: ${problem}\n`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'fleet-test-kube-'));
let kube: RealKube | undefined;
let failed = 0;
try {
  kube = await startRealKube(resolve(assets), folder);
  process.stdout.write(`real kube-apiserver at ${kube.url}${kube.hasControllers ? '' : ', without controllers'}\n`);
  failed += await conformance(kube);
  const kubeconfig = join(folder, 'test.kubeconfig');
  writeFileSync(kubeconfig, kube.kubeconfig, { mode: 0o600 });
  failed += await run(['--test', ...INTEGRATION_TESTS], { FLEET_TEST_KUBECONFIG: kubeconfig });
} catch (error) {
  process.stderr.write(`test:kube: ${(error as Error).message}\n`);
  failed = 1;
} finally {
  await kube?.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);

function conformance({ url, token, caFile, hasControllers }: RealKube): Promise<number> {
  const recordings = join(root, '..', 'shared', 'kube-conformance');
  if (!existsSync(join(recordings, 'conformance.mjs'))) {
    process.stdout.write(`no recordings at ${recordings}: cases skipped\n`);
    return Promise.resolve(0);
  }
  const skip = ['scheduler', 'nodes', 'compacted', ...(hasControllers ? [] : ['controllers'])].join(',');
  const cases = [join(recordings, 'cases'), join(root, 'test', 'conformance')].filter((path) => existsSync(path));
  return run([join(recordings, 'conformance.mjs'), '--server', url, '--token', token, '--ca', caFile, '--skip', skip, ...process.argv.slice(2), ...cases], {});
}

/** 0 when it passed. */
function run(args: readonly string[], env: Record<string, string>): Promise<number> {
  return new Promise((done) => {
    spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).once('exit', (status) => done(status === 0 ? 0 : 1));
  });
}
