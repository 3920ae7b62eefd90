/** Sprig's regular expressions: RE2 syntax and Go's replacement templates, linear time. */
import { RE2JS } from 're2js';
import { FunctionError } from '../errors.ts';
import { fn, type FunctionTable } from '../functions.ts';
import { strings, type GoInt } from '../value.ts';

/** Compiled expressions one render keeps. */
const CACHE_MAX = 500;

interface Match {
  start: number;
  end: number;
  group(name: string | number): string | undefined;
}

export function regexFunctions(): FunctionTable {
  const cache = new Map<string, RE2JS | string>();
  const compile = (pattern: string): RE2JS => {
    const known = cache.get(pattern) ?? remember(cache, pattern);
    if (typeof known === 'string') throw new FunctionError(known);
    return known;
  };
  const must = <A extends unknown[]>(work: (regex: RE2JS, ...args: A) => unknown) => (pattern: string, ...args: A) => work(compile(pattern), ...args);
  // The variants that do not report errors panic on a bad expression, except regexMatch, which is false.
  const match = (pattern: string, text: string) => {
    try {
      return compile(pattern).matcher(text).find();
    } catch {
      return false;
    }
  };
  const find = must((regex, text: string) => allMatches(regex, text, 1)[0]?.group(0) ?? '');
  const findAll = must((regex, text: string, count: GoInt) => strings(allMatches(regex, text, count.number()).map((one) => one.group(0) ?? '')));
  const replace = must((regex, text: string, replacement: string) => replaceAll(regex, text, (one) => expand(replacement, one)));
  const literal = must((regex, text: string, replacement: string) => replaceAll(regex, text, () => replacement));
  const split = must((regex, text: string, count: GoInt) => strings(splitBy(regex, text, count.number())));
  const table = (name: string, params: readonly string[], call: (...args: never[]) => unknown): FunctionTable => ({
    [`regex${name}`]: fn(params, call),
    [`mustRegex${name}`]: fn(params, call),
  });
  return {
    regexMatch: fn(['string', 'string'], match),
    mustRegexMatch: fn(['string', 'string'], must((regex, text: string) => regex.matcher(text).find())),
    ...table('Find', ['string', 'string'], find),
    ...table('FindAll', ['string', 'string', 'int'], findAll),
    ...table('ReplaceAll', ['string', 'string', 'string'], replace),
    ...table('ReplaceAllLiteral', ['string', 'string', 'string'], literal),
    ...table('Split', ['string', 'string', 'int'], split),
    regexQuoteMeta: fn(['string'], (text: string) => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')),
  };
}

function remember(cache: Map<string, RE2JS | string>, pattern: string): RE2JS | string {
  if (cache.size >= CACHE_MAX) cache.clear();
  const compiled = compileOrProblem(pattern);
  cache.set(pattern, compiled);
  return compiled;
}

function compileOrProblem(pattern: string): RE2JS | string {
  // The library also takes look-arounds, which Go refuses.
  const look = /\(\?<?[=!]/.exec(pattern.replace(/\\[\s\S]|\[(?:\\[\s\S]|[^\]])*\]/g, (skipped) => '.'.repeat(skipped.length)));
  if (look) return `error parsing regexp: invalid or unsupported Perl syntax: \`${look[0].slice(0, look[0].includes('<') ? 4 : 3)}\``;
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Every match, up to `count` (negative: all); an empty match right behind another one does not count. */
function allMatches(regex: RE2JS, text: string, count: number): Match[] {
  const found: Match[] = [];
  const matcher = regex.matcher(text);
  let from = 0;
  let previousEnd = -1;
  while (found.length !== count && from <= text.length && matcher.find(from)) {
    const start = matcher.start();
    const end = matcher.end();
    if (start !== end || start !== previousEnd) found.push(capture(matcher, regex));
    previousEnd = end;
    from = end > start ? end : nextIndex(text, end);
  }
  return found;
}

function nextIndex(text: string, at: number): number {
  return at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
}

function capture(matcher: ReturnType<RE2JS['matcher']>, regex: RE2JS): Match {
  const groups: (string | undefined)[] = [];
  for (let i = 0; i <= matcher.groupCount(); i++) groups.push(matcher.group(i) ?? undefined);
  const names = regex.namedGroups() as Record<string, number>;
  return {
    start: matcher.start(),
    end: matcher.end(),
    group: (name) => groups[typeof name === 'number' ? name : (names[name] ?? groups.length)],
  };
}

function replaceAll(regex: RE2JS, text: string, replacement: (match: Match) => string): string {
  let out = '';
  let last = 0;
  for (const match of allMatches(regex, text, -1)) {
    out += text.slice(last, match.start) + replacement(match);
    last = match.end;
  }
  return out + text.slice(last);
}

/** Regexp.Expand: `$1`, `${name}`, `$$`; the longest run of letters, digits and underscores is the name. */
function expand(template: string, match: Match): string {
  return template.replace(/\$(?:\$|\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))/g, (all, braced?: string, bare?: string) => {
    if (all === '$$') return '$';
    const name = (braced ?? bare) as string;
    return match.group(/^[0-9]+$/.test(name) ? Number(name) : name) ?? '';
  });
}

function splitBy(regex: RE2JS, text: string, count: number): string[] {
  if (count === 0) return [];
  if (regex.pattern() !== '' && text === '') return [''];
  const parts: string[] = [];
  let begin = 0;
  let end = 0;
  for (const match of allMatches(regex, text, count)) {
    if (count > 0 && parts.length === count - 1) break;
    end = match.start;
    if (match.end !== 0) parts.push(text.slice(begin, end));
    begin = match.end;
  }
  if (end !== text.length) parts.push(text.slice(begin));
  return parts;
}
