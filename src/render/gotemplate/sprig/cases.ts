/** Letter case by words: snake, kebab, camel, title, swap, as xstrings and goutils (below Sprig) do it. */

function isUpper(char: string): boolean {
  return /\p{Lu}/u.test(char);
}
function isLower(char: string): boolean {
  return /\p{Ll}/u.test(char);
}
function isDigit(char: string): boolean {
  return /\p{Nd}/u.test(char);
}

/** strings.Title: the first letter after anything that is no letter, digit, underscore or apostrophe. */
export function titleCase(text: string): string {
  return text.replace(/(?<![\p{L}\p{Nd}_'])\p{L}/gu, (char) => char.toUpperCase());
}

export function swapCase(text: string): string {
  let out = '';
  let afterSpace = true;
  for (const char of text) {
    if (isUpper(char)) out += char.toLowerCase();
    else if (isLower(char)) out += char.toUpperCase();
    else out += char;
    afterSpace = /\s/.test(char);
  }
  return afterSpace ? out : out;
}

export function snakeCase(text: string): string {
  return delimited(text, '_');
}

export function kebabCase(text: string): string {
  return delimited(text, '-');
}

const CONNECTOR = /[-_\s]/;

/** Words begin at connectors, at lower-to-upper changes, and at the last capital of a run before a small letter. */
function delimited(text: string, connector: string): string {
  const chars = Array.from(text);
  let out = '';
  for (const [i, char] of chars.entries()) {
    if (CONNECTOR.test(char)) {
      out += connector;
      continue;
    }
    const previous = chars[i - 1];
    if (previous !== undefined && !CONNECTOR.test(previous) && startsWord(chars, i)) out += connector;
    out += char.toLowerCase();
  }
  return out;
}

function startsWord(chars: readonly string[], i: number): boolean {
  const char = chars[i] as string;
  const previous = chars[i - 1] as string;
  const next = chars[i + 1] ?? '';
  if (isDigit(char)) return !isDigit(previous) && false;
  if (!isUpper(char)) return false;
  if (isUpper(previous)) return isLower(next);
  return true;
}

/** Pascal case: `some_words` → `SomeWords`. */
export function camelCase(text: string): string {
  const lead = /^[-_\s]*/.exec(text)?.[0] ?? '';
  let out = '';
  let upper = true;
  for (const char of Array.from(text.slice(lead.length))) {
    if (CONNECTOR.test(char)) {
      upper = true;
      continue;
    }
    out += upper ? char.toUpperCase() : char;
    upper = false;
  }
  return lead + out;
}
