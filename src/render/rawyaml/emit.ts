/**
 * Plain values to YAML text, byte for byte as sigs.k8s.io/yaml writes them (JSON first, then Go's YAML
 * writer): sorted keys, two spaces, sequences not indented below their key, quoting as in layout.ts.
 */
import { chooseStyle, writeDouble, writeFolded, writeLiteral, type Place } from './layout.ts';
import { compareKeys } from './order.ts';

export const EMIT_LIMITS = {
  /** Nesting of collections; a deeper value is a cycle or an attack. */
  depthMax: 1000,
  /** Characters of output. */
  charactersMax: 64 * 1024 * 1024,
};

export interface DumpOptions {
  /** Sequences stand two spaces right of their key (Helm's toYamlPretty) instead of below it. */
  indentSequences?: boolean;
}

/** The YAML text of a plain value, with a final line break. Values JSON cannot hold are an error. */
export function dumpYaml(value: unknown, options: DumpOptions = {}): string {
  const writer = new Writer(options.indentSequences ? 2 : 0);
  writer.root(value);
  return writer.text();
}

// Keys longer than this are written behind `? `, as libyaml does.
const SIMPLE_KEY_MAX = 128;

class Writer {
  private readonly parts: string[] = [];
  private characters = 0;
  private readonly sequenceIndent: number;

  constructor(sequenceIndent: number) {
    this.sequenceIndent = sequenceIndent;
  }

  text(): string {
    return this.parts.join('');
  }

  root(value: unknown): void {
    if (isCollection(value)) this.collection(value, 0, 0);
    else this.write(`${scalar(value, { column: 0, indent: 2, fold: true })}\n`);
  }

  private write(text: string): void {
    this.characters += text.length;
    if (this.characters > EMIT_LIMITS.charactersMax) throw new Error(`YAML output exceeds ${EMIT_LIMITS.charactersMax} characters`);
    this.parts.push(text);
  }

  /** Writes a non-empty collection whose first line continues the current one at column `indent`. */
  private collection(value: object, indent: number, depth: number): void {
    if (depth > EMIT_LIMITS.depthMax) throw new Error(`YAML output nests deeper than ${EMIT_LIMITS.depthMax}`);
    if (Array.isArray(value)) this.sequence(value, indent, depth);
    else this.mapping(value as Record<string, unknown>, indent, depth);
  }

  private sequence(list: readonly unknown[], indent: number, depth: number): void {
    const pad = ' '.repeat(indent);
    for (const [index, item] of list.entries()) {
      this.write(index === 0 ? '- ' : `${pad}- `);
      if (isCollection(item)) this.collection(item, indent + 2, depth + 1);
      else this.write(`${scalar(item, { column: indent + 2, indent: indent + 2, fold: true })}\n`);
    }
  }

  private mapping(map: Record<string, unknown>, indent: number, depth: number): void {
    const pad = ' '.repeat(indent);
    let first = true;
    for (const key of sortedKeys(map)) {
      if (!first) this.write(pad);
      first = false;
      this.member(key, map[key], { indent, depth });
    }
  }

  private member(key: string, value: unknown, { indent, depth }: { indent: number; depth: number }): void {
    const simple = !/[\n\r\u0085\u2028\u2029]/.test(key) && utf8Length(key) <= SIMPLE_KEY_MAX;
    const keyPlace = { column: indent + (simple ? 0 : 2), indent: indent + 2, fold: !simple };
    const keyText = simple ? writeScalar(key, keyPlace, true) : `? ${writeScalar(key, keyPlace, false)}\n${' '.repeat(indent)}`;
    this.write(`${keyText}:`);
    // Only a simple key lets a sequence stand at its own column, and only there does the value share no line.
    const column = simple ? indent + charLength(keyText) + 2 : indent + 2;
    if (!isCollection(value)) return this.write(` ${scalar(value, { column, indent: indent + 2, fold: true })}\n`);
    if (!simple) {
      this.write(' ');
      return this.collection(value, indent + 2, depth + 1);
    }
    const child = Array.isArray(value) ? indent + this.sequenceIndent : indent + 2;
    this.write(`\n${' '.repeat(child)}`);
    this.collection(value, child, depth + 1);
  }
}

function sortedKeys(map: Record<string, unknown>): string[] {
  const keys = Object.keys(map).filter((key) => map[key] !== undefined);
  return keys.sort(compareKeys);
}

/** A collection that has something in it; empty ones are written like scalars. */
function isCollection(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) ? value.length > 0 : Object.keys(value).some((key) => (value as Record<string, unknown>)[key] !== undefined);
}

function scalar(value: unknown, place: Place): string {
  switch (typeof value) {
    case 'string':
      return writeScalar(value, place, false);
    case 'boolean':
      return String(value);
    case 'number':
      return numberText(value);
    case 'bigint':
      return String(value);
    case 'undefined':
      return 'null';
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? '[]' : '{}';
    default:
      throw new Error(`a ${typeof value} cannot be written as YAML`);
  }
}

function writeScalar(text: string, place: Place, simpleKey: boolean): string {
  const style = chooseStyle(text, { flow: false, simpleKey });
  if (style === 'literal') return writeLiteral(text, place.indent);
  if (style === 'double') return writeDouble(text, place);
  return writeFolded(text, place, style === 'single' ? "'" : '');
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new Error(`json: unsupported value: ${value}`);
  // JSON writes whole numbers below 1e21 without exponent; read back they are integers while they fit 64 bits.
  if (Number.isInteger(value) && value < 2 ** 64 && value >= -(2 ** 63)) return value === 0 ? '0' : String(value);
  return goFloat(value);
}

/** strconv.FormatFloat(value, 'g', -1, 64): shortest digits, with an exponent below 1e-4 and from 1e6 on. */
export function goFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-4 && magnitude < 1e6) return String(value);
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

function charLength(text: string): number {
  return Array.from(text).length;
}
