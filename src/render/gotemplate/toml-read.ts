/** A reader of TOML 1.0 into Go values: integers are int64, floats float64, dates stay text. */
import { FunctionError } from './errors.ts';
import { int64, isMap, setKey, type GoMap } from './value.ts';

/** Nested arrays and inline tables. */
const DEPTH_MAX = 200;

export class TomlReader {
  private pos = 0;
  private depth = 0;
  private readonly text: string;
  private readonly root: GoMap = {};

  constructor(text: string) {
    this.text = text.replaceAll('\r\n', '\n');
  }

  document(): GoMap {
    let current = this.root;
    for (;;) {
      this.blank();
      if (this.pos >= this.text.length) return this.root;
      if (this.text[this.pos] === '[') current = this.header();
      else this.assignment(current);
      this.lineEnd();
    }
  }

  private fail(reason: string): never {
    const line = this.text.slice(0, this.pos).split('\n').length;
    throw new FunctionError(`toml: line ${line}: ${reason}`);
  }

  private spaces(): void {
    while (this.text[this.pos] === ' ' || this.text[this.pos] === '\t') this.pos++;
  }

  private comment(): void {
    this.spaces();
    if (this.text[this.pos] === '#') while (this.pos < this.text.length && this.text[this.pos] !== '\n') this.pos++;
  }

  /** Spaces, comments and line breaks. */
  private blank(): void {
    do this.comment();
    while (this.text[this.pos] === '\n' && ++this.pos);
  }

  private lineEnd(): void {
    this.comment();
    if (this.pos < this.text.length && this.text[this.pos] !== '\n') this.fail(`expected a newline or comment, but got ${JSON.stringify(this.text[this.pos])} instead`);
  }

  private header(): GoMap {
    const array = this.text.startsWith('[[', this.pos);
    this.pos += array ? 2 : 1;
    const path = this.key();
    this.expect(array ? ']]' : ']');
    const last = path.pop() as string;
    const parent = path.reduce((map, key) => this.descend(map, key), this.root);
    if (!array) return this.descend(parent, last);
    const list = Object.hasOwn(parent, last) ? parent[last] : [];
    if (!Array.isArray(list)) this.fail(`key ${JSON.stringify(last)} has already been defined`);
    const item: GoMap = {};
    (list as unknown[]).push(item);
    setKey(parent, last, list);
    return item;
  }

  private descend(map: GoMap, key: string): GoMap {
    if (!Object.hasOwn(map, key)) setKey(map, key, {});
    const value = map[key];
    const inner: unknown = Array.isArray(value) ? value.at(-1) : value;
    return isMap(inner) ? inner : this.fail(`key ${JSON.stringify(key)} has already been defined`);
  }

  private expect(text: string): void {
    this.spaces();
    if (!this.text.startsWith(text, this.pos)) this.fail(`expected ${JSON.stringify(text)}`);
    this.pos += text.length;
  }

  private key(): string[] {
    const parts: string[] = [];
    do {
      this.spaces();
      parts.push(this.simpleKey());
      this.spaces();
    } while (this.text[this.pos] === '.' && ++this.pos);
    return parts;
  }

  private simpleKey(): string {
    const char = this.text[this.pos];
    if (char === '"') return this.basicString();
    if (char === "'") return this.literalString();
    const match = /^[A-Za-z0-9_-]+/.exec(this.text.slice(this.pos, this.pos + 500));
    if (!match) this.fail(`unexpected ${JSON.stringify(char ?? 'end of file')} at start of key`);
    this.pos += match[0].length;
    return match[0];
  }

  private assignment(into: GoMap): void {
    const path = this.key();
    this.expect('=');
    this.spaces();
    const last = path.pop() as string;
    const target = path.reduce((map, key) => this.descend(map, key), into);
    if (Object.hasOwn(target, last)) this.fail(`key ${JSON.stringify(last)} has already been defined`);
    setKey(target, last, this.value());
  }

  private value(): unknown {
    if (++this.depth > DEPTH_MAX) this.fail(`nested deeper than ${DEPTH_MAX}`);
    const value = this.valueAt(this.text[this.pos]);
    this.depth--;
    return value;
  }

