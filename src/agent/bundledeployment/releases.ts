/**
 * The releases this agent has made, as its cache of release Secrets shows them: which BundleDeployment each
 * belongs to, how it stands, and what it holds. Secrets of releases that others made are not looked at.
 */
import type { Secret } from '#api/builtin';
import type { Unstructured } from '#apimachinery/meta';
import { decodeRelease, type Revision } from '#core/release';
import type { Informer } from '#kube/cache';
import { compression, objectsOf } from '../release/index.ts';

/** Label of a release: the BundleDeployment it came from. */
export const OWNER_LABEL = 'fleet.cattle.io/bundledeployment';
/** Label of a release: the namespace of the agent that made it; two agents in one cluster do not touch each other's. */
export const AGENT_LABEL = 'fleet.cattle.io/agent-namespace';
export const KEEP_LABEL = 'fleet.cattle.io/keep-resources';
export const DELETE_NAMESPACE_LABEL = 'fleet.cattle.io/delete-namespace';

export const BY_OWNER = 'owner';

export function ownerIndex(secret: Secret): string[] {
  const owner = secret.metadata.labels?.[OWNER_LABEL];
  return owner ? [owner] : [];
}

export interface OwnRelease {
  namespace: string;
  name: string;
  /** The newest revision. */
  revision: Revision;
  /** Objects of its manifest. */
  objects: readonly Unstructured[];
}

export class OwnReleases {
  readonly #secrets: Informer<Secret>;
  readonly #decoded = new WeakMap<Secret, OwnRelease>();

  /** The informer is indexed by {@link BY_OWNER} and selects releases of this agent. */
  constructor(secrets: Informer<Secret>) {
    this.#secrets = secrets;
  }

  /** The releases of one BundleDeployment: normally one, two while it moves to another name or namespace. */
  of(owner: string): OwnRelease[] {
    const newest = new Map<string, Secret>();
    for (const secret of this.#secrets.byIndex(BY_OWNER, owner)) {
      const { namespace, labels } = secret.metadata;
      const id = `${namespace}/${labels?.name}`;
      const other = newest.get(id);
      if (!other || revisionOf(secret) > revisionOf(other)) newest.set(id, secret);
    }
    return [...newest.values()].map((secret) => this.#decode(secret));
  }

  /** Every BundleDeployment that has a release. */
  owners(): string[] {
    return [...new Set(this.#secrets.list().flatMap(ownerIndex))];
  }

  #decode(secret: Secret): OwnRelease {
    const known = this.#decoded.get(secret);
    if (known) return known;
    const revision = decodeRelease(secret, compression.gunzip);
    const release = { namespace: secret.metadata.namespace ?? '', name: revision.record.name, revision, objects: objectsOf(revision.record) };
    this.#decoded.set(secret, release);
    return release;
  }
}

function revisionOf({ metadata }: Secret): number {
  return Number(metadata.labels?.version ?? 0);
}
