/**
 * The three pattern languages of a bundle's files: globs of paths, `.fleetignore`, `.helmignore`.
 * Matching is Go's path/filepath.Match: `*`, `?`, `[a-z]`, `[^a]`, `\` escapes; none of them crosses `/`.
 */

/** Whether `name` matches the whole pattern. Throws an `Error` naming a malformed pattern. */
export function globMatch(pattern: string, name: string): boolean {
  return compile(pattern).test(name);
}

/** True when the pattern has no special characters, so that it names one path only. */
export function isLiteral(pattern: string): boolean {
  return !/[*?[\\]/.test(pattern);
}

const compiled = new Map<string, RegExp>();
/** Patterns kept compiled; the memory is dropped as a whole when it is full. */
const COMPILED_MAX = 500;

function compile(pattern: string): RegExp {
  const known = compiled.get(pattern);
  if (known) return known;
  const expression = new RegExp(`^${translate(pattern)}$`, 'u');
  if (compiled.size >= COMPILED_MAX) compiled.clear();
  compiled.set(pattern, expression);
  return expression;
}

function translate(pattern: string): string {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] as string;
    if (character === '*') {
      // Adjacent stars say no more than one, and would only let a hostile pattern backtrack.
      if (pattern[at - 1] !== '*') source += '[^/]*';
    } else if (character === '?') source += '[^/]';
    else if (character === '\\') source += literal(pattern[++at] ?? malformed(pattern));
    else if (character === '[') {
      const end = classEnd(pattern, at);
      source += translateClass(pattern.slice(at + 1, end), pattern);
      at = end;
    } else source += literal(character);
  }
  return source;
}

function classEnd(pattern: string, start: number): number {
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++;
    else if (pattern[at] === ']' && at > start + 1) return at;
  }
  return malformed(pattern);
}

function translateClass(body: string, pattern: string): string {
  const negated = body.startsWith('^');
  const members = [...(negated ? body.slice(1) : body).matchAll(/\\?(.)(?:-\\?(.))?/gsu)];
  if (members.length === 0) malformed(pattern);
  const ranges = members.map(([, low = '', high]) => {
    if (high !== undefined && low > high) malformed(pattern);
    return high === undefined ? inClass(low) : `${inClass(low)}-${inClass(high)}`;
  });
  return `[${negated ? '^/' : ''}${ranges.join('')}]`;
}

function inClass(character: string): string {
  return /[\\\]^[-]/.test(character) ? `\\${character}` : character;
}

function literal(character: string): string {
  return /[.*+?^${}()|[\]\\/]/.test(character) ? `\\${character}` : character;
}

function malformed(pattern: string): never {
  throw new Error(`malformed pattern ${JSON.stringify(pattern)}`);
}

/** Lines of a `.fleetignore`: no comments, no empty lines, trailing spaces dropped unless escaped. */
export function fleetIgnoreLines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.replace(/([^\\])\s+$/, '$1'))
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
}

/** Whether a `.fleetignore` entry covers a file or folder of this base name. `dir/*` covers a whole folder. */
export function fleetIgnores(entry: string, name: string, isFolder: boolean): boolean {
  if (/^.+\/\*/.test(entry)) return isFolder && entry.replace(/\/\*$/, '') === name;
  return globMatch(entry, name);
}

/** `.helmignore` of one chart: says of a path below the chart whether Helm leaves it out. */
export function helmIgnore(text: string): (path: string, isFolder: boolean) => boolean {
  const rules = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#') && !line.includes('**'))
    .map((line) => {
      const negate = line.startsWith('!');
      const body = negate ? line.slice(1) : line;
      const foldersOnly = body.endsWith('/');
      return { negate, foldersOnly, pattern: foldersOnly ? body.slice(0, -1) : body };
    });
  return (path, isFolder) => {
    for (const { negate, foldersOnly, pattern } of rules) {
      const fits = (!foldersOnly || isFolder) && helmRuleFits(pattern, path);
      if (fits !== negate) return true;
    }
    return false;
  };
}

/** A leading `/` ties to the chart's root, an inner one to the whole path; else the base name counts. */
function helmRuleFits(pattern: string, path: string): boolean {
  if (pattern.startsWith('/')) return globMatch(pattern.slice(1), path);
  if (pattern.includes('/')) return globMatch(pattern, path);
  return globMatch(pattern, path.slice(path.lastIndexOf('/') + 1));
}
