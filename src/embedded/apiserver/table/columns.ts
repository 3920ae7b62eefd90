/** Columns of the builtin kinds and of custom resources. */
import type { ResourceType } from '../registry/types.ts';
import { ageCell, type Column } from './table.ts';

const NAME: Column = { name: 'Name', type: 'string', format: 'name', description: 'Name of the object', priority: 0, cell: ({ metadata }) => metadata.name ?? '' };
const CREATED: Column = { name: 'Created At', type: 'date', format: '', description: 'Creation time of the object', priority: 0, cell: ({ metadata }) => metadata.creationTimestamp ?? '' };
export const AGE: Column = { name: 'Age', type: 'string', format: '', description: 'Age of the object', priority: 0, cell: ({ metadata }, nowMs) => ageCell(metadata.creationTimestamp, nowMs) };

export function columnsOf(_type: ResourceType): readonly Column[] {
  return [NAME, CREATED];
}
