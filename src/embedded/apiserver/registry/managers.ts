/**
 * Who owns which field. The grammar of managed fields lives in `#apimachinery/managedfields`; this file
 * decides who the manager of a request is and when tracking applies.
 */
import type { Unstructured } from '#apimachinery/meta';
import { formatApiVersion } from '#apimachinery/meta';
import { trackUpdate } from '#apimachinery/managedfields';
import type { ResourceType, WriteContext } from './types.ts';

/** Empty name: the server's own bookkeeping, which owns nothing. */
export interface Manager {
  name: string;
  /** Server-side apply has decided about ownership already. */
  applied?: boolean;
}

export const NO_MANAGER: Manager = { name: '' };

const MANAGER_NAME_MAX = 128;

/** The `fieldManager` option, or what stands before the slash in the user agent. */
export function managerOf(fieldManager: string | null, userAgent: string | undefined): Manager {
  if (fieldManager) return { name: fieldManager };
  const agent = (userAgent ?? '').split('/')[0] ?? '';
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
  const printable = agent.replace(/[\u0000-\u001f\u007f]/g, '');
  return { name: printable.slice(0, MANAGER_NAME_MAX) || 'unknown' };
}

export interface Tracking {
  live: Unstructured | undefined;
  object: Unstructured;
  type: ResourceType;
  manager: Manager;
  context: WriteContext;
}

/** The object with its managed fields brought up to date; apply has done that itself. */
export function trackManager({ live, object, type, manager, context }: Tracking): Unstructured {
  if (manager.applied) return object;
  if (!manager.name) {
    if (live?.metadata.managedFields) object.metadata.managedFields = live.metadata.managedFields;
    return object;
  }
  return trackUpdate({
    live,
    object,
    manager: manager.name,
    apiVersion: formatApiVersion(type.group, type.version),
    now: context.now,
    subresource: context.subresource,
    schema: type.strategy.schema,
    resetFields: type.strategy.resetFields(context.subresource),
  });
}
