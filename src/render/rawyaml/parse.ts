/**
 * YAML text to plain JSON values with Go's meaning (sigs.k8s.io/yaml: YAML to JSON to value).
 *
 * js-yaml scans the text into events; this file builds the values, because Go's rules differ from every
 * schema a JavaScript parser offers: YAML 1.1 scalars, merge keys, keys turned to text, the last of two
 * equal keys wins, only the first document of a text counts. Aliases are expanded by copying, as in JSON
 * (templates change values in place), and counted, so that an alias bomb ends in an error.
 */
import { getScalarValue, parseEvents, YAMLException, type Event, type ScalarEvent } from 'js-yaml';
import { GoYamlError } from './error.ts';
import { parseGoInt, resolvePlain, timestampText, type Scalar } from './scalars.ts';
import { splitDocuments } from './documents.ts';

export interface YamlOptions {
  /** Named in errors. */
  file?: string;
  /** Two equal keys in one mapping are an error (default: the last one wins). */
  strict?: boolean;
  /** Integers beyond 2^53 come back as bigint instead of the nearest number. */
  bigints?: boolean;
  /** `v3`: the newer Go reader (kustomize): y, n, yes, no, on and off are text, keys must be, dates become times. Default: sigs.k8s.io/yaml. */
  dialect?: 'v3';
  /** Added to line numbers of errors: the text begins on this one-based line of the file. */
  firstLine?: number;
}

export const YAML_LIMITS = {
  /** Nesting of collections. Go allows 10,000; nothing real comes near either. */
  depthMax: 1000,
  /** Nodes that may be visited through aliases in one document. */
  aliasNodesMax: 400_000,
  /** Lines inside brackets or quotes that may stand left of their node. */
  repairsMax: 1000,
  repairIndent: 120,
  /** Characters of one text. */
  charactersMax: 64 * 1024 * 1024,
};

/** The value of the first document; `null` for an empty text. Throws {@link GoYamlError}. */
export function parseYaml(text: string, options: YamlOptions = {}): unknown {
  const { source, events } = scan(text, options);
  return new Builder(source, events, options).document();
}

export interface YamlDocument {
  value: unknown;
  /** One-based line where the document begins. */
  line: number;
}

/** Every document that is not empty, in order. Throws {@link GoYamlError}. */
export function parseDocuments(text: string, options: YamlOptions = {}): YamlDocument[] {
  return splitDocuments(text, options)
    .map(({ text: body, line }) => ({ value: parseYaml(body, { ...options, firstLine: line }), line }))
    .filter(({ value }) => value !== null);
}

interface Scan {
  /** The text the events refer to: as given, or with some lines indented further. */
  source: string;
  events: Event[];
}

/**
 * Inside brackets and quotes Go does not look at indentation; js-yaml does. A line it finds too far left
 * there is moved right, which changes nothing else, and the scan repeated.
 */
function scan(text: string, options: YamlOptions): Scan {
  if (text.length > YAML_LIMITS.charactersMax) throw new GoYamlError(`text of ${text.length} characters, ${YAML_LIMITS.charactersMax} at most`, { file: options.file });
  let source = text;
  for (let repairs = 0; ; repairs++) {
    try {
      return { source, events: parseEvents(source, { maxDepth: YAML_LIMITS.depthMax }) };
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error;
      if (error.reason !== 'deficient indentation' || !error.mark || repairs >= YAML_LIMITS.repairsMax) throw problem(error, options);
      source = indentLine(source, error.mark.line);
    }
  }
}

function indentLine(text: string, line: number): string {
  const lines = text.split('\n');
  lines[line] = ' '.repeat(YAML_LIMITS.repairIndent) + (lines[line] ?? '').trimStart();
  return lines.join('\n');
}

function problem(error: YAMLException, options: YamlOptions): GoYamlError {
  const line = error.mark ? error.mark.line + (options.firstLine ?? 1) : undefined;
  return new GoYamlError(error.reason, { file: options.file, line });
}

