/**
 * The difference at the end of a refused pod update: both specs as the server's own form spells them (Go
 * names, every field), line by line, with three lines of context. Rule: recorded answers of a real server; the
 * spelling comes from facts that tools/gen-internal-pod.ts writes.
 */
import { isRecord } from '#base/json';
import facts from '../internal-pod.generated.json' with { type: 'json' };

/** `[Go name, name on the wire, type]`. */
type Field = readonly [string, string, string];

const TYPES = facts as unknown as Readonly<Record<string, readonly Field[]>>;
/** Kept in the pod's security context by the server, and in the spec on the wire. */
const MOVED: Readonly<Record<string, string>> = { HostNetwork: 'hostNetwork', HostPID: 'hostPID', HostIPC: 'hostIPC', ShareProcessNamespace: 'shareProcessNamespace', HostUsers: 'hostUsers' };
const CONTEXT = 3;
/** Lines of one text; longer ones are not compared line by line, which takes time in the product of both. */
const LINES_MAX = 3000;

export function podSpecDifference(before: unknown, after: unknown): string {
  const lines = (spec: unknown) => printed(inner('PodSpec', moved(spec))).split('\n');
  return unified(lines(before), lines(after));
}

function moved(spec: unknown): unknown {
  if (!isRecord(spec)) return spec;
  const extra = Object.fromEntries(Object.values(MOVED).filter((name) => spec[name] !== undefined).map((name) => [name, spec[name]]));
  const context = isRecord(spec['securityContext']) ? spec['securityContext'] : undefined;
  return context || Object.keys(extra).length > 0 ? { ...spec, securityContext: { ...context, ...extra } } : spec;
}

function inner(type: string, value: unknown): unknown {
  if (type.startsWith('*')) return value === undefined || value === null ? null : inner(type.slice(1), value);
  if (type.startsWith('[]')) return Array.isArray(value) && value.length > 0 ? value.map((item) => inner(type.slice(2), item)) : null;
  if (type.startsWith('map[]')) return isRecord(value) && Object.keys(value).length > 0 ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, inner(type.slice(5), value[key])])) : null;
  if (TYPES[type]) return struct(type, isRecord(value) ? value : {});
  return value ?? zero(type);
}

function struct(type: string, value: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, wire, fieldType] of TYPES[type] ?? []) {
    if (fieldType.startsWith('+')) Object.assign(result, struct(fieldType.slice(1), value));
    else result[name] = inner(fieldType, value[wire || (type === 'PodSecurityContext' ? (MOVED[name] ?? '') : '')]);
  }
  return result;
}

function zero(type: string): unknown {
  if (type === 'bool') return false;
  if (/^int(?:32|64)?$/.test(type) || type === 'IntOrString') return 0;
  return type === 'Quantity' ? '0' : type === 'string' ? '' : null;
}

/** JSON indented by one blank, with Go's escapes. */
function printed(value: unknown): string {
  return JSON.stringify(value, null, 1).replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}

interface Change {
  sign: ' ' | '-' | '+';
  line: string;
}

function unified(before: readonly string[], after: readonly string[]): string {
  const changes = compare(before, after);
  const shown = changes.map((_, index) => changes.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ sign }) => sign !== ' '));
  let text = '';
  let [left, right] = [0, 0];
  for (let start = 0; start < changes.length; ) {
    let end = start;
    while (end < changes.length && shown[end]) end += 1;
    if (end > start) {
      const hunk = changes.slice(start, end);
      text += `@@ -${range(left, hunk, '+')} +${range(right, hunk, '-')} @@\n${hunk.map(({ sign, line }) => `${sign}${line}\n`).join('')}`;
    } else end += 1;
    for (const { sign } of changes.slice(start, end)) {
      if (sign !== '+') left += 1;
      if (sign !== '-') right += 1;
    }
    start = end;
  }
  return text;
}

/** First line and number of lines on one side; `other` is the sign of lines of the other side. */
function range(offset: number, hunk: readonly Change[], other: '-' | '+'): string {
  const length = hunk.filter(({ sign }) => sign !== other).length;
  const first = length === 0 ? offset : offset + 1;
  return length === 1 ? `${first}` : `${first},${length}`;
}

/** A longest common subsequence; in a changed stretch what goes stands before what comes. */
function compare(before: readonly string[], after: readonly string[]): Change[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < before.length - head && tail < after.length - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const left = before.slice(head, before.length - tail);
  const right = after.slice(head, after.length - tail);
  const same = (lines: readonly string[]): Change[] => lines.map((line) => ({ sign: ' ', line }));
  return [...same(before.slice(0, head)), ...middle(left, right), ...same(before.slice(before.length - tail))];
}

function middle(left: readonly string[], right: readonly string[]): Change[] {
  const drop = (lines: readonly string[]): Change[] => lines.map((line) => ({ sign: '-', line }));
  const add = (lines: readonly string[]): Change[] => lines.map((line) => ({ sign: '+', line }));
  if (left.length > LINES_MAX || right.length > LINES_MAX) return [...drop(left), ...add(right)];
  const width = right.length + 1;
  const lengths = new Uint16Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] = left[i] === right[j] ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1 : Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0);
    }
  }
  const result: Change[] = [];
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    if (left[i] === right[j]) {
      result.push({ sign: ' ', line: left[i] ?? '' });
      i += 1;
      j += 1;
    } else if ((lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0)) result.push(...drop(left.slice(i, (i += 1))));
    else result.push(...add(right.slice(j, (j += 1))));
  }
  return [...result, ...drop(left.slice(i)), ...add(right.slice(j))];
}
