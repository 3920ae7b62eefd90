/** vars (deprecated in kustomize, still used): `$(NAME)` in pod specs and a few other fields. */
import { isRecord } from '#base/json';
import { eachField, matchesSpec, POD_SPECS, VAR_FIELDS } from './fieldspecs.ts';
import { textField, type Raw } from './kustomization.ts';
import { splitFieldPath } from './replacements.ts';
import { gvkOf, identities, type Resource } from './resource.ts';
import { KustomizeError } from './types.ts';

export interface Variable {
  name: string;
  raw: Raw;
  file: string;
}

export function resolveVariables(resources: readonly Resource[], variables: readonly Variable[]): void {
  if (variables.length === 0) return;
  const values = new Map(variables.map((variable) => [variable.name, valueOf(resources, variable)]));
  for (const { object } of resources) {
    for (const spec of POD_SPECS) {
      if (!matchesSpec(object, spec)) continue;
      for (const list of ['containers', 'initContainers']) {
        for (const field of ['args', 'command', 'env/value', 'image']) eachField(object, { path: `${spec.path}/${list}/${field}` }, (holder, key) => (holder[key] = expand(holder[key], values)));
      }
    }
    for (const spec of VAR_FIELDS) if (matchesSpec(object, spec)) eachField(object, spec, (holder, key) => (holder[key] = expand(holder[key], values)));
  }
}

function valueOf(resources: readonly Resource[], { name, raw, file }: Variable): string | number | boolean {
  const objref = isRecord(raw['objref']) ? raw['objref'] : {};
  const fieldref = isRecord(raw['fieldref']) ? raw['fieldref'] : {};
  const path = textField(fieldref, 'fieldpath') || textField(fieldref, 'fieldPath') || 'metadata.name';
  const wanted = gvkOf(objref);
  const found = resources.filter((resource) => {
    const own = gvkOf(resource.object);
    return own.kind === wanted.kind && (textField(objref, 'apiVersion') === '' || (own.group === wanted.group && own.version === wanted.version)) && identities(resource).some((one) => one.name === textField(objref, 'name'));
  });
  if (found.length !== 1) throw new KustomizeError(`var ${JSON.stringify(name)}: ${found.length} resources match ${JSON.stringify(objref)}`, file);
  const value = splitFieldPath(path.replace(/\[(\d+)\]/g, '.$1')).reduce<unknown>((current, key) => (Array.isArray(current) ? current[Number(key)] : isRecord(current) ? current[key] : undefined), (found[0] as Resource).object);
  if (value === undefined || value === null || typeof value === 'object') throw new KustomizeError(`var ${JSON.stringify(name)}: field ${JSON.stringify(path)} is missing or no scalar`, file);
  return value as string | number | boolean;
}

/** `$(NAME)` by its value, `$$(NAME)` stays; a text that is one variable takes the value's type. */
function expand(value: unknown, values: ReadonlyMap<string, string | number | boolean>): unknown {
  if (Array.isArray(value)) return value.map((item) => expand(item, values));
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expand(item, values)]));
  if (typeof value !== 'string' || !value.includes('$(')) return value;
  const whole = /^\$\(([^()]+)\)$/.exec(value);
  if (whole && values.has(whole[1] as string)) return values.get(whole[1] as string);
  return value.replace(/\$(\$|\(([^()]+)\))/g, (all, _inner, name?: string) => (all === '$$' ? '$' : name !== undefined && values.has(name) ? String(values.get(name)) : all));
}
