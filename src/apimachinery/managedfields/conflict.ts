/** The 409 of an apply that would take fields from others: one cause per field, in the API server's words. */
import { StatusError } from '../status/index.ts';
import { pathText, pathsOf, type FieldSet } from './field-set.ts';
import type { Manager } from './managers.ts';

export interface Conflict {
  manager: Manager;
  fields: FieldSet;
}

/** Conflicts by manager name in sorted order. */
export function conflictError(conflicts: readonly Conflict[]): StatusError {
  const sorted = [...conflicts].sort((a, b) => (describe(a.manager) < describe(b.manager) ? -1 : 1));
  const single = sorted.flatMap(({ manager, fields }) => pathsOf(fields).map((path) => ({ manager: describe(manager), path: pathText(path) })));
  const causes = single.map(({ manager, path }) => ({ reason: 'FieldManagerConflict', message: `conflict with ${manager}`, field: path }));
  return new StatusError(409, 'Conflict', messageOf(single), { causes });
}

function messageOf(single: readonly { manager: string; path: string }[]): string {
  const [first] = single;
  if (single.length === 1 && first) return `Apply failed with 1 conflict: conflict with ${first.manager}: ${first.path}`;
  const lines: string[] = [];
  let last = '';
  for (const { manager, path } of single) {
    if (manager !== last) lines.push(`conflicts with ${manager}:`);
    lines.push(`- ${path}`);
    last = manager;
  }
  return `Apply failed with ${single.length} conflicts: ${lines.join('\n')}`;
}

/** `"m1"`, `"hpa" with subresource "scale" using apps/v1`. */
function describe({ name, subresource, operation, apiVersion }: Manager): string {
  const base = `${JSON.stringify(name)}${subresource ? ` with subresource ${JSON.stringify(subresource)}` : ''}`;
  return operation === 'Update' ? `${base} using ${apiVersion}` : base;
}
