/** strconv.Quote and its relatives. */

const ESCAPES: Readonly<Record<string, string>> = { '\x07': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v', '\\': '\\\\' };
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
/** What Go's unicode.IsPrint refuses: everything but letters, marks, numbers, punctuation, symbols and the space. */
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

/** strconv.Quote; `ascii` gives QuoteToASCII. */
export function quoteGo(text: string, ascii = false): string {
  if (PLAIN.test(text)) return `"${text}"`;
  let out = '"';
  for (const char of text) out += char === '"' ? '\\"' : escapeChar(char, ascii);
  return `${out}"`;
}

export function quoteRune(char: string, ascii = false): string {
  return `'${char === "'" ? "\\'" : char === '"' ? '"' : escapeChar(char, ascii)}'`;
}

function escapeChar(char: string, ascii: boolean): string {
  const short = ESCAPES[char];
  if (short !== undefined) return short;
  const code = char.codePointAt(0) as number;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code < 0x7f || (!ascii && !UNPRINTABLE.test(char))) return char;
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}
