/**
 * Template text to tokens, by the lexical rules of Go's text/template (package documentation, "Text and
 * spaces", "Actions", and the Go specification for literals). One pass, no look-back beyond a trim marker.
 */
export type TokenType =
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'assign'
  | 'declare'
  | 'pipe'
  | 'string'
  | 'rawString'
  | 'char'
  | 'charConstant'
  | 'number'
  | 'variable'
  | 'field'
  | 'dot'
  | 'identifier'
  | 'bool'
  | 'keyword'
  | '('
  | ')'
  | 'error'
  | 'eof';

export interface Token {
  type: TokenType;
  text: string;
  /** Offset in the template. */
  pos: number;
  line: number;
}

const KEYWORDS = new Set(['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'nil', 'range', 'template', 'with']);
const SPACE = new Set([' ', '\t', '\r', '\n']);
const NUMBER = /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*|0[bB][01_]*|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y;

/** The letters, digits and underscores at an offset. Compiling the Unicode classes takes milliseconds: only where they are needed. */
function wordAt(input: string, pos: number): string {
  let end = pos;
  while (end < input.length) {
    const code = input.charCodeAt(end);
    if (code > 0x7f) return new RegExp(String.raw`[\p{L}\p{Nd}_]*`, 'uy').exec(input.slice(pos))?.[0] ?? '';
    const isWord = (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || (code >= 48 && code <= 57);
    if (!isWord) break;
    end++;
  }
  return input.slice(pos, end);
}

class LexicalError extends Error {}

/** Never throws: a lexical mistake is the last token before `eof`. */
export function lex(input: string): Token[] {
  return new Lexer(input).run();
}

class Lexer {
  private pos = 0;
  private line = 1;
  private depth = 0;
  private readonly tokens: Token[] = [];
  private readonly input: string;

  constructor(input: string) {
    this.input = input;
  }

  run(): Token[] {
    try {
      while (this.pos < this.input.length) {
        this.text();
        if (this.pos < this.input.length) this.action();
      }
    } catch (error) {
      if (!(error instanceof LexicalError)) throw error;
      // Reported when the parser gets there: an earlier mistake of grammar comes first.
      this.tokens.push({ type: 'error', text: error.message, pos: this.pos, line: this.line });
    }
    this.emit('eof', 0);
    return this.tokens;
  }

  private fail(reason: string): never {
    throw new LexicalError(reason);
  }

  private emit(type: TokenType, length: number): void {
    const text = this.input.slice(this.pos, this.pos + length);
    this.tokens.push({ type, text, pos: this.pos, line: this.line });
    this.advance(length);
  }

  private advance(length: number): void {
    for (let i = this.pos; i < this.pos + length; i++) if (this.input.charCodeAt(i) === 10) this.line++;
    this.pos += length;
  }

  private text(): void {
    const open = this.input.indexOf('{{', this.pos);
    const end = open < 0 ? this.input.length : open;
    const trims = open >= 0 && this.input[open + 2] === '-' && SPACE.has(this.input[open + 3] ?? '');
    let length = end - this.pos;
    if (trims) while (length > 0 && SPACE.has(this.input[this.pos + length - 1] as string)) length--;
    if (length > 0) this.emit('text', length);
    this.advance(end - this.pos);
  }

  /** From `{{` to behind `}}`. */
  private action(): void {
    const trims = this.input[this.pos + 2] === '-' && SPACE.has(this.input[this.pos + 3] ?? '');
    const after = this.pos + (trims ? 4 : 2);
    if (this.input.startsWith('/*', after)) return this.comment(after);
    this.emit('open', 2);
    if (trims) this.advance(2);
    this.depth = 0;
    while (!this.close()) this.inside();
  }

  private comment(start: number): void {
    const end = this.input.indexOf('*/', start);
    if (end < 0) this.fail('unclosed comment');
    this.advance(end + 2 - this.pos);
    const trims = this.atTrimmedClose();
    if (!trims && !this.input.startsWith('}}', this.pos)) this.fail('comment ends before closing delimiter');
    this.advance(trims ? 4 : 2);
    if (trims) this.skipSpace();
  }

  private atTrimmedClose(): boolean {
    return SPACE.has(this.input[this.pos] ?? '') && this.input.startsWith('-}}', this.pos + 1);
  }

  private close(): boolean {
    const trims = this.atTrimmedClose();
    if (!trims && !this.input.startsWith('}}', this.pos)) return false;
    if (this.depth > 0) this.fail('unclosed left paren');
    if (trims) this.advance(2);
    this.emit('close', 2);
    if (trims) this.skipSpace();
    return true;
  }

  private skipSpace(): void {
    let length = 0;
    while (SPACE.has(this.input[this.pos + length] ?? '')) length++;
    this.advance(length);
  }

  private inside(): void {
    const char = this.input[this.pos];
    if (char === undefined) this.fail('unclosed action');
    if (SPACE.has(char)) return this.space();
    switch (char) {
      case '=':
        return this.emit('assign', 1);
      case ':':
        if (this.input[this.pos + 1] !== '=') this.fail('expected :=');
        return this.emit('declare', 2);
      case '|':
        return this.emit('pipe', 1);
      case '"':
        return this.quoted();
      case '`':
        return this.raw();
      case "'":
        return this.character();
      case '(':
        this.depth++;
        return this.emit('(', 1);
      case ')':
        if (--this.depth < 0) this.fail('unexpected right paren');
        return this.emit(')', 1);
      default:
        return this.word(char);
    }
  }

  private word(char: string): void {
    if (char === '$') return this.fieldOrVariable('variable');
    const next = this.input[this.pos + 1] ?? '';
    if (char === '.' && !(next >= '0' && next <= '9')) return this.fieldOrVariable('field');
    if ((char >= '0' && char <= '9') || char === '.' || char === '+' || char === '-') return this.number();
    const word = wordAt(this.input, this.pos);
    if (word !== '') return this.identifier(word);
    const code = char.charCodeAt(0);
    if (code >= 0x20 && code <= 0x7e) return this.emit('char', 1);
    return this.fail(`unrecognized character in action: ${unicode(String.fromCodePoint(this.input.codePointAt(this.pos) as number))}`);
  }

  private space(): void {
    let length = 0;
    // A space before `-}}` belongs to the trim marker.
    while (SPACE.has(this.input[this.pos + length] ?? '') && !this.input.startsWith('-}}', this.pos + length + 1)) length++;
    this.emit('space', Math.max(1, length));
  }

  private quoted(): void {
    let i = this.pos + 1;
    for (; this.input[i] !== '"'; i++) {
      if (this.input[i] === undefined || this.input[i] === '\n') this.fail('unterminated quoted string');
      if (this.input[i] === '\\') {
        i++;
        if (this.input[i] === undefined || this.input[i] === '\n') this.fail('unterminated quoted string');
      }
    }
    this.emit('string', i + 1 - this.pos);
  }

  private raw(): void {
    const end = this.input.indexOf('`', this.pos + 1);
    if (end < 0) this.fail('unterminated raw quoted string');
    this.emit('rawString', end + 1 - this.pos);
  }

  private character(): void {
    let i = this.pos + 1;
    for (; this.input[i] !== "'"; i++) {
      if (this.input[i] === undefined || this.input[i] === '\n') this.fail('unterminated character constant');
      if (this.input[i] === '\\') i++;
    }
    this.emit('charConstant', i + 1 - this.pos);
  }

  private number(): void {
    NUMBER.lastIndex = this.pos;
    const text = NUMBER.exec(this.input)?.[0] ?? '';
    const end = String.fromCodePoint(this.input.codePointAt(this.pos + text.length) ?? 32);
    if (text === '' || wordAt(end, 0) !== '') {
      const bad = this.input.slice(this.pos, this.pos + text.length + end.length);
      this.fail(`bad number syntax: ${JSON.stringify(bad)}`);
    }
    this.emit('number', text.length);
  }

  private fieldOrVariable(type: 'field' | 'variable'): void {
    const name = wordAt(this.input, this.pos + 1);
    if (name === '') {
      if (!this.atTerminator(this.pos + 1)) this.badCharacter(this.pos + 1);
      return this.emit(type === 'field' ? 'dot' : 'variable', 1);
    }
    if (!this.atTerminator(this.pos + 1 + name.length)) this.badCharacter(this.pos + 1 + name.length);
    this.emit(type, 1 + name.length);
  }

  private identifier(word: string): void {
    if (!this.atTerminator(this.pos + word.length)) this.badCharacter(this.pos + word.length);
    const type = KEYWORDS.has(word) ? 'keyword' : word === 'true' || word === 'false' ? 'bool' : 'identifier';
    this.emit(type, word.length);
  }

  private badCharacter(pos: number): never {
    return this.fail(`bad character ${unicode(String.fromCodePoint(this.input.codePointAt(pos) as number))}`);
  }

  private atTerminator(pos: number): boolean {
    const char = this.input[pos];
    return char === undefined || SPACE.has(char) || '.,|:()'.includes(char) || this.input.startsWith('}}', pos);
  }
}

function unicode(char: string): string {
  const hex = (char.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0');
  return `U+${hex} '${char}'`;
}
