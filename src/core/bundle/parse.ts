/**
 * fleet.yaml from text to typed data, by the schema in schema.ts. Every fault is a {@link FieldFault} that
 * names the field's path; the line is looked up in the text.
 */
import { isRecord } from '#base/json';
import type { BundleSpec, BundleTarget, GitTarget, ImageScan } from '#api/fleet';
import { lineOf } from './locate.ts';
import { FLEET_YAML, type FieldType } from './schema.ts';

/** What fleet.yaml says; the BundleSpec part is used as it stands. */
export interface FleetYaml extends BundleSpec {
  name?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  targetCustomizations?: BundleTarget[];
  overrideTargets?: GitTarget[];
  imageScans?: (ImageScan['spec'] & { name?: string })[];
}

/** Characters of one fault; the file may hold anything. */
const MESSAGE_MAX = 500;
/** Characters of an unknown field that are compared with known ones. */
const FIELD_MAX = 60;

/** A fault at a place in a file. */
export class FileFault extends Error {
  override name = 'FileFault';
  readonly file: string;
  readonly line: number | undefined;

  constructor(file: string, line: number | undefined, message: string) {
    super(message.length > MESSAGE_MAX ? `${message.slice(0, MESSAGE_MAX)}…` : message);
    this.file = file;
    this.line = line;
  }
}

export type FieldPath = readonly (string | number)[];

/** Gives a fault at a field of the file that was parsed. */
export type FaultAt = (path: FieldPath, message: string) => FileFault;

export interface ParsedFleetYaml {
  fleetYaml: FleetYaml;
  faultAt: FaultAt;
}

/** Parses the text of `file`; throws a {@link FileFault}. An empty file is an empty configuration. */
export function parseFleetYaml(file: string, text: string, parseYaml: (text: string) => unknown): ParsedFleetYaml {
  const value = parseDocument(file, text, parseYaml) ?? {};
  const faultAt: FaultAt = (path, message) => new FileFault(file, lineOf(text, path), path.length > 0 ? `${pathText(path)}: ${message}` : message);
  if (!isRecord(value)) throw new FileFault(file, 1, `the file holds ${nameOf(value)}, not fields: write "name: value" lines`);
  return { fleetYaml: read(FLEET_YAML, value, [], faultAt) as FleetYaml, faultAt };
}

/** The document of a YAML file, or a {@link FileFault} that says where it is broken. */
export function parseDocument(file: string, text: string, parseYaml: (text: string) => unknown): unknown {
  if (text.trim() === '') return undefined;
  try {
    return parseYaml(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const reason = (error as { reason?: unknown } | undefined)?.reason;
    const said = typeof reason === 'string' ? reason : message;
    throw new FileFault(file, lineOfError(error, message), `broken YAML: ${said.split('\n')[0]}`);
  }
}

/** Parsers say the line in a field (0- or 1-based marks are the parser's affair) or in their text. */
function lineOfError(error: unknown, message: string): number | undefined {
  const line = isRecord(error) || error instanceof Error ? (error as { line?: unknown }).line : undefined;
  if (typeof line === 'number') return line;
  const mark = (error as { mark?: { line?: unknown } }).mark?.line;
  if (typeof mark === 'number') return mark + 1;
  const text = /\bline (\d+)|\((\d+):\d+\)/.exec(message);
  return text ? Number(text[1] ?? text[2]) : undefined;
}

/** `targets[0].clusterSelector`. */
export function pathText(path: FieldPath): string {
  return path.reduce<string>((text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`), '');
}

function read(type: FieldType, value: unknown, path: FieldPath, faultAt: FaultAt): unknown {
  switch (type.is) {
    case 'any':
      return value;
    case 'object':
      return readObject(type.fields, expectRecord(value, path, faultAt), path, faultAt);
    case 'map':
      return readMap(type.of, expectRecord(value, path, faultAt), path, faultAt);
    case 'list':
      if (!Array.isArray(value)) throw faultAt(path, `holds ${nameOf(value)}, a list is wanted: write its entries with "- "`);
      return value.map((item, index) => read(type.of, item ?? emptyOf(type.of), [...path, index], faultAt));
    default:
      return readScalar(type.is, value, path, faultAt);
  }
}

function emptyOf(type: FieldType): unknown {
  return type.is === 'object' || type.is === 'map' ? {} : type.is === 'list' ? [] : type.is === 'string' ? '' : null;
}

function expectRecord(value: unknown, path: FieldPath, faultAt: FaultAt): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw faultAt(path, `holds ${nameOf(value)}, fields are wanted: indent them below it`);
}

function readObject(fields: Readonly<Record<string, FieldType>>, from: Record<string, unknown>, path: FieldPath, faultAt: FaultAt): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(from)) {
    const name = Object.hasOwn(fields, key) ? key : Object.keys(fields).find((field) => field.toLowerCase() === key.toLowerCase());
    if (name === undefined) throw faultAt([...path, key], `unknown field${suggestion(key, Object.keys(fields))}`);
    const type = fields[name] as FieldType;
    const value = member === null || member === undefined ? undefined : read(type, member, [...path, key], faultAt);
    if (value !== undefined && !isZero(type, value)) result[name] = value;
  }
  return result;
}

/** What Go's encoding leaves out of a struct (`omitempty`). */
function isZero(type: FieldType, value: unknown): boolean {
  if (type.is === 'list') return (value as unknown[]).length === 0;
  if (type.is === 'map' && type.of.is !== 'any') return Object.keys(value as object).length === 0;
  return (type.is === 'string' || type.is === 'int' || type.is === 'bool') && !type.zero && !value;
}

function readMap(of: FieldType, value: Record<string, unknown>, path: FieldPath, faultAt: FaultAt): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, read(of, member ?? emptyOf(of), [...path, key], faultAt)]));
}

function readScalar(kind: 'string' | 'int' | 'bool' | 'limit', value: unknown, path: FieldPath, faultAt: FaultAt): unknown {
  const plain = typeof value === 'bigint' ? Number(value) : value;
  if (kind === 'string' && ['string', 'number', 'boolean'].includes(typeof plain)) return String(plain);
  if (kind === 'int' && typeof plain === 'number' && Number.isInteger(plain)) return plain;
  if (kind === 'bool' && typeof plain === 'boolean') return plain;
  if (kind === 'limit' && (Number.isInteger(plain) || (typeof plain === 'string' && /^\s*[+-]?\d+(\.\d+)?%$|^\d+$/.test(plain)))) return plain;
  const wanted = { string: 'text', int: 'a whole number', bool: 'true or false', limit: 'a whole number or a percentage such as "25%"' }[kind];
  throw faultAt(path, `holds ${nameOf(value)}, ${wanted} is wanted`);
}

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isRecord(value)) return 'fields';
  return value === null || value === undefined ? 'nothing' : JSON.stringify(String(value as string | number | boolean | bigint)).slice(0, 60);
}

/** The nearest known field, when it is near enough to be what was meant. */
function suggestion(key: string, known: readonly string[]): string {
  const scored = known.map((field) => ({ field, distance: editDistance(key.slice(0, FIELD_MAX).toLowerCase(), field.toLowerCase()) })).sort((a, b) => a.distance - b.distance);
  const nearest = scored[0];
  if (nearest && nearest.distance <= Math.max(2, Math.floor(key.length / 3))) return `: did you mean "${nearest.field}"?`;
  return `: remove it, or use one of ${[...known].sort().join(', ')}`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
