/**
 * How one string is written as a YAML scalar by Go's writer: plain, quoted or as a literal block, folded
 * at 80 columns. The rules are libyaml's, seen through go.yaml.in/yaml/v2 and measured against helm 4.1.
 */
import { resolvePlain } from './scalars.ts';

export type Style = 'plain' | 'single' | 'double' | 'literal';

/** Which styles can carry a text without changing it. */
interface Traits {
  multiline: boolean;
  plainBlock: boolean;
  plainFlow: boolean;
  single: boolean;
  block: boolean;
}

const LINE_WIDTH = 80;
const SAFE_PLAIN = /^[A-Za-z_/][A-Za-z0-9_./-]*$/;
const BASE60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const TIMESTAMP = /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:$|(?:[Tt]|[ ])[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2})?$)/;
const BREAK = /[\n\r\u0085\u2028\u2029]/;

function isPrintable(code: number): boolean {
  if (code === 0x0a || (code >= 0x20 && code <= 0x7e)) return true;
  if (code === 0xfeff || code === 0xfffe || code === 0xffff) return false;
  return (code >= 0xa0 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xffff);
}

/** Would Go's reader take this text, unquoted, for a string? */
export function readsAsString(text: string): boolean {
  return typeof resolvePlain(text) === 'string' && !BASE60.test(text) && !TIMESTAMP.test(text);
}

export function chooseStyle(text: string, place: { flow: boolean; simpleKey: boolean }): Style {
  if (SAFE_PLAIN.test(text) && text.length < LINE_WIDTH / 2) return readsAsString(text) ? 'plain' : 'double';
  const traits = analyze(text);
  let style: Style = text.includes('\n') ? 'literal' : readsAsString(text) ? 'plain' : 'double';
  if (place.simpleKey && traits.multiline) return 'double';
  if (style === 'plain' && !(place.flow ? traits.plainFlow : traits.plainBlock)) style = 'single';
  if (style === 'plain' && text === '') style = 'single';
  if (style === 'single' && !traits.single) return 'double';
  if (style === 'literal' && (!traits.block || place.flow || place.simpleKey)) return 'double';
  return style;
}

const ALWAYS_FIRST = new Set(['#', ',', '[', ']', '{', '}', '&', '*', '!', '|', '>', "'", '"', '%', '@', '`']);

export function analyze(text: string): Traits {
  if (text === '') return { multiline: false, plainBlock: true, plainFlow: false, single: true, block: false };
  const chars = Array.from(text);
  const seen = { block: /^(?:---|\.\.\.)/.test(text), flow: /^(?:---|\.\.\.)/.test(text), special: false, breaks: false, breakSpace: false, spaceBreak: false };
  let previous: 'space' | 'break' | 'other' = 'other';
  for (const [index, char] of chars.entries()) {
    const nextBlank = index + 1 >= chars.length || isBlank(chars[index + 1] as string);
    const previousBlank = index === 0 || isBlank(chars[index - 1] as string);
    noteIndicators({ char, first: index === 0, nextBlank, previousBlank, seen });
    if (!isPrintable(char.codePointAt(0) as number)) seen.special = true;
    if (char === ' ') {
      if (previous === 'break') seen.breakSpace = true;
      previous = 'space';
    } else if (BREAK.test(char)) {
      seen.breaks = true;
      if (previous === 'space') seen.spaceBreak = true;
      previous = 'break';
    } else previous = 'other';
  }
  return traitsOf(chars, seen);
}

function isBlank(char: string): boolean {
  return char === ' ' || char === '\t' || BREAK.test(char);
}

interface Seen {
  block: boolean;
  flow: boolean;
  special: boolean;
  breaks: boolean;
  breakSpace: boolean;
  spaceBreak: boolean;
}

function noteIndicators({ char, first, nextBlank, previousBlank, seen }: { char: string; first: boolean; nextBlank: boolean; previousBlank: boolean; seen: Seen }): void {
  if (first && ALWAYS_FIRST.has(char)) seen.block = seen.flow = true;
  if (',?[]{}:'.includes(char)) seen.flow = true;
  if (char === ':' && nextBlank) seen.block = true;
  if (first && (char === '?' || char === '-') && nextBlank) seen.block = seen.flow = true;
  if (!first && char === '#' && previousBlank) seen.block = seen.flow = true;
}

