/**
 * The three pattern languages of a bundle's files: globs of paths, `.fleetignore`, `.helmignore`.
 * Matching is Go's path/filepath.Match: `*`, `?`, `[a-z]`, `[^a]`, `\` escapes; none of them crosses `/`.
 */

/**
 * Whether `name` matches the whole pattern. Time grows with length × length at most: patterns come from
 * users, and an expression engine could be made to run for ever. Throws an `Error` naming a malformed pattern.
 */
export function globMatch(pattern: string, name: string): boolean {
  const parts = pattern.split('/').map((part) => tokensOf(part, pattern));
  const names = name.split('/');
  return parts.length === names.length && parts.every((tokens, index) => matchSegment(tokens, Array.from(names[index] ?? '')));
}

/** True when the pattern has no special characters, so that it names one path only. */
export function isLiteral(pattern: string): boolean {
  return !/[*?[\\]/.test(pattern);
}

/** `'*'`, or whether a character fits. */
type Token = '*' | ((character: string) => boolean);

function tokensOf(part: string, pattern: string): Token[] {
  const characters = Array.from(part);
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] as string;
    if (character === '*') tokens.push('*');
    else if (character === '?') tokens.push(() => true);
    else if (character === '\\') tokens.push(equals(characters[++at] ?? malformed(pattern)));
    else if (character === '[') {
      const end = classEnd(characters, at, pattern);
      tokens.push(classOf(characters.slice(at + 1, end), pattern));
      at = end;
    } else tokens.push(equals(character));
  }
  return tokens;
}

function equals(wanted: string): Token {
  return (character) => character === wanted;
}

function classEnd(characters: readonly string[], start: number, pattern: string): number {
  for (let at = start + 1; at < characters.length; at++) {
    if (characters[at] === '\\') at++;
    else if (characters[at] === ']' && at > start + 1) return at;
  }
  return malformed(pattern);
}

/** `[a-z]`, `[^a-z]`, with escapes. */
function classOf(body: readonly string[], pattern: string): Token {
  const negated = body[0] === '^';
  const ranges: [string, string][] = [];
  for (let at = negated ? 1 : 0; at < body.length; at++) {
    const low = body[at] === '\\' ? body[++at] : body[at];
    let high = low;
    if (body[at + 1] === '-' && at + 2 < body.length) {
      at += 2;
      high = body[at] === '\\' ? body[++at] : body[at];
    }
    if (low === undefined || high === undefined || low > high) return malformed(pattern);
    ranges.push([low, high]);
  }
  if (ranges.length === 0) return malformed(pattern);
  return (character) => ranges.some(([low, high]) => low <= character && character <= high) !== negated;
}

/** Goes back to the last star only: what an earlier star could do differently, the last one can make up for. */
function matchSegment(tokens: readonly Token[], name: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const current = tokens[token];
    if (current === '*') {
      star = token++;
      starAt = at;
    } else if (current?.(name[at] as string)) {
      token++;
      at++;
    } else if (star >= 0) {
      token = star + 1;
      at = ++starAt;
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === '*');
}

function malformed(pattern: string): never {
  throw new Error(`malformed pattern ${JSON.stringify(pattern.slice(0, 200))}`);
}

/** Lines of a `.fleetignore`: no comments, no empty lines, trailing spaces dropped unless escaped. */
export function fleetIgnoreLines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => {
      const trimmed = line.trimEnd();
      return trimmed.endsWith('\\') && trimmed.length < line.length ? `${trimmed}${line[trimmed.length]}` : trimmed;
    })
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
