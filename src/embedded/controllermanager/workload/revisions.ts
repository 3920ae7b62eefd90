/**
 * ControllerRevisions: the history of pod templates of StatefulSets and DaemonSets. Each distinct template
 * is one object; a template that returns gets the highest number again. Rule: API reference of
 * ControllerRevision and `revisionHistoryLimit`.
 */
import { deepEqual } from '#base/json';
import { controllerOf, keyOf, type KubeObject } from '#apimachinery/meta';
import { isAlreadyExists, isNotFound } from '#apimachinery/status';
import type { Resource } from '#apimachinery/resource';
import { controllerRevisions, type ControllerRevision, type PodTemplateSpec } from '#api/builtin';
import type { Informer } from '#kube/cache';
import type { Client } from '#kube/client';
import { templateHash } from './hash.ts';
import { controllerReference } from './ownership.ts';

export const REVISION_HASH_LABEL = 'controller-revision-hash';

export interface RevisionOwner {
  client: Client;
  informer: Informer<ControllerRevision>;
  owner: KubeObject & { spec?: { template: PodTemplateSpec; revisionHistoryLimit?: number }; status?: { collisionCount?: number } };
  resource: Resource<KubeObject>;
}

export function templateOf(revision: ControllerRevision | undefined): PodTemplateSpec | undefined {
  return (revision?.data as { spec?: { template?: PodTemplateSpec } } | undefined)?.spec?.template;
}

export function revisionsOf({ informer, owner }: Pick<RevisionOwner, 'informer' | 'owner'>): ControllerRevision[] {
  return informer.list(owner.metadata.namespace).filter((each) => controllerOf(each)?.uid === owner.metadata.uid).sort((a, b) => a.revision - b.revision);
}

/** The revision of the present template: made when new, renumbered when it returns. */
export async function ensureRevision(deps: RevisionOwner): Promise<ControllerRevision> {
  const { client, owner, resource } = deps;
  const history = revisionsOf(deps);
  const template = owner.spec?.template;
  const latest = history.at(-1)?.revision ?? 0;
  const known = history.findLast((each) => deepEqual(templateOf(each), template));
  if (known) return known.revision === latest ? known : client.update(controllerRevisions, { ...known, revision: latest + 1 });
  const hash = templateHash(template, owner.status?.collisionCount ?? 0);
  const made: ControllerRevision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: { name: `${owner.metadata.name}-${hash}`, namespace: owner.metadata.namespace ?? '', labels: { ...template?.metadata?.labels, [REVISION_HASH_LABEL]: hash }, ownerReferences: [controllerReference(owner, resource)] },
    data: { spec: { template } },
    revision: latest + 1,
  };
  try {
    return await client.create(controllerRevisions, made);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return client.get(controllerRevisions, keyOf(made));
  }
}

/** Deletes the oldest revisions beyond the limit that no pod uses. */
export async function trimRevisions(deps: RevisionOwner, inUse: ReadonlySet<string>): Promise<void> {
  const limit = deps.owner.spec?.revisionHistoryLimit ?? 10;
  const idle = revisionsOf(deps).filter((each) => !inUse.has(each.metadata.name ?? '') && !inUse.has(each.metadata.labels?.[REVISION_HASH_LABEL] ?? ''));
  for (const surplus of idle.slice(0, Math.max(0, idle.length - limit))) {
    await deps.client.delete(controllerRevisions, keyOf(surplus)).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}
