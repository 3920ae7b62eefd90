/**
 * Writes `src/api/builtin/types/*.generated.ts` and `src/api/builtin/resources.generated.ts`: TypeScript interfaces and REST addresses of the
 * builtin kinds, from the published descriptions in the Go module `k8s.io/kubernetes`. Only facts are
 * taken (names, types, what is required); descriptions stay behind.
 *
 *     go mod download -json k8s.io/kubernetes@v1.36.2     # prints Dir
 *     node tools/gen-builtin-types.ts DIR
 *
 * Product and tests never need Go or this tool; it runs when the Kubernetes version changes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Schema {
  type?: string;
  format?: string;
  $ref?: string;
  items?: Schema;
  additionalProperties?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
}

/** API groups in order of claim to a bare name; `[definition prefix, file, prefix of names already taken]`. */
const GROUPS: readonly (readonly [string, string, string])[] = [
  ['io.k8s.api.core.v1', 'core-v1', 'Core'],
  ['io.k8s.api.apps.v1', 'apps-v1', 'Apps'],
  ['io.k8s.api.batch.v1', 'batch-v1', 'Batch'],
  ['io.k8s.api.rbac.v1', 'rbac-v1', 'Rbac'],
  ['io.k8s.api.policy.v1', 'policy-v1', 'Policy'],
  ['io.k8s.api.coordination.v1', 'coordination-v1', 'Coordination'],
  ['io.k8s.api.discovery.v1', 'discovery-v1', 'Discovery'],
  ['io.k8s.api.networking.v1', 'networking-v1', 'Networking'],
  ['io.k8s.api.autoscaling.v2', 'autoscaling-v2', 'AutoscalingV2'],
  ['io.k8s.api.autoscaling.v1', 'autoscaling-v1', 'AutoscalingV1'],
  ['io.k8s.api.scheduling.v1', 'scheduling-v1', 'Scheduling'],
  ['io.k8s.api.authentication.v1', 'authentication-v1', 'Authentication'],
  ['io.k8s.api.authorization.v1', 'authorization-v1', 'Authorization'],
  ['io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1', 'apiextensions-v1', 'Apiextensions'],
  ['io.k8s.kube-aggregator.pkg.apis.apiregistration.v1', 'apiregistration-v1', 'Apiregistration'],
  ['io.k8s.api.admissionregistration.v1', 'admissionregistration-v1', 'Admission'],
  ['io.k8s.api.events.v1', 'events-v1', 'EventsV1'],
  ['io.k8s.api.storage.v1', 'storage-v1', 'Storage'],
  ['io.k8s.api.node.v1', 'node-v1', 'Node'],
  ['io.k8s.api.certificates.v1', 'certificates-v1', 'Certificates'],
  ['io.k8s.api.flowcontrol.v1', 'flowcontrol-v1', 'Flowcontrol'],
];

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
/** Shapes that are written by hand elsewhere, or that are not objects on the wire. */
const KNOWN: Readonly<Record<string, { text: string; module?: string }>> = {
  [`${META}ObjectMeta`]: { text: 'ObjectMeta', module: '#apimachinery/meta' },
  [`${META}ListMeta`]: { text: 'ListMeta', module: '#apimachinery/meta' },
  [`${META}Condition`]: { text: 'Condition', module: '#apimachinery/meta' },
  [`${META}OwnerReference`]: { text: 'OwnerReference', module: '#apimachinery/meta' },
  [`${META}LabelSelector`]: { text: 'LabelSelector', module: '#apimachinery/labels' },
  [`${META}LabelSelectorRequirement`]: { text: 'LabelSelectorRequirement', module: '#apimachinery/labels' },
  [`${META}Time`]: { text: 'string' },
  [`${META}MicroTime`]: { text: 'string' },
  [`${META}FieldsV1`]: { text: 'Record<string, unknown>' },
  [`${META}FieldSelectorRequirement`]: { text: '{ key: string; operator: string; values?: string[] }' },
  [`${META}DeleteOptions`]: { text: 'Record<string, unknown>' },
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { text: 'string' },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { text: 'number | string' },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': { text: 'Record<string, unknown>' },
};
/** Types of the extension API whose wire form differs from their described shape. */
const UNTYPED = /apiextensions\.v1\.(JSON|JSONSchemaPropsOr\w+)$/;

const root = process.argv[2];
if (!root) throw new Error('usage: gen-builtin-types.ts DIR (folder of the Go module k8s.io/kubernetes)');
const definitions = (JSON.parse(readFileSync(join(root, 'api/openapi-spec/swagger.json'), 'utf8')) as { definitions: Record<string, Schema> }).definitions;
const out = join(import.meta.dirname, '../src/api/builtin');

const names = new Map<string, { name: string; file: string }>();
const taken = new Set(['ObjectMeta', 'Condition', 'LabelSelector', 'OwnerReference', 'Resource', 'Status']);
for (const [prefix, file, title] of GROUPS) {
  for (const id of Object.keys(definitions)) {
    if (id.slice(0, id.lastIndexOf('.')) !== prefix) continue;
    const bare = id.slice(id.lastIndexOf('.') + 1);
    if (bare.endsWith('List') && definitions[id]?.properties?.['metadata']?.$ref?.endsWith('ListMeta')) continue;
    if (UNTYPED.test(id)) continue;
    const name = taken.has(bare) ? `${title}${bare}` : bare;
    taken.add(name);
    names.set(id, { name, file });
  }
}

