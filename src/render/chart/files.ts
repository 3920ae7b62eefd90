/** `.Files` and the methods of Helm's named map and list types. */
import { base64Encode } from '#base/hash';
import { decodeUtf8, fn, FunctionError, isMap, toPlain, typed, type GoFunction, type GoMap } from '#render/gotemplate';
import { dumpYaml } from '#render/rawyaml';
import { globRegex } from './ignore.ts';
import type { ChartFiles, Values } from './types.ts';
import { leafAt, tableAt } from './values.ts';

const FILES = 'engine.files';

export function filesForTemplates(files: ChartFiles): GoMap {
  const map: GoMap = {};
  for (const [path, data] of files) Object.defineProperty(map, path, { value: data, writable: true, enumerable: true, configurable: true });
  return typed(map, FILES);
}

/** Methods of typed collections, for the engine. */
export function helmMethods(goType: string, method: string, receiver: object): GoFunction | undefined {
  switch (goType) {
    case FILES:
      return fileMethod(receiver as Record<string, Uint8Array>, method);
    case 'common.VersionSet':
      return method === 'Has' ? fn(['string'], (version: string) => (receiver as string[]).includes(version)) : undefined;
    case 'common.Values':
      return valuesMethod(receiver as Values, method);
    default:
      return undefined;
  }
}

function fileMethod(files: Record<string, Uint8Array>, method: string): GoFunction | undefined {
  const bytes = (name: string) => (Object.hasOwn(files, name) ? (files[name] as Uint8Array) : new Uint8Array());
  switch (method) {
    case 'Get':
      return fn(['string'], (name: string) => decodeUtf8(bytes(name)));
    case 'GetBytes':
      return fn(['string'], bytes);
    case 'Glob':
      return fn(['string'], (pattern: string) => glob(files, pattern));
    case 'AsConfig':
      return fn([], () => asData(files, decodeUtf8));
    case 'AsSecrets':
      return fn([], () => asData(files, base64Encode));
    case 'Lines':
      return fn(['string'], (name: string) => lines(files, name));
    default:
      return undefined;
  }
}

function lines(files: Record<string, Uint8Array>, name: string): string[] {
  if (!Object.hasOwn(files, name)) return typed([], '[]string');
  const text = decodeUtf8(files[name] as Uint8Array);
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  return typed(body.split('\n'), '[]string');
}

/** Keys are base names; a later file of the same name wins. */
function asData(files: Record<string, Uint8Array>, encode: (data: Uint8Array) => string): string {
  const data: Record<string, string> = {};
  for (const path of Object.keys(files).sort()) data[path.slice(path.lastIndexOf('/') + 1)] = encode(files[path] as Uint8Array);
  return dumpYaml(data).replace(/\n$/, '');
}

function glob(files: Record<string, Uint8Array>, pattern: string): GoMap {
  const matches = pathGlob(pattern === '' ? '**' : pattern);
  const map: GoMap = {};
  for (const path of Object.keys(files)) if (matches(path)) map[path] = files[path];
  return typed(map, FILES);
}

/** gobwas/glob with `/` as separator: `*`, `**`, `?`, `[…]`, `{a,b}`. */
export function pathGlob(pattern: string): (path: string) => boolean {
  let source = '';
  let depth = 0;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] as string;
    if (pattern.startsWith('**', i)) {
      source += '[\\s\\S]*';
      i++;
    } else if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '{') {
      source += '(?:';
      depth++;
    } else if (char === '}' && depth > 0) {
      source += ')';
      depth--;
    } else if (char === ',' && depth > 0) source += '|';
    else if (char === '[' && pattern.indexOf(']', i) > 0) {
      const end = pattern.indexOf(']', i + 1);
      source += `[${pattern.slice(i + 1, end).replace(/^!/, '^').replaceAll('\\', '\\\\')}]`;
      i = end;
    } else {
      const literal = char === '\\' ? (pattern[++i] ?? '\\') : char;
      source += /[\\^$.*+?()[\]{}|]/.test(literal) ? `\\${literal}` : literal;
    }
  }
  try {
    const regex = new RegExp(`^${source}$`, 'u');
    return (path) => regex.test(path);
  } catch {
    const never = globRegex('');
    return (path) => never.test(path);
  }
}

function valuesMethod(values: Values, method: string): GoFunction | undefined {
  switch (method) {
    case 'YAML':
      return fn([], () => dumpYaml(toPlain(values)));
    case 'AsMap':
      return fn([], () => (isMap(values) ? { ...values } : {}));
    case 'Table':
      return fn(['string'], (path: string) => tableAt(values, path) ?? missing(path));
    case 'PathValue':
      return fn(['string'], (path: string) => leafAt(values, path) ?? missing(path));
    default:
      return undefined;
  }
}

function missing(path: string): never {
  throw new FunctionError(`${JSON.stringify(path)} is not a value`);
}
