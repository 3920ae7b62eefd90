/** The namespace a release goes to, with the labels and annotations its bundle asks for. */
import { namespaces } from '#api/builtin';
import type { BundleDeploymentOptions } from '#api/fleet';
import { isAlreadyExists, isNotFound, StatusError } from '#apimachinery/status';
import type { LeaderClient } from '#kube/leaderelection';

/** Never set by bundles: they would loosen what an administrator enforces (facts/fleet.md §2.1). */
const FORBIDDEN_PREFIX = 'pod-security.kubernetes.io/';
const FIELD_MANAGER = 'fleet-agent';
const NEVER_DELETED = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease']);

/** Makes sure that the namespace is there; `createNamespace: false` leaves that to others. Throws Conflict while an earlier one of the name is still going. */
export async function ensureReleaseNamespace(client: LeaderClient, name: string, options: BundleDeploymentOptions): Promise<void> {
  if (options.createNamespace !== false) {
    const existing = await client.get(namespaces, { name }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    // Nothing can be created in it now; begun all the same, the release would be recorded as failed.
    if (existing?.metadata.deletionTimestamp) throw new StatusError(409, 'Conflict', `Namespace/${name}: is being deleted; waiting for it to go`);
    if (!existing) {
      await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
    }
  }
  const labels = allowed(options.namespaceLabels);
  const annotations = allowed(options.namespaceAnnotations);
  if (Object.keys(labels).length === 0 && Object.keys(annotations).length === 0) return;
  await client.apply(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels, annotations } }, { fieldManager: FIELD_MANAGER, force: true });
}

/** After an uninstallation, when the bundle asked for it. */
export async function deleteReleaseNamespace(client: LeaderClient, name: string): Promise<void> {
  if (NEVER_DELETED.has(name)) return;
  await client.delete(namespaces, { name }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

function allowed(entries: Record<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(entries ?? {}).filter(([key]) => !key.startsWith(FORBIDDEN_PREFIX)));
}
