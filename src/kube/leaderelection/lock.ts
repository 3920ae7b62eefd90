/**
 * The lock on the wire: a `coordination.k8s.io/v1` Lease, or the older ConfigMap with the annotation
 * `control-plane.alpha.kubernetes.io/leader`. Both are client-go's formats (tools/leaderelection/resourcelock),
 * so its candidates and ours can share a lock. What the formats have no place for (boot id, pod, exact
 * duration, evidence) stands in an annotation of ours, which names the record it belongs to, because other
 * candidates keep annotations they do not know.
 *
 * Other candidates notice a renewal by a change of the record in whole seconds. Renewals within one second
 * would look alike to them and cost the margin of safety, so then `leaseDurationSeconds` alternates upward
 * by one: it makes them wait longer, never shorter.
 */
import { rfc3339, rfc3339Micro } from '#base/clock';
import { isRecord } from '#base/json';
import type { KubeObject } from '#apimachinery/meta';
import { defineResource, type Resource } from '#apimachinery/resource';
import type { HolderInfo, LockRecord } from './record.ts';
import type { Evidence } from './types.ts';

export type LockKind = 'leases' | 'configmaps';

/** client-go's annotation on ConfigMap locks. */
export const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader';
/** Ours, on both kinds of lock: JSON of {@link Details}. */
export const DETAILS_ANNOTATION = 'fleet.cattle.io/leader-election';

interface LeaseSpec {
  holderIdentity?: string | null;
  leaseDurationSeconds?: number | null;
  acquireTime?: string | null;
  renewTime?: string | null;
  leaseTransitions?: number | null;
}

export interface LockObject extends KubeObject {
  spec?: LeaseSpec;
  data?: Record<string, string>;
}

interface LeaderElectionRecord {
  holderIdentity: string;
  leaseDurationSeconds: number;
  acquireTime: string;
  renewTime: string;
  leaderTransitions: number;
}

interface Details extends Partial<HolderInfo> {
  /** The record these details belong to. */
  holder: string;
  renewTime: string;
  transitions: number;
  durationMs: number;
  evidence?: Evidence;
  gapMs?: number;
}

const LEASES = defineResource<LockObject>('coordination.k8s.io', 'v1', 'Lease', 'leases');
const CONFIG_MAPS = defineResource<LockObject>('', 'v1', 'ConfigMap', 'configmaps');

export function lockResource(kind: LockKind): Resource<LockObject> {
  return kind === 'leases' ? LEASES : CONFIG_MAPS;
}

/** What an object says; `undefined` when it carries no record (yet). */
export function decodeLock(kind: LockKind, object: LockObject): LockRecord | undefined {
  const spec = kind === 'leases' ? object.spec : leaseSpecOf(object.metadata.annotations?.[LEADER_ANNOTATION]);
  if (!spec || (spec.holderIdentity ?? undefined) === undefined) return undefined;
  const holder = spec.holderIdentity ?? '';
  const transitions = spec.leaseTransitions ?? 0;
  const renewTime = spec.renewTime ?? '';
  const details = detailsOf(object.metadata.annotations?.[DETAILS_ANNOTATION]);
  const own = details?.holder === holder && details.transitions === transitions && details.renewTime === renewTime ? details : undefined;
  const wireMs = (spec.leaseDurationSeconds ?? 0) * 1000;
  const info = own && holder !== '' ? infoOf(own) : undefined;
  return {
    holder,
    // Exact where it is ours; never longer than what the wire promises to others.
    durationMs: own && own.durationMs > 0 && own.durationMs <= wireMs ? own.durationMs : wireMs,
    transitions,
    stamp: JSON.stringify([holder, transitions, renewTime, spec.acquireTime ?? '', spec.leaseDurationSeconds ?? 0]),
    ...(info ? { info } : {}),
    ...(spec.acquireTime ? { acquireTime: spec.acquireTime } : {}),
    ...(renewTime ? { renewTime } : {}),
    ...(own?.evidence ? { evidence: own.evidence } : {}),
    ...(own?.gapMs === undefined ? {} : { gapMs: own.gapMs }),
  };
}

