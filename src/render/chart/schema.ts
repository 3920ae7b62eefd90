/**
 * JSON Schema, drafts 4 to 2020-12, as far as values files use it: every assertion and applicator keyword,
 * local references, and the annotations `unevaluated…` needs. Wording follows the validator inside helm 4.1.
 *
 * Absent: remote references (an error: rendering reads no network), format assertions beyond the common ones,
 * `$dynamicRef` outside the root it names.
 */
import { isRecord, deepEqual } from '#base/json';
import { FORMATS } from './schema-formats.ts';

type Schema = Record<string, unknown>;

export interface SchemaProblem {
  /** JSON pointer of the value. */
  at: string;
  message: string;
}

const LIMITS = { depthMax: 200, problemsMax: 200 };

/** What a schema says of a value: problems, and which members it looked at. */
interface Verdict {
  problems: SchemaProblem[];
  properties: Set<string>;
  items: number;
}

/** Every problem of `value`; empty when it fits. Throws an `Error` for a schema that cannot be used. */
export function validateSchema(schema: unknown, value: unknown): SchemaProblem[] {
  return new Validator(schema).check(schema, value, { at: '', depth: 0 }).problems;
}

interface Place {
  at: string;
  depth: number;
}

class Validator {
  private readonly root: unknown;
  private readonly draft: number;

  constructor(root: unknown) {
    this.root = root;
    this.draft = draftOf(root);
  }

  check(schema: unknown, value: unknown, place: Place): Verdict {
    const verdict: Verdict = { problems: [], properties: new Set(), items: 0 };
    if (place.depth > LIMITS.depthMax) throw new Error(`schema recursion deeper than ${LIMITS.depthMax} at '${place.at}'`);
    if (schema === true || schema === undefined) return verdict;
    if (schema === false) {
      verdict.problems.push({ at: place.at, message: 'false schema' });
      return verdict;
    }
    if (!isRecord(schema)) throw new Error('schema is neither an object nor a boolean');
    const below = { ...place, depth: place.depth + 1 };
    const reference = schema['$ref'] ?? schema['$dynamicRef'] ?? schema['$recursiveRef'];
    if (typeof reference === 'string') {
      this.merge(verdict, this.check(this.resolve(reference), value, below));
      if (this.draft < 2019) return verdict;
    }
    this.assertions(schema, value, { place, verdict });
    this.applicators(schema, value, { place: below, verdict });
    return verdict;
  }

  private merge(into: Verdict, from: Verdict): void {
    into.problems.push(...from.problems);
    for (const name of from.properties) into.properties.add(name);
    into.items = Math.max(into.items, from.items);
  }

