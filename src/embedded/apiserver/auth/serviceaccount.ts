/**
 * Service-account tokens: JWTs the server signs and later believes as long as the account (and the pod, secret
 * or node the token is bound to) exists. Rule: kubernetes.io "Managing Service Accounts", "Bound tokens".
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign, verify, type KeyObject } from 'node:crypto';
import { sha256Hex } from '#base/hash';
import type { Clock } from '#base/clock';
import type { Unstructured } from '#apimachinery/meta';
import type { Storage } from '#embedded/storage';
import { decodeEntry } from '../registry/codec.ts';
import type { UserInfo } from './user.ts';

export const ISSUER = 'https://kubernetes.default.svc';
/** A token stays valid for this long after its pod should be gone. */
const POD_LEEWAY_SECONDS = 60;

export interface BoundObject {
  kind: 'Pod' | 'Secret' | 'Node';
  name: string;
  uid: string;
}

export interface TokenClaims {
  aud: string[];
  exp: number;
  iat: number;
  iss: string;
  jti: string;
  'kubernetes.io': {
    namespace: string;
    serviceaccount: { name: string; uid: string };
    pod?: { name: string; uid: string };
    secret?: { name: string; uid: string };
    node?: { name: string; uid?: string };
    warnafter?: number;
  };
  nbf: number;
  sub: string;
}

export interface TokenSpec {
  namespace: string;
  name: string;
  uid: string;
  audiences: readonly string[];
  lifetimeSeconds: number;
  bound?: BoundObject;
  /** Node of the pod a token is bound to. */
  node?: { name: string; uid?: string };
  warnAfterSeconds?: number;
}

/** A token was recognised and refused; the message says why. */
export class TokenError extends Error {
  override name = 'TokenError';
}

/** A new signing key in PEM. */
export function generateTokenKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

export class ServiceAccountTokens {
  readonly #private: KeyObject;
  readonly #public: KeyObject;
  readonly #keyId: string;
  readonly #storage: Storage;
  readonly #clock: Clock;

  constructor(key: string, storage: Storage, clock: Clock) {
    this.#private = createPrivateKey(key);
    this.#public = createPublicKey(this.#private);
    this.#keyId = sha256Hex(this.#public.export({ type: 'spki', format: 'der' })).slice(0, 32);
    this.#storage = storage;
    this.#clock = clock;
  }

