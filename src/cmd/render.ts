/**
 * `npm run -s render -- chart …` and `… kustomize …`: what `helm template` and `kubectl kustomize` print.
 * Errors go to standard error, exit code 1. Reads files and flags; the rendering is in `#render`.
 */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { Random } from '#base/random';
import { ARCHIVE_LIMITS, loadChart, loadChartArchive, mergeMaps, parseSet, parseValues, renderChart, type Chart, type RenderedChart, type Values } from '#render/chart';
import { buildKustomization } from '#render/kustomize';
import { dumpYaml } from '#render/rawyaml';
import { nodeRenderCrypto } from './adapters/render-crypto.ts';

const USAGE = `usage: render chart DIR|TGZ [--release NAME] [--namespace NS] [-f VALUES]… [--set K=V]… [--set-string K=V]…
                    [--set-json K=JSON]… [--set-file K=PATH]… [--kube-version V] [--api-versions A]…
                    [--include-crds] [--no-hooks] [--skip-tests] [--skip-schema-validation] [--is-upgrade] [--notes]
       render kustomize DIR`;

interface Flags {
  positional: string[];
  values: Map<string, string[]>;
}

const BOOLEAN = new Set(['include-crds', 'no-hooks', 'skip-tests', 'skip-schema-validation', 'is-upgrade', 'notes', 'help']);
const SHORT: Readonly<Record<string, string>> = { f: 'values', n: 'namespace', a: 'api-versions', h: 'help' };

function parseFlags(args: readonly string[]): Flags {
  const flags: Flags = { positional: [], values: new Map() };
  for (let i = 0; i < args.length; i++) {
    const match = /^--?([A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(args[i] as string);
    if (!match) {
      flags.positional.push(args[i] as string);
      continue;
    }
    const name = SHORT[match[1] as string] ?? (match[1] as string);
    const value = match[2] ?? (BOOLEAN.has(name) ? 'true' : args[++i]);
    if (value === undefined) throw new Error(`--${name} needs a value`);
    flags.values.set(name, [...(flags.values.get(name) ?? []), value]);
  }
  return flags;
}

const last = (flags: Flags, name: string): string | undefined => flags.values.get(name)?.at(-1);
const has = (flags: Flags, name: string): boolean => last(flags, name) === 'true';

const random: Random = { next: () => randomBytes(4).readUInt32BE() / 2 ** 32 };

function gunzip(bytes: Uint8Array): Uint8Array {
  return gunzipSync(bytes, { maxOutputLength: ARCHIVE_LIMITS.totalBytesMax + 1024 });
}

/** Every file below a directory, symbolic links followed while they stay files or folders of it. */
function readTree(root: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const visit = (folder: string, seen: readonly string[]) => {
    const real = realpathSync(folder);
    if (seen.includes(real)) throw new Error(`${folder}: symbolic links form a cycle`);
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) visit(path, [...seen, real]);
      else files.set(relative(root, path).split('\\').join('/'), readFileSync(path));
    }
  };
  visit(root, []);
  return files;
}

function openChart(path: string): Chart {
  if (statSync(path).isDirectory()) return loadChart(readTree(path), { gunzip });
  return loadChartArchive(readFileSync(path), gunzip);
}

/** Helm's order: files first, then JSON, plain, string and file settings. */
function userValues(flags: Flags): Values {
  let values: Values = {};
  for (const file of (flags.values.get('values') ?? []).flatMap((list) => list.split(','))) values = mergeMaps(values, parseValues(readFileSync(file, 'utf8'), file));
  for (const text of flags.values.get('set-json') ?? []) values = withJson(values, text);
  for (const text of flags.values.get('set') ?? []) parseSet(text, values);
  for (const text of flags.values.get('set-string') ?? []) parseSet(text, values, { asText: true });
  for (const text of flags.values.get('set-file') ?? []) {
    const [key = '', path = ''] = text.split('=');
    const holder: Values = {};
    parseSet(`${key}=placeholder`, holder, { asText: true });
    values = mergeMaps(values, fillLeaf(holder, readFileSync(path, 'utf8')));
  }
  return values;
}

