/**
 * The managers of one object, and their wire form (`metadata.managedFields`). A manager is told by name,
 * operation, subresource and — for updates only — the API version it wrote in. Rule: Kubernetes
 * "Server-Side Apply", "Field management".
 */
import type { ManagedFieldsEntry } from '../meta/index.ts';
import { fromFieldsV1, isEmptySet, toFieldsV1, union, type FieldSet } from './field-set.ts';

export interface Manager {
  name: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  subresource: string;
  time: string | undefined;
  fields: FieldSet;
}

/** By {@link managerId}. Never changed in place by this room's functions; copied first. */
export type Managers = Map<string, Manager>;

export function managerId({ name, operation, apiVersion, subresource }: Pick<Manager, 'name' | 'operation' | 'apiVersion' | 'subresource'>): string {
  return JSON.stringify([name, operation, operation === 'Apply' ? '' : apiVersion, subresource]);
}

/** Throws an `Error` for entries that cannot be read. */
export function decodeManagers(entries: readonly ManagedFieldsEntry[] | undefined): Managers {
  const managers: Managers = new Map();
  for (const entry of entries ?? []) {
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') throw new Error('managedFields: operation must be Apply or Update');
    if (entry.fieldsType !== undefined && entry.fieldsType !== 'FieldsV1') throw new Error('managedFields: fieldsType must be FieldsV1');
    const manager: Manager = {
      name: entry.manager ?? '',
      operation: entry.operation,
      apiVersion: entry.apiVersion ?? '',
      subresource: entry.subresource ?? '',
      time: entry.time,
      fields: fromFieldsV1(entry.fieldsV1 ?? {}),
    };
    managers.set(managerId(manager), manager);
  }
  return managers;
}

/** Entries in the server's order: applies first, older first, then by name, version and subresource. */
export function encodeManagers(managers: Managers): ManagedFieldsEntry[] {
  return [...managers.values()].sort(compareManagers).map((manager) => ({
    manager: manager.name,
    operation: manager.operation,
    apiVersion: manager.apiVersion,
    ...(manager.time === undefined ? {} : { time: manager.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: toFieldsV1(manager.fields),
    ...(manager.subresource ? { subresource: manager.subresource } : {}),
  }));
}

function compareManagers(a: Manager, b: Manager): number {
  const keys: ((manager: Manager) => string)[] = [(m) => m.operation, (m) => m.time ?? '', (m) => m.name, (m) => m.apiVersion, (m) => m.subresource];
  for (const key of keys) {
    if (key(a) !== key(b)) return key(a) < key(b) ? -1 : 1;
  }
  return 0;
}

/** Drops managers that own nothing. */
export function withoutEmpty(managers: Managers): Managers {
  return new Map([...managers].filter(([, manager]) => !isEmptySet(manager.fields)));
}

/** More managers of updates than this are merged, oldest first, so that the metadata stays bounded. */
export const UPDATE_MANAGERS_MAX = 10;
const OLDEST = 'ancient-changes';

/** The managers with at most {@link UPDATE_MANAGERS_MAX} of updates; the oldest of one version become one entry. */
export function capped(managers: Managers): Managers {
  const updates = [...managers.values()].filter((manager) => manager.operation === 'Update').sort(compareManagers);
  let excess = updates.length - UPDATE_MANAGERS_MAX;
  if (excess <= 0) return managers;
  const result: Managers = new Map(managers);
  const firstOfVersion = new Map<string, Manager>();
  for (const manager of updates) {
    if (excess <= 0) break;
    const first = firstOfVersion.get(manager.apiVersion);
    if (!first) {
      firstOfVersion.set(manager.apiVersion, manager);
      continue;
    }
    const bucketKey = { name: OLDEST, operation: 'Update' as const, apiVersion: manager.apiVersion, subresource: '' };
    const bucket = result.get(managerId(bucketKey)) ?? { ...bucketKey, time: first.time, fields: first.fields };
    if (managerId(first) !== managerId(bucketKey)) result.delete(managerId(first));
    result.delete(managerId(manager));
    result.set(managerId(bucketKey), { ...bucket, time: later(bucket.time, manager.time), fields: union(bucket.fields, manager.fields) });
    excess -= 1;
  }
  return result;
}

function later(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}
