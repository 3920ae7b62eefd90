/**
 * TOML for toToml and fromToml (BurntSushi/toml as Helm uses it): tables sorted, sub-tables indented by two
 * spaces, plain values before tables.
 */
import { goFloat } from '#render/rawyaml';
import { FunctionError } from './errors.ts';
import { TomlReader } from './toml-read.ts';
import { GoInt, GoStruct, isMap, sortedKeys, type GoMap } from './value.ts';

export function parseToml(text: string): GoMap {
  return new TomlReader(text).document();
}

export function writeToml(value: unknown): string {
  if (value === null || Array.isArray(value)) throw new FunctionError('toml: top-level values must be Go maps or structs');
  if (!isMap(value)) return inline(value);
  const lines: string[] = [];
  table(value, [], lines);
  return lines.length ? `${lines.join('\n')}\n` : '';
}

const isTableArray = (value: unknown): value is GoMap[] => Array.isArray(value) && value.length > 0 && value.every(isMap);

function table(map: GoMap, path: readonly string[], lines: string[]): void {
  const keys = sortedKeys(map).filter((key) => map[key] !== null && map[key] !== undefined);
  const indent = '  '.repeat(path.length);
  for (const key of keys) {
    const value = map[key];
    if (!isMap(value) && !isTableArray(value)) lines.push(`${indent}${keyText(key)} = ${inline(value)}`);
  }
  for (const key of keys) {
    const value = map[key];
    const inner = [...path, key];
    const header = inner.map(keyText).join('.');
    const pad = '  '.repeat(path.length);
    if (isMap(value)) {
      if (path.length === 0 && lines.length > 0) lines.push('');
      lines.push(`${pad}[${header}]`);
      table(value, inner, lines);
    } else if (isTableArray(value)) {
      for (const item of value) {
        if (lines.length > 0) lines.push('');
        lines.push(`${pad}[[${header}]]`);
        table(item, inner, lines);
      }
    }
  }
}

function keyText(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : quoted(key);
}

function inline(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return floatText(value);
  if (value instanceof GoInt) return value.toString();
  if (value instanceof GoStruct) return quoted(value.text() ?? '');
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (isMap(value)) return `{${sortedKeys(value).map((key) => `${keyText(key)} = ${inline(value[key])}`).join(', ')}}`;
  throw new FunctionError('toml: cannot encode array with nil element');
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const text = goFloat(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\b': '\\b', '\f': '\\f', '"': '\\"', '\\': '\\\\' };

function quoted(text: string): string {
  return `"${text.replace(/[\x00-\x1f"\\\x7f]/g, (char) => ESCAPES[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;
}
