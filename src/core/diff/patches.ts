/**
 * `diff.comparePatches`: what the user declares not to be drift. jsonPointers and `remove` take a path out
 * of both sides; `ignore` takes the whole object out; `add` and `replace` set a value on both sides.
 */
import type { ComparePatch } from '#api/fleet';
import type { Unstructured } from '#apimachinery/meta';
import { isRecord } from '#base/json';
import { RE2JS } from 're2js';

/** The patches that concern an object. Empty fields fit everything; others literally, or as a regular expression of the whole. */
export function patchesFor(patches: readonly ComparePatch[], { apiVersion = '', kind = '', namespace = '', name = '' }: { apiVersion?: string; kind?: string; namespace?: string; name?: string }): ComparePatch[] {
  return patches.filter(
    (patch) => fits(patch.apiVersion, apiVersion) && fits(patch.kind, kind) && fits(patch.namespace, namespace) && fits(patch.name, name),
  );
}

function fits(pattern: string | undefined, value: string): boolean {
  if (!pattern || pattern === value) return true;
  if (!/[.*+?[({|^$\\]/.test(pattern) || pattern.length > PATTERN_MAX) return false;
  try {
    return RE2JS.compile(pattern).matches(value);
  } catch {
    return false;
  }
}

/** Longer patterns are taken literally: they are no names. (RE2 never runs long, and is what Go users write.) */
const PATTERN_MAX = 200;

export function ignoresObject(patches: readonly ComparePatch[]): boolean {
  return patches.some(({ operations = [] }) => operations.some(({ op }) => op === 'ignore'));
}

/** Applies the patches to an object in place. */
export function applyPatches(object: Unstructured, patches: readonly ComparePatch[]): void {
  for (const { jsonPointers = [], operations = [] } of patches) {
    for (const pointer of jsonPointers) remove(object, segmentsOf(pointer));
    for (const { op, path = '', value = '' } of operations) {
      if (op === 'remove') remove(object, segmentsOf(path));
      else if (op === 'add' || op === 'replace') set(object, segmentsOf(path), valueOf(value));
    }
  }
}

/** RFC 6901; a leading slash may be missing, as users write it. */
function segmentsOf(pointer: string): string[] {
  const path = pointer.startsWith('/') ? pointer.slice(1) : pointer;
  return path === '' ? [] : path.split('/').map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function parentOf(object: unknown, segments: readonly string[]): unknown {
  let current = object;
  for (const segment of segments.slice(0, -1)) current = Array.isArray(current) ? current[Number(segment)] : isRecord(current) && Object.hasOwn(current, segment) ? current[segment] : undefined;
  return current;
}

function remove(object: unknown, segments: readonly string[]): void {
  const parent = parentOf(object, segments);
  const last = segments.at(-1) ?? '';
  if (Array.isArray(parent)) {
    const index = Number(last);
    if (Number.isInteger(index) && index >= 0 && index < parent.length) parent.splice(index, 1);
  } else if (isRecord(parent) && last !== '') delete parent[last];
}

function set(object: unknown, segments: readonly string[], value: unknown): void {
  const parent = parentOf(object, segments);
  const last = segments.at(-1) ?? '';
  if (Array.isArray(parent) && last === '-') parent.push(value);
  else if (Array.isArray(parent) && /^\d+$/.test(last)) parent[Number(last)] = value;
  else if (isRecord(parent) && last !== '') Object.defineProperty(parent, last, { value, enumerable: true, configurable: true, writable: true });
}
