/** replacements: a value copied from one resource's field to fields of others. */
import { isRecord } from '#base/json';
import { parseYaml } from '#render/rawyaml';
import { joinPath, mapList, textField, type Kustomization, type Raw } from './kustomization.ts';
import { originalIdentity, gvkOf, identities, identityOf, type Resource } from './resource.ts';
import { selects } from './select.ts';
import { decodeText } from './text.ts';
import { KustomizeError, type KustomizeFiles } from './types.ts';

export function applyReplacements(resources: readonly Resource[], from: Kustomization, files: KustomizeFiles): void {
  for (const entry of mapList(from, 'replacements')) {
    for (const replacement of loadEntry(entry, from, files)) replaceOne(resources, replacement, from);
  }
}

function loadEntry(entry: Raw, from: Kustomization, files: KustomizeFiles): Raw[] {
  const path = textField(entry, 'path');
  if (path === '') return [entry];
  const data = files.get(joinPath(from.dir, path));
  if (!data) throw new KustomizeError(`replacements: ${JSON.stringify(path)}: no such file`, from.file);
  const value = parseYaml(decodeText(data), { file: path });
  return (Array.isArray(value) ? value : [value]).filter(isRecord);
}

function replaceOne(resources: readonly Resource[], replacement: Raw, from: Kustomization): void {
  const value = sourceValue(resources, replacement, from);
  const targets = replacement['targets'];
  if (!Array.isArray(targets)) throw new KustomizeError('replacements must specify a source and at least one target', from.file);
  for (const target of targets.filter(isRecord)) {
    if (!isRecord(target['select'])) throw new KustomizeError('target must specify resources to select', from.file);
    const rejects = (Array.isArray(target['reject']) ? target['reject'] : []).filter(isRecord);
    for (const resource of resources) {
      if (!chosen(target['select'], resource) || rejects.some((reject) => chosen(reject, resource))) continue;
      const paths = Array.isArray(target['fieldPaths']) ? target['fieldPaths'].map(String) : ['metadata.name'];
      for (const path of paths) setAt({ resource, path, value, options: isRecord(target['options']) ? target['options'] : {}, from });
    }
  }
}

/** Here names are compared as they are, not as expressions. */
function chosen(selector: Raw, resource: Resource): boolean {
  const { name: _name, namespace: _namespace, group: _group, version: _version, kind: _kind, ...rest } = selector;
  const gvk = gvkOf(resource.object);
  if (!['group', 'version', 'kind'].every((key) => textField(selector, key) === '' || textField(selector, key) === gvk[key as 'kind'])) return false;
  const name = textField(selector, 'name');
  const namespace = textField(selector, 'namespace');
  const matches = identities(resource).some((one) => (name === '' || one.name === name) && (namespace === '' || (one.namespace || 'default') === namespace));
  return matches && selects(rest, resource);
}

function sourceValue(resources: readonly Resource[], replacement: Raw, from: Kustomization): unknown {
  if (typeof replacement['sourceValue'] === 'string') return replacement['sourceValue'];
  const source = replacement['source'];
  if (!isRecord(source)) throw new KustomizeError('replacements must specify a source and at least one target', from.file);
  const found = resources.filter((resource) => chosen(source, resource));
  if (found.length !== 1) throw new KustomizeError(`${found.length === 0 ? 'nothing selected by' : 'multiple matches for selector'} ${selectorText(source)}`, from.file);
  const path = textField(source, 'fieldPath') || 'metadata.name';
  const value = splitFieldPath(path).reduce<unknown>((current, segment) => step(current, segment), (found[0] as Resource).object);
  if (value === undefined || value === null) throw new KustomizeError(`fieldPath \`${path}\` is missing for replacement source ${selectorText(source)}`, from.file);
  const options = isRecord(source['options']) ? source['options'] : {};
  const delimiter = textField(options, 'delimiter');
  if (delimiter === '') return value;
  const part = String(value).split(delimiter)[Number(options['index'] ?? 0)];
  if (part === undefined) throw new KustomizeError(`options.index ${Number(options['index'] ?? 0)} is out of bounds for value ${String(value)}`, from.file);
  return part;
}