function withJson(values: Values, text: string): Values {
  if (text.trimStart().startsWith('{')) return mergeMaps(values, JSON.parse(text) as Values);
  const equals = text.indexOf('=');
  const holder: Values = {};
  parseSet(`${text.slice(0, equals)}=placeholder`, holder, { asText: true });
  return mergeMaps(values, fillLeaf(holder, JSON.parse(text.slice(equals + 1))));
}

function fillLeaf(holder: Values, value: unknown): Values {
  const filled: Values = {};
  for (const [key, inner] of Object.entries(holder)) {
    filled[key] = inner === 'placeholder' ? value : Array.isArray(inner) ? inner.map((item) => (item === 'placeholder' ? value : (item as unknown))) : fillLeaf(inner as Values, value);
  }
  return filled;
}

function chartCommand(flags: Flags): string {
  const [path, extra] = flags.positional;
  if (path === undefined || extra !== undefined) throw new Error(USAGE);
  const nowMs = Date.now();
  const kubeVersion = last(flags, 'kube-version');
  const rendered = renderChart(openChart(path), {
    release: { name: last(flags, 'release') ?? 'release-name', namespace: last(flags, 'namespace') ?? 'default', isUpgrade: has(flags, 'is-upgrade') },
    values: userValues(flags),
    capabilities: { ...(kubeVersion === undefined ? {} : { kubeVersion }), extraApiVersions: (flags.values.get('api-versions') ?? []).flatMap((list) => list.split(',')) },
    random,
    nowMs,
    crypto: nodeRenderCrypto(() => nowMs),
    skipSchemaValidation: has(flags, 'skip-schema-validation'),
  });
  for (const warning of rendered.warnings) process.stderr.write(`${warning}\n`);
  return has(flags, 'notes') ? rendered.notes : chartText(rendered, flags);
}

function chartText(rendered: RenderedChart, flags: Flags): string {
  const block = (source: string, text: string) => `---\n# Source: ${source}\n${text}\n`;
  let manifest = '';
  if (has(flags, 'include-crds')) for (const crd of rendered.crds) manifest += block(crd.source, crd.text);
  for (const { source, text } of rendered.manifests) manifest += block(source, text);
  let out = `${manifest.trim()}\n`;
  if (has(flags, 'no-hooks')) return out;
  for (const hook of rendered.hooks) {
    if (has(flags, 'skip-tests') && hook.events.includes('test')) continue;
    out += block(hook.path, hook.text);
  }
  return out;
}

function kustomizeCommand(flags: Flags): string {
  const [path, extra] = flags.positional;
  if (path === undefined || extra !== undefined) throw new Error(USAGE);
  const target = resolve(path);
  const root = kustomizeRoot(target);
  const objects = buildKustomization(readTree(root), relative(root, target) || '.');
  return objects.map((object) => dumpYaml(object)).join('---\n');
}

/** Bases may lie outside the folder: the root is the nearest folder with a `.git`, else as far up as the bases reach. */
function kustomizeRoot(target: string): string {
  let root = target;
  for (const step of outsideReferences(target)) {
    while (relative(root, step).startsWith('..')) root = dirname(root);
  }
  return root;
}

/** Every path a kustomization names, directly or through its bases. */
function outsideReferences(start: string): Set<string> {
  const seen = new Set<string>();
  const visit = (folder: string) => {
    if (seen.has(folder)) return;
    seen.add(folder);
    const file = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'].map((name) => join(folder, name)).find((path) => exists(path));
    if (!file) return;
    for (const match of readFileSync(file, 'utf8').matchAll(/(?:^|[\s'"=:-])((?:\.\.\/)[^\s'",\]}]*|\.\.)(?=$|[\s'",\]}])/gm)) {
      const path = resolve(folder, match[1] as string);
      if (!exists(path)) continue;
      if (statSync(path).isDirectory()) visit(path);
      else seen.add(path);
    }
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (name !== 'node_modules' && name !== '.git' && statSync(path).isDirectory()) visit(path);
    }
  };
  visit(start);
  return seen;
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function main(args: readonly string[]): void {
  try {
    const [command, ...rest] = args;
    const flags = parseFlags(rest);
    if (command !== 'chart' && command !== 'kustomize') throw new Error(USAGE);
    process.stdout.write(command === 'chart' ? chartCommand(flags) : kustomizeCommand(flags));
  } catch (error) {
    process.stderr.write(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

main(process.argv.slice(2));
