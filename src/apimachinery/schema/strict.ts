/** Keys that occur twice in one object of a JSON text: `JSON.parse` keeps the last one and tells nobody. */

/** More findings than this are not listed. */
const FINDINGS_MAX = 100;

/** Messages `duplicate field "data.x"`, in the order of the text. Text that is not JSON has none. */
export function findDuplicateFields(text: string): string[] {
  const first = text.trimStart()[0];
  if (first !== '{' && first !== '[') return [];
  const scanner = new Scanner(text);
  try {
    scanner.value('');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [];
  }
  return scanner.found.slice(0, FINDINGS_MAX).map((path) => `duplicate field ${JSON.stringify(path)}`);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

class Scanner {
  readonly found: string[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(path: string): void {
    this.#skipSpace();
    const char = this.#text[this.#at];
    if (char === '{') this.#object(path);
    else if (char === '[') this.#list(path);
    else if (char === '"') this.#string();
    else this.#word();
  }

  #skipSpace(): void {
    while (this.#at < this.#text.length && this.#text.charCodeAt(this.#at) <= 0x20) this.#at += 1;
  }

  #next(): string {
    this.#skipSpace();
    const char = this.#text[this.#at] ?? '';
    this.#at += 1;
    return char;
  }

  #object(path: string): void {
    this.#at += 1;
    const seen = new Set<string>();
    this.#skipSpace();
    if (this.#text[this.#at] === '}') {
      this.#at += 1;
      return;
    }
    do {
      this.#skipSpace();
      const key = JSON.parse(this.#string()) as string;
      const below = path === '' ? key : `${path}.${key}`;
      if (seen.has(key)) this.found.push(below);
      seen.add(key);
      if (this.#next() !== ':') throw new SyntaxError('a colon is expected');
      this.value(below);
    } while (this.#next() === ',');
  }

  #list(path: string): void {
    this.#at += 1;
    this.#skipSpace();
    if (this.#text[this.#at] === ']') {
      this.#at += 1;
      return;
    }
    let index = 0;
    do {
      this.value(`${path}[${index}]`);
      index += 1;
    } while (this.#next() === ',');
  }

  #string(): string {
    const start = this.#at;
    if (this.#text.charCodeAt(start) !== QUOTE) throw new SyntaxError('a string is expected');
    for (this.#at += 1; this.#at < this.#text.length; this.#at += 1) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === BACKSLASH) this.#at += 1;
      else if (code === QUOTE) {
        this.#at += 1;
        return this.#text.slice(start, this.#at);
      }
    }
    throw new SyntaxError('a string without an end');
  }

  #word(): void {
    const start = this.#at;
    while (this.#at < this.#text.length && !/[\s,\]}:]/.test(this.#text[this.#at] ?? '')) this.#at += 1;
    if (this.#at === start) throw new SyntaxError('a value is expected');
  }
}
