/** The transformers that touch every resource: namespace, prefix, suffix, labels, annotations, images, replicas. */
import { isRecord } from '#base/json';
import { COMMON_ANNOTATIONS, COMMON_LABELS, eachField, matchesSpec, METADATA_LABELS, REPLICAS, TEMPLATE_LABELS, type FieldSpec } from './fieldspecs.ts';
import { mapList, textField, textMap, type Kustomization, type Raw } from './kustomization.ts';
import { gvkOf, identities, metadataOf, remember, type Resource } from './resource.ts';
import { isClusterScoped } from './scope.ts';
import { KustomizeError } from './types.ts';

export function setNamespace(resources: readonly Resource[], namespace: string): void {
  for (const resource of resources) {
    const { object } = resource;
    const { kind, group } = gvkOf(object);
    remember(resource);
    if (kind === 'Namespace' && group === '') metadataOf(object)['name'] = namespace;
    else if (!isClusterScoped(object)) metadataOf(object)['namespace'] = namespace;
    if (kind === 'RoleBinding' || kind === 'ClusterRoleBinding') moveDefaultSubjects(object, namespace);
    for (const spec of SERVICE_NAMESPACES) if (matchesSpec(object, spec)) eachField(object, spec, (holder, key) => (holder[key] = namespace));
  }
}

const SERVICE_NAMESPACES: readonly FieldSpec[] = [
  { path: 'spec/service/namespace', group: 'apiregistration.k8s.io', kind: 'APIService', create: true },
  { path: 'spec/conversion/webhook/clientConfig/service/namespace', group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' },
];

/** Only the account every namespace has moves along; others follow their own resource. */
function moveDefaultSubjects(object: Record<string, unknown>, namespace: string): void {
  if (!Array.isArray(object['subjects'])) return;
  for (const subject of object['subjects']) {
    if (isRecord(subject) && subject['kind'] === 'ServiceAccount' && subject['name'] === 'default') subject['namespace'] = namespace;
  }
}

export function addAffixes(resources: readonly Resource[], prefix: string, suffix: string): void {
  for (const resource of resources) {
    const { kind, group } = gvkOf(resource.object);
    const fixed = kind === 'Namespace' || (kind === 'CustomResourceDefinition' && group === 'apiextensions.k8s.io') || (kind === 'APIService' && group === 'apiregistration.k8s.io');
    if (fixed) continue;
    remember(resource);
    if (prefix !== '') resource.prefixes.push(prefix);
    if (suffix !== '') resource.suffixes.push(suffix);
    const metadata = metadataOf(resource.object);
    metadata['name'] = `${prefix}${String(metadata['name'] ?? '')}${suffix}`;
  }
}

export function addLabels(resources: readonly Resource[], from: Kustomization): void {
  for (const entry of mapList(from, 'labels')) {
    const pairs = textMap(entry['pairs'], 'labels.pairs', from.file);
    const specs = entry['includeSelectors'] === true ? COMMON_LABELS : entry['includeTemplates'] === true ? [...METADATA_LABELS, ...TEMPLATE_LABELS] : METADATA_LABELS;
    setPairs(resources, pairs, [...specs, ...extraSpecs(entry)]);
  }
  setPairs(resources, textMap(from.raw['commonLabels'], 'commonLabels', from.file), COMMON_LABELS);
}

function extraSpecs(entry: Raw): FieldSpec[] {
  if (!Array.isArray(entry['fields'])) return [];
  return entry['fields'].filter(isRecord).map((field) => {
    const spec: FieldSpec = { path: textField(field, 'path'), create: field['create'] === true };
    for (const key of ['group', 'version', 'kind'] as const) if (typeof field[key] === 'string' && field[key] !== '') spec[key] = field[key];
    return spec;
  });
}

export function addAnnotations(resources: readonly Resource[], from: Kustomization): void {
  setPairs(resources, textMap(from.raw['commonAnnotations'], 'commonAnnotations', from.file), COMMON_ANNOTATIONS);
}

function setPairs(resources: readonly Resource[], pairs: Readonly<Record<string, string>>, specs: readonly FieldSpec[]): void {
  if (Object.keys(pairs).length === 0) return;
  for (const { object } of resources) {
    for (const spec of specs) {
      if (!matchesSpec(object, spec)) continue;
      eachField(object, spec, (holder, key) => {
        holder[key] = { ...(isRecord(holder[key]) ? holder[key] : {}), ...pairs };
      });
    }
  }
}

export function setReplicas(resources: readonly Resource[], from: Kustomization): void {
  for (const entry of mapList(from, 'replicas')) {
    const name = textField(entry, 'name');
    const found = resources.filter((resource) => REPLICAS.some((spec) => matchesSpec(resource.object, spec)) && identities(resource).some((one) => one.name === name));
    if (found.length === 0) throw new KustomizeError(`replicas: resource with name ${name} does not match a config with the following GVK [${REPLICAS.map(({ kind }) => kind).join(', ')}]`, from.file);
    for (const { object } of found) for (const spec of REPLICAS) if (matchesSpec(object, spec)) eachField(object, spec, (holder, key) => (holder[key] = entry['count']));
  }
}

export function setImages(resources: readonly Resource[], from: Kustomization): void {
  const entries = mapList(from, 'images');
  if (entries.length === 0) return;
  for (const { object } of resources) {
    if (object['kind'] === 'CustomResourceDefinition') continue;
    for (const entry of entries) visitContainers(object, (container) => changeImage(container, entry));
  }
}

/** Every container below, wherever `containers` or `initContainers` stand. */
function visitContainers(value: unknown, change: (container: Record<string, unknown>) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visitContainers(item, change);
    return;
  }
  if (!isRecord(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    if ((key === 'containers' || key === 'initContainers') && Array.isArray(inner)) for (const item of inner) if (isRecord(item)) change(item);
    visitContainers(inner, change);
  }
}

function changeImage(container: Record<string, unknown>, entry: Raw): void {
  const image = container['image'];
  if (typeof image !== 'string') return;
  const { name, tag, digest } = splitImage(image);
  if (!sameImage(name, textField(entry, 'name'))) return;
  const newTag = textField(entry, 'newTag');
  const newDigest = textField(entry, 'digest');
  const suffix = textField(entry, 'tagSuffix');
  let rest = `${tag === '' ? '' : `:${tag}`}${digest === '' ? '' : `@${digest}`}`;
  if (newTag !== '' && newDigest !== '') rest = `:${newTag}@${newDigest}`;
  else if (newTag !== '') rest = `:${newTag}`;
  else if (newDigest !== '') rest = `@${newDigest}`;
  // kustomize visits an image twice, by its field list and by searching for containers; only here it shows.
  else if (suffix !== '') rest = `:${tag}${suffix}${suffix}`;
  container['image'] = `${textField(entry, 'newName') || name}${rest}`;
}

function sameImage(name: string, pattern: string): boolean {
  if (pattern === '') return false;
  if (name === pattern) return true;
  try {
    return new RegExp(`^${pattern}$`).test(name);
  } catch {
    return false;
  }
}

/** `registry:5000/name:tag@digest` into its parts. */
export function splitImage(image: string): { name: string; tag: string; digest: string } {
  const at = image.indexOf('@');
  const digest = at < 0 ? '' : image.slice(at + 1);
  const rest = at < 0 ? image : image.slice(0, at);
  const colon = rest.indexOf(':', rest.lastIndexOf('/') + 1);
  return { name: colon < 0 ? rest : rest.slice(0, colon), tag: colon < 0 ? '' : rest.slice(colon + 1), digest };
}

