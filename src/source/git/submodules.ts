/**
 * Submodules: their commits are snapshots of their own, laid into the parent's tree. Credentials go along
 * only to the parent's host. A submodule that cannot be fetched fails the whole: half a tree would look
 * like a deletion.
 */
import { utf8Text } from '#base/hash';
import { normalizePath } from '#base/sourcetree';
import type { Gitlink } from './objects.ts';
import { GitError, SUBMODULE_DEPTH_MAX, type GitCredentials, type GitLimits, type Snapshot } from './types.ts';

interface Parent {
  snapshot: Snapshot;
  links: readonly Gitlink[];
  url: string;
  credentials: GitCredentials;
  limits: GitLimits;
}

type Fetch = (url: string, commit: string, credentials: GitCredentials) => Promise<Snapshot>;

/** The snapshot with the content of its submodules in place. */
export async function addSubmodules({ snapshot, links, url, credentials, limits }: Parent, fetch: Fetch): Promise<Snapshot> {
  if (links.length === 0) return snapshot;
  const modules = parseGitmodules(utf8Text(snapshot.tree.files.get('.gitmodules') ?? new Uint8Array()));
  const files = new Map(snapshot.tree.files);
  const symlinks = new Map(snapshot.tree.links);
  for (const { path, commit } of links) {
    const declared = modules.get(path);
    // A gitlink without declaration is what `git clone --recursive` skips too.
    if (declared === undefined) continue;
    const target = resolveModuleUrl(url, declared);
    if (depthOf(path, snapshot.submodules) > SUBMODULE_DEPTH_MAX) throw new GitError('too-large', `git submodule ${path}: nested deeper than ${SUBMODULE_DEPTH_MAX}`);
    const inner = await fetch(target, commit, sameHost(url, target) ? credentials : {});
    for (const [name, bytes] of inner.tree.files) files.set(`${path}/${name}`, bytes);
    for (const [name, to] of inner.tree.links) symlinks.set(`${path}/${name}`, to);
    if (files.size + symlinks.size > limits.entriesMax) throw new GitError('too-large', `git submodule ${path}: more than ${limits.entriesMax} entries in all`);
  }
  return { ...snapshot, tree: { files, links: symlinks } };
}

function depthOf(path: string, outer: readonly string[]): number {
  return outer.filter((other) => path.startsWith(`${other}/`)).length + 1;
}

/** Path → URL. Rule: git-config syntax, as far as `.gitmodules` uses it. */
export function parseGitmodules(text: string): Map<string, string> {
  const modules = new Map<string, string>();
  let path: string | undefined;
  let url: string | undefined;
  for (const line of [...text.split(/\r?\n/), '[end]']) {
    if (/^\s*\[/.test(line)) {
      if (path !== undefined && url !== undefined) modules.set(path, url);
      path = url = undefined;
    }
    const [, key, value = ''] = /^\s*(path|url)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    const plain = value.replace(/^"(.*)"$/, '$1');
    if (key === 'path') path = plain;
    if (key === 'url') url = plain;
  }
  return modules;
}

/** Relative URLs are relative to the parent's. */
export function resolveModuleUrl(parent: string, url: string): string {
  if (!url.startsWith('./') && !url.startsWith('../')) return url;
  const [, head = '', path = ''] = /^([a-z][a-z0-9+.-]*:\/\/[^/]*|[^/]*:(?!\/)|)(.*)$/i.exec(parent) ?? [];
  const joined = normalizePath(`${path.replace(/\/+$/, '')}/${url}`);
  if (joined === undefined) throw new GitError('refused', `git submodule URL ${JSON.stringify(url)} leaves the host of its parent`);
  return head !== '' && !head.includes('://') ? `${head}${joined}` : `${head}/${joined}`;
}

function sameHost(a: string, b: string): boolean {
  const hostOf = (url: string) => /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:[^@/]*@)?([^/:]*)/i.exec(url)?.[1] ?? '';
  const schemeOf = (url: string) => /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1] ?? '';
  return hostOf(a) === hostOf(b) && schemeOf(a) === schemeOf(b);
}
