/**
 * Writes `src/api/builtin/facts.generated.json`: what an API server knows about every builtin type, as
 * compact facts without descriptions. Sources are published Go modules, fetched with `go mod download`:
 * `k8s.io/kubernetes` (OpenAPI v3 and discovery documents) and, for what Go's JSON codec writes when a field
 * is empty, the struct tags in `k8s.io/{api,apimachinery,apiextensions-apiserver,kube-aggregator}`.
 *
 *     node tools/gen-builtin-schemas.ts MODULES VERSION     # e.g. ~/go/pkg/mod/k8s.io 36.2
 *
 * The format is described where it is read: src/api/builtin/facts.ts.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface V3Schema {
  type?: string;
  format?: string;
  $ref?: string;
  allOf?: V3Schema[];
  oneOf?: V3Schema[];
  items?: V3Schema;
  additionalProperties?: V3Schema;
  properties?: Record<string, V3Schema>;
  required?: string[];
  default?: unknown;
  enum?: string[];
  [extension: `x-kubernetes-${string}`]: unknown;
}

const [modules, version] = process.argv.slice(2);
if (!modules || !version) throw new Error('usage: gen-builtin-schemas.ts MODULES VERSION');
const kubernetes = join(modules, `kubernetes@v1.${version}`);
const goFolder: Readonly<Record<string, string>> = {
  'io.k8s.api.': join(modules, `api@v0.${version}`),
  'io.k8s.apimachinery.': join(modules, `apimachinery@v0.${version}`),
  'io.k8s.apiextensions-apiserver.': join(modules, `apiextensions-apiserver@v0.${version}`),
  'io.k8s.kube-aggregator.': join(modules, `kube-aggregator@v0.${version}`),
};

/** Group versions a default server has, in the order of its discovery document. */
const GROUP_VERSIONS: readonly string[] = [
  'v1', 'apiregistration.k8s.io/v1', 'apps/v1', 'events.k8s.io/v1', 'authentication.k8s.io/v1', 'authorization.k8s.io/v1', 'autoscaling/v2', 'autoscaling/v1',
  'batch/v1', 'certificates.k8s.io/v1', 'networking.k8s.io/v1', 'policy/v1', 'rbac.authorization.k8s.io/v1', 'storage.k8s.io/v1',
  'admissionregistration.k8s.io/v1', 'apiextensions.k8s.io/v1', 'scheduling.k8s.io/v1', 'coordination.k8s.io/v1', 'node.k8s.io/v1',
  'discovery.k8s.io/v1', 'resource.k8s.io/v1', 'flowcontrol.apiserver.k8s.io/v1',
];
/** Bodies that are no resources of their own. */
const BODIES = ['DeleteOptions', 'Status', 'Scale', 'Eviction', 'TokenRequest', 'Binding'];

const schemas: Record<string, V3Schema> = {};
for (const gv of GROUP_VERSIONS) {
  const file = join(kubernetes, 'api/openapi-spec/v3', gv === 'v1' ? 'api__v1_openapi.json' : `apis__${gv.replace('/', '__')}_openapi.json`);
  Object.assign(schemas, (JSON.parse(readFileSync(file, 'utf8')) as { components: { schemas: Record<string, V3Schema> } }).components.schemas);
}

// --- Go struct tags ---------------------------------------------------------------------------------

interface GoField {
  json: string;
  type: string;
  omitempty: boolean;
  omitzero: boolean;
}

type GoPackage = { structs: Map<string, GoField[]>; named: Map<string, string> };
const packages = new Map<string, GoPackage>();

function goPackage(folder: string): GoPackage {
  let found = packages.get(folder);
  if (found) return found;
  found = { structs: new Map(), named: new Map() };
  packages.set(folder, found);
  const raw = new Map<string, string[]>();
  for (const file of globSync('*.go', { cwd: folder })) {
    if (/_test\.go$|^zz_|generated|conversion/.test(file)) continue;
    const text = readFileSync(join(folder, file), 'utf8');
    for (const match of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) raw.set(match[1] ?? '', (match[2] ?? '').split('\n'));
    for (const match of text.matchAll(/^type (\w+) ([\w[\].*]+)$/gm)) found.named.set(match[1] ?? '', match[2] ?? '');
  }
  for (const [name, lines] of raw) found.structs.set(name, fieldsOf(lines, folder, raw));
  return found;
}

