/**
 * ClusterRegistrationToken → a ServiceAccount that may only ask for registration, and a Secret of the same
 * name as the token with everything an agent needs to do so (the values of charts/fleet-agent).
 *
 * The Secret's bearer token lives as long as the ClusterRegistrationToken (at most {@link LIMITS}) and is
 * issued anew before it expires. Source of the flow: Fleet docs, "Agent-initiated registration".
 */
import { roleBindings, roles, secrets, serviceAccounts, type Secret } from '#api/builtin';
import { type ClusterRegistrationToken, clusterRegistrationTokens, FLEET_GROUP, namespace as fleetNamespace, secretType } from '#api/fleet';
import { isConflict, isNotFound } from '#apimachinery/status';
import { keyText, type ObjectKey } from '#apimachinery/meta';
import { type Clock, rfc3339 } from '#base/clock';
import { parseDuration } from '#base/duration';
import { base64Decode, base64Encode, utf8Text } from '#base/hash';
import type { Informer } from '#kube/cache';
import { done, type Outcome, type ReconcileContext, type Reconciler, requeueAfter, TerminalError } from '#kube/controller';
import type { LeaderClient } from '#kube/leaderelection';
import { issueToken, ownedBy } from './credentials.ts';

const LIMITS = {
  /** A registration token without ttl: its bearer token is issued for so long, and again before it ends. */
  bearerTokenSeconds: 24 * 3600,
  /** Renew when less than this share of the life is left. */
  renewBelowShare: 0.2,
};

const FIELD_MANAGER = 'fleet-controller';

export interface TokenDependencies {
  tokens: Informer<ClusterRegistrationToken>;
  clock: Clock;
  /** How agents reach the management API server. */
  endpoint(): { apiServerURL: string; apiServerCA: string };
  /** Refuse tokens without ttl (FLEET_REGISTRATION_TOKEN_TTL_REQUIRED). */
  ttlRequired: boolean;
}

export class RegistrationTokenReconciler implements Reconciler<'upstream'> {
  readonly #deps: TokenDependencies;

  constructor(deps: TokenDependencies) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey, ctx: ReconcileContext<'upstream'>): Promise<Outcome> {
    const token = this.#deps.tokens.get(key);
    if (!token || token.metadata.deletionTimestamp) return done;
    const { clock } = this.#deps;
    const client = ctx.clients.upstream;
    const expiresMs = expiryMs(token);
    if (expiresMs === undefined && this.#deps.ttlRequired) {
      await deleteToken(token, client);
      throw new TerminalError(`ClusterRegistrationToken/${keyText(key)}: deleted because it has no spec.ttl and this installation requires one`);
    }
    if (expiresMs !== undefined && expiresMs <= clock.wallMs()) {
      await deleteToken(token, client);
      return done;
    }
    const leftSeconds = expiresMs === undefined ? LIMITS.bearerTokenSeconds : Math.ceil((expiresMs - clock.wallMs()) / 1000);
    const lifeSeconds = Math.max(600, Math.min(LIMITS.bearerTokenSeconds, leftSeconds));
    const renewMs = await this.#ensureSecret(token, { lifeSeconds, expiresMs }, client);
    await this.#writeStatus(token, expiresMs, client);
    return requeueAfter(Math.max(1000, Math.min(renewMs, expiresMs === undefined ? renewMs : expiresMs - clock.wallMs())));
  }

  /** Returns in how many milliseconds the bearer token has to be renewed. */
  async #ensureSecret(token: ClusterRegistrationToken, { lifeSeconds, expiresMs }: { lifeSeconds: number; expiresMs: number | undefined }, client: LeaderClient): Promise<number> {
    const { clock } = this.#deps;
    const name = token.metadata.name ?? '';
    const namespace = token.metadata.namespace ?? '';
    const existing = await client.get(secrets, { namespace, name }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const validUntilMs = Number(existing?.metadata.annotations?.[EXPIRES] ?? 0);
    const endpoint = this.#deps.endpoint();
    // A bearer token that lives as long as its owner need not be renewed.
    const renewInMs = expiresMs !== undefined && validUntilMs >= expiresMs ? expiresMs - clock.wallMs() : validUntilMs - clock.wallMs() - lifeSeconds * 1000 * LIMITS.renewBelowShare;
    if (existing && renewInMs > 0 && belongsTo(existing, token) && sameEndpoint(existing, endpoint)) return renewInMs;

    await ensureRequestRights(token, client);
    const { token: bearer, expiresMs: untilMs } = await issueToken(client, { namespace, name: accountName(name) }, lifeSeconds);
    const values = {
      clusterNamespace: namespace,
      ...endpoint,
      token: bearer,
      tokenName: name,
      systemRegistrationNamespace: fleetNamespace.clustersSystem,
      internal: { systemNamespace: fleetNamespace.system },
    };
    const secret: Secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace, annotations: { [EXPIRES]: String(untilMs) }, ownerReferences: ownedBy(token, clusterRegistrationTokens.kind) },
      type: secretType.clusterRegistrationValues,
      data: { values: base64Encode(JSON.stringify(values)) },
    };
    await client.apply(secrets, secret, { fieldManager: FIELD_MANAGER, force: true });
    return (untilMs - clock.wallMs()) * (1 - LIMITS.renewBelowShare);
  }

  async #writeStatus(token: ClusterRegistrationToken, expiresMs: number | undefined, client: LeaderClient): Promise<void> {
    const status = { secretName: token.metadata.name ?? '', ...(expiresMs === undefined ? {} : { expires: rfc3339(expiresMs) }) };
    if (token.status?.secretName === status.secretName && token.status.expires === status.expires) return;
    const key = { namespace: token.metadata.namespace ?? '', name: token.metadata.name ?? '' };
    await client.patch(clusterRegistrationTokens, key, { type: 'merge', body: { status } }, { subresource: 'status' });
  }
}

