/** Which columns a kind has. Rule: kubernetes `pkg/printers/internalversion`; custom resources name their own. */
import type { Unstructured } from '#apimachinery/meta';
import type { ResourceType } from '../registry/types.ts';
import { customColumns } from './custom.ts';
import { BUILTIN_COLUMNS } from './builtin.ts';
import type { Column } from './table.ts';

// The descriptions of metadata fields are part of the wire format: clients show them in `kubectl explain`-like help.
const NAME_TEXT =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';

export const NAME: Column = { name: 'Name', type: 'string', format: 'name', description: NAME_TEXT, priority: 0, cell: ({ metadata }) => metadata.name ?? '' };
const CREATED: Column = { name: 'Created At', type: 'date', format: '', description: 'Time of creation.', priority: 0, cell: ({ metadata }: Unstructured) => metadata.creationTimestamp ?? '' };

const DEFAULT: readonly Column[] = [NAME, CREATED];

export function columnsOf(type: ResourceType): readonly Column[] {
  if (type.custom) return [NAME, ...customColumns(type.custom.columns)];
  const own = BUILTIN_COLUMNS[type.kind];
  if (!own) return DEFAULT;
  return type.kind === 'Event' ? own : [NAME, ...own];
}
