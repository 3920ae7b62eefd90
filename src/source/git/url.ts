/**
 * Repository addresses and refs as users write them, made safe: only known transports, nothing that git
 * could take for an option or a transport helper (`ext::`, `-u…`), no credentials inside the URL.
 */
import { GitError, type GitRef } from './types.ts';

export interface Remote {
  /** As given to git. */
  url: string;
  transport: 'https' | 'http' | 'ssh' | 'git' | 'file';
  /** For messages: without user info. */
  shown: string;
  /** User info that stood in the URL; handed to git by other ways. */
  username?: string;
  password?: string;
}

const SCP = /^(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9._-]*:(?!\/\/|:)[^\s]+$/;
/** Control characters and white space have no place in an address. */
const UNPRINTABLE = /[\p{Cc}\s]/u;

/** Throws a {@link GitError} naming what is wrong. */
export function parseRemote(url: string, allowLocal: boolean): Remote {
  if (url === '' || UNPRINTABLE.test(url) || url.startsWith('-')) throw refused(url, 'is no repository address');
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(url)) return parseSchemed(url, allowLocal);
  if (url.includes('::')) throw refused(url, 'names a transport helper: use https:// or ssh://');
  if (url.startsWith('/') || url.startsWith('.')) {
    if (!allowLocal) throw refused(url, 'is a local path: use https:// or ssh://');
    return { url, transport: 'file', shown: url };
  }
  if (SCP.test(url) && !/:-|@-/.test(url)) return { url, transport: 'ssh', shown: url };
  throw refused(url, 'is no repository address: use https://, ssh:// or user@host:path');
}

function parseSchemed(url: string, allowLocal: boolean): Remote {
  const scheme = url.slice(0, url.indexOf(':')).toLowerCase();
  if (scheme === 'file') {
    if (!allowLocal) throw refused(url, 'is a local path: use https:// or ssh://');
    return { url, transport: 'file', shown: url };
  }
  if (!URL.canParse(url)) throw refused(url, 'is no repository address');
  const parsed = new URL(url);
  if (parsed.hostname === '' || parsed.hostname.startsWith('-')) throw refused(url, 'has no host');
  if (scheme === 'ssh' || scheme === 'git+ssh') {
    if (parsed.username.startsWith('-') || decodeURIComponent(parsed.username).startsWith('-')) throw refused(url, 'has a user name that is an option');
    return { url, transport: 'ssh', shown: url };
  }
  if (scheme !== 'https' && scheme !== 'http' && scheme !== 'git') throw refused(url, `uses ${scheme}:, which is not allowed: use https:// or ssh://`);
  const { username, password } = parsed;
  parsed.username = '';
  parsed.password = '';
  return {
    url: parsed.toString(),
    transport: scheme,
    shown: parsed.toString(),
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
  };
}

function refused(url: string, reason: string): GitError {
  return new GitError('refused', `git repository ${JSON.stringify(shownText(url))} ${reason}`);
}

/** User info cut out of anything that looks like a URL, for messages. */
export function shownText(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, '$1');
}

const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

export function isCommit(text: string): boolean {
  return COMMIT.test(text);
}

/** Refs to ask for, best first. Rule: git-check-ref-format. Throws a {@link GitError} for a name git would not take. */
export function refCandidates({ branch, revision }: GitRef): string[] {
  const name = revision || branch || 'master';
  const malformed =
    name.startsWith('-') || name.startsWith('/') || name.endsWith('/') || name.endsWith('.') || name.endsWith('.lock') || /\.\.|@\{|\/\/|[\p{Cc}\s~^:?*[\\]/u.test(name);
  if (malformed) throw new GitError('refused', `git ref ${JSON.stringify(name)} is malformed: use the name of a branch or tag, or a commit`);
  if (name.startsWith('refs/')) return [`${name}^{}`, name];
  if (!revision) return [`refs/heads/${name}`];
  return [`refs/tags/${name}^{}`, `refs/tags/${name}`, `refs/heads/${name}`];
}
