/** What every cluster begins with: system namespaces, and the roles the system itself needs. */
import type { Unstructured } from '#apimachinery/meta';
import { LOOPBACK } from '../auth/user.ts';
import { createObject } from '../registry/create.ts';
import { storageKey, type Deps } from '../registry/deps.ts';
import { NO_MANAGER } from '../registry/managers.ts';
import type { ResourceType } from '../registry/types.ts';

const NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

/** Idempotent: creates what is missing, leaves the rest. A new cluster's history begins after it. */
export async function bootstrap(deps: Deps): Promise<void> {
  const fresh = deps.storage.revision === 0;
  for (const name of NAMESPACES) await ensure(deps, '', 'v1', 'namespaces', { metadata: { name } });
  if (fresh) deps.storage.compact();
}

async function ensure(deps: Deps, group: string, version: string, plural: string, object: Unstructured): Promise<void> {
  const type = deps.resources.get(group, version, plural) as ResourceType;
  const { namespace = '', name = '' } = object.metadata;
  if (deps.storage.head(type.collection, storageKey(type, { namespace, name }))) return;
  await createObject(deps, { type, namespace, object, user: LOOPBACK, manager: NO_MANAGER, dryRun: false });
}
