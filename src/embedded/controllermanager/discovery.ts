/** Which resources the API server serves now, read from discovery; for controllers that work on every kind. */
import { utf8Text } from '#base/hash';
import type { Unstructured } from '#apimachinery/meta';
import { parseApiVersion } from '#apimachinery/meta';
import type { Resource } from '#apimachinery/resource';
import type { Client } from '#kube/client';

export interface ServedResource extends Resource<Unstructured> {
  verbs: readonly string[];
}

interface ResourceList {
  groupVersion: string;
  resources: { name: string; kind: string; namespaced: boolean; verbs: string[] }[];
}

/** The preferred version of every served resource, without subresources. Groups that do not answer are named in `failed`. */
export async function servedResources(client: Client): Promise<{ resources: ServedResource[]; failed: string[] }> {
  const groups = await read<{ groups: { preferredVersion: { groupVersion: string }; versions: { groupVersion: string }[] }[] }>(client, '/apis');
  const versions = ['v1', ...(groups?.groups ?? []).flatMap((group) => [group.preferredVersion.groupVersion, ...group.versions.map((each) => each.groupVersion)])];
  const failed: string[] = [];
  const found = new Map<string, ServedResource>();
  for (const groupVersion of new Set(versions)) {
    const list = await read<ResourceList>(client, groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`);
    if (!list) failed.push(groupVersion);
    const { group, version } = parseApiVersion(groupVersion);
    for (const { name, kind, namespaced, verbs } of list?.resources ?? []) {
      // A kind that lives in several versions is taken in the first one, which is the preferred one.
      if (!name.includes('/') && !found.has(`${group}/${name}`)) found.set(`${group}/${name}`, { group, version, plural: name, kind, namespaced, verbs });
    }
  }
  return { resources: [...found.values()], failed };
}

async function read<T>(client: Client, path: string): Promise<T | undefined> {
  const response = await client.request({ method: 'GET', path, headers: { accept: 'application/json' } });
  return response.status === 200 ? (JSON.parse(utf8Text(response.body)) as T) : undefined;
}