  private valueAt(char: string | undefined): unknown {
    if (char === '"') return this.text.startsWith('"""', this.pos) ? this.multiline('"""') : this.basicString();
    if (char === "'") return this.text.startsWith("'''", this.pos) ? this.multiline("'''") : this.literalString();
    if (char === '[') return this.array();
    if (char === '{') return this.inlineTable();
    return this.atom();
  }

  private array(): unknown[] {
    this.pos++;
    const list: unknown[] = [];
    for (;;) {
      this.blank();
      if (this.text[this.pos] === ']') break;
      list.push(this.value());
      this.blank();
      if (this.text[this.pos] === ',') this.pos++;
      else if (this.text[this.pos] !== ']') this.fail('expected a comma or array terminator "]"');
    }
    this.pos++;
    return list;
  }

  private inlineTable(): GoMap {
    this.pos++;
    const map: GoMap = {};
    this.spaces();
    while (this.text[this.pos] !== '}') {
      this.assignment(map);
      this.spaces();
      if (this.text[this.pos] === ',') {
        this.pos++;
        this.spaces();
      } else if (this.text[this.pos] !== '}') this.fail('expected a comma or an inline table terminator "}"');
    }
    this.pos++;
    return map;
  }

  private atom(): unknown {
    const raw = /^[^\s,\]}#]+(?: [0-9]{2}:[0-9:.]+[Zz+\-0-9:]*)?/.exec(this.text.slice(this.pos, this.pos + 200))?.[0] ?? '';
    this.pos += raw.length;
    if (raw === 'true' || raw === 'false') return raw === 'true';
    const number = raw.replaceAll('_', '');
    if (/^[+-]?(?:0|[1-9][0-9]*)$/.test(number)) return int64(BigInt(number.replace('+', '')));
    if (/^0(?:x[0-9a-fA-F]+|o[0-7]+|b[01]+)$/.test(number)) return int64(BigInt(number));
    if (/^[+-]?(?:inf|nan)$/.test(number)) return number.endsWith('nan') ? Number.NaN : number.startsWith('-') ? -Infinity : Infinity;
    if (/^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(number)) return Number(number);
    if (/^[0-9]{4}-[0-9]{2}-[0-9]{2}|^[0-9]{2}:[0-9]{2}/.test(raw)) return raw;
    return this.fail(`expected value but found ${JSON.stringify(raw)} instead`);
  }

  private literalString(): string {
    const end = this.text.indexOf("'", this.pos + 1);
    if (end < 0 || this.text.slice(this.pos, end).includes('\n')) this.fail('strings cannot contain newlines');
    const value = this.text.slice(this.pos + 1, end);
    this.pos = end + 1;
    return value;
  }

  private basicString(): string {
    let out = '';
    for (this.pos++; this.text[this.pos] !== '"'; ) {
      const char = this.text[this.pos];
      if (char === undefined || char === '\n') this.fail('strings cannot contain newlines');
      out += char === '\\' ? this.escape() : (this.pos++, char);
    }
    this.pos++;
    return out;
  }

  private escape(): string {
    const match = /^\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/.exec(this.text.slice(this.pos, this.pos + 10));
    if (!match) this.fail('invalid escape');
    this.pos += match[0].length;
    const hex = match[1] ?? match[2];
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    const simple: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', e: '\x1b', '"': '"', '\\': '\\' };
    return simple[match[3] as string] ?? this.fail(`invalid escape character ${JSON.stringify(match[3])}`);
  }

  private multiline(quote: string): string {
    this.pos += 3;
    if (this.text[this.pos] === '\n') this.pos++;
    let out = '';
    while (!this.text.startsWith(quote, this.pos)) {
      const char = this.text[this.pos];
      if (char === undefined) this.fail('unexpected EOF; expected string terminator');
      if (char !== '\\' || quote === "'''") {
        out += char;
        this.pos++;
      } else out += this.continuation() ? '' : this.escape();
    }
    this.pos += 3;
    while (this.text[this.pos] === quote[0]) {
      out += quote[0];
      this.pos++;
    }
    return out;
  }

  /** A backslash at the end of a line joins it with the next text. */
  private continuation(): boolean {
    const match = /^\\[ \t]*\n\s*/.exec(this.text.slice(this.pos));
    if (!match) return false;
    this.pos += match[0].length;
    return true;
  }
}
