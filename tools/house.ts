/**
 * The plan of the house as data, and the checks that keep the code true to it. `test/house.test.ts` runs
 * them with all other tests. A room is a folder of `src/` with one door (`index.ts`); the table says whose
 * doors a room may open. See docs/ARCHITECTURE.md for the prose.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Who may enter whom. Keys are rooms, longest prefix wins; values are rooms (and all their sub-rooms). */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  apimachinery: ['base'],
  'api/builtin': ['base', 'apimachinery'],
  'api/fleet': ['base', 'apimachinery', 'api/builtin'],
  core: ['base', 'apimachinery', 'api'],
  'core/target': ['base', 'apimachinery', 'api'],
  'core/health': ['base', 'apimachinery', 'api'],
  'core/diff': ['base', 'apimachinery', 'api'],
  'core/bundle': ['base', 'apimachinery', 'api', 'core/target'],
  'core/rollout': ['base', 'apimachinery', 'api', 'core/target', 'core/rollup'],
  'core/rollup': ['base', 'apimachinery', 'api', 'core/health', 'core/diff'],
  render: ['base', 'apimachinery', 'api/builtin', 'render'],
  'render/rawyaml': ['base'],
  'render/gotemplate': ['base', 'render/rawyaml'],
  'render/chart': ['base', 'apimachinery', 'api/builtin', 'render/gotemplate', 'render/rawyaml'],
  'render/kustomize': ['base', 'apimachinery', 'api/builtin', 'render/rawyaml'],
  'render/bundle': ['base', 'apimachinery', 'api/builtin', 'render'],
  source: ['base', 'render/rawyaml'],
  'kube/workqueue': ['base'],
  'kube/client': ['base', 'apimachinery', 'api/builtin', 'render/rawyaml'],
  'kube/cache': ['base', 'apimachinery', 'kube/client'],
  'kube/leaderelection': ['base', 'apimachinery', 'api/builtin', 'kube/client'],
  'kube/events': ['base', 'apimachinery', 'api/builtin', 'kube/client'],
  'kube/apply': ['base', 'apimachinery', 'api/builtin', 'kube/client'],
  'kube/status': ['base', 'apimachinery', 'kube/client'],
  'kube/controller': ['base', 'apimachinery', 'api/builtin', 'kube/client', 'kube/cache', 'kube/workqueue', 'kube/leaderelection'],
  'kube/manager': ['base', 'apimachinery', 'api/builtin', 'kube'],
  controllers: ['base', 'apimachinery', 'api', 'core', 'kube', 'source', 'render'],
  agent: ['base', 'apimachinery', 'api', 'core', 'render', 'kube', 'source/oci', 'source/helmrepo', 'source/http'],
  ha: ['base', 'apimachinery', 'api', 'core', 'kube'],
  'embedded/storage': ['base'],
  'embedded/apiserver': ['base', 'apimachinery', 'api/builtin', 'embedded/storage', 'render/rawyaml'],
  'embedded/inprocess': ['base', 'apimachinery', 'kube/client', 'embedded/apiserver'],
  'embedded/controlloop': ['base', 'apimachinery', 'api/builtin', 'kube'],
  'embedded/controllermanager': ['base', 'apimachinery', 'api/builtin', 'kube', 'embedded/controlloop'],
  'embedded/scheduler': ['base', 'apimachinery', 'api/builtin', 'kube', 'embedded/controlloop'],
  'embedded/kubelet': ['base', 'apimachinery', 'api/builtin', 'kube', 'embedded/controlloop'],
  embedded: ['base', 'apimachinery', 'api/builtin', 'kube', 'embedded'],
  cli: ['base', 'apimachinery', 'api', 'core', 'render', 'kube', 'source', 'ha'],
  web: ['base', 'apimachinery', 'api', 'core/rollup', 'core/health'],
  cmd: ['*'],
  testing: ['*'],
};

/** Rooms that run anywhere: no `node:` imports (the listed exceptions are reasoned in the files). */
const NEUTRAL = ['base', 'apimachinery', 'api', 'core', 'render'];
const NODE_ALLOWED = new Set(['src/base/hash/index.ts']);

/** Rooms whose decisions are synchronous. */
const SYNCHRONOUS = ['core', 'render', 'apimachinery', 'api'];

