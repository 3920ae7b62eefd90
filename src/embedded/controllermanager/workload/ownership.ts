/**
 * Who owns which children: a controller adopts matching orphans and releases children that no longer
 * match. Rule: "Garbage Collection / Owners and dependents" and the design proposal on controller
 * references: an object has at most one controller; an owner that is being deleted adopts nothing.
 */
import { controllerOf, keyOf, type KubeObject, type OwnerReference } from '#apimachinery/meta';
import { matchesSelector, type LabelSelector } from '#apimachinery/labels';
import type { Resource } from '#apimachinery/resource';
import { isNotFound } from '#apimachinery/status';
import type { Client } from '#kube/client';

export interface Claim<T> {
  /** Children that are the owner's already. */
  owned: T[];
  /** Matching orphans to adopt. */
  adopt: T[];
  /** Children to release because their labels no longer match. */
  release: T[];
}

/** Sorts candidates; pure. Finished or deleting orphans are left alone (`adoptable` decides). */
export function planClaim<T extends KubeObject>(owner: KubeObject, selector: LabelSelector | undefined, candidates: readonly T[], adoptable: (child: T) => boolean = () => true): Claim<T> {
  const claim: Claim<T> = { owned: [], adopt: [], release: [] };
  const ownerDeleting = owner.metadata.deletionTimestamp !== undefined;
  for (const child of candidates) {
    const controller = controllerOf(child);
    const matches = matchesSelector(selector, child.metadata.labels);
    if (controller) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (matches) claim.owned.push(child);
      else if (!ownerDeleting) claim.release.push(child);
    } else if (matches && !ownerDeleting && !child.metadata.deletionTimestamp && adoptable(child)) claim.adopt.push(child);
  }
  return claim;
}

export function controllerReference(owner: KubeObject, resource: Resource<KubeObject>): OwnerReference {
  return {
    apiVersion: resource.group ? `${resource.group}/${resource.version}` : resource.version,
    kind: resource.kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

export interface ClaimDeps<O extends KubeObject, T extends KubeObject> {
  client: Client;
  owner: O;
  ownerResource: Resource<O>;
  childResource: Resource<T>;
}

/** Carries out a claim; the result is what the owner owns afterwards. Adoption asks the server first whether the owner still lives. */
export async function claimChildren<O extends KubeObject, T extends KubeObject>(claim: Claim<T>, deps: ClaimDeps<O, T>): Promise<T[]> {
  const owned = [...claim.owned];
  for (const child of claim.release) await release(child, deps);
  if (claim.adopt.length > 0 && (await ownerLives(deps))) {
    for (const child of claim.adopt) {
      const adopted = await adopt(child, deps);
      if (adopted) owned.push(adopted);
    }
  }
  return owned;
}

async function ownerLives<O extends KubeObject, T extends KubeObject>({ client, owner, ownerResource }: ClaimDeps<O, T>): Promise<boolean> {
  const live = await client.get(ownerResource, keyOf(owner));
  return live.metadata.uid === owner.metadata.uid && !live.metadata.deletionTimestamp;
}

async function adopt<O extends KubeObject, T extends KubeObject>(child: T, { client, owner, ownerResource, childResource }: ClaimDeps<O, T>): Promise<T | undefined> {
  const ownerReferences = [controllerReference(owner, ownerResource)];
  return ignoreNotFound(client.patch(childResource, keyOf(child), { type: 'strategic', body: { metadata: { uid: child.metadata.uid, ownerReferences } } }));
}

async function release<O extends KubeObject, T extends KubeObject>(child: T, { client, owner, childResource }: ClaimDeps<O, T>): Promise<void> {
  const ownerReferences = [{ $patch: 'delete', uid: owner.metadata.uid }];
  await ignoreNotFound(client.patch(childResource, keyOf(child), { type: 'strategic', body: { metadata: { uid: child.metadata.uid, ownerReferences } } }));
}

async function ignoreNotFound<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