  private resolve(reference: string): unknown {
    if (reference === '#') return this.root;
    if (reference.startsWith('#/')) {
      let current: unknown = this.root;
      for (const step of reference.slice(2).split('/')) {
        const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
        current = Array.isArray(current) ? current[Number(key)] : isRecord(current) ? current[key] : undefined;
      }
      if (current === undefined) throw new Error(`schema reference ${JSON.stringify(reference)} leads nowhere`);
      return current;
    }
    const found = findNamed(this.root, reference.replace(/^#/, ''), 0);
    if (found === undefined) throw new Error(`schema reference ${JSON.stringify(reference)} is not local`);
    return found;
  }

  private assertions(schema: Schema, value: unknown, { place, verdict }: { place: Place; verdict: Verdict }): void {
    const report = (message: string) => {
      if (verdict.problems.length < LIMITS.problemsMax) verdict.problems.push({ at: place.at, message });
    };
    const type = schema['type'];
    if (type !== undefined && !hasType(value, type)) {
      report(`got ${typeOfValue(value)}, want ${Array.isArray(type) ? type.join(' or ') : String(type)}`);
      return;
    }
    if ('const' in schema && !deepEqual(schema['const'], value)) report(`value must be ${literal(schema['const'])}`);
    const options = schema['enum'];
    if (Array.isArray(options) && !options.some((option) => deepEqual(option, value))) report(`value must be ${options.length === 1 ? literal(options[0]) : `one of ${options.map(literal).join(', ')}`}`);
    if (typeof value === 'number') checkNumber(schema, value, report);
    else if (typeof value === 'string') this.checkText(schema, value, report);
    else if (Array.isArray(value)) checkArray(schema, value, report);
    else if (isRecord(value)) checkObject(schema, value, report);
  }

  private checkText(schema: Schema, value: string, report: (message: string) => void): void {
    const length = Array.from(value).length;
    const { minLength, maxLength, pattern, format } = schema;
    if (typeof minLength === 'number' && length < minLength) report(`minLength: got ${length}, want ${minLength}`);
    if (typeof maxLength === 'number' && length > maxLength) report(`maxLength: got ${length}, want ${maxLength}`);
    if (typeof pattern === 'string' && !regex(pattern).test(value)) report(`${singleQuote(value)} does not match pattern ${singleQuote(pattern)}`);
    if (typeof format === 'string' && this.draft < 2019 && FORMATS[format]?.(value) === false) report(`${singleQuote(value)} is not valid ${format}`);
  }

  private applicators(schema: Schema, value: unknown, { place, verdict }: { place: Place; verdict: Verdict }): void {
    this.combinators(schema, value, { place, verdict });
    if (Array.isArray(value)) this.items(schema, value, { place, verdict });
    else if (isRecord(value)) this.members(schema, value, { place, verdict });
  }

  private combinators(schema: Schema, value: unknown, { place, verdict }: { place: Place; verdict: Verdict }): void {
    const run = (inner: unknown) => this.check(inner, value, place);
    const { allOf, anyOf, oneOf } = schema;
    if (Array.isArray(allOf)) for (const inner of allOf) this.merge(verdict, run(inner));
    if (Array.isArray(anyOf)) {
      const verdicts = anyOf.map(run);
      const fitting = verdicts.filter(({ problems }) => problems.length === 0);
      if (fitting.length === 0) verdict.problems.push({ at: place.at, message: "'anyOf' failed" }, ...verdicts.flatMap(({ problems }) => problems));
      for (const one of fitting) this.merge(verdict, one);
    }
    if (Array.isArray(oneOf)) {
      const verdicts = oneOf.map(run);
      const fitting = verdicts.map((one, index) => ({ one, index })).filter(({ one }) => one.problems.length === 0);
      if (fitting.length === 0) verdict.problems.push({ at: place.at, message: "'oneOf' failed, none matched" }, ...verdicts.flatMap(({ problems }) => problems));
      else if (fitting.length > 1) verdict.problems.push({ at: place.at, message: `'oneOf' failed, subschemas ${fitting[0]?.index}, ${fitting[1]?.index} matched` });
      else this.merge(verdict, (fitting[0] as { one: Verdict }).one);
    }
    if ('not' in schema && run(schema['not']).problems.length === 0) verdict.problems.push({ at: place.at, message: "'not' failed" });
    if ('if' in schema && this.draft >= 7) {
      const condition = run(schema['if']);
      const holds = condition.problems.length === 0;
      if (holds) this.merge(verdict, condition);
      this.merge(verdict, run(holds ? schema['then'] : schema['else']));
    }
  }

  private items(schema: Schema, value: readonly unknown[], { place, verdict }: { place: Place; verdict: Verdict }): void {
    const at = (index: number) => ({ ...place, at: `${place.at}/${index}` });
    const { items, prefixItems, additionalItems, contains } = schema;
    const tuple = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : [];
    for (const [index, inner] of tuple.entries()) if (index < value.length) verdict.problems.push(...this.check(inner, value[index], at(index)).problems);
    verdict.items = Math.max(verdict.items, Math.min(tuple.length, value.length));
    const rest = Array.isArray(items) ? additionalItems : items;
    if (rest !== undefined) {
      for (let index = tuple.length; index < value.length; index++) verdict.problems.push(...this.check(rest, value[index], at(index)).problems);
      verdict.items = value.length;
    }
    if (contains !== undefined) {
      const count = value.filter((item, index) => this.check(contains, item, at(index)).problems.length === 0).length;
      const min = typeof schema['minContains'] === 'number' ? schema['minContains'] : 1;
      const max = typeof schema['maxContains'] === 'number' ? schema['maxContains'] : Number.POSITIVE_INFINITY;
      if (count < min) verdict.problems.push({ at: place.at, message: min === 1 ? 'no items match contains schema' : `min ${min} items required to match contains schema, but matched ${count} items` });
      if (count > max) verdict.problems.push({ at: place.at, message: `max ${max} items required to match contains schema, but matched ${count} items` });
    }
    if (schema['unevaluatedItems'] !== undefined) for (let index = verdict.items; index < value.length; index++) verdict.problems.push(...this.check(schema['unevaluatedItems'], value[index], at(index)).problems);
  }

  private members(schema: Schema, value: Record<string, unknown>, { place, verdict }: { place: Place; verdict: Verdict }): void {
    const at = (name: string) => ({ ...place, at: `${place.at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}` });
    const properties = isRecord(schema['properties']) ? schema['properties'] : {};
    const patterns = Object.entries(isRecord(schema['patternProperties']) ? schema['patternProperties'] : {}).map(([pattern, inner]) => [regex(pattern), inner] as const);
    const additional: string[] = [];
    for (const [name, member] of Object.entries(value)) {
      const rules = [...(Object.hasOwn(properties, name) ? [properties[name]] : []), ...patterns.filter(([pattern]) => pattern.test(name)).map(([, inner]) => inner)];
      if (schema['propertyNames'] !== undefined) verdict.problems.push(...this.check(schema['propertyNames'], name, { ...place, at: place.at }).problems.map(({ at: where, message }) => ({ at: where, message: `invalid propertyName ${singleQuote(name)}: ${message}` })));
      if (rules.length === 0 && schema['additionalProperties'] !== undefined) {
        if (schema['additionalProperties'] === false) additional.push(name);
        else rules.push(schema['additionalProperties']);
      }
      if (rules.length > 0) verdict.properties.add(name);
      for (const rule of rules) verdict.problems.push(...this.check(rule, member, at(name)).problems);
    }
    if (additional.length > 0) verdict.problems.push({ at: place.at, message: `additional properties ${additional.sort().map(singleQuote).join(', ')} not allowed` });
    this.dependents(schema, value, { place, verdict });
    if (schema['unevaluatedProperties'] !== undefined) {
      for (const name of Object.keys(value)) if (!verdict.properties.has(name)) verdict.problems.push(...this.check(schema['unevaluatedProperties'], value[name], at(name)).problems);
    }
  }

  private dependents(schema: Schema, value: Record<string, unknown>, { place, verdict }: { place: Place; verdict: Verdict }): void {
    for (const keyword of ['dependencies', 'dependentSchemas', 'dependentRequired']) {
      const rules = schema[keyword];
      if (!isRecord(rules)) continue;
      for (const [name, rule] of Object.entries(rules)) {
        if (!Object.hasOwn(value, name)) continue;
        if (!Array.isArray(rule)) this.merge(verdict, this.check(rule, value, place));
        else {
          const missing = rule.filter((other) => typeof other === 'string' && !Object.hasOwn(value, other)).map(String);
          if (missing.length > 0) verdict.problems.push({ at: place.at, message: `properties ${missing.map(singleQuote).join(', ')} required, if ${singleQuote(name)} exists` });
        }
      }
    }
  }
}

function draftOf(root: unknown): number {
  const uri = isRecord(root) && typeof root['$schema'] === 'string' ? root['$schema'] : '';
  if (uri.includes('draft-04')) return 4;
  if (uri.includes('draft-06')) return 6;
  if (uri.includes('draft-07')) return 7;
  return uri.includes('2019-09') ? 2019 : 2020;
}

/** The schema whose `$id`, `id`, `$anchor` or `$dynamicAnchor` is `name`. */
function findNamed(value: unknown, name: string, depth: number): unknown {
  if (depth > LIMITS.depthMax) return undefined;
  if (Array.isArray(value)) return value.map((item) => findNamed(item, name, depth + 1)).find((found) => found !== undefined);
  if (!isRecord(value)) return undefined;
  if (['$id', 'id', '$anchor', '$dynamicAnchor'].some((key) => typeof value[key] === 'string' && value[key].replace(/^#/, '') === name)) return value;
  return Object.values(value).map((item) => findNamed(item, name, depth + 1)).find((found) => found !== undefined);
}

const compiled = new Map<string, RegExp>();

function regex(pattern: string): RegExp {
  const known = compiled.get(pattern);
  if (known) return known;
  let made: RegExp;
  try {
    made = new RegExp(pattern, 'u');
  } catch {
    made = new RegExp(pattern.replace(/^\(\?i\)/, ''), pattern.startsWith('(?i)') ? 'i' : '');
  }
  if (compiled.size > 1000) compiled.clear();
  compiled.set(pattern, made);
  return made;
}

function hasType(value: unknown, type: unknown): boolean {
  const types = Array.isArray(type) ? type : [type];
  return types.some((one) => {
    if (one === 'integer') return typeof value === 'number' && Number.isInteger(value);
    return one === typeOfValue(value);
  });
}

function typeOfValue(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

function literal(value: unknown): string {
  return typeof value === 'string' ? singleQuote(value) : JSON.stringify(value);
}

function singleQuote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function checkNumber(schema: Schema, value: number, report: (message: string) => void): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  if (typeof minimum === 'number' && (exclusiveMinimum === true ? value <= minimum : value < minimum)) report(`${exclusiveMinimum === true ? 'exclusiveMinimum' : 'minimum'}: got ${value}, want ${minimum}`);
  if (typeof maximum === 'number' && (exclusiveMaximum === true ? value >= maximum : value > maximum)) report(`${exclusiveMaximum === true ? 'exclusiveMaximum' : 'maximum'}: got ${value}, want ${maximum}`);
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum) report(`exclusiveMinimum: got ${value}, want ${exclusiveMinimum}`);
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum) report(`exclusiveMaximum: got ${value}, want ${exclusiveMaximum}`);
  if (typeof multipleOf === 'number' && !isMultiple(value, multipleOf)) report(`multipleOf: got ${value}, want ${multipleOf}`);
}

function isMultiple(value: number, step: number): boolean {
  const quotient = value / step;
  return Math.abs(quotient - Math.round(quotient)) < 1e-9;
}

function checkArray(schema: Schema, value: readonly unknown[], report: (message: string) => void): void {
  const { minItems, maxItems } = schema;
  if (typeof minItems === 'number' && value.length < minItems) report(`minItems: got ${value.length}, want ${minItems}`);
  if (typeof maxItems === 'number' && value.length > maxItems) report(`maxItems: got ${value.length}, want ${maxItems}`);
  if (schema['uniqueItems'] === true) {
    for (let i = 1; i < value.length; i++) {
      const j = value.findIndex((item, index) => index < i && deepEqual(item, value[i]));
      if (j >= 0) return report(`items at ${j} and ${i} are equal`);
    }
  }
}

function checkObject(schema: Schema, value: Record<string, unknown>, report: (message: string) => void): void {
  const { minProperties, maxProperties, required } = schema;
  const count = Object.keys(value).length;
  if (typeof minProperties === 'number' && count < minProperties) report(`minProperties: got ${count}, want ${minProperties}`);
  if (typeof maxProperties === 'number' && count > maxProperties) report(`maxProperties: got ${count}, want ${maxProperties}`);
  if (!Array.isArray(required)) return;
  const missing = required.filter((name) => typeof name === 'string' && !Object.hasOwn(value, name)).map(String);
  if (missing.length > 0) report(`missing propert${missing.length === 1 ? 'y' : 'ies'} ${missing.map(singleQuote).join(', ')}`);
}