/** Ambient time, chance and environment, and what to use instead. */
const BANNED: readonly { pattern: RegExp; instead: string }[] = [
  { pattern: /\bDate\.now\(|\bnew Date\(\)/, instead: 'a Clock that was passed in (#base/clock)' },
  { pattern: /(?<![.\w])set(Timeout|Interval)\(/, instead: 'clock.after (#base/clock)' },
  { pattern: /\bMath\.random\(/, instead: 'a Random that was passed in (#base/random)' },
  { pattern: /\bprocess\.env\b/, instead: 'options read once in cmd' },
  { pattern: /\bsystem(Clock|Random)\b/, instead: 'the Clock or Random that cmd passes in' },
  { pattern: /\bstructuredClone\(/, instead: 'deepClone (#base/json)' },
];

export const LIMITS = { functionLinesMax: 70, fileLinesMax: 500, parametersMax: 4 };

/** Files that may be longer: tables and generated data, each with its reason. */
export const LONG_FILES: Readonly<Record<string, string>> = {};

export interface Violation {
  file: string;
  line: number;
  message: string;
}

/** Every violation in the source tree below `root`. */
export function inspect(root: string): Violation[] {
  const files = globSync('src/**/*.ts', { cwd: root }).sort();
  return files.flatMap((file) => inspectFile(root, file, readFileSync(join(root, file), 'utf8')));
}

export function inspectFile(root: string, file: string, text: string): Violation[] {
  const isTest = /\.test\.ts$/.test(file);
  const violations: Violation[] = [];
  const report = (line: number, message: string) => violations.push({ file, line, message });
  const room = roomOf(file.replace(/^src\//, ''));
  if (!room) report(1, 'belongs to no room: add the folder to ROOMS in tools/house.ts');
  else checkImports({ root, file, text, room, isTest, report });
  if (!isTest) {
    checkBanned(file, text, report);
    checkSizes(file, text, report);
  }
  return violations;
}

function roomOf(path: string): string | undefined {
  return Object.keys(ROOMS)
    .filter((room) => path === room || path.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];
}

interface ImportCheck {
  root: string;
  file: string;
  text: string;
  room: string;
  isTest: boolean;
  report: (line: number, message: string) => void;
}

const IMPORT = /^\s*(?:import|export)\b[^'";]*?from\s*'([^']+)'|^\s*import\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm;

function checkImports({ root, file, text, room, isTest, report }: ImportCheck): void {
  for (const match of text.matchAll(IMPORT)) {
    const specifier = match[1] ?? match[2] ?? match[3] ?? '';
    const line = lineOf(text, match.index);
    if (specifier.startsWith('.')) checkRelative(root, file, specifier, (message) => report(line, message));
    else if (specifier.startsWith('#')) checkDoor({ specifier, file, room, isTest, report: (message) => report(line, message) });
    else if (specifier.startsWith('node:') && !isTest && NEUTRAL.includes(room.split('/')[0] ?? '') && !NODE_ALLOWED.has(file)) {
      report(line, `${specifier} in ${room}, which must run anywhere: pass the capability in from cmd`);
    }
  }
}

/** A sub-folder is entered through its own door; a relative import must not leave the door's folder except to a sibling door. */
function checkRelative(root: string, file: string, specifier: string, report: (message: string) => void): void {
  const target = relative(root, join(root, dirname(file), specifier));
  const from = doorFolder(file);
  const to = doorFolder(target);
  const inside = from === to || to.startsWith(`${from}/`) || from.startsWith(`${to}/`);
  const room = (path: string) => roomOf(path.replace(/^src\//, '')) ?? '';
  if (!inside && room(file) !== room(target) && !target.endsWith('/index.ts')) report(`${specifier} reaches into ${room(target)} past its door: import its index.ts`);
  if (room(file) !== room(target) && !mayEnter(room(file), room(target))) report(`${room(file)} may not import ${room(target)} (table in tools/house.ts)`);
}

function doorFolder(path: string): string {
  return dirname(path);
}

function checkDoor({ specifier, file, room, isTest, report }: { specifier: string; file: string; room: string; isTest: boolean; report: (message: string) => void }): void {
  const target = roomOf(specifier.slice(1));
  if (!target) return report(`${specifier} is no room`);
  if (isTest) return;
  if (target === 'testing' && room !== 'testing') return report(`only tests may import ${specifier}`);
  if (target === 'cmd') return report('nobody imports cmd');
  if (target === room && file === `src/${specifier.slice(1)}/index.ts`) return report('imports its own door');
  if (target !== room && !mayEnter(room, target)) report(`${room} may not import ${target} (table in tools/house.ts)`);
}

function mayEnter(room: string, target: string): boolean {
  const allowed = ROOMS[room] ?? [];
  return allowed.some((name) => name === '*' || target === name || target.startsWith(`${name}/`));
}

function checkBanned(file: string, text: string, report: (line: number, message: string) => void): void {
  if (/^src\/(cmd|testing|base\/(clock|random))\//.test(file)) return;
  for (const { pattern, instead } of BANNED) {
    const match = pattern.exec(stripComments(text));
    if (match) report(lineOf(text, text.indexOf(match[0])), `${match[0].trim()}: use ${instead}`);
  }
  if (SYNCHRONOUS.includes(file.split('/')[1] ?? '') && /\basync\b|\bawait\b/.test(stripComments(text).replace(/'[^']*'|`[^`]*`/g, ''))) {
    report(1, 'async in a room of pure decisions');
  }
}

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' ')).replace(/(^|\s)\/\/.*$/gm, '$1');
}

const FUNCTION_START = /^(\s*)(?:export\s+)?(?:default\s+)?(?:async\s+)?(?:function\b|(?:static\s+|private\s+|async\s+|override\s+|get\s+|set\s+|\*|#)*[\w$#]+\s*(?:<[^>]*>)?\([^;]*\{\s*$|(?:const|let)\s+[\w$]+\s*=\s*(?:async\s*)?\([^;]*=>\s*\{\s*$)/;
const NOT_A_FUNCTION = /^\s*(?:if|for|while|switch|catch|return|else|do|try|with|describe|test|it)\b/;

function checkSizes(file: string, text: string, report: (line: number, message: string) => void): void {
  const lines = text.split('\n');
  if (lines.length > LIMITS.fileLinesMax && !LONG_FILES[file] && !/generated/.test(file)) {
    report(1, `${lines.length} lines: split it, ${LIMITS.fileLinesMax} at most`);
  }
  for (const [start, line] of lines.entries()) {
    if (!FUNCTION_START.test(line) || NOT_A_FUNCTION.test(line)) continue;
    const indent = /^\s*/.exec(line)?.[0] ?? '';
    const end = lines.findIndex((other, index) => index > start && new RegExp(`^${indent}\\}`).test(other));
    const length = end < 0 ? 0 : end - start + 1;
    if (length > LIMITS.functionLinesMax) report(start + 1, `function of ${length} lines, ${LIMITS.functionLinesMax} at most`);
  }
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
