/**
 * Bundles each process into one file: a pod starts in a third of the time and half the memory of the
 * unbundled sources (docs/dependencies.md). Entry points are the files of src/cmd and the worker threads.
 */
import { chmodSync, cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'rolldown';

const root = join(import.meta.dirname, '..');
const out = join(root, 'dist');

const ENTRIES: Readonly<Record<string, string>> = {
  fleet: 'src/cmd/fleet.ts',
  fleetcontroller: 'src/cmd/fleetcontroller.ts',
  fleetagent: 'src/cmd/fleetagent.ts',
  'elector-worker': 'src/kube/leaderelection/elector-worker.ts',
};

const entries = Object.fromEntries(Object.entries(ENTRIES).filter(([, file]) => existsSync(join(root, file))));
rmSync(out, { recursive: true, force: true });
await build({
  cwd: root,
  input: entries,
  platform: 'node',
  logLevel: 'warn',
  resolve: { conditionNames: ['node', 'import', 'default'] },
  output: { dir: out, format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'chunk-[hash].js', sourcemap: true, comments: { legal: false }, minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } } },
});
cpSync(join(root, 'charts'), join(out, 'charts'), { recursive: true });
for (const name of Object.keys(entries)) chmodSync(join(out, `${name}.js`), 0o755);