function fieldsOf(lines: string[], folder: string, raw: Map<string, string[]>): GoField[] {
  return lines.flatMap((line): GoField[] => {
    const match = /^\t(?:(\w+)\s+)?([\w[\].*]+)\s+`.*?json:"([^"]*)"/.exec(line);
    if (!match) return [];
    const [, name, type = '', tag = ''] = match;
    const [json = '', ...options] = tag.split(',');
    if (json === '-') return [];
    if (options.includes('inline') || (!name && json === '')) {
      const target = type.replace('*', '');
      if (target.endsWith('TypeMeta')) return [{ json: 'kind', type: 'string', omitempty: true, omitzero: false }, { json: 'apiVersion', type: 'string', omitempty: true, omitzero: false }];
      const inner = raw.get(target);
      if (!inner) throw new Error(`${folder}: inline ${type} not found`);
      return fieldsOf(inner, folder, raw);
    }
    return [{ json, type, omitempty: options.includes('omitempty'), omitzero: options.includes('omitzero') }];
  });
}

function goOf(id: string): { folder: string; name: string } {
  const prefix = Object.keys(goFolder).find((candidate) => id.startsWith(candidate)) ?? '';
  const rest = id.slice(prefix.length).split('.');
  return { folder: join(goFolder[prefix] ?? '', ...rest.slice(0, -1)), name: rest.at(-1) ?? '' };
}

// --- types ------------------------------------------------------------------------------------------

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
const LEAVES: Readonly<Record<string, string>> = {
  [`${META}Time`]: 't', [`${META}MicroTime`]: 'u', [`${META}FieldsV1`]: 'f', [`${META}Duration`]: 's',
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'q', 'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'o', 'io.k8s.apimachinery.pkg.runtime.RawExtension': 'r',
};
const UNTYPED = /apiextensions\.v1\.(JSON|JSONSchemaPropsOr\w+)$/;

const ids: string[] = [];
const numbers = new Map<string, number>();
const types: unknown[] = [];

function refOf(schema: V3Schema): string | undefined {
  const ref = schema.$ref ?? (schema.allOf?.length === 1 ? schema.allOf[0]?.$ref : undefined);
  return ref?.replace('#/components/schemas/', '');
}

/** The type expression of a value: see facts.ts. `goType` names a Go type when it is not the obvious one. */
function expression(schema: V3Schema, goType: string): string {
  const id = refOf(schema);
  if (id) {
    const leaf = LEAVES[id];
    if (leaf) return leaf;
    if (UNTYPED.test(id)) return id.endsWith('.JSON') ? 'j' : untyped(id);
    return `#${typeNumber(id)}`;
  }
  const bare = goType.replace(/^\*/, '');
  if (schema.type === 'array') return `[${expression(schema.items ?? {}, bare.startsWith('[]') ? bare.slice(2) : '')}`;
  if (schema.additionalProperties) return `{${expression(schema.additionalProperties, bare.replace(/^map\[[\w.]+\]/, ''))}`;
  const named = /^[a-z]|^$|\[|^map/.test(bare) && !bare.includes('.') ? '' : `:${bare.slice(bare.lastIndexOf('.') + 1)}`;
  if (schema.type === 'string') return (schema.format === 'byte' ? 'y' : 's') + named;
  if (schema.type === 'boolean') return 'b';
  if (schema.type === 'integer') return schema.format === 'int64' ? 'l' : 'i';
  if (schema.type === 'number') return 'd';
  return 'j';
}

/** JSONSchemaPropsOr…: a schema, or a list, a boolean, a list of names. */
function untyped(id: string): string {
  const props = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps';
  const kind = /Or(Array|Bool|StringArray)$/.exec(id)?.[1];
  return `${kind === 'Array' ? 'A' : kind === 'Bool' ? 'B' : 'S'}${typeNumber(props)}`;
}

function typeNumber(id: string): number {
  const known = numbers.get(id);
  if (known !== undefined) return known;
  const number = types.length;
  numbers.set(id, number);
  ids.push(id);
  types.push(undefined);
  types[number] = describeType(id);
  return number;
}

function describeType(id: string): unknown {
  const schema = schemas[id];
  if (!schema) throw new Error(`${id}: no schema`);
  const { folder, name } = goOf(id);
  if (!schema.properties) return { n: id, x: expression(schema, goPackage(folder).named.get(name) ?? '') };
  const fields = goPackage(folder).structs.get(name);
  if (!fields) throw new Error(`${id}: no struct ${name} in ${folder}`);
  const properties: Record<string, unknown> = {};
  for (const field of fields) {
    const value = schema.properties[field.json];
    if (!value) {
      console.error(`${id}: field ${field.json} is not described`);
      continue;
    }
    properties[field.json] = describeField(value, field, Boolean(schema.required?.includes(field.json)));
  }
  for (const field of Object.keys(schema.properties)) if (!properties[field]) throw new Error(`${id}.${field}: no Go field`);
  return { n: id, ...(schema['x-kubernetes-map-type'] === 'atomic' ? { a: 1 } : {}), p: properties };
}

function describeField(schema: V3Schema, go: GoField, required: boolean): unknown {
  const flags = [required ? 'r' : '', go.omitempty ? '' : '!', go.omitzero ? 'z' : '', go.type.startsWith('*') ? '*' : ''].join('');
  const listType = schema['x-kubernetes-list-type'] as string | undefined;
  const keys = schema['x-kubernetes-list-map-keys'] as string[] | undefined;
  const zero = schema.default === undefined || schema.default === '' || schema.default === 0 || schema.default === false || JSON.stringify(schema.default) === '{}';
  const extra = {
    ...(listType ? { l: keys ? keys : listType } : {}),
    ...(schema['x-kubernetes-map-type'] ? { m: schema['x-kubernetes-map-type'] } : {}),
    ...(schema['x-kubernetes-patch-strategy'] ? { s: schema['x-kubernetes-patch-strategy'] } : {}),
    ...(schema['x-kubernetes-patch-merge-key'] ? { k: schema['x-kubernetes-patch-merge-key'] } : {}),
    ...(zero ? {} : { d: schema.default }),
    ...(schema.enum ? { e: schema.enum } : {}),
  };
  const type = expression(schema, go.type);
  if (Object.keys(extra).length > 0) return [type, flags, extra];
  return flags ? [type, flags] : type;
}

// --- kinds ------------------------------------------------------------------------------------------

function groupList(gv: string): { name: string; kind: string; group?: string; version?: string; namespaced: boolean; singularName: string; verbs: string[]; shortNames?: string[]; categories?: string[]; storageVersionHash?: string }[] {
  const file = join(kubernetes, 'api/discovery', gv === 'v1' ? 'api__v1.json' : `apis__${gv.replace('/', '__')}.json`);
  if (!existsSync(file)) throw new Error(`${gv}: no discovery document`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { resources: ReturnType<typeof groupList> }).resources;
}

function definitionOf(group: string, gvVersion: string, kind: string): string {
  const found = Object.entries(schemas).find(([, schema]) => (schema['x-kubernetes-group-version-kind'] as { group: string; version: string; kind: string }[] | undefined)?.some((gvk) => gvk.group === group && gvk.version === gvVersion && gvk.kind === kind));
  if (!found) throw new Error(`${group}/${gvVersion} ${kind}: no definition`);
  return found[0];
}

const ALL_VERBS = 'create,delete,deletecollection,get,list,patch,update,watch';
const kinds: unknown[] = [];
for (const gv of GROUP_VERSIONS) {
  const [group, gvVersion] = gv.includes('/') ? (gv.split('/') as [string, string]) : ['', gv];
  const list = groupList(gv);
  for (const resource of list.filter(({ name }) => !name.includes('/'))) {
    const subresources = list
      .filter(({ name }) => name.startsWith(`${resource.name}/`))
      .map((sub) => [sub.name.slice(resource.name.length + 1), sub.kind, sub.verbs.join(','), ...(sub.group ? [sub.group, sub.version] : [])]);
    const verbs = resource.verbs.join(',');
    kinds.push({
      g: group, v: gvVersion, k: resource.kind, p: resource.name, s: resource.singularName, ...(resource.namespaced ? {} : { c: 1 }),
      ...(verbs === ALL_VERBS ? {} : { b: verbs }), ...(resource.shortNames ? { n: resource.shortNames } : {}), ...(resource.categories ? { t: resource.categories } : {}),
      ...(resource.storageVersionHash ? { h: resource.storageVersionHash } : {}),
      ...(subresources.length > 0 ? { u: subresources } : {}), d: typeNumber(definitionOf(group, gvVersion, resource.kind)),
    });
  }
}
const bodies: Record<string, number> = {};
for (const [id, schema] of Object.entries(schemas)) {
  const name = id.slice(id.lastIndexOf('.') + 1);
  if (!BODIES.includes(name) || !schema['x-kubernetes-group-version-kind'] || /storage\.v1/.test(id)) continue;
  const number = typeNumber(id);
  for (const gvk of schema['x-kubernetes-group-version-kind'] as { group: string; version: string; kind: string }[]) {
    if (GROUP_VERSIONS.includes(gvk.group ? `${gvk.group}/${gvk.version}` : gvk.version)) bodies[`${gvk.group}/${gvk.version}/${gvk.kind}`] = number;
  }
}

const out = join(import.meta.dirname, '../src/api/builtin/facts.generated.json');
const text = ['{"kinds":[', kinds.map((kind) => JSON.stringify(kind)).join(',\n'), '],\n"bodies":', JSON.stringify(bodies), ',\n"types":[', types.map((type) => JSON.stringify(type)).join(',\n'), ']}\n'].join('\n');
writeFileSync(out, text);
console.log(`${kinds.length} kinds, ${types.length} types, ${text.length} characters`);