function traitsOf(chars: readonly string[], seen: Seen): Traits {
  const first = chars[0] as string;
  const last = chars.at(-1) as string;
  const edge = first === ' ' || last === ' ' || BREAK.test(first) || BREAK.test(last);
  const broken = seen.spaceBreak || seen.special;
  const plain = !edge && !seen.breakSpace && !broken && !seen.breaks;
  return {
    multiline: seen.breaks,
    plainBlock: plain && !seen.block,
    plainFlow: plain && !seen.flow,
    single: !seen.breakSpace && !broken,
    block: last !== ' ' && !broken,
  };
}

export interface Place {
  /** Column where the scalar begins. */
  column: number;
  /** Spaces before a continuation line. */
  indent: number;
  /** False in keys, which stay on one line. */
  fold: boolean;
}

/** Plain and single-quoted text, folded at single spaces past the width. */
export function writeFolded(text: string, place: Place, quote: '' | "'"): string {
  const body = quote ? text.replaceAll("'", "''") : text;
  if (place.column + body.length < LINE_WIDTH && !text.includes('\n')) return `${quote}${body}${quote}`;
  return `${quote}${foldWords(text, place, quote !== '')}${quote}`;
}

function foldWords(text: string, place: Place, quoted: boolean): string {
  const chars = Array.from(text);
  let column = place.column + (quoted ? 1 : 0);
  let out = '';
  for (const [index, char] of chars.entries()) {
    const single = char === ' ' && chars[index - 1] !== ' ' && chars[index + 1] !== ' ';
    const inside = !quoted || (index > 0 && index < chars.length - 1);
    if (place.fold && single && inside && column > LINE_WIDTH) {
      out += `\n${' '.repeat(place.indent)}`;
      column = place.indent;
    } else {
      out += quoted && char === "'" ? "''" : char;
      column += quoted && char === "'" ? 2 : 1;
    }
  }
  return out;
}

const ESCAPES: Readonly<Record<number, string>> = {
  0x00: '0', 0x07: 'a', 0x08: 'b', 0x09: 't', 0x0a: 'n', 0x0b: 'v', 0x0c: 'f', 0x0d: 'r', 0x1b: 'e',
  0x22: '"', 0x5c: '\\', 0x85: 'N', 0xa0: '_', 0x2028: 'L', 0x2029: 'P',
};

function escapeOf(code: number): string {
  const short = ESCAPES[code];
  if (short !== undefined) return `\\${short}`;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** Double-quoted text, folded at spaces past the width. */
export function writeDouble(text: string, place: Place): string {
  const chars = Array.from(text);
  let out = '"';
  let column = place.column + 1;
  let spaces = false;
  for (const [index, char] of chars.entries()) {
    const code = char.codePointAt(0) as number;
    if (!isPrintable(code) || BREAK.test(char) || char === '"' || char === '\\') {
      const escaped = escapeOf(code);
      out += escaped;
      column += escaped.length;
      spaces = false;
    } else if (char === ' ') {
      const foldHere = place.fold && !spaces && column > LINE_WIDTH && index > 0 && index < chars.length - 1;
      if (foldHere) {
        const guard = chars[index + 1] === ' ' ? '\\' : '';
        out += `\n${' '.repeat(place.indent)}${guard}`;
        column = place.indent + guard.length;
      } else {
        out += ' ';
        column++;
      }
      spaces = true;
    } else {
      out += char;
      column++;
      spaces = false;
    }
  }
  return `${out}"`;
}

/** A literal block: header, then every line indented; blank lines stay bare. */
export function writeLiteral(text: string, indent: number): string {
  const hint = /^[ \n\r\u0085\u2028\u2029]/.test(text) ? '2' : '';
  const chomp = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  const lines = body.split('\n').map((line) => (line === '' ? '' : ' '.repeat(indent) + line));
  return `|${hint}${chomp}\n${lines.join('\n')}`;
}