function selectorText(source: Raw): string {
  const parts = [textField(source, 'kind') || '[noKind]', textField(source, 'version') || '[noVer]', textField(source, 'group') || '[noGrp]'].join('.');
  return `${parts}/${textField(source, 'name') || '[noName]'}.${textField(source, 'namespace') || '[noNs]'}`;
}

/** `a.b.[name=x].c`, `a.b/c` style names in brackets, `*`, indexes; a backslash keeps a dot. */
export function splitFieldPath(path: string): string[] {
  const segments: string[] = [];
  let current = '';
  let inBrackets = false;
  for (let i = 0; i < path.length; i++) {
    const char = path[i] as string;
    if (char === '\\' && path[i + 1] === '.') {
      current += '.';
      i++;
    } else if (char === '.' && !inBrackets) {
      segments.push(current);
      current = '';
    } else {
      if (char === '[') inBrackets = true;
      if (char === ']') inBrackets = false;
      current += char;
    }
  }
  return [...segments, current].filter((segment) => segment !== '');
}

const ITEM = /^\[([^=]+)=(.*)\]$/;

function step(current: unknown, segment: string): unknown {
  const item = ITEM.exec(segment);
  if (item) return Array.isArray(current) ? current.find((one) => isRecord(one) && String(one[item[1] as string]) === item[2]) : undefined;
  if (Array.isArray(current)) return segment === '-' ? undefined : current[Number(segment)];
  return isRecord(current) ? current[segment.replace(/^\[(.*)\]$/, '$1')] : undefined;
}

interface Setting {
  resource: Resource;
  path: string;
  value: unknown;
  options: Raw;
  from: Kustomization;
}

function setAt({ resource, path, value, options, from }: Setting): void {
  const segments = splitFieldPath(path);
  const holders = holdersOf([resource.object], segments.slice(0, -1), options['create'] === true);
  const last = segments.at(-1) as string;
  let count = 0;
  for (const holder of holders) count += setLast({ holder, last, value, options });
  if (count === 0) throw new KustomizeError(`unable to find field ${JSON.stringify(path)} in replacement target (${identityOf(resource.object).name || originalIdentity(resource).name})`, from.file);
}

function holdersOf(start: readonly unknown[], segments: readonly string[], create: boolean): unknown[] {
  let holders = [...start];
  for (const [index, segment] of segments.entries()) {
    holders = holders.flatMap((holder) => {
      if (segment === '*') return Array.isArray(holder) ? holder : isRecord(holder) ? Object.values(holder) : [];
      const inner = step(holder, segment);
      if (inner !== undefined && inner !== null) return [inner];
      return create && isRecord(holder) && !ITEM.test(segment) ? [(holder[segment] = ITEM.test(segments[index + 1] ?? '') ? [] : {})] : [];
    });
  }
  return holders;
}

function setLast({ holder, last, value, options }: { holder: unknown; last: string; value: unknown; options: Raw }): number {
  const key = last.replace(/^\[(.*)\]$/, '$1');
  if (last === '*' && Array.isArray(holder)) {
    for (const index of holder.keys()) holder[index] = combined(holder[index], value, options);
    return holder.length;
  }
  if (Array.isArray(holder)) {
    const item = ITEM.exec(last);
    const index = item ? holder.findIndex((one) => isRecord(one) && String(one[item[1] as string]) === item[2]) : Number(key);
    if (!(index >= 0) || index >= holder.length) return 0;
    holder[index] = combined(holder[index], value, options);
    return 1;
  }
  if (!isRecord(holder) || (holder[key] === undefined && options['create'] !== true)) return 0;
  holder[key] = combined(holder[key], value, options);
  return 1;
}

function combined(present: unknown, value: unknown, options: Raw): unknown {
  const delimiter = textField(options, 'delimiter');
  if (delimiter === '') return typeof present === 'string' && typeof value !== 'object' ? String(value) : value;
  const parts = typeof present === 'string' ? present.split(delimiter) : [''];
  const index = Number(options['index'] ?? 0);
  if (index < 0) return [String(value), ...parts].join(delimiter);
  if (index >= parts.length) return [...parts, String(value)].join(delimiter);
  parts[index] = String(value);
  return parts.join(delimiter);
}