const EVENT = { document: 1, sequence: 2, mapping: 3, scalar: 4, alias: 5, pop: 6 };
const PLAIN = 1;
const BLOCK_LITERAL = 4;
const BLOCK_FOLDED = 5;
const YAML11_WORDS = /^(?:[yn]|yes|no|on|off)$/i;
const NO_KEYS: ReadonlySet<string> = new Set();
const MERGE = Symbol('merge key');

interface Anchored {
  value: unknown;
  nodes: number;
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) put(copy, key, copyOf(inner));
  return copy;
}

class Builder {
  private next = 0;
  private nodes = 0;
  private aliasNodes = 0;
  private readonly anchors = new Map<string, Anchored | 'open'>();
  private readonly source: string;
  private readonly events: readonly Event[];
  private readonly options: YamlOptions;

  constructor(source: string, events: readonly Event[], options: YamlOptions) {
    this.source = source;
    this.events = events;
    this.options = options;
  }

  document(): unknown {
    const first = this.events[this.next++];
    if (!first || this.events[this.next]?.type === EVENT.pop) return null;
    const value = this.node();
    if (value === MERGE) return '<<';
    return value;
  }

  private node(): unknown {
    const event = this.events[this.next++] as Event;
    this.nodes++;
    if (event.type === EVENT.alias) return this.alias(event);
    const before = this.nodes;
    const anchor = this.anchorOf(event);
    if (anchor !== undefined) this.anchors.set(anchor, 'open');
    const value = event.type === EVENT.mapping ? this.mapping() : event.type === EVENT.sequence ? this.sequence() : this.scalar(event as ScalarEvent);
    if (anchor !== undefined) this.anchors.set(anchor, { value, nodes: this.nodes - before + 1 });
    return value;
  }

  private anchorOf(event: Event): string | undefined {
    if (!('anchorStart' in event) || event.anchorStart < 0) return undefined;
    return this.source.slice(event.anchorStart, event.anchorEnd);
  }

  private alias(event: Event): unknown {
    const name = this.anchorOf(event) ?? '';
    const anchored = this.anchors.get(name);
    if (anchored === undefined) throw this.error(`unknown anchor '${name}' referenced`);
    if (anchored === 'open') throw this.error(`anchor '${name}' value contains itself`);
    this.aliasNodes += anchored.nodes;
    if (this.aliasNodes > YAML_LIMITS.aliasNodesMax) throw this.error('document contains excessive aliasing');
    this.nodes += anchored.nodes;
    return copyOf(anchored.value);
  }

  private sequence(): unknown[] {
    const list: unknown[] = [];
    while (this.events[this.next]?.type !== EVENT.pop) list.push(plainMerge(this.node()));
    this.next++;
    return list;
  }

