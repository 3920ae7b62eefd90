/** The functions Helm adds to Sprig, without `include` and `tpl` (engine.ts). */
import { dumpYaml, GoYamlError, parseYaml } from '#render/rawyaml';
import { ChartFailure } from './errors.ts';
import { fn, type FunctionTable } from './functions.ts';
import { toJson, toPlain } from './json.ts';
import { parseJson } from './sprig/encoding.ts';
import { parseToml, writeToml } from './toml.ts';
import { isMap, typeName } from './value.ts';

export interface HelmFunctionOptions {
  lookup: (apiVersion: string, kind: string, namespace: string, name: string) => unknown;
}

export function helmFunctions({ lookup }: HelmFunctionOptions): FunctionTable {
  return {
    toYaml: fn(['any'], (value: unknown) => quietly(() => yamlText(value))),
    mustToYaml: fn(['any'], yamlText),
    toYamlPretty: fn(['any'], (value: unknown) => quietly(() => dumpYaml(toPlain(value), { indentSequences: true }).replace(/\n$/, ''))),
    fromYaml: fn(['string'], (text: string) => mapOrError(() => parseYaml(text), 'json: cannot unmarshal %s into Go value of type map[string]interface {}')),
    fromYamlArray: fn(['string'], (text: string) => listOrError(() => parseYaml(text), 'error unmarshaling JSON: while decoding JSON: ')),
    toJson: fn(['any'], (value: unknown) => quietly(() => toJson(value))),
    mustToJson: fn(['any'], (value: unknown) => toJson(value)),
    fromJson: fn(['string'], (text: string) => mapOrError(() => parseJson(text), '!json: cannot unmarshal %s into Go value of type map[string]interface {}')),
    fromJsonArray: fn(['string'], (text: string) => listOrError(() => parseJson(text), '')),
    toToml: fn(['any'], (value: unknown) => errorText(() => writeToml(value))),
    mustToToml: fn(['any'], (value: unknown) => writeToml(value)),
    fromToml: fn(['string'], (text: string) => mapOrError(() => parseToml(text), '%s')),
    required: fn(['string', 'any'], (message: string, value: unknown) => {
      if (value === null || value === undefined || value === '') throw new ChartFailure(message);
      return value;
    }),
    lookup: fn(['string', 'string', 'string', 'string'], (apiVersion: string, kind: string, namespace: string, name: string) => lookup(apiVersion, kind, namespace, name)),
    getHostByName: fn(['string'], () => ''),
  };
}

function yamlText(value: unknown): string {
  return dumpYaml(toPlain(value)).replace(/\n$/, '');
}

/** Helm swallows errors of these functions: the text is empty then. */
function quietly(work: () => string): string {
  try {
    return work();
  } catch {
    return '';
  }
}

function errorText(work: () => string): string {
  try {
    return work();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function message(error: unknown): string {
  if (error instanceof GoYamlError) return `error converting YAML to JSON: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

function mapOrError(work: () => unknown, mismatch: string): Record<string, unknown> {
  try {
    const value = work();
    if (value === null) return {};
    if (isMap(value)) return value;
    const problem = mismatch.replace('%s', jsonShape(value));
    return { Error: problem.startsWith('!') ? problem.slice(1) : `error unmarshaling JSON: while decoding JSON: ${problem}` };
  } catch (error) {
    return { Error: message(error) };
  }
}

function listOrError(work: () => unknown, prefix: string): unknown[] {
  try {
    const value = work();
    if (value === null) return [];
    if (Array.isArray(value)) return value;
    return [`${prefix}json: cannot unmarshal ${jsonShape(value)} into Go value of type []interface {}`];
  } catch (error) {
    return [message(error)];
  }
}

function jsonShape(value: unknown): string {
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'string' ? 'string' : isMap(value) ? 'object' : typeName(value);
}
