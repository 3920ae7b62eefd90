/** Columns of custom resources: a JSON path and a type each. Rule: CustomResourceDefinition `additionalPrinterColumns`. */
import { isRecord } from '#base/json';
import type { Unstructured } from '#apimachinery/meta';
import type { PrinterColumn } from '../registry/types.ts';
import { AGE } from './builtin.ts';
import { since } from './format.ts';
import type { Column } from './table.ts';

export function customColumns(columns: readonly PrinterColumn[]): Column[] {
  if (columns.length === 0) return [{ ...AGE, type: 'date' }];
  return columns.map(({ name, type, format = '', description = '', priority = 0, jsonPath }) => {
    const path = parsePath(jsonPath);
    return {
      name,
      type,
      format,
      description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
      priority,
      cell: (object, nowMs) => cellOf(findAll(object, path), type, nowMs),
    };
  });
}

function cellOf(found: unknown[], type: string, nowMs: number): unknown {
  if (found.length === 0) return null;
  if (type === 'string') return found.map(asText).join(',') || (typeof found[0] === 'string' ? '' : null);
  const value = found[0];
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : null;
    case 'number':
      return typeof value === 'number' ? value : typeof value === 'string' && value !== '' && !Number.isNaN(Number(value)) ? Number(value) : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' ? since(value, nowMs).replace('<unknown>', '<invalid>') : null;
    default:
      return null;
  }
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value) ?? '';
}

interface Step {
  kind: 'key' | 'index' | 'all' | 'filter';
  key: string;
  value?: string;
}

const STEP = /\.?\[\?\(@\.([\w.'[\]/-]+)\s*==\s*(?:"([^"]*)"|'([^']*)'|([\w.-]+))\)\]|\.?\['((?:[^'\\]|\\.)*)'\]|\.?\["((?:[^"\\]|\\.)*)"\]|\.?\[(-?\d+)\]|\.?\[\*\]|\.\*|\.?((?:[^.[\]\\]|\\.)+)/gy;

/** The steps of a simple JSON path: keys, quoted keys, indices, `[*]`, equality filters. */
function parsePath(path: string): Step[] {
  const text = path.replace(/^\{|\}$/g, '');
  const steps: Step[] = [];
  for (const match of text.matchAll(STEP)) {
    const [whole, filterKey, double, single, bare, quoted, doubleQuoted, index, plain] = match;
    if (filterKey !== undefined) steps.push({ kind: 'filter', key: filterKey, value: double ?? single ?? bare ?? '' });
    else if (quoted !== undefined || doubleQuoted !== undefined) steps.push({ kind: 'key', key: (quoted ?? doubleQuoted ?? '').replace(/\\(.)/g, '$1') });
    else if (index !== undefined) steps.push({ kind: 'index', key: index });
    else if (plain !== undefined) steps.push({ kind: 'key', key: plain.replace(/\\(.)/g, '$1') });
    else if (whole.includes('*')) steps.push({ kind: 'all', key: '' });
  }
  return steps;
}

function findAll(object: Unstructured, steps: readonly Step[]): unknown[] {
  let current: unknown[] = [object];
  for (const step of steps) current = current.flatMap((value) => follow(value, step));
  return current.filter((value) => value !== undefined && value !== null);
}

function follow(value: unknown, { kind, key, value: wanted }: Step): unknown[] {
  switch (kind) {
    case 'key':
      return isRecord(value) && Object.hasOwn(value, key) ? [value[key]] : [];
    case 'index':
      return Array.isArray(value) ? [value.at(Number(key))] : [];
    case 'all':
      return Array.isArray(value) ? value : isRecord(value) ? Object.values(value) : [];
    case 'filter':
      return Array.isArray(value) ? value.filter((item) => isRecord(item) && String(item[key]) === wanted) : [];
  }
}
