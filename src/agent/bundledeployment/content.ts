/** Contents of bundles, fetched once and kept: the last few of them, because many BundleDeployments share one. */
import { gunzipSync } from 'node:zlib';
import { type BundleResource, contents } from '#api/fleet';
import { base64Decode, sha256Hex, utf8Text } from '#base/hash';
import { decodeResource } from '#core/bundle';
import type { Reader } from '#kube/client';

const LIMITS = {
  /** Contents kept in memory. */
  kept: 64,
  /** Unpacked size of one content: a gzip bomb ends here. */
  unpackedBytes: 256 * 1024 * 1024,
};

export type BundleFiles = ReadonlyMap<string, Uint8Array>;

export class ContentCache {
  readonly #reader: Reader;
  readonly #kept = new Map<string, BundleFiles>();

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** The files of a Content. Throws NotFound, or an `Error` when the content is not what its name says. */
  async files(name: string, signal: AbortSignal): Promise<BundleFiles> {
    const kept = this.#kept.get(name);
    if (kept) {
      this.#kept.delete(name); // to the young end
      this.#kept.set(name, kept);
      return kept;
    }
    const content = await this.#reader.get(contents, { name }, { signal });
    const json = gunzipSync(base64Decode(content.content ?? ''), { maxOutputLength: LIMITS.unpackedBytes });
    const digest = sha256Hex(json);
    if (!`s-${digest}`.startsWith(name)) throw new Error(`Content/${name}: its content hashes to ${digest}; it has been tampered with or damaged`);
    const { resources = [] } = JSON.parse(utf8Text(json)) as { resources?: BundleResource[] };
    const files = new Map(resources.map((resource) => [resource.name ?? '', decodeResource(resource, (bytes) => gunzipSync(bytes, { maxOutputLength: LIMITS.unpackedBytes }))]));
    this.#kept.set(name, files);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= LIMITS.kept) break;
      this.#kept.delete(oldest);
    }
    return files;
  }
}
