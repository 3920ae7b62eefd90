/** What a GitRepo and its Secret say about reaching the repository, as plain data for #source/git. */
import type { Secret } from '#api/builtin';
import type { GitRepo } from '#api/fleet';
import { base64Decode, utf8Text } from '#base/hash';

/** Credentials are values, never written to logs; see `redact` in #base/hash. */
export interface GitAccess {
  url: string;
  /** Branch (default `master`), or a tag or commit when `revision` is set. */
  branch: string;
  revision?: string;
  basicAuth?: { username: string; password: string };
  ssh?: { privateKey: string; knownHosts?: string };
  /** PEM. */
  caBundle?: string;
  insecureSkipTLSVerify: boolean;
}

export function gitAccessOf(repo: GitRepo, secret: Secret | undefined): GitAccess {
  const { spec } = repo;
  const text = (key: string) => (secret?.data?.[key] === undefined ? undefined : utf8Text(base64Decode(secret.data[key])));
  const username = text('username');
  const privateKey = text('ssh-privatekey');
  const knownHosts = text('known_hosts');
  return {
    url: spec.repo,
    branch: spec.branch || 'master',
    ...(spec.revision ? { revision: spec.revision } : {}),
    ...(username !== undefined ? { basicAuth: { username, password: text('password') ?? '' } } : {}),
    ...(privateKey !== undefined ? { ssh: { privateKey, ...(knownHosts ? { knownHosts } : {}) } } : {}),
    ...(spec.caBundle ? { caBundle: utf8Text(base64Decode(spec.caBundle)) } : {}),
    insecureSkipTLSVerify: spec.insecureSkipTLSVerify === true,
  };
}
