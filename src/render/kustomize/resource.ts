/** A resource on its way through a build: the object, and what it was called before. */
import { isRecord } from '#base/json';
import type { KubeManifest } from './types.ts';

export interface Identity {
  name: string;
  namespace: string;
}

export interface GeneratorMark {
  behavior: 'create' | 'merge' | 'replace';
  needsHash: boolean;
}

export interface Resource {
  object: KubeManifest;
  /** Every name and namespace it had, the first first; the present one is not among them. */
  history: Identity[];
  prefixes: string[];
  suffixes: string[];
  generated?: GeneratorMark;
}

export function newResource(object: KubeManifest): Resource {
  return { object, history: [], prefixes: [], suffixes: [] };
}

export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

export function gvkOf(object: KubeManifest): GroupVersionKind {
  const apiVersion = typeof object['apiVersion'] === 'string' ? object['apiVersion'] : '';
  const slash = apiVersion.indexOf('/');
  return { group: slash < 0 ? '' : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1), kind: typeof object['kind'] === 'string' ? object['kind'] : '' };
}

export function metadataOf(object: KubeManifest): Record<string, unknown> {
  if (!isRecord(object['metadata'])) object['metadata'] = {};
  return object['metadata'] as Record<string, unknown>;
}

export function identityOf(object: KubeManifest): Identity {
  const metadata = isRecord(object['metadata']) ? object['metadata'] : {};
  return { name: text(metadata['name']), namespace: text(metadata['namespace']) };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** All identities, oldest first, the present one last. */
export function identities(resource: Resource): Identity[] {
  return [...resource.history, identityOf(resource.object)];
}

export function originalIdentity(resource: Resource): Identity {
  return resource.history[0] ?? identityOf(resource.object);
}

/** Remembers the present identity before it changes. */
export function remember(resource: Resource): void {
  const now = identityOf(resource.object);
  const last = resource.history.at(-1);
  if (!last || last.name !== now.name || last.namespace !== now.namespace) resource.history.push(now);
}

/** `Deployment.v1.apps/name.[noNs]`, as kustomize names a resource in errors. */
export function idText(object: KubeManifest, identity: Identity = identityOf(object)): string {
  const { group, version, kind } = gvkOf(object);
  return `${kind}.${version || '[noVer]'}.${group || '[noGrp]'}/${identity.name || '[noName]'}.${identity.namespace || '[noNs]'}`;
}
