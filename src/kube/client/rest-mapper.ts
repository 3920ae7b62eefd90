/**
 * From kind to REST resource by asking the server (discovery). Each group version is read once, when it is
 * first needed, and read again when a kind is missing from it: a CRD may have been installed since.
 *
 * Absent: OpenAPI, preferred-version guessing for writes (objects name their version).
 */
import { coalesce, type Coalesced } from './coalesce.ts';
import { formatApiVersion, parseApiVersion, type Unstructured } from '#apimachinery/meta';
import { defineResource, type Resource } from '#apimachinery/resource';
import { isNotFound } from '#apimachinery/status';
import type { Clock } from '#base/clock';
import { statusErrorOf } from './errors.ts';
import type { Client } from './types.ts';

/** A group version without the wanted kind is not read again before this time has passed. */
const MISS_REFRESH_MS = 1_000;

/** What discovery says of one resource. */
export interface DiscoveredResource extends Resource {
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
}

/** The server knows no such kind (now): its CRD is not installed, or the version is not served. */
export class NoMatchError extends Error {
  override name = 'NoMatchError';
}

export interface RestMapper {
  /** The resource of an object's apiVersion and kind. Throws {@link NoMatchError}. */
  resourceFor(type: { apiVersion?: string; kind?: string }): Promise<Resource>;
  /** All resources of one group version, subresources left out; empty when it is not served. */
  resourcesOf(apiVersion: string): Promise<readonly DiscoveredResource[]>;
  /** `apps/v1`, `v1`, …: everything the server serves, preferred versions of a group first. */
  groupVersions(): Promise<readonly string[]>;
  /** Forgets everything; after installing CRDs. */
  reset(): void;
}

export function createRestMapper(client: Pick<Client, 'request'>, clock: Clock): RestMapper {
  const cache = new Map<string, { resources: readonly DiscoveredResource[]; readMs: number }>();
  const read: Coalesced<readonly DiscoveredResource[]> = coalesce(async (apiVersion: string) => {
    const resources = await readGroupVersion(client, apiVersion);
    cache.set(apiVersion, { resources, readMs: clock.monotonicMs() });
    return resources;
  });

  return {
    async resourceFor({ apiVersion = '', kind = '' }) {
      if (!apiVersion || !kind) throw new NoMatchError(`object of kind ${JSON.stringify(kind)}: apiVersion and kind must be set`);
      const known = cache.get(apiVersion);
      const hit = known?.resources.find((resource) => resource.kind === kind);
      if (hit) return hit;
      const fresh = known && clock.monotonicMs() - known.readMs < MISS_REFRESH_MS;
      const found = fresh ? undefined : (await read(apiVersion)).find((resource) => resource.kind === kind);
      if (!found) throw new NoMatchError(`no kind ${kind} in ${apiVersion}: the server does not serve it; is its CustomResourceDefinition installed?`);
      return found;
    },
    resourcesOf: async (apiVersion) => cache.get(apiVersion)?.resources ?? read(apiVersion),
    groupVersions: () => readGroups(client),
    reset: () => cache.clear(),
  };
}

interface ApiResourceList {
  resources?: { name: string; kind: string; namespaced: boolean; verbs?: string[]; shortNames?: string[] }[];
}

async function readGroupVersion(client: Pick<Client, 'request'>, apiVersion: string): Promise<readonly DiscoveredResource[]> {
  const { group, version } = parseApiVersion(apiVersion);
  try {
    const list = await getJson<ApiResourceList>(client, group ? `/apis/${group}/${version}` : `/api/${version}`);
    return (list.resources ?? [])
      .filter(({ name }) => !name.includes('/'))
      .map(({ name, kind, namespaced, verbs = [], shortNames = [] }) => ({
        ...defineResource<Unstructured>(group, version, kind, name, namespaced ? 'Namespaced' : 'Cluster'),
        verbs,
        shortNames,
      }));
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

async function readGroups(client: Pick<Client, 'request'>): Promise<readonly string[]> {
  const core = await getJson<{ versions?: string[] }>(client, '/api');
  const named = await getJson<{ groups?: { name: string; versions: { version: string }[]; preferredVersion?: { version: string } }[] }>(client, '/apis');
  const preferredFirst = (group: { versions: { version: string }[]; preferredVersion?: { version: string } }) => {
    const preferred = group.preferredVersion?.version;
    return group.versions.map(({ version }) => version).sort((a, b) => Number(b === preferred) - Number(a === preferred));
  };
  return [...(core.versions ?? []), ...(named.groups ?? []).flatMap((group) => preferredFirst(group).map((version) => formatApiVersion(group.name, version)))];
}

async function getJson<T>(client: Pick<Client, 'request'>, path: string): Promise<T> {
  const response = await client.request({ method: 'GET', path });
  if (response.status !== 200) throw statusErrorOf(response, 'GET', path);
  return JSON.parse(new TextDecoder().decode(response.body)) as T;
}
