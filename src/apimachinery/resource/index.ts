/**
 * How a kind is addressed over REST: group, version, plural, scope. Pure data; the type parameter is
 * the shape of the objects, so that `client.get(deployments, key)` is typed.
 */
import { formatApiVersion, type KubeObject, type ObjectKey, type Unstructured } from '../meta/index.ts';

export interface Resource<T extends KubeObject = Unstructured> {
  readonly group: string;
  readonly version: string;
  /** Lower-case plural as it stands in URLs, e.g. `deployments`. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Only for the type checker; never set. */
  readonly objectType?: T;
}

export function defineResource<T extends KubeObject>(
  group: string,
  version: string,
  kind: string,
  plural: string,
  scope: 'Namespaced' | 'Cluster' = 'Namespaced',
): Resource<T> {
  return { group, version, kind, plural, namespaced: scope === 'Namespaced' };
}

export function apiVersionOf(resource: Resource<KubeObject>): string {
  return formatApiVersion(resource.group, resource.version);
}

/** `deployments.apps`, `pods`: how kubectl and Status messages name a resource. */
export function groupResource(resource: Pick<Resource<KubeObject>, 'group' | 'plural'>): string {
  return resource.group ? `${resource.plural}.${resource.group}` : resource.plural;
}

/** The URL path of a collection (no name), an object, or a subresource of one. */
export function resourcePath(resource: Resource<KubeObject>, key: Partial<ObjectKey>, subresource?: string): string {
  const root = resource.group ? `/apis/${resource.group}/${resource.version}` : `/api/${resource.version}`;
  const scope = resource.namespaced && key.namespace ? `/namespaces/${encodeURIComponent(key.namespace)}` : '';
  const name = key.name ? `/${encodeURIComponent(key.name)}` : '';
  return `${root}${scope}/${resource.plural}${name}${subresource ? `/${subresource}` : ''}`;
}
