/**
 * Who is asking: static tokens, service-account tokens, client certificates, nobody. Credentials that are
 * wrong are refused; absent ones make the request anonymous.
 */
import { timingSafeEqual, createHash } from 'node:crypto';
import { unauthorized } from '../errors.ts';
import { header, type ApiRequest } from '../http/types.ts';
import { ANONYMOUS, type UserInfo } from './user.ts';

export interface StaticToken {
  token: string;
  user: string;
  uid?: string;
  groups: readonly string[];
}

/** Checks tokens it knows the form of; undefined: not mine. Throws when it is mine and wrong. */
export type TokenAuthenticator = (token: string) => UserInfo | undefined;

export class Authenticator {
  readonly #static: { digest: Buffer; user: UserInfo }[];
  readonly #serviceAccount: TokenAuthenticator;

  constructor(tokens: readonly StaticToken[], serviceAccount: TokenAuthenticator) {
    this.#static = tokens.map(({ token, user, uid, groups }) => ({ digest: digestOf(token), user: withAuthenticated({ name: user, groups, ...(uid ? { uid } : {}) }) }));
    this.#serviceAccount = serviceAccount;
  }

  /** Throws 401 for credentials that are wrong. */
  authenticate(request: ApiRequest): UserInfo {
    const { clientCertificate } = request;
    if (clientCertificate) return withAuthenticated({ name: clientCertificate.commonName, groups: clientCertificate.organizations });
    const authorization = header(request, 'authorization');
    const match = /^\s*bearer\s+(\S+)\s*$/i.exec(authorization ?? '');
    if (!match) return ANONYMOUS;
    const user = this.token(match[1] as string);
    if (!user) throw unauthorized();
    return user;
  }

  staticUser(token: string): UserInfo | undefined {
    const digest = digestOf(token);
    return this.#static.find((entry) => timingSafeEqual(entry.digest, digest))?.user;
  }

  /** The user of a bearer token, or undefined when it is not valid here. */
  token(token: string): UserInfo | undefined {
    const known = this.staticUser(token);
    if (known) return known;
    try {
      const user = this.#serviceAccount(token);
      return user && withAuthenticated(user);
    } catch {
      return undefined;
    }
  }
}

export function withAuthenticated(user: UserInfo): UserInfo {
  return user.groups.includes('system:authenticated') ? user : { ...user, groups: [...user.groups, 'system:authenticated'] };
}

/** Comparing digests of equal length keeps the comparison independent of the token. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
