/** Discovery: which groups, versions and resources there are, in the old form and the aggregated one. */
import { sha256Hex } from '#base/hash';
import { formatApiVersion } from '#apimachinery/meta';
import type { ResourceTable } from '../registry/table.ts';
import type { ResourceType } from '../registry/types.ts';

/** Groups whose place in the order is fixed; others follow by name. */
const GROUP_ORDER = [
  'apiregistration.k8s.io', 'apps', 'events.k8s.io', 'authentication.k8s.io', 'authorization.k8s.io', 'autoscaling', 'batch', 'certificates.k8s.io',
  'networking.k8s.io', 'policy', 'rbac.authorization.k8s.io', 'storage.k8s.io', 'admissionregistration.k8s.io', 'apiextensions.k8s.io',
  'scheduling.k8s.io', 'coordination.k8s.io', 'node.k8s.io', 'discovery.k8s.io', 'flowcontrol.apiserver.k8s.io',
];

export function groupsOf(table: ResourceTable): { name: string; versions: string[] }[] {
  const groups = new Map<string, string[]>();
  for (const { group, version } of table.all()) {
    if (group === '') continue;
    const versions = groups.get(group) ?? [];
    if (!versions.includes(version)) versions.push(version);
    groups.set(group, versions);
  }
  const rank = (name: string) => (GROUP_ORDER.includes(name) ? GROUP_ORDER.indexOf(name) : GROUP_ORDER.length);
  return [...groups]
    .map(([name, versions]) => ({ name, versions: versions.sort(compareVersions) }))
    .sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
}

/** The best version first: v2 before v1 before v1beta1. Rule: kubernetes.io "Version priority" of CRDs. */
export function compareVersions(a: string, b: string): number {
  const parse = (text: string) => /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(text);
  const left = parse(a);
  const right = parse(b);
  if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : 1;
  const stage = (match: RegExpExecArray) => (match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0);
  return stage(right) - stage(left) || Number(right[1]) - Number(left[1]) || Number(right[3] ?? 0) - Number(left[3] ?? 0);
}

export function apiGroup({ name, versions }: { name: string; versions: string[] }): Record<string, unknown> {
  const entries = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: entries, preferredVersion: entries[0] };
}

export function apiGroupList(table: ResourceTable): unknown {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupsOf(table).map(apiGroup) };
}

export function apiVersions(serverAddress: string): unknown {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }] };
}

export function apiResourceList(table: ResourceTable, group: string, version: string): unknown {
  const types = typesOf(table, group, version);
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: formatApiVersion(group, version),
    resources: types.flatMap((type) => [resourceEntry(type), ...type.subresources.map((sub) => subresourceEntry(type, sub))]),
  };
}

function typesOf(table: ResourceTable, group: string, version: string): ResourceType[] {
  return table
    .all()
    .filter((type) => type.group === group && type.version === version)
    .sort((a, b) => (a.plural < b.plural ? -1 : 1));
}

function resourceEntry(type: ResourceType): Record<string, unknown> {
  const stored = type.verbs.includes('get');
  return {
    name: type.plural,
    singularName: type.singular,
    namespaced: type.namespaced,
    kind: type.kind,
    verbs: type.verbs,
    ...(type.shortNames.length > 0 ? { shortNames: type.shortNames } : {}),
    ...(type.categories.length > 0 ? { categories: type.categories } : {}),
    ...(stored && type.plural !== 'componentstatuses' ? { storageVersionHash: Buffer.from(sha256Hex(`${type.group}/${type.version}/${type.kind}`).slice(0, 16), 'hex').toString('base64') } : {}),
  };
}

function subresourceEntry(type: ResourceType, sub: ResourceType['subresources'][number]): Record<string, unknown> {
  const foreign = (sub.group !== undefined && sub.group !== type.group) || (sub.version !== undefined && sub.version !== type.version);
  return {
    name: `${type.plural}/${sub.name}`,
    singularName: '',
    namespaced: type.namespaced,
    ...(foreign ? { group: sub.group, version: sub.version } : {}),
    kind: sub.kind,
    verbs: sub.verbs,
  };
}

/** `apidiscovery.k8s.io` documents: all groups, or the core group alone. */
export function aggregated(table: ResourceTable, core: boolean, version: string): unknown {
  const groups = core ? [{ name: '', versions: ['v1'] }] : groupsOf(table);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: { ...(name ? { name } : {}), creationTimestamp: null },
      versions: versions.map((item) => ({ version: item, resources: typesOf(table, name, item).map(aggregatedResource), freshness: 'Current' })),
    })),
  };
}

function aggregatedResource(type: ResourceType): Record<string, unknown> {
  const responseKind = (entry: { kind: string; group?: string; version?: string }) => {
    const own = (entry.group ?? type.group) === type.group && (entry.version ?? type.version) === type.version;
    if (type.custom) return { group: entry.group ?? type.group, version: entry.version ?? type.version, kind: entry.kind };
    return { group: own ? '' : entry.group, version: own ? '' : entry.version, kind: entry.kind };
  };
  return {
    resource: type.plural,
    responseKind: responseKind({ kind: type.kind }),
    scope: type.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: type.singular,
    verbs: type.verbs,
    ...(type.shortNames.length > 0 ? { shortNames: type.shortNames } : {}),
    ...(type.categories.length > 0 ? { categories: type.categories } : {}),
    ...(type.subresources.length > 0
      ? { subresources: type.subresources.map((sub) => ({ subresource: sub.name, responseKind: responseKind(sub), verbs: sub.verbs })) }
      : {}),
  };
}