  /** The OpenID documents by which others can check tokens. */
  openid(): Readonly<Record<string, () => unknown>> {
    return {
      '/.well-known/openid-configuration': () => ({
        issuer: ISSUER,
        jwks_uri: `${ISSUER}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256'],
      }),
      '/openid/v1/jwks': () => ({ keys: [{ use: 'sig', alg: 'ES256', kid: this.#keyId, ...this.#public.export({ format: 'jwk' }) }] }),
    };
  }

  issue(spec: TokenSpec): string {
    const now = Math.floor(this.#clock.wallMs() / 1000);
    const claims: TokenClaims = {
      aud: [...spec.audiences],
      exp: now + spec.lifetimeSeconds,
      iat: now,
      iss: ISSUER,
      jti: randomUUID(),
      'kubernetes.io': {
        namespace: spec.namespace,
        ...(spec.node ? { node: spec.node } : {}),
        ...(spec.bound ? { [spec.bound.kind.toLowerCase()]: { name: spec.bound.name, uid: spec.bound.uid } } : {}),
        serviceaccount: { name: spec.name, uid: spec.uid },
        ...(spec.warnAfterSeconds ? { warnafter: now + spec.warnAfterSeconds } : {}),
      },
      nbf: now,
      sub: `system:serviceaccount:${spec.namespace}:${spec.name}`,
    };
    const head = encode({ alg: 'ES256', kid: this.#keyId });
    const body = `${head}.${encode(claims)}`;
    return `${body}.${sign('sha256', Buffer.from(body), { key: this.#private, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }

  /** The user of a token, or undefined when it is not one of ours. Throws {@link TokenError} when it is and does not hold. */
  authenticate(token: string, audiences: readonly string[] = [ISSUER]): { user: UserInfo; audiences: string[] } | undefined {
    const claims = this.#claimsOf(token);
    if (!claims) return undefined;
    const matching = audiences.filter((audience) => claims.aud.includes(audience));
    if (matching.length === 0) throw new TokenError(`token audiences ${list(claims.aud)} is invalid for the target audiences ${list(audiences)}`);
    const now = this.#clock.wallMs() / 1000;
    if (now > claims.exp) throw new TokenError('service account token has expired');
    if (now < claims.nbf - 1) throw new TokenError('service account token is not valid yet');
    this.#checkAccount(claims);
    this.#checkBound(claims, now);
    return { user: userOf(claims), audiences: matching };
  }

  #claimsOf(token: string): TokenClaims | undefined {
    const [head = '', body = '', signature = '', more] = token.split('.');
    if (!signature || more !== undefined) return undefined;
    try {
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as TokenClaims;
      if (claims.iss !== ISSUER || !claims['kubernetes.io']?.serviceaccount || !Array.isArray(claims.aud)) return undefined;
      const valid = verify('sha256', Buffer.from(`${head}.${body}`), { key: this.#public, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
      if (!valid) throw new TokenError('invalid signature');
      return claims;
    } catch (error) {
      if (error instanceof TokenError) throw error;
      return undefined;
    }
  }

  #checkAccount({ 'kubernetes.io': { namespace, serviceaccount } }: TokenClaims): void {
    const account = this.#find('core/serviceaccounts', `${namespace}/${serviceaccount.name}`);
    if (!account) throw new TokenError(`serviceaccounts ${JSON.stringify(serviceaccount.name)} not found`);
    if (account.metadata.uid !== serviceaccount.uid) throw new TokenError(`service account UID (${account.metadata.uid}) does not match claim (${serviceaccount.uid})`);
    if (account.metadata.deletionTimestamp) throw new TokenError('service account token has been invalidated');
  }

  #checkBound({ 'kubernetes.io': { namespace, pod, secret, node } }: TokenClaims, now: number): void {
    const gone = () => new TokenError('service account token has been invalidated');
    if (secret && this.#find('core/secrets', `${namespace}/${secret.name}`)?.metadata.uid !== secret.uid) throw gone();
    if (pod) {
      const found = this.#find('core/pods', `${namespace}/${pod.name}`);
      if (found?.metadata.uid !== pod.uid) throw gone();
      const { deletionTimestamp } = found.metadata;
      if (deletionTimestamp && Date.parse(deletionTimestamp) / 1000 + POD_LEEWAY_SECONDS < now) throw gone();
    }
    if (node?.uid && !pod && this.#find('core/nodes', node.name)?.metadata.uid !== node.uid) throw gone();
  }

  #find(collection: string, key: string): Unstructured | undefined {
    const entry = this.#storage.get(collection, key);
    return entry && decodeEntry(entry, { group: '', version: 'v1', kind: '' });
  }
}

function userOf({ sub, jti, 'kubernetes.io': { namespace, serviceaccount, pod, node } }: TokenClaims): UserInfo {
  const prefix = 'authentication.kubernetes.io';
  return {
    name: sub,
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    extra: {
      [`${prefix}/credential-id`]: [`JTI=${jti}`],
      ...(node ? { [`${prefix}/node-name`]: [node.name] } : {}),
      ...(node?.uid ? { [`${prefix}/node-uid`]: [node.uid] } : {}),
      ...(pod ? { [`${prefix}/pod-name`]: [pod.name], [`${prefix}/pod-uid`]: [pod.uid] } : {}),
    },
  };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function list(items: readonly string[]): string {
  return `[${items.map((item) => JSON.stringify(item)).join(' ')}]`;
}
