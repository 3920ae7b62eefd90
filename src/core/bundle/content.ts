/**
 * The Content of a Bundle: its resources as one JSON manifest, gzipped, named by its hash. Equal resources
 * give one Content, shared by all bundles and clusters. Source: Fleet, package internal/manifest.
 */
import type { BundleResource, Content } from '#api/fleet';
import { FLEET_API_VERSION } from '#api/fleet';
import { base64Decode, base64Encode, sha256Hex, utf8 } from '#base/hash';

/** Object names have 63 characters at most. */
const CONTENT_NAME_MAX = 63;

/** The manifest's canonical text, equal to what Go's encoding/json writes for the same resources. */
export function manifestJson(resources: readonly BundleResource[]): string {
  const plain = resources.map(({ name, content, encoding }) => ({
    ...(name ? { name } : {}),
    ...(content ? { content } : {}),
    ...(encoding ? { encoding } : {}),
  }));
  const json = JSON.stringify(plain.length > 0 ? { resources: plain } : {});
  return json.replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** `s-` and the hash of the manifest: name of the Content and first half of every deploymentID. */
export function contentName(resources: readonly BundleResource[]): string {
  return nameOf(sha256Hex(manifestJson(resources)));
}

function nameOf(digest: string): string {
  return `s-${digest}`.slice(0, CONTENT_NAME_MAX);
}

/** The Content object for these resources; `gzip` must be deterministic. */
export function buildContent(resources: readonly BundleResource[], gzip: (bytes: Uint8Array) => Uint8Array): Content {
  const json = manifestJson(resources);
  const digest = sha256Hex(json);
  return {
    apiVersion: FLEET_API_VERSION,
    kind: 'Content',
    metadata: { name: nameOf(digest) },
    content: base64Encode(gzip(utf8(json))),
    sha256sum: digest,
  };
}

/** The bytes of one resource, whatever its encoding. Throws an `Error` naming an encoding it does not know. */
export function decodeResource(resource: BundleResource, gunzip: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  switch (resource.encoding ?? '') {
    case '':
      return utf8(resource.content ?? '');
    case 'base64+gz':
      return gunzip(base64Decode(resource.content ?? ''));
    case 'base64':
      return base64Decode(resource.content ?? '');
    default:
      throw new Error(`resource ${resource.name ?? ''}: unknown encoding ${JSON.stringify(resource.encoding)}: use "" or "base64+gz"`);
  }
}
