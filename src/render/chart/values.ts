/**
 * How values of user, chart and subcharts become one tree (Helm's "coalescing"): the user's win, tables are
 * merged, a null of the user removes a default, `global` flows down. Measured against helm 4.1.
 */
import { deepCopyGo, isMap, setKey } from '#render/gotemplate';
import { ChartError } from './error.ts';
import type { ActiveChart } from './dependencies.ts';
import type { Values } from './types.ts';

/** Warnings are Helm's log lines; nothing fails because of them. */
export type Warn = (message: string) => void;

/** Later maps win, tables are merged; neither argument changes. */
export function mergeMaps(base: Values, over: Values): Values {
  const merged: Values = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const present = Object.hasOwn(base, key) ? base[key] : undefined;
    setKey(merged, key, isMap(value) && isMap(present) ? mergeMaps(present, value) : value);
  }
  return merged;
}

/** The values a chart's templates see. Throws {@link ChartError} where a subchart's values are no table. */
export function coalesce(chart: ActiveChart, values: Values, warn: Warn): Values {
  return coalesceInto({ chart, target: deepCopyGo(values), prefix: '', warn, merge: false });
}

/** The same, but nulls stay: for values that will be merged once more. */
export function mergeValues(chart: ActiveChart, values: Values, warn: Warn): Values {
  return coalesceInto({ chart, target: deepCopyGo(values), prefix: '', warn, merge: true });
}

interface Step {
  chart: ActiveChart;
  target: Values;
  prefix: string;
  warn: Warn;
  /** Keep nulls instead of letting them remove entries. */
  merge: boolean;
}

function coalesceInto(step: Step): Values {
  coalesceOwn(step);
  for (const subchart of step.chart.dependencies) coalesceSubchart(step, subchart);
  return step.target;
}

function coalesceSubchart({ chart, target, prefix, warn, merge }: Step, subchart: ActiveChart): void {
  const name = subchart.metadata.name;
  if (!Object.hasOwn(target, name)) setKey(target, name, {});
  const table = target[name];
  if (!isMap(table)) throw new ChartError(`type mismatch on ${name}: ${goFormatBool(table)}`);
  const subPrefix = concat(prefix, chart.metadata.name);
  coalesceGlobals({ target: table, source: target, prefix: subPrefix, warn });
  coalesceInto({ chart: subchart, target: table, prefix: subPrefix, warn, merge });
}

function goFormatBool(value: unknown): string {
  return `%!t(${typeof value === 'string' ? 'string' : typeof value === 'number' ? 'float64' : typeof value}=${String(value)})`;
}

function concat(a: string, b: string): string {
  return a === '' ? b : `${a}.${b}`;
}

function coalesceGlobals({ target, source, prefix, warn }: { target: Values; source: Values; prefix: string; warn: Warn }): void {
  const into = Object.hasOwn(target, 'global') ? target['global'] : {};
  const from = Object.hasOwn(source, 'global') ? source['global'] : {};
  if (!isMap(into) || !isMap(from)) {
    warn(`warning: skipping globals because ${isMap(into) ? 'source' : 'destination'} global is not a table.`);
    return;
  }
  for (const [key, value] of Object.entries(from)) {
    const present = Object.hasOwn(into, key) ? into[key] : undefined;
    if (!isMap(value)) {
      if (isMap(present)) warn(`Conflict: cannot merge map onto non-map for ${JSON.stringify(key)}. Skipping.`);
      else setKey(into, key, value);
    } else if (!Object.hasOwn(into, key)) setKey(into, key, { ...value });
    else if (isMap(present)) {
      const copy: Values = { ...value };
      coalesceTables({ target: copy, source: present, prefix: concat(prefix, key), warn, merge: true });
      setKey(into, key, copy);
    } else warn(`Conflict: cannot merge map onto non-map for ${JSON.stringify(key)}. Skipping.`);
  }
  setKey(target, 'global', into);
}

/** The chart's own defaults below what the target already has. */
function coalesceOwn({ chart, target, prefix, warn, merge }: Step): void {
  const subPrefix = concat(prefix, chart.metadata.name);
  const defaults = deepCopyGo(chart.values);
  for (const [key, fallback] of Object.entries(defaults)) {
    if (!Object.hasOwn(target, key)) {
      setKey(target, key, fallback);
      continue;
    }
    const value = target[key];
    if (value === null && !merge) delete target[key];
    else if (isMap(value)) {
      if (isMap(fallback)) {
        // Nulls meant for a subchart must reach it, so its table is merged without removing them.
        const forSubchart = chart.dependencies.some((subchart) => subchart.metadata.name === key);
        coalesceTables({ target: value, source: fallback, prefix: concat(subPrefix, key), warn, merge: merge || forSubchart });
      } else if (fallback !== null) warn(`warning: skipped value for ${concat(subPrefix, key)}: Not a table.`);
    }
  }
}

interface TableStep {
  target: Values;
  source: Values;
  prefix: string;
  warn: Warn;
  /** Keep nulls of the target instead of letting them remove the entry. */
  merge: boolean;
}

/** Fills `target` from `source`; the target wins. Both change. */
export function coalesceTables({ target, source, prefix, warn, merge }: TableStep): Values {
  for (const [key, fallback] of Object.entries(source)) {
    if (!Object.hasOwn(target, key)) {
      setKey(target, key, fallback);
      continue;
    }
    const value = target[key];
    if (value === null) {
      // A null over a null default stays; over anything else it removes the entry.
      if (!merge && fallback !== null) delete target[key];
    }
    else if (isMap(fallback)) {
      if (isMap(value)) coalesceTables({ target: value, source: fallback, prefix: concat(prefix, key), warn, merge });
      else warn(`warning: cannot overwrite table with non table for ${concat(prefix, key)} (${String(fallback)})`);
    } else if (isMap(value) && fallback !== null) warn(`warning: destination for ${concat(prefix, key)} is a table. Ignoring non-table value (${String(fallback)})`);
  }
  return target;
}

/** The value at a dotted path when it is a table. */
export function tableAt(values: Values, path: string): Values | undefined {
  let current: unknown = values;
  for (const key of path.split('.')) {
    if (!isMap(current) || !Object.hasOwn(current, key)) return undefined;
    current = current[key];
  }
  return isMap(current) ? current : undefined;
}

/** The value at a dotted path when it is no table (Helm's PathValue). */
export function leafAt(values: Values, path: string): unknown {
  const keys = path.split('.');
  const last = keys.pop() as string;
  const table = keys.length ? tableAt(values, keys.join('.')) : values;
  const value = table && Object.hasOwn(table, last) ? table[last] : undefined;
  return isMap(value) ? undefined : value;
}
