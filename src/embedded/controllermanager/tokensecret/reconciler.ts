/**
 * Fills Secrets of type `kubernetes.io/service-account-token`: the token, the cluster's CA and the
 * namespace. Rule: "Configure Service Accounts", manually created API tokens. The token comes from the
 * TokenRequest API, bound to the Secret, so that it dies with it; it is renewed long before it ends.
 */
import { base64Encode } from '#base/hash';
import { keyOf, type ObjectKey } from '#apimachinery/meta';
import { isNotFound } from '#apimachinery/status';
import { secrets, serviceAccounts, type Secret, type ServiceAccount } from '#api/builtin';
import type { Informer } from '#kube/cache';
import { ControlLoop, type ControlPlane } from '#embedded/controlloop';

const TYPE = 'kubernetes.io/service-account-token';
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';
/** Ten years: such tokens have no end of their own upstream. */
const LIFETIME_SECONDS = 10 * 365 * 24 * 3600;

export class TokenSecretController {
  readonly #plane: ControlPlane;
  readonly #caPem: string;
  readonly #secrets: Informer<Secret>;
  readonly #accounts: Informer<ServiceAccount>;
  readonly loop: ControlLoop;

  constructor(plane: ControlPlane, caPem: string) {
    this.#plane = plane;
    this.#caPem = caPem;
    // Only token Secrets are kept with their data; the others (Helm releases can be large) by their metadata.
    this.#secrets = plane.informers.of(secrets, ({ apiVersion, kind, metadata, type, data }) => ({
      ...(apiVersion ? { apiVersion } : {}),
      ...(kind ? { kind } : {}),
      metadata,
      ...(type ? { type } : {}),
      ...(type === TYPE && data ? { data } : {}),
    }));
    this.#accounts = plane.informers.of(serviceAccounts);
    this.loop = new ControlLoop({
      name: 'tokensecret',
      plane,
      sources: [
        { informer: this.#secrets, map: (secret) => (secret.type === TYPE ? [keyOf(secret)] : []) },
        { informer: this.#accounts, map: (account) => this.#secretsOf(account), changed: () => false },
      ],
      reconcile: (key) => this.#reconcile(key),
    });
  }

  #secretsOf(account: ServiceAccount): ObjectKey[] {
    const { namespace, name } = account.metadata;
    return this.#secrets.list(namespace).filter((secret) => secret.type === TYPE && secret.metadata.annotations?.[ACCOUNT_NAME] === name).map(keyOf);
  }

  async #reconcile(key: ObjectKey): Promise<void> {
    const secret = this.#secrets.get(key);
    const name = secret?.metadata.annotations?.[ACCOUNT_NAME];
    if (!secret || !name || secret.metadata.deletionTimestamp) return;
    const { client } = this.#plane;
    const account = this.#accounts.get({ namespace: key.namespace ?? '', name });
    const boundTo = secret.metadata.annotations?.[ACCOUNT_UID];
    if (boundTo && boundTo !== account?.metadata.uid) {
      // Its account is gone (or another one took the name): the token is worth nothing.
      await client.delete(secrets, key, { preconditions: { uid: secret.metadata.uid ?? '' } }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
      return;
    }
    const ca = base64Encode(this.#caPem);
    if (!account || (secret.data?.['token'] && secret.data['ca.crt'] === ca)) return;
    const token = secret.data?.['token'] ?? base64Encode(await this.#token(secret, account));
    const body = { metadata: { uid: secret.metadata.uid, annotations: { [ACCOUNT_UID]: account.metadata.uid } }, data: { token, 'ca.crt': ca, namespace: base64Encode(key.namespace ?? '') } };
    await client.patch(secrets, key, { type: 'merge', body });
  }

  async #token(secret: Secret, account: ServiceAccount): Promise<string> {
    const { name = '', namespace = '' } = account.metadata;
    const request = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { name, namespace },
      spec: { audiences: [], expirationSeconds: LIFETIME_SECONDS, boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: secret.metadata.name ?? '', uid: secret.metadata.uid ?? '' } },
    };
    const answer = (await this.#plane.client.create(serviceAccounts, request as ServiceAccount, { subresource: 'token' })) as unknown as { status: { token: string } };
    return answer.status.token;
  }
}