function typeText(schema: Schema, file: string, imports: Map<string, Set<string>>): string {
  const use = (module: string, name: string) => {
    if (!imports.has(module)) imports.set(module, new Set());
    imports.get(module)?.add(name);
    return name;
  };
  if (schema.$ref) {
    const id = schema.$ref.replace('#/definitions/', '');
    const known = KNOWN[id];
    if (known) return known.module ? use(known.module, known.text) : known.text;
    const target = names.get(id);
    if (!target) return 'unknown';
    return target.file === file ? target.name : use(`./${target.file}.generated.ts`, target.name);
  }
  if (schema.type === 'array') {
    const item = typeText(schema.items ?? {}, file, imports);
    return /[|{ ]/.test(item) ? `(${item})[]` : `${item}[]`;
  }
  if (schema.additionalProperties) return `Record<string, ${typeText(schema.additionalProperties, file, imports)}>`;
  if (schema.type === 'integer' || schema.type === 'number') return 'number';
  if (schema.type === 'string') return 'string';
  if (schema.type === 'boolean') return 'boolean';
  return schema.type === 'object' ? 'Record<string, unknown>' : 'unknown';
}

/** `status` of a condition is typed so that `findCondition` and `setCondition` accept every kind's conditions. */
function fieldText(owner: string, field: string, text: string): string {
  if (owner.endsWith('Condition') && field === 'status') return "'True' | 'False' | 'Unknown'";
  return text;
}

for (const [, file] of GROUPS) {
  const imports = new Map<string, Set<string>>();
  const parts: string[] = [];
  for (const [id, { name, file: home }] of names) {
    const schema = definitions[id];
    if (home !== file || !schema) continue;
    if (!schema.properties) {
      parts.push(`export type ${name} = ${typeText(schema, file, imports)};\n`);
      continue;
    }
    const lines = Object.entries(schema.properties).map(([field, value]) => {
      const isMeta = field === 'metadata' && value.$ref === `#/definitions/${META}ObjectMeta` && 'apiVersion' in (schema.properties ?? {});
      const required = isMeta || schema.required?.includes(field);
      const key = /^[A-Za-z_$][\w$]*$/.test(field) ? field : JSON.stringify(field).replaceAll('"', "'");
      return `  ${key}${required ? '' : '?'}: ${fieldText(name, field, typeText(value, file, imports))};`;
    });
    parts.push(`export interface ${name} {\n${lines.join('\n')}\n}\n`);
  }
  const header = `/** Generated by tools/gen-builtin-types.ts from the published description of Kubernetes 1.36; do not edit. */\n`;
  const importLines = [...imports].sort().map(([module, used]) => `import type { ${[...used].sort().join(', ')} } from '${module}';\n`);
  writeFileSync(join(out, 'types', `${file}.generated.ts`), `${header}${importLines.join('')}\n${parts.join('\n')}`);
}

const index = GROUPS.map(([, file]) => `export type * from './${file}.generated.ts';`);
writeFileSync(join(out, 'types/index.ts'), `/**\n * Shapes of the builtin kinds as plain JSON. A name that two API groups share belongs to the older group;\n * the other one carries its group in front (\`DiscoveryEndpointPort\`). Required is what a server always sends.\n */\n${index.join('\n')}\n`);

interface Discovery {
  groupVersion: string;
  resources: { name: string; kind: string; namespaced: boolean; verbs: string[] }[];
}

const resourceLines: string[] = [];
const resourceTypes = new Set<string>();
const constants = new Set<string>();
for (const [prefix, file] of GROUPS) {
  const version = prefix.slice(prefix.lastIndexOf('.') + 1);
  const gvk = Object.entries(definitions).find(([id]) => id.slice(0, id.lastIndexOf('.')) === prefix && 'x-kubernetes-group-version-kind' in (definitions[id] ?? {}))?.[1] as unknown as { 'x-kubernetes-group-version-kind': { group: string }[] };
  const group = gvk['x-kubernetes-group-version-kind'][0]?.group ?? '';
  const realGroup = file === 'core-v1' ? '' : file === 'autoscaling-v1' ? 'autoscaling' : group;
  const path = realGroup ? `apis__${realGroup}__${version}.json` : 'api__v1.json';
  const list = JSON.parse(readFileSync(join(root, 'api/discovery', path), 'utf8')) as Discovery;
  for (const resource of list.resources) {
    if (resource.name.includes('/')) continue;
    const type = names.get(`${prefix}.${resource.kind}`)?.name;
    if (!type) throw new Error(`${prefix}.${resource.kind}: kind without a type`);
    const plain = camelPlural(resource.kind, resource.name);
    const constant = constants.has(plain) ? `${plain}${file === 'autoscaling-v1' || file === 'events-v1' ? 'V1' : file}` : plain;
    constants.add(constant);
    resourceTypes.add(type);
    resourceLines.push(`export const ${constant} = defineResource<${type}>('${realGroup}', '${version}', '${resource.kind}', '${resource.name}'${resource.namespaced ? '' : ", 'Cluster'"});`);
  }
}

/** `NetworkPolicy`, `networkpolicies` -> `networkPolicies`; `CSIDriver` -> `csiDrivers`. */
function camelPlural(kind: string, plural: string): string {
  const lead = /^[A-Z]+(?=[A-Z][a-z])|^[A-Z]+(?![a-z])|^[A-Z]/.exec(kind)?.[0] ?? '';
  const camel = lead.toLowerCase() + kind.slice(lead.length);
  const shared = [...camel.toLowerCase()].findIndex((letter, i) => plural[i] !== letter);
  const cut = shared < 0 ? camel.length : shared;
  return camel.slice(0, cut) + plural.slice(cut);
}

writeFileSync(
  join(out, 'resources.generated.ts'),
  `/** Generated by tools/gen-builtin-types.ts: REST addresses of the builtin kinds; do not edit. */\nimport { defineResource } from '#apimachinery/resource';\nimport type { ${[...resourceTypes].sort().join(', ')} } from './types/index.ts';\n\n${resourceLines.join('\n')}\n`,
);
