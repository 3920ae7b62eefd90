/**
 * The `kubernetes` Service by which pods find the API server, and where it leads: the listener's address.
 * On the real server the endpoint reconciler keeps these; here they are written when the port opens.
 */
import { deepEqual } from '#base/json';
import type { Unstructured } from '#apimachinery/meta';
import { LOOPBACK } from '../auth/user.ts';
import { createObject } from '../registry/create.ts';
import type { Deps } from '../registry/deps.ts';
import { NO_MANAGER } from '../registry/managers.ts';
import type { ResourceType } from '../registry/types.ts';
import { updateObject } from '../registry/update.ts';

export const SERVICE_ADDRESS = '10.96.0.1';
const NAMESPACE = 'default';
const NAME = 'kubernetes';
const LABELS = { component: 'apiserver', provider: 'kubernetes' };

/** Idempotent; the address may change from start to start. */
export async function announce(deps: Deps, { host, port }: { host: string; port: number }): Promise<void> {
  const ports = [{ name: 'https', protocol: 'TCP', port: 443, targetPort: port }];
  const metadata = { name: NAME, namespace: NAMESPACE, labels: LABELS };
  const target = [{ name: 'https', port, protocol: 'TCP' }];
  await put(deps, ['', 'services'], 'spec', {
    metadata,
    spec: { clusterIP: SERVICE_ADDRESS, clusterIPs: [SERVICE_ADDRESS], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack', ports, sessionAffinity: 'None', type: 'ClusterIP', internalTrafficPolicy: 'Cluster' },
  });
  const skip = { 'endpointslice.kubernetes.io/skip-mirror': 'true' };
  await put(deps, ['', 'endpoints'], 'subsets', { metadata: { ...metadata, labels: skip }, subsets: [{ addresses: [{ ip: host }], ports: target }] });
  await put(deps, ['discovery.k8s.io', 'endpointslices'], 'endpoints', {
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': NAME } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [host], conditions: { ready: true } }],
    ports: target,
  });
}

/** Creates an object, or brings one field (and the ports beside it) up to date. */
async function put(deps: Deps, [group, plural]: [string, string], field: string, object: Unstructured): Promise<void> {
  const type = deps.resources.get(group, 'v1', plural) as ResourceType;
  const common = { type, namespace: NAMESPACE, user: LOOPBACK, manager: NO_MANAGER, dryRun: false };
  if (!deps.storage.head(type.collection, `${NAMESPACE}/${NAME}`)) {
    await createObject(deps, { ...common, object: { kind: type.kind, apiVersion: group ? `${group}/v1` : 'v1', ...object } });
    return;
  }
  await updateObject(deps, {
    ...common,
    name: NAME,
    subresource: '',
    transform: (old) => {
      const same = deepEqual(old[field], object[field]) && deepEqual(old['ports'], object['ports']);
      return same ? { ...old, metadata: { ...old.metadata } } : { ...old, metadata: { ...old.metadata }, [field]: object[field], ...(object['ports'] ? { ports: object['ports'] } : {}) };
    },
  });
}
