/** Watch events as tables and as bare metadata. Both keep the shape their lists have. */
import type { Clock } from '#base/clock';
import { decodeEntry } from '../registry/codec.ts';
import type { ResourceType } from '../registry/types.ts';
import { tableOf } from '../table/table.ts';
import { plainFormat, type EventFormat } from './watch.ts';

export function metadataFormat(type: ResourceType): EventFormat {
  return {
    name: `metadata ${type.version}`,
    show: (entry, revision) => json({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { ...decodeEntry(entry, type).metadata, resourceVersion: String(revision) } }),
    bookmark: (revision, initialEnd) => ({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: (plainFormat(type).bookmark(revision, initialEnd) as { metadata: unknown }).metadata,
    }),
  };
}

/** Only the first event carries the columns, so tables are not shared between watchers. */
export function tableFormat(type: ResourceType, include: string, clock: Clock): EventFormat {
  let first = true;
  return {
    name: undefined,
    show(entry, revision) {
      const object = decodeEntry(entry, type);
      object.metadata.resourceVersion = String(revision);
      const metadata = { resourceVersion: String(revision) };
      const table = tableOf(type, [object], { version: 'v1', include, metadata, nowMs: clock.wallMs(), withoutColumns: !first });
      first = false;
      return json(table);
    },
    bookmark: (revision) => tableOf(type, [], { version: 'v1', include, metadata: { resourceVersion: String(revision) }, nowMs: clock.wallMs(), withoutColumns: !first }),
  };
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
