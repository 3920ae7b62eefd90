/**
 * Release records in the cluster: reading a release's revisions, writing one, marking the journal. Every
 * write is guarded by resourceVersion, so that a delayed write of a former leader cannot land.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Secret, secrets } from '#api/builtin';
import { formatSelector } from '#apimachinery/labels';
import { isNotFound } from '#apimachinery/status';
import type { Clock } from '#base/clock';
import { decodeRelease, encodeRelease, type Journal, journalAnnotation, releaseSecretName, releaseSelector, type Revision } from '#core/release';
import type { LeaderClient } from '#kube/leaderelection';

export const compression = { gzip: (bytes: Uint8Array) => gzipSync(bytes), gunzip: (bytes: Uint8Array) => gunzipSync(bytes) };

export class ReleaseHistory {
  readonly #client: LeaderClient;
  readonly #clock: Clock;
  readonly #namespace: string;
  readonly #name: string;
  readonly #signal: AbortSignal;

  constructor(client: LeaderClient, options: { clock: Clock; namespace: string; name: string; signal: AbortSignal }) {
    this.#client = client;
    this.#clock = options.clock;
    this.#namespace = options.namespace;
    this.#name = options.name;
    this.#signal = options.signal;
  }

  /** All revisions, oldest first, by a consistent read. */
  async read(): Promise<Revision[]> {
    const labelSelector = formatSelector({ matchLabels: releaseSelector(this.#name) });
    const { items } = await this.#client.list(secrets, { namespace: this.#namespace, labelSelector, signal: this.#signal });
    return items.map((secret) => decodeRelease(secret, compression.gunzip)).sort((a, b) => a.record.version - b.record.version);
  }

  /** Writes a new revision. Throws AlreadyExists when another writer was faster. */
  async create(revision: Revision): Promise<Revision> {
    const secret = encodeRelease(revision, compression, { createdAtMs: this.#clock.wallMs() });
    const created = await this.#client.create(secrets, secret as Secret, { signal: this.#signal });
    return withVersion(revision, created);
  }

  /** Replaces a revision as it was read. Throws Conflict when it has changed since. */
  async update(revision: Revision): Promise<Revision> {
    const secret = encodeRelease(revision, compression, { modifiedAtMs: this.#clock.wallMs() });
    const updated = await this.#client.update(secrets, secret as Secret, { signal: this.#signal });
    return withVersion(revision, updated);
  }

  /** Changes nothing but the journal. */
  async mark(revision: Revision, journal: Journal): Promise<Revision> {
    const body = { metadata: { resourceVersion: revision.resourceVersion, annotations: journalAnnotation(journal) } };
    const key = { namespace: this.#namespace, name: releaseSecretName(this.#name, revision.record.version) };
    const marked = await this.#client.patch(secrets, key, { type: 'merge', body }, { signal: this.#signal });
    return withVersion({ ...revision, journal }, marked);
  }

  /** Removes a revision as it was read: not one that another leader has made under the same name since. */
  async remove({ record, resourceVersion }: Revision): Promise<void> {
    const key = { namespace: this.#namespace, name: releaseSecretName(this.#name, record.version) };
    const preconditions = resourceVersion ? { preconditions: { resourceVersion } } : {};
    await this.#client.delete(secrets, key, { ...preconditions, signal: this.#signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}

function withVersion(revision: Revision, secret: Secret): Revision {
  const { resourceVersion } = secret.metadata;
  return { ...revision, ...(resourceVersion ? { resourceVersion } : {}) };
}
