/**
 * A snapshot of files as plain data: what a commit, an archive or a folder holds, without a file system.
 * Paths are relative, `/`-separated, without `.` or `..` segments. Directories exist only through files.
 *
 * Absent: file modes (nothing downstream executes a file), empty directories.
 */

export interface SourceTree {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Symbolic links: path → target as written in the link (relative or absolute, unchecked). */
  readonly links: ReadonlyMap<string, string>;
}

/** Bounds of one snapshot. Source: Fleet's archive limits (2 GiB, 100 000 entries). */
export const TREE_LIMITS = { entriesMax: 100_000, bytesMax: 2 * 1024 ** 3, linkDepthMax: 16 };

/** The normal form of a relative path (`./a//b/../c` → `a/c`); `''` is the root; `undefined` when it leaves the tree. */
export function normalizePath(path: string): string | undefined {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') kept.push(segment);
    else if (kept.pop() === undefined) return undefined;
  }
  return kept.join('/');
}

/** `dir/name`, where `dir` may be the root `''`. */
export function joinPath(dir: string, name: string): string {
  return dir === '' ? name : name === '' ? dir : `${dir}/${name}`;
}

/** Everything before the last `/`; `''` at the root. */
export function dirName(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** Everything after the last `/`. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether `path` is `dir` or lies below it; everything lies below the root `''`. */
export function isWithin(dir: string, path: string): boolean {
  return dir === '' || path === dir || path.startsWith(`${dir}/`);
}

/**
 * Where a path leads when links are followed, in the last segment and in every folder on the way.
 * `undefined`: it leaves the tree, or the links run in a circle. The result need not exist.
 */
export function resolveLinks(tree: SourceTree, path: string): string | undefined {
  let current = path;
  for (let hops = 0; hops <= TREE_LIMITS.linkDepthMax; hops++) {
    const link = firstLinkOnPath(tree, current);
    if (link === undefined) return current;
    const target = tree.links.get(link) ?? '';
    if (target.startsWith('/')) return undefined;
    const next = normalizePath(`${dirName(link)}/${target}${current.slice(link.length)}`);
    if (next === undefined) return undefined;
    current = next;
  }
  return undefined;
}

function firstLinkOnPath(tree: SourceTree, path: string): string | undefined {
  if (tree.links.size === 0) return undefined;
  const segments = path.split('/');
  for (let count = 1; count <= segments.length; count++) {
    const prefix = segments.slice(0, count).join('/');
    if (tree.links.has(prefix)) return prefix;
  }
  return undefined;
}
