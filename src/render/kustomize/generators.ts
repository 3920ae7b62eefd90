/** configMapGenerator and secretGenerator. */
import { base64Encode, utf8 } from '#base/hash';
import { isRecord } from '#base/json';
import { joinPath, mapList, textField, textMap, type Kustomization, type Raw } from './kustomization.ts';
import { secretText } from './hash.ts';
import { newResource, type Resource } from './resource.ts';
import { decodeText, textOrNothing } from './text.ts';
import { KustomizeError, type KubeManifest, type KustomizeFiles } from './types.ts';

export function generate(files: KustomizeFiles, from: Kustomization): Resource[] {
  return [
    ...mapList(from, 'configMapGenerator').map((args) => generateOne({ files, from, args, kind: 'ConfigMap' })),
    ...mapList(from, 'secretGenerator').map((args) => generateOne({ files, from, args, kind: 'Secret' })),
  ];
}

interface Generation {
  files: KustomizeFiles;
  from: Kustomization;
  args: Raw;
  kind: 'ConfigMap' | 'Secret';
}

function generateOne({ files, from, args, kind }: Generation): Resource {
  const name = textField(args, 'name');
  if (name === '') throw new KustomizeError('configmap/secret generator: missing name', from.file);
  const options = mergedOptions(from, args);
  const object: KubeManifest = { apiVersion: 'v1', kind, metadata: { name } };
  const metadata = object['metadata'] as Raw;
  if (args['namespace']) metadata['namespace'] = args['namespace'];
  if (Object.keys(options.labels).length > 0) metadata['labels'] = { ...options.labels };
  if (Object.keys(options.annotations).length > 0) metadata['annotations'] = { ...options.annotations };
  putData(object, pairsOf({ files, from, args, kind }));
  if (kind === 'Secret') object['type'] = textField(args, 'type') || 'Opaque';
  if (options.immutable) object['immutable'] = true;
  const resource = newResource(object);
  const behavior = textField(args, 'behavior') || 'create';
  if (behavior !== 'create' && behavior !== 'merge' && behavior !== 'replace') throw new KustomizeError(`invalid behavior ${JSON.stringify(behavior)}`, from.file);
  resource.generated = { behavior, needsHash: !options.disableNameSuffixHash };
  return resource;
}

function mergedOptions(from: Kustomization, args: Raw) {
  const global = isRecord(from.raw['generatorOptions']) ? from.raw['generatorOptions'] : {};
  const own = isRecord(args['options']) ? args['options'] : {};
  return {
    labels: { ...textMap(global['labels'], 'generatorOptions.labels', from.file), ...textMap(own['labels'], 'options.labels', from.file) },
    annotations: { ...textMap(global['annotations'], 'generatorOptions.annotations', from.file), ...textMap(own['annotations'], 'options.annotations', from.file) },
    disableNameSuffixHash: global['disableNameSuffixHash'] === true || own['disableNameSuffixHash'] === true,
    immutable: global['immutable'] === true || own['immutable'] === true,
  };
}

function putData(object: KubeManifest, pairs: ReadonlyMap<string, Uint8Array>): void {
  for (const [key, bytes] of [...pairs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const text = textOrNothing(bytes);
    if (object['kind'] === 'Secret') put(object, 'data', key, secretText(bytes));
    else if (text === undefined) put(object, 'binaryData', key, wrapped(bytes));
    else put(object, 'data', key, text);
  }
}

function wrapped(bytes: Uint8Array): string {
  return secretText(bytes) || base64Encode(bytes);
}

function put(object: KubeManifest, field: string, key: string, value: string): void {
  const map = (object[field] ??= {}) as Record<string, string>;
  map[key] = value;
}

function pairsOf({ files, from, args }: Generation): Map<string, Uint8Array> {
  const pairs = new Map<string, Uint8Array>();
  const add = (key: string, bytes: Uint8Array) => {
    if (pairs.has(key)) throw new KustomizeError(`cannot add key ${JSON.stringify(key)}, another key by that name already exists`, from.file);
    pairs.set(key, bytes);
  };
  for (const path of [...texts(args['envs']), ...texts(args['env'])]) for (const [key, value] of envLines(decodeText(readFile(files, from, path)))) add(key, utf8(value));
  for (const literal of texts(args['literals'])) {
    const equals = literal.indexOf('=');
    if (equals < 1) throw new KustomizeError(`invalid literal source ${literal}, expected key=value`, from.file);
    add(literal.slice(0, equals), utf8(unquote(literal.slice(equals + 1))));
  }
  for (const entry of texts(args['files'])) {
    const equals = entry.indexOf('=');
    const path = equals < 0 ? entry : entry.slice(equals + 1);
    add(equals < 0 ? entry.slice(entry.lastIndexOf('/') + 1) : entry.slice(0, equals), readFile(files, from, path));
  }
  return pairs;
}

function texts(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]).map(String);
}

function readFile(files: KustomizeFiles, from: Kustomization, path: string): Uint8Array {
  const data = files.get(joinPath(from.dir, path));
  if (!data) throw new KustomizeError(`generator source ${JSON.stringify(path)}: no such file`, from.file);
  return data;
}

function unquote(text: string): string {
  const match = /^(["'])([\s\S]*)\1$/.exec(text);
  return match && text.length >= 2 ? (match[2] as string) : text;
}

function envLines(text: string): [string, string][] {
  const pairs: [string, string][] = [];
  for (const raw of text.replace(/^\ufeff/, '').split('\n')) {
    const line = raw.replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    pairs.push(equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)]);
  }
  return pairs;
}
