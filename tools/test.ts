/**
 * Runs the tests in rings, cheapest first, and ends with one line `N passed, N failed`.
 *
 *   npm test                     types, lint, unit, end-to-end
 *   npm run test:crashpoints     every crash point, of which the unit ring tries a few
 *   npm test -- unit [PATTERN]   one ring, optionally only files whose path contains PATTERN
 *
 * Unit tests share one process (400 tests in half a second); end-to-end tests get a process per file and
 * run one file at a time, because they start whole clusters.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

const RING_LIMIT_MS = 15 * 60_000;

function run(command: string, args: readonly string[], onLine?: (line: string) => void): Promise<number> {
  return new Promise((resolve) => {
    const child: ChildProcess = spawn(command, args, { cwd: root, stdio: ['ignore', onLine ? 'pipe' : 'inherit', 'inherit'], env: { ...process.env, FORCE_COLOR: '0' } });
    const limit = setTimeout(() => child.kill('SIGKILL'), RING_LIMIT_MS);
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine?.(line);
    });
    child.on('close', (code) => {
      clearTimeout(limit);
      resolve(code ?? 1);
    });
  });
}

/** A ring that is one command: passes or fails as a whole. */
async function command(name: string, program: string, args: readonly string[]): Promise<Tally> {
  const startMs = Date.now();
  const code = await run(join(root, 'node_modules', '.bin', program), args);
  process.stdout.write(`${code === 0 ? '✔' : '✖'} ${name} (${((Date.now() - startMs) / 1000).toFixed(1)}s)\n`);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** A ring of node:test files; its tally is read from the runner's closing lines. */
async function nodeTests(name: string, files: readonly string[], args: readonly string[]): Promise<Tally> {
  if (files.length === 0) return { passed: 0, failed: 0, skipped: 0 };
  const startMs = Date.now();
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  let closed = false;
  const code = await run(process.execPath, ['--disable-warning=ExperimentalWarning', '--test', '--test-reporter=spec', ...args, ...files], (line) => {
    const closing = /^ℹ (pass|fail|cancelled|skipped|todo) (\d+)$/.exec(line);
    if (closing) {
      closed = true;
      const count = Number(closing[2]);
      if (closing[1] === 'pass') tally.passed += count;
      else if (closing[1] === 'skipped' || closing[1] === 'todo') tally.skipped += count;
      else tally.failed += count;
    } else if (!/^\s*✔|^ℹ|^▶/.test(line) && line.trim() !== '') process.stdout.write(`${line}\n`);
  });
  if (!closed || (code !== 0 && tally.failed === 0)) tally.failed++;
  process.stdout.write(`${tally.failed ? '✖' : '✔'} ${name}: ${tally.passed} passed, ${tally.failed} failed (${((Date.now() - startMs) / 1000).toFixed(1)}s)\n`);
  return tally;
}

function files(pattern: readonly string[], only: string | undefined): string[] {
  return globSync(pattern, { cwd: root })
    .filter((file) => !only || file.includes(only))
    .sort();
}

const e2e = ['src/**/*.e2e.test.ts', 'test/**/*.e2e.test.ts'];
const rings: Readonly<Record<string, (only?: string) => Promise<Tally>>> = {
  types: () => command('types', 'tsc', ['--noEmit', '-p', '.']),
  lint: () => command('lint', 'oxlint', ['--type-aware', '--quiet', 'src', 'test', 'tools']),
  unit: (only) => {
    const slow = new Set(files(e2e, undefined));
    return nodeTests('unit', files(['src/**/*.test.ts', 'test/**/*.test.ts'], only).filter((file) => !slow.has(file)), ['--test-isolation=none']);
  },
  e2e: (only) => nodeTests('end-to-end', files(e2e, only), ['--test-concurrency=1']),
};
/** Rings that are asked for by name: they try exhaustively what the unit ring samples. */
const exhaustive: typeof rings = {
  crashpoints: (only) => {
    process.env.CRASHPOINTS = 'all';
    return nodeTests('crash points', files(['test/crashpoints/*.test.ts'], only), ['--test-concurrency=1']);
  },
};

const [ring, only] = process.argv.slice(2);
const chosen = ring === 'check' ? ['types', 'lint'] : ring ? [ring] : Object.keys(rings);
const total: Tally = { passed: 0, failed: 0, skipped: 0 };
for (const name of chosen) {
  const work = rings[name] ?? exhaustive[name];
  if (!work) throw new Error(`unknown ring ${name}: use ${Object.keys({ ...rings, ...exhaustive }).join(', ')}`);
  const tally = await work(only);
  for (const key of Object.keys(total) as (keyof Tally)[]) total[key] += tally[key];
}
process.stdout.write(`${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ''}\n`);
process.exitCode = total.failed ? 1 : 0;
