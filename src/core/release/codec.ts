/**
 * Release records as Secrets, byte for byte as Helm 3 and 4 keep them: `sh.helm.release.v1.<name>.v<rev>`,
 * type `helm.sh/release.v1`, data.release = base64(base64(gzip(JSON))). Source: helm.sh/helm, package
 * storage/driver. The journal is an annotation, which Helm ignores.
 */
import type { ObjectMeta } from '#apimachinery/meta';
import { base64Decode, base64Encode, utf8, utf8Text } from '#base/hash';
import { isRecord } from '#base/json';
import type { Journal, ReleaseRecord, Revision } from './types.ts';

export const RELEASE_SECRET_TYPE = 'helm.sh/release.v1';
export const JOURNAL_ANNOTATION = 'fleet.cattle.io/journal';
/** A Secret's data: Kubernetes' limit. */
export const RELEASE_BYTES_MAX = 1024 * 1024;
/** Labels Helm sets itself; a record's own labels must not overwrite them. */
const SYSTEM_LABELS = ['name', 'owner', 'status', 'version', 'createdAt', 'modifiedAt'];

export interface ReleaseSecret {
  apiVersion: 'v1';
  kind: 'Secret';
  metadata: ObjectMeta;
  type: string;
  data: { release: string };
}

export interface Compression {
  gzip(bytes: Uint8Array): Uint8Array;
  gunzip(bytes: Uint8Array): Uint8Array;
}

export function releaseSecretName(name: string, revision: number): string {
  return `sh.helm.release.v1.${name}.v${revision}`;
}

/** Labels that select all revisions of a release. */
export function releaseSelector(name: string): Record<string, string> {
  return { name, owner: 'helm' };
}

/** The Secret of a revision. `createdAtMs` for a new one, `modifiedAtMs` for a changed one. Throws an `Error` when it is too large. */
export function encodeRelease({ record, journal, resourceVersion }: Revision, compression: Compression, stamp: { createdAtMs?: number; modifiedAtMs?: number }): ReleaseSecret {
  const release = base64Encode(base64Encode(compression.gzip(utf8(JSON.stringify(withoutLabels(record))))));
  if (release.length > RELEASE_BYTES_MAX) throw new Error(`release ${record.namespace}/${record.name}: its record has ${release.length} bytes, a Secret takes ${RELEASE_BYTES_MAX}: split the bundle`);
  const seconds = (ms: number) => String(Math.floor(ms / 1000));
  const labels = {
    ...Object.fromEntries(Object.entries(record.labels ?? {}).filter(([key]) => !SYSTEM_LABELS.includes(key))),
    name: record.name,
    owner: 'helm',
    status: record.info.status ?? 'unknown',
    version: String(record.version),
    ...(stamp.createdAtMs === undefined ? {} : { createdAt: seconds(stamp.createdAtMs) }),
    ...(stamp.modifiedAtMs === undefined ? {} : { modifiedAt: seconds(stamp.modifiedAtMs) }),
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: releaseSecretName(record.name, record.version),
      namespace: record.namespace,
      labels,
      ...(journal ? { annotations: journalAnnotation(journal) } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
    },
    type: RELEASE_SECRET_TYPE,
    data: { release },
  };
}

/** For a write that changes nothing but the journal (a merge patch with the resourceVersion as guard). */
export function journalAnnotation(journal: Journal): Record<string, string> {
  return { [JOURNAL_ANNOTATION]: JSON.stringify(journal) };
}

function withoutLabels({ labels: _labels, ...record }: ReleaseRecord): Omit<ReleaseRecord, 'labels'> {
  return record;
}

/** The revision a Secret holds. Throws an `Error` naming the Secret when it is damaged. */
export function decodeRelease(secret: { metadata: ObjectMeta; data?: Record<string, string> }, gunzip: (bytes: Uint8Array) => Uint8Array): Revision {
  const { name = '', namespace = '', labels = {}, annotations = {}, resourceVersion } = secret.metadata;
  const record = parse(`Secret/${namespace}/${name}`, secret.data?.release, gunzip);
  const own = Object.fromEntries(Object.entries(labels).filter(([key]) => !SYSTEM_LABELS.includes(key)));
  const journal = parseJournal(annotations[JOURNAL_ANNOTATION]);
  return {
    record: { ...record, namespace: record.namespace || namespace, ...(Object.keys(own).length > 0 ? { labels: own } : {}) },
    ...(journal ? { journal } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
  };
}

function parse(subject: string, data: string | undefined, gunzip: (bytes: Uint8Array) => Uint8Array): ReleaseRecord {
  try {
    const bytes = base64Decode(utf8Text(base64Decode(data ?? '')));
    // Records of early Helm 3 were not compressed; gzip begins with 1f 8b 08.
    const json = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzip(bytes) : bytes;
    const record: unknown = JSON.parse(utf8Text(json));
    if (isRecord(record) && isRecord(record.info)) return record as unknown as ReleaseRecord;
  } catch (error) {
    throw new Error(`${subject}: holds no Helm release: delete it, or restore it from a backup`, { cause: error });
  }
  throw new Error(`${subject}: holds no Helm release: delete it, or restore it from a backup`);
}

/** A journal that cannot be read is as good as none. */
function parseJournal(text: string | undefined): Journal | undefined {
  if (!text) return undefined;
  try {
    const journal: unknown = JSON.parse(text);
    return isRecord(journal) && typeof journal.epoch === 'number' && typeof journal.step === 'string' && isRecord(journal.hooks) ? (journal as unknown as Journal) : undefined;
  } catch {
    return undefined;
  }
}
