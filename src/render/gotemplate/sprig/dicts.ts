/** Sprig's dictionaries. `set`, `unset` and the merges change their first argument, as in Sprig. */
import { FunctionError } from '../errors.ts';
import { fn, type FunctionTable } from '../functions.ts';
import { getKey, isMap, setKey, sortedKeys, strings, typeName, type GoMap } from '../value.ts';
import { deepCopyGo } from './deep.ts';
import { isEmpty, strval } from './cast.ts';

const DICT = 'map[string]interface {}';

export const DICT_FUNCTIONS: FunctionTable = {
  dict: fn(['...any'], dict),
  get: fn([DICT, 'string'], (map: GoMap | null, key: string) => (map !== null && Object.hasOwn(map, key) ? (map[key] ?? null) : '')),
  set: fn([DICT, 'string', 'any'], (map: GoMap | null, key: string, value: unknown) => {
    if (map === null) throw new FunctionError('assignment to entry in nil map');
    setKey(map, key, value);
    return map;
  }),
  unset: fn([DICT, 'string'], (map: GoMap | null, key: string) => {
    if (map !== null) delete map[key];
    return map;
  }),
  hasKey: fn([DICT, 'string'], (map: GoMap | null, key: string) => map !== null && Object.hasOwn(map, key)),
  pluck: fn(['string', `...${DICT}`], (key: string, ...maps: GoMap[]) => maps.filter((map) => map !== null && Object.hasOwn(map, key)).map((map) => getKey(map, key))),
  // Go's order is random here; sorted is one of its outcomes and keeps renders repeatable.
  keys: fn([`...${DICT}`], (...maps: GoMap[]) => strings(maps.flatMap((map) => (map === null ? [] : sortedKeys(map))))),
  values: fn([DICT], (map: GoMap | null) => sortedKeys(map ?? {}).map((key) => map?.[key])),
  pick: fn([DICT, '...string'], (map: GoMap, ...keys: string[]) => filterKeys(map, (key) => keys.includes(key))),
  omit: fn([DICT, '...string'], (map: GoMap, ...keys: string[]) => filterKeys(map, (key) => !keys.includes(key))),
  merge: fn([DICT, `...${DICT}`], (target: GoMap, ...sources: GoMap[]) => mergeAll(target, sources, false)),
  mustMerge: fn([DICT, `...${DICT}`], (target: GoMap, ...sources: GoMap[]) => mergeAll(target, sources, false)),
  mergeOverwrite: fn([DICT, `...${DICT}`], (target: GoMap, ...sources: GoMap[]) => mergeAll(target, sources, true)),
  mustMergeOverwrite: fn([DICT, `...${DICT}`], (target: GoMap, ...sources: GoMap[]) => mergeAll(target, sources, true)),
  deepCopy: fn(['any'], copied),
  mustDeepCopy: fn(['any'], copied),
  dig: fn(['...any'], dig),
};

function copied(value: unknown): unknown {
  if (value === null) throw new FunctionError('reflect: call of reflect.Value.Type on zero Value');
  return deepCopyGo(value);
}

function dict(...items: unknown[]): GoMap {
  const map: GoMap = {};
  for (let i = 0; i < items.length; i += 2) setKey(map, strval(items[i]), i + 1 < items.length ? items[i + 1] : '');
  return map;
}

function filterKeys(map: GoMap | null, keep: (key: string) => boolean): GoMap {
  const result: GoMap = {};
  for (const key of Object.keys(map ?? {})) if (keep(key)) setKey(result, key, map?.[key]);
  return result;
}

function mergeAll(target: GoMap | null, sources: readonly GoMap[], overwrite: boolean): GoMap | null {
  if (target === null) {
    if (sources.some((source) => source !== null && Object.keys(source).length > 0)) throw new FunctionError('assignment to entry in nil map');
    return null;
  }
  for (const source of sources) mergeInto(target, source, overwrite);
  return target;
}

/** mergo.Merge: nested maps are merged; an entry of the target stays unless it is empty or `overwrite`. */
function mergeInto(target: GoMap, source: GoMap | null, overwrite: boolean): void {
  if (source === null) return;
  for (const key of Object.keys(source)) {
    const incoming = source[key];
    const present = getKey(target, key);
    if (isMap(incoming) && isMap(present)) {
      mergeInto(present, incoming, overwrite);
      continue;
    }
    if (incoming === null && !overwrite) continue;
    if (overwrite || present === undefined || isEmpty(present)) setKey(target, key, incoming);
  }
}

function dig(...parts: unknown[]): unknown {
  if (parts.length < 3) throw new FunctionError('dig needs at least three arguments');
  const map = parts.at(-1);
  const fallback = parts.at(-2);
  let current: unknown = map;
  for (const key of parts.slice(0, -2)) {
    if (!isMap(current)) throw new FunctionError(`interface conversion: interface {} is ${current === null ? 'nil' : typeName(current)}, not map[string]interface {}`);
    if (typeof key !== 'string') throw new FunctionError(`interface conversion: interface {} is ${typeName(key)}, not string`);
    if (!Object.hasOwn(current, key)) return fallback;
    current = current[key];
  }
  return current;
}
