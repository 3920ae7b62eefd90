/**
 * What every namespace gets: the ServiceAccount `default`, and the ConfigMap `kube-root-ca.crt` with which
 * pods verify the API server. Both come back when they are deleted or changed.
 */
import { isAlreadyExists, isNotFound, isForbidden } from '#apimachinery/status';
import { configMaps, namespaces, serviceAccounts, type ConfigMap, type Namespace, type ServiceAccount } from '#api/builtin';
import type { Informer } from '#kube/cache';
import { ControlLoop, type ControlPlane } from '#embedded/controlloop';

const ROOT_CA = 'kube-root-ca.crt';
const ROOT_CA_NOTE = 'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

export class NamespaceFurnitureController {
  readonly #plane: ControlPlane;
  readonly #caPem: string;
  readonly #namespaces: Informer<Namespace>;
  readonly #accounts: Informer<ServiceAccount>;
  readonly #maps: Informer<ConfigMap>;
  readonly loop: ControlLoop;

  constructor(plane: ControlPlane, caPem: string) {
    this.#plane = plane;
    this.#caPem = caPem;
    this.#namespaces = plane.informers.of(namespaces);
    this.#accounts = plane.informers.of(serviceAccounts);
    this.#maps = plane.informers.of(configMaps);
    const ofNamespace = (object: { metadata: { namespace?: string } }) => [{ name: object.metadata.namespace ?? '' }];
    this.loop = new ControlLoop({
      name: 'serviceaccount',
      plane,
      sources: [
        { informer: this.#namespaces },
        { informer: this.#accounts, map: (account) => (account.metadata.name === 'default' ? ofNamespace(account) : []) },
        { informer: this.#maps, map: (map) => (map.metadata.name === ROOT_CA ? ofNamespace(map) : []) },
      ],
      reconcile: (key) => this.#reconcile(key.name),
    });
  }

  async #reconcile(namespace: string): Promise<void> {
    const space = this.#namespaces.get({ name: namespace });
    if (!space || space.metadata.deletionTimestamp || space.status?.phase === 'Terminating') return;
    const { client } = this.#plane;
    if (!this.#accounts.get({ namespace, name: 'default' })) await unlessThere(client.create(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } }));
    const map = this.#maps.get({ namespace, name: ROOT_CA });
    const data = { 'ca.crt': this.#caPem };
    if (!map) {
      const metadata = { name: ROOT_CA, namespace, annotations: { 'kubernetes.io/description': ROOT_CA_NOTE } };
      await unlessThere(client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }));
    } else if (map.data?.['ca.crt'] !== this.#caPem) await client.update(configMaps, { ...map, data });
  }
}

/** Another writer was first, or the namespace is on its way out. */
async function unlessThere(promise: Promise<unknown>): Promise<void> {
  try {
    await promise;
  } catch (error) {
    if (!isAlreadyExists(error) && !isNotFound(error) && !isForbidden(error)) throw error;
  }
}
