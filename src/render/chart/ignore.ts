/**
 * .helmignore: which files of a chart directory do not belong to the chart. Patterns are those of Go's
 * filepath.Match, one a line; `!` negates, a final `/` means directories, `#` comments (helm.sh/docs,
 * "The .helmignore file"). `**` is refused, as Helm refuses it.
 */
import { ChartError } from './error.ts';

interface Rule {
  negate: boolean;
  directoryOnly: boolean;
  match: (path: string) => boolean;
}

/** Files of the directory that belong to the chart, in the order of a directory walk. */
export function keptFiles(paths: readonly string[], ignoreText: string | undefined): string[] {
  const rules = [...parseIgnore(ignoreText ?? ''), ruleOf('templates/.?*')];
  return paths.filter((path) => !ignored(path, rules)).sort(walkOrder);
}

function parseIgnore(text: string): Rule[] {
  return text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(ruleOf);
}

function ruleOf(line: string): Rule {
  let pattern = line;
  const negate = pattern.startsWith('!');
  if (negate) pattern = pattern.slice(1);
  if (pattern.includes('**')) throw new ChartError('double-star (**) syntax is not supported');
  const directoryOnly = pattern.endsWith('/');
  if (directoryOnly) pattern = pattern.replace(/\/$/, '');
  const rooted = pattern.startsWith('/');
  const whole = rooted || pattern.includes('/');
  const regex = globRegex(rooted ? pattern.slice(1) : pattern);
  return { negate, directoryOnly, match: (path) => regex.test(whole ? path : path.slice(path.lastIndexOf('/') + 1)) };
}

function ignored(path: string, rules: readonly Rule[]): boolean {
  const parts = path.split('/');
  for (let depth = 1; depth <= parts.length; depth++) {
    if (ruleOut(parts.slice(0, depth).join('/'), depth < parts.length, rules)) return true;
  }
  return false;
}

/** The first rule that speaks decides; a negated one throws out what it does not match. */
function ruleOut(path: string, isDirectory: boolean, rules: readonly Rule[]): boolean {
  for (const rule of rules) {
    if (rule.negate) {
      if (rule.directoryOnly && !isDirectory) return true;
      if (!rule.match(path)) return true;
      continue;
    }
    if (rule.directoryOnly && !isDirectory) continue;
    if (rule.match(path)) return true;
  }
  return false;
}

/** filepath.Match as a regular expression. */
export function globRegex(pattern: string): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] as string;
    if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const end = pattern.indexOf(']', i + 2);
      if (end < 0) throw new ChartError('syntax error in pattern');
      source += `[${pattern.slice(i + 1, end).replaceAll('\\', '\\\\')}]`;
      i = end;
    } else if (char === '\\' && i + 1 < pattern.length) source += escape(pattern[++i] as string);
    else source += escape(char);
  }
  return new RegExp(`^${source}$`, 'u');
}

function escape(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}

/** The order of filepath.Walk: entries of a directory by name, a directory's content at its place. */
export function walkOrder(a: string, b: string): number {
  const left = a.split('/');
  const right = b.split('/');
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const x = left[i] as string;
    const y = right[i] as string;
    if (x !== y) return x < y ? -1 : 1;
  }
  return left.length - right.length;
}
