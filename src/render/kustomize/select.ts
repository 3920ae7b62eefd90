/** Choosing resources: by group, version, kind, name, namespace, labels and annotations (names are anchored expressions). */
import { matchesRequirements, parseSelector } from '#apimachinery/labels';
import { isRecord } from '#base/json';
import { textField, type Raw } from './kustomization.ts';
import { gvkOf, identities, metadataOf, type Resource } from './resource.ts';
import { KustomizeError } from './types.ts';

/** Does the selector take the resource? An empty selector takes all. */
export function selects(selector: Raw, resource: Resource): boolean {
  const gvk = gvkOf(resource.object);
  if (!['group', 'version', 'kind'].every((key) => anchored(textField(selector, key), gvk[key as 'group']))) return false;
  const name = textField(selector, 'name');
  const namespace = textField(selector, 'namespace');
  if (!identities(resource).some((one) => anchored(name, one.name) && anchored(namespace, one.namespace))) return false;
  const metadata = metadataOf(resource.object);
  return hasAll(textField(selector, 'labelSelector'), metadata['labels']) && hasAll(textField(selector, 'annotationSelector'), metadata['annotations']);
}

function anchored(pattern: string, value: string): boolean {
  if (pattern === '') return true;
  try {
    return new RegExp(`^(?:${pattern})$`).test(value);
  } catch (error) {
    throw new KustomizeError(`selector ${JSON.stringify(pattern)} is no regular expression`, undefined, { cause: error });
  }
}

function hasAll(selector: string, map: unknown): boolean {
  if (selector === '') return true;
  return matchesRequirements(parseSelector(selector), isRecord(map) ? (map as Record<string, string>) : {});
}