/** What the last write of ours put on the wire; the next one must differ from it. */
export interface Written {
  renewWallMs: number;
  durationSeconds: number;
  acquireWallMs: number;
  transitions: number;
}

export interface Encoding {
  record: Omit<LockRecord, 'stamp'>;
  wallMs: number;
  previous: Written | undefined;
}

/** The object to write, based on the one last read (its other content is kept), and what to pass to the next call. */
export function encodeLock(kind: LockKind, base: LockObject, { record, wallMs, previous }: Encoding): { object: LockObject; written: Written } {
  const written = wireTimes(record, wallMs, previous);
  const renewTime = kind === 'leases' ? rfc3339Micro(written.renewWallMs) : rfc3339(written.renewWallMs);
  const details: Details = {
    holder: record.holder,
    renewTime,
    transitions: record.transitions,
    durationMs: record.durationMs,
    ...record.info,
    ...(record.evidence ? { evidence: record.evidence } : {}),
    ...(record.gapMs === undefined ? {} : { gapMs: Math.round(record.gapMs) }),
  };
  const annotations = { ...base.metadata.annotations, [DETAILS_ANNOTATION]: JSON.stringify(details) };
  const { managedFields: _, ...metadata } = base.metadata;
  if (kind === 'leases') {
    const spec = { ...base.spec, holderIdentity: record.holder, leaseDurationSeconds: written.durationSeconds, acquireTime: rfc3339Micro(written.acquireWallMs), renewTime, leaseTransitions: record.transitions };
    return { written, object: { ...base, metadata: { ...metadata, annotations }, spec } };
  }
  const leader: LeaderElectionRecord = {
    holderIdentity: record.holder,
    leaseDurationSeconds: written.durationSeconds,
    acquireTime: rfc3339(written.acquireWallMs),
    renewTime,
    leaderTransitions: record.transitions,
  };
  return { written, object: { ...base, metadata: { ...metadata, annotations: { ...annotations, [LEADER_ANNOTATION]: JSON.stringify(leader) } } } };
}

function wireTimes(record: Encoding['record'], wallMs: number, previous: Written | undefined): Written {
  const baseSeconds = Math.max(1, Math.ceil(record.durationMs / 1000));
  const sameTerm = previous !== undefined && previous.transitions === record.transitions && record.holder !== '';
  // The wall clock may have been set back; what is written never goes back, and never stands still.
  const renewWallMs = sameTerm ? Math.max(wallMs, previous.renewWallMs + 1) : wallMs;
  const sameSecond = sameTerm && Math.floor(renewWallMs / 1000) === Math.floor(previous.renewWallMs / 1000);
  return {
    renewWallMs,
    durationSeconds: sameSecond ? previous.durationSeconds + 1 : baseSeconds,
    acquireWallMs: sameTerm ? previous.acquireWallMs : wallMs,
    transitions: record.transitions,
  };
}

function leaseSpecOf(text: string | undefined): LeaseSpec | undefined {
  const record = parse(text);
  if (!record) return undefined;
  return { ...(record as LeaseSpec), leaseTransitions: (record as unknown as LeaderElectionRecord).leaderTransitions ?? 0 };
}

function detailsOf(text: string | undefined): Details | undefined {
  const details = parse(text);
  return details && typeof details['holder'] === 'string' && typeof details['durationMs'] === 'number' ? (details as unknown as Details) : undefined;
}

function infoOf({ bootId, startedAtMs, podUid, podName, podNamespace, container, node }: Details): HolderInfo | undefined {
  if (typeof bootId !== 'string' || typeof startedAtMs !== 'number') return undefined;
  const optional = Object.entries({ podUid, podName, podNamespace, container, node }).filter(([, value]) => typeof value === 'string');
  return { bootId, startedAtMs, ...Object.fromEntries(optional) };
}

function parse(text: string | undefined): Record<string, unknown> | undefined {
  if (!text) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
