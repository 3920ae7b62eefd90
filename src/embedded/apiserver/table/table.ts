/** Tables: what `kubectl get` prints. Columns of builtin kinds are facts in `columns.ts`; CRDs bring their own. */
import type { Unstructured } from '#apimachinery/meta';
import type { ResourceType } from '../registry/types.ts';
import { ROW_CONDITIONS } from './builtin.ts';
import { columnsOf } from './columns.ts';

export interface Column {
  name: string;
  type: string;
  format: string;
  description: string;
  priority: number;
  /** The cell of an object. */
  cell(object: Unstructured, nowMs: number): unknown;
}

export interface TableOptions {
  version: string;
  /** `Metadata`, `Object` or `None`. */
  include: string;
  metadata: Record<string, unknown>;
  nowMs: number;
  /** Later events of a watch leave the columns out. */
  withoutColumns?: boolean;
}

export function tableOf(type: ResourceType, objects: readonly Unstructured[], options: TableOptions): unknown {
  const columns = columnsOf(type);
  const apiVersion = `meta.k8s.io/${options.version}`;
  return {
    kind: 'Table',
    apiVersion,
    metadata: options.metadata,
    columnDefinitions: options.withoutColumns ? null : columns.map(({ name, type: columnType, format, description, priority }) => ({ name, type: columnType, format, description, priority })),
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, options.nowMs)),
      ...rowConditions(type, object),
      ...rowObject(object, options.include, apiVersion),
    })),
  };
}

function rowObject(object: Unstructured, include: string, apiVersion: string): Record<string, unknown> {
  if (include === 'None') return {};
  if (include === 'Object') return { object };
  return { object: { kind: 'PartialObjectMetadata', apiVersion, metadata: publicMetadata(object) } };
}

function rowConditions(type: ResourceType, object: Unstructured): Record<string, unknown> {
  const conditions = type.custom ? undefined : ROW_CONDITIONS[type.kind]?.(object);
  return conditions ? { conditions } : {};
}

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

/** Metadata without what the real server only adds when it writes a whole DaemonSet. */
export function publicMetadata({ metadata }: Unstructured): Unstructured['metadata'] {
  if (metadata.annotations?.[TEMPLATE_GENERATION] === undefined) return metadata;
  const { annotations: { [TEMPLATE_GENERATION]: _, ...annotations }, ...rest } = metadata as Unstructured['metadata'] & { annotations: Record<string, string> };
  return Object.keys(annotations).length > 0 ? { ...rest, annotations } : rest;
}
