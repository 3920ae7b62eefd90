/**
 * Where the bundles of a tree are. Classic scan: every path glob is walked; the start folder is a bundle
 * when it has a fleet.yaml, or YAML anywhere below that belongs to no fleet.yaml; every folder below with
 * a fleet.yaml is one of its own. Driven scan: exactly the folders and option files that are listed;
 * the option file's name without its ending is the last part of the bundle's name.
 * Source: facts §2.2.
 */
import { joinPath, normalizePath, type SourceTree } from '#base/sourcetree';
import { walkFolders, type Folders } from './folders.ts';
import { bundleName } from './names.ts';
import { globMatch, isLiteral } from './patterns.ts';
import type { BuildOptions, BundleError } from './types.ts';

export const FLEET_FILES = ['fleet.yaml', 'fleet.yml'] as const;

export interface BundleSite {
  /** The folder. */
  path: string;
  /** The file with the options, relative to the tree; absent when the folder has none. */
  file?: string;
  /** The name, unless the file says another. */
  name: string;
}

export interface Scan {
  sites: BundleSite[];
  errors: BundleError[];
}

export function scanTree(tree: SourceTree, folders: Folders, options: BuildOptions): Scan {
  return options.bundles?.length ? drivenScan(tree, folders, options) : classicScan(folders, options);
}

function drivenScan(tree: SourceTree, folders: Folders, { repoName, bundles = [] }: BuildOptions): Scan {
  const scan: Scan = { sites: [], errors: [] };
  for (const { base = '', options = '' } of bundles) {
    const path = normalizePath(base);
    const fault = (message: string) => scan.errors.push({ path: base, file: joinPath(base, options), message });
    if (path === undefined || !folders.has(path)) {
      fault(`folder ${JSON.stringify(base)} is not in the repository: correct spec.bundles[].base`);
      continue;
    }
    if (options === '') {
      scan.sites.push(siteOf(folders, path, bundleName(joinName(repoName, path))));
      continue;
    }
    const file = normalizePath(joinPath(path, options));
    if (file === undefined || !tree.files.has(file)) fault(`options file ${JSON.stringify(options)} is not in the folder: correct spec.bundles[].options`);
    else scan.sites.push({ path, file, name: bundleName(joinName(repoName, path, options.replace(/\.[^./]*$/, ''))) });
  }
  return scan;
}

function joinName(...parts: readonly string[]): string {
  return normalizePath(parts.join('/')) ?? parts.join('/');
}

function classicScan(folders: Folders, { repoName, paths = [] }: BuildOptions): Scan {
  const scan: Scan = { sites: [], errors: [] };
  const seen = new Set<string>();
  for (const glob of paths.length > 0 ? paths : ['.']) {
    let starts: string[];
    try {
      starts = expandGlob(folders, glob);
    } catch (error) {
      scan.errors.push({ path: '', file: glob, message: `${(error as Error).message}: correct spec.paths` });
      continue;
    }
    const found = starts.flatMap((start) => bundleFolders(folders, start));
    for (const path of found) {
      if (seen.has(path)) continue;
      seen.add(path);
      scan.sites.push(siteOf(folders, path, bundleName(joinName(repoName, path))));
    }
  }
  return scan;
}

function siteOf(folders: Folders, path: string, name: string): BundleSite {
  const file = fleetFileIn(folders, path);
  return { path, name, ...(file ? { file: joinPath(path, file) } : {}) };
}

function fleetFileIn(folders: Folders, path: string): string | undefined {
  return FLEET_FILES.find((name) => folders.get(path)?.files.includes(name));
}

/** Folders a glob names, in order; leading slashes are of no account. */
function expandGlob(folders: Folders, glob: string): string[] {
  const pattern = normalizePath(glob.replace(/^\/+/, ''));
  if (pattern === undefined) throw new Error(`path ${JSON.stringify(glob)} leaves the repository`);
  if (isLiteral(pattern)) return folders.has(pattern) ? [pattern] : [];
  let current = [''];
  for (const segment of pattern.split('/')) {
    current = current.flatMap((path) => (folders.get(path)?.folders ?? []).filter((name) => globMatch(segment, name)).map((name) => joinPath(path, name)));
  }
  return current;
}

function bundleFolders(folders: Folders, start: string): string[] {
  return walkFolders(folders, start).filter((path) => fleetFileIn(folders, path) !== undefined || (path === start && hasLooseYaml(folders, path)));
}

/** Whether the folder or one below it has YAML that no fleet.yaml claims. */
function hasLooseYaml(folders: Folders, path: string): boolean {
  const folder = folders.get(path);
  if (!folder || fleetFileIn(folders, path) !== undefined) return false;
  if (folder.files.some((name) => /\.ya?ml$/.test(name))) return true;
  return folder.folders.some((name) => name !== '.git' && hasLooseYaml(folders, joinPath(path, name)));
}