  private mapping(): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    const own = new Set<string>();
    while (this.events[this.next]?.type !== EVENT.pop) {
      const start = this.events[this.next] as Event;
      const rawKey = this.node();
      if (rawKey === MERGE) {
        // At its place: entries before it give way, entries behind it win.
        this.merge(map, plainMerge(this.node()), this.options.dialect === 'v3' ? own : NO_KEYS);
        continue;
      }
      const key = this.keyText(rawKey, start);
      if (this.options.strict && own.has(key)) throw this.error(`key ${JSON.stringify(key)} already set in map`, start);
      own.add(key);
      put(map, key, plainMerge(this.node()));
    }
    this.next++;
    return map;
  }

  /** Among several merged maps the first wins. */
  private merge(map: Record<string, unknown>, value: unknown, kept: ReadonlySet<string>): void {
    const sources = Array.isArray(value) ? [...value].reverse() : [value];
    for (const source of sources) {
      if (typeof source !== 'object' || source === null || Array.isArray(source)) throw this.error('map merge requires map or sequence of maps as the value');
      for (const [key, item] of Object.entries(source)) {
        if (!kept.has(key)) put(map, key, item);
      }
    }
  }

  private keyText(key: unknown, event: Event): string {
    if (typeof key === 'string') return key;
    if (this.options.dialect === 'v3') throw this.error(`map key ${String(key)} is no text`, event);
    if (typeof key === 'boolean' || typeof key === 'bigint') return String(key);
    if (typeof key === 'number') return keyNumber(key);
    if (key === null) throw this.error('unsupported map key of type: null', event);
    throw this.error(`invalid map key: ${JSON.stringify(key)}`, event);
  }

  private scalar(event: ScalarEvent): unknown {
    const text = event.fast ? this.source.slice(event.valueStart, event.valueEnd) : scalarText(this.source, event);
    const tag = event.tagStart >= 0 ? this.source.slice(event.tagStart, event.tagEnd) : '';
    if (tag !== '') return this.number(this.tagged(tag, text, event));
    if (event.style !== PLAIN) return text;
    if (text === '<<') return MERGE;
    return this.number(this.plain(text));
  }

  private plain(text: string): Scalar {
    if (this.options.dialect !== 'v3') return resolvePlain(text);
    return YAML11_WORDS.test(text) ? text : (timestampText(text) ?? resolvePlain(text));
  }

  private number(value: Scalar): unknown {
    if (typeof value === 'bigint') return this.options.bigints ? value : Number(value);
    if (typeof value === 'number' && !Number.isFinite(value)) throw this.error(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`);
    return value;
  }

  private tagged(tag: string, text: string, event: ScalarEvent): Scalar {
    const short = tag.replace(/^!<tag:yaml\.org,2002:(.*)>$/, '!!$1');
    const value = resolvePlain(text);
    switch (short) {
      case '!!str':
        return text;
      case '!!binary':
        return this.binary(text, event);
      case '!!null':
        if (value === null) return null;
        break;
      case '!!bool':
        if (typeof value === 'boolean') return value;
        break;
      case '!!int':
        if (typeof value === 'bigint' || (typeof value === 'number' && parseGoInt(text.replaceAll('_', '')) !== undefined)) return value;
        break;
      case '!!float':
        if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
        break;
      default:
        return text;
    }
    throw this.error(`cannot decode ${goShape(value)} \`${text}\` as a ${short}`, event);
  }

  private binary(text: string, event: ScalarEvent): string {
    const clean = text.replace(/\s/g, '');
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(clean)) throw this.error('!!binary value contains invalid base64 data', event);
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(atob(clean), (c) => c.charCodeAt(0)));
  }

  private error(reason: string, event: Event | undefined = this.events[this.next - 1]): GoYamlError {
    const offset = event && 'start' in event ? event.start : event && 'valueStart' in event ? event.valueStart : event && 'anchorStart' in event ? event.anchorStart : -1;
    const line = offset < 0 ? undefined : this.source.slice(0, offset).split('\n').length - 1 + (this.options.firstLine ?? 1);
    return new GoYamlError(reason, { file: this.options.file, line });
  }
}

function scalarText(source: string, event: ScalarEvent): string {
  if (event.valueStart < 0) return '';
  const text = getScalarValue(source, event);
  // A block that ends with the text, without a line break, has none in its value.
  const isBlock = event.style === BLOCK_LITERAL || event.style === BLOCK_FOLDED;
  return isBlock && event.valueEnd >= source.length && !source.endsWith('\n') && text.endsWith('\n') ? text.slice(0, -1) : text;
}

function plainMerge(value: unknown): unknown {
  return value === MERGE ? '<<' : value;
}

/** Assignment that cannot reach a prototype. */
function put(map: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
  else map[key] = value;
}

// Float keys are written with 32-bit precision, a quirk of sigs.k8s.io/yaml.
function keyNumber(key: number): string {
  return Number.isInteger(key) ? String(key) : String(Math.fround(key));
}

function goShape(value: Scalar): string {
  if (value === null) return '!!null';
  if (typeof value === 'boolean') return '!!bool';
  if (typeof value === 'bigint') return '!!int';
  if (typeof value === 'number') return Number.isInteger(value) ? '!!int' : '!!float';
  return '!!str';
}
