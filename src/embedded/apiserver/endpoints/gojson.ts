/**
 * What Go's JSON scanner says about text that is not JSON. Only used to word the error after `JSON.parse`
 * has refused a body; clients see these messages.
 */

/** The message, or undefined when the text is JSON after all. */
export function goSyntaxError(text: string): string | undefined {
  const scanner = new Scanner(text);
  return scanner.check();
}

const END = 'unexpected end of JSON input';

class SyntaxFault extends Error {}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  check(): string | undefined {
    try {
      this.#value('looking for beginning of value', 0);
      this.#space();
      if (this.#at < this.#text.length) this.#fail('after top-level value');
      return undefined;
    } catch (error) {
      if (error instanceof SyntaxFault) return error.message;
      throw error;
    }
  }

  #fail(context: string): never {
    if (this.#at >= this.#text.length) throw new SyntaxFault(END);
    throw new SyntaxFault(`invalid character ${quote(String.fromCodePoint(this.#text.codePointAt(this.#at) as number))} ${context}`);
  }

  #space(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? 'x')) this.#at++;
  }

  #value(context: string, depth: number): void {
    if (depth > 10_000) throw new SyntaxFault('exceeded max depth');
    this.#space();
    const start = this.#text[this.#at];
    if (start === '{') return this.#object(depth);
    if (start === '[') return this.#array(depth);
    if (start === '"') return this.#string();
    if (start === '-' || (start !== undefined && start >= '0' && start <= '9')) return this.#number();
    for (const literal of ['true', 'false', 'null']) if (start === literal[0]) return this.#literal(literal);
    return this.#fail(context);
  }

  #literal(literal: string): void {
    for (const letter of literal) {
      if (this.#text[this.#at] !== letter) this.#fail(`in literal ${literal} (expecting ${quote(letter)})`);
      this.#at++;
    }
  }

  #object(depth: number): void {
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === '}') return void this.#at++;
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#fail('looking for beginning of object key string');
      this.#string();
      this.#space();
      if (this.#text[this.#at] !== ':') this.#fail('after object key');
      this.#at++;
      this.#value('looking for beginning of value', depth + 1);
      this.#space();
      if (this.#text[this.#at] === '}') return void this.#at++;
      if (this.#text[this.#at] !== ',') this.#fail('after object key:value pair');
      this.#at++;
    }
  }

  #array(depth: number): void {
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === ']') return void this.#at++;
    for (;;) {
      this.#value('looking for beginning of value', depth + 1);
      this.#space();
      if (this.#text[this.#at] === ']') return void this.#at++;
      if (this.#text[this.#at] !== ',') this.#fail('after array element');
      this.#at++;
    }
  }

  #string(): void {
    this.#at++;
    for (;;) {
      const letter = this.#text[this.#at];
      if (letter === undefined || letter < ' ') this.#fail('in string literal');
      if (letter === '"') return void this.#at++;
      if (letter === '\\') this.#escape();
      else this.#at++;
    }
  }

  #escape(): void {
    this.#at++;
    const letter = this.#text[this.#at];
    if (letter === undefined || !'"\\/bfnrtu'.includes(letter)) this.#fail('in string escape code');
    this.#at++;
    if (letter !== 'u') return;
    for (let i = 0; i < 4; i++) {
      if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? '')) this.#fail('in \\u hexadecimal character escape');
      this.#at++;
    }
  }

  #number(): void {
    if (this.#text[this.#at] === '-') this.#at++;
    if (!this.#digit()) this.#fail('in numeric literal');
    if (this.#text[this.#at] === '0') this.#at++;
    else while (this.#digit()) this.#at++;
    if (this.#text[this.#at] === '.') {
      this.#at++;
      if (!this.#digit()) this.#fail('after decimal point in numeric literal');
      while (this.#digit()) this.#at++;
    }
    if (this.#text[this.#at] === 'e' || this.#text[this.#at] === 'E') {
      this.#at++;
      if (this.#text[this.#at] === '+' || this.#text[this.#at] === '-') this.#at++;
      if (!this.#digit()) this.#fail('in exponent of numeric literal');
      while (this.#digit()) this.#at++;
    }
  }

  #digit(): boolean {
    const letter = this.#text[this.#at];
    return letter !== undefined && letter >= '0' && letter <= '9';
  }
}

function quote(letter: string): string {
  if (letter === "'") return `'\\''`;
  if (letter === '"') return `'"'`;
  return `'${JSON.stringify(letter).slice(1, -1)}'`;
}
