/** Letter case by words: snake, kebab, camel, title, swap, as xstrings and goutils (below Sprig) do it. */
import { runes } from '../bytes.ts';

function isUpper(char: string): boolean {
  return /\p{Lu}/u.test(char);
}
function isLower(char: string): boolean {
  return /\p{Ll}/u.test(char);
}
function isSymbol(char: string): boolean {
  return /\p{S}/u.test(char);
}
function isPunctuation(char: string): boolean {
  return !/[\p{L}\p{N}\p{S}\s_-]/u.test(char);
}
function isDigit(char: string): boolean {
  return /\p{Nd}/u.test(char);
}

/** strings.Title: the first letter after a separator; in ASCII all but letters, digits and underscore separate, elsewhere spaces. */
export function titleCase(text: string): string {
  return text.replace(/(^|[\x00-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f\u0085\u00a0\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])(\p{L})/gu, (_all, before: string, char: string) => before + char.toUpperCase());
}

export function swapCase(text: string): string {
  let out = '';
  for (const char of runes(text)) out += isUpper(char) ? char.toLowerCase() : isLower(char) ? char.toUpperCase() : char;
  return out;
}

export function snakeCase(text: string): string {
  return delimited(text, '_');
}

export function kebabCase(text: string): string {
  return delimited(text, '-');
}

const CONNECTOR = /[-_\s]/;

/**
 * Words begin at connectors, at lower-to-upper changes, at the last capital of a run before a small letter,
 * and at digits that small letters follow (`http2xx` → `http_2xx`); such a word takes all digits and small
 * letters that follow.
 */
function delimited(text: string, connector: string): string {
  const chars = Array.from(text);
  let out = '';
  for (let i = 0; i < chars.length; ) {
    const char = chars[i] as string;
    if (CONNECTOR.test(char)) {
      out += connector;
      i++;
      continue;
    }
    const end = wordEnd(chars, i);
    const previous = chars[i - 1];
    if (previous !== undefined && !CONNECTOR.test(previous) && !isPunctuation(previous)) out += connector;
    out += chars.slice(i, end).join('').toLowerCase();
    i = end;
  }
  return out;
}

/** Punctuation stays in a word; a symbol (`<`, `+`, `=`) begins one of its own, which takes digits along. */
function wordEnd(chars: readonly string[], start: number): number {
  const at = (index: number) => chars[index] ?? '';
  const skip = (from: number, test: (char: string) => boolean) => {
    let end = from;
    while (end < chars.length && test(at(end))) end++;
    return end;
  };
  const inner = (char: string) => !isUpper(char) && !CONNECTOR.test(char) && !isSymbol(char);
  if (isSymbol(at(start))) return skip(skip(start, isSymbol), (char) => isDigit(char) || isPunctuation(char));
  if (isDigit(at(start))) return skip(start, inner);
  let end = start;
  if (isUpper(at(start))) {
    const run = skip(start, isUpper);
    // The last capital before a small letter begins the next word.
    if (run - start > 1 && isLower(at(run))) return run - 1;
    end = run;
  }
  for (;;) {
    end = skip(end, (char) => inner(char) && !isDigit(char));
    const digits = skip(end, isDigit);
    if (digits > end && isLower(at(digits))) return end;
    if (digits === end || !inner(at(digits)) || at(digits) === '') return digits;
    end = digits;
  }
}

/** Pascal case: `some_words` → `SomeWords`; a word in capitals keeps only the first. */
export function camelCase(text: string): string {
  if (text !== '' && /^[-_\s]+$/.test(text)) return text + text[0];
  const [, lead = '', body = '', tail = ''] = /^([-_\s]*)([\s\S]*?)([-_\s]*)$/.exec(text) ?? [];
  const inner = body.replace(/([-_\s]*)([^-_\s]+)/g, (_all, connectors: string, word: string) => connectors.slice(0, -1) + pascalWord(word));
  return lead + inner + tail;
}

function pascalWord(word: string): string {
  const chars = Array.from(word);
  const first = chars[0] as string;
  if (!isUpper(first)) return first.toUpperCase() + chars.slice(1).join('');
  let end = 1;
  while (end < chars.length && isUpper(chars[end] as string)) end++;
  return first + chars.slice(1, end).join('').toLowerCase() + chars.slice(end).join('');
}