const EXPIRES = 'fleet.cattle.io/token-expires-ms';

function accountName(token: string): string {
  return `${token}-registration`.slice(0, 63);
}

function expiryMs(token: ClusterRegistrationToken): number | undefined {
  const { ttl } = token.spec;
  if (!ttl || ttl === '0') return undefined;
  try {
    return Date.parse(token.metadata.creationTimestamp ?? '') + parseDuration(ttl);
  } catch (error) {
    throw new TerminalError(`ClusterRegistrationToken/${token.metadata.namespace}/${token.metadata.name}: spec.ttl ${JSON.stringify(ttl)} is not a duration; write one like 240h`, { cause: error });
  }
}

/** Deletes this very token, not one that was made anew under its name. */
async function deleteToken({ metadata }: ClusterRegistrationToken, client: LeaderClient): Promise<void> {
  const { namespace = '', name = '', uid = '' } = metadata;
  await client.delete(clusterRegistrationTokens, { namespace, name }, { preconditions: { uid } }).catch((error: unknown) => {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  });
}

/** False for the Secret of a token of the same name that was deleted: it is about to be collected with its owner. */
function belongsTo(secret: Secret, token: ClusterRegistrationToken): boolean {
  return secret.metadata.ownerReferences?.some(({ uid }) => uid === token.metadata.uid) === true;
}

/** A Secret that cannot be read counts as different, so that it is written anew. */
function sameEndpoint(secret: Secret, endpoint: { apiServerURL: string; apiServerCA: string }): boolean {
  try {
    const values = JSON.parse(utf8Text(base64Decode(secret.data?.values ?? ''))) as Partial<typeof endpoint & { token: string }>;
    return values.apiServerURL === endpoint.apiServerURL && values.apiServerCA === endpoint.apiServerCA && !!values.token;
  } catch {
    return false;
  }
}

/** The account may create ClusterRegistrations in its namespace, and nothing else. */
async function ensureRequestRights(token: ClusterRegistrationToken, client: LeaderClient): Promise<void> {
  const namespace = token.metadata.namespace ?? '';
  const name = accountName(token.metadata.name ?? '');
  const metadata = { name, namespace, ownerReferences: ownedBy(token, clusterRegistrationTokens.kind) };
  const options = { fieldManager: FIELD_MANAGER, force: true };
  await client.apply(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata }, options);
  const rbac = 'rbac.authorization.k8s.io';
  const rules = [{ apiGroups: [FLEET_GROUP], resources: [clusterRegistrations], verbs: ['create'] }];
  await client.apply(roles, { apiVersion: `${rbac}/v1`, kind: 'Role', metadata, rules }, options);
  await client.apply(
    roleBindings,
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: rbac, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
    options,
  );
}

const clusterRegistrations = 'clusterregistrations';
export { accountName as registrationAccountName };
