/** values.schema.json of every chart in the tree against the values that chart gets. */
import type { ActiveChart } from './dependencies.ts';
import type { Values } from './types.ts';

export function checkSchemas(_root: ActiveChart, _values: Values): void {}
