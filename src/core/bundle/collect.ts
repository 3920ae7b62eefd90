/**
 * The files of one bundle: everything below its folder except hidden entries, what `.fleetignore` and, in
 * charts, `.helmignore` leave out, and files whose content went into the options. Links are followed
 * inside the bundle; one that leaves it is a fault, because it could bring in what was not meant to leave.
 */
import { baseName, dirName, isWithin, joinPath, resolveLinks, type SourceTree } from '#base/sourcetree';
import { utf8Text } from '#base/hash';
import { walkFolders, type Folders } from './folders.ts';
import { FileFault } from './parse.ts';
import { fleetIgnoreLines, fleetIgnores, helmIgnore } from './patterns.ts';

/** What a folder inherits from those above it. */
interface Rules {
  ignored: readonly string[];
  chart?: { path: string; ignores: (path: string, isFolder: boolean) => boolean };
}

/** Files by name relative to `base`, sorted. `excluded` are names relative to `base`. */
export function collectFiles(tree: SourceTree, folders: Folders, base: string, excluded: ReadonlySet<string>): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const visit = (path: string, inherited: Rules) => {
    const folder = folders.get(path);
    if (!folder) return;
    const rules = rulesOf(tree, path, inherited);
    const skips = (name: string, isFolder: boolean) => name.startsWith('.') || skipped(rules, joinPath(path, name), isFolder);
    const keep = (at: string, bytes: Uint8Array) => {
      const name = base === '' ? at : at.slice(base.length + 1);
      if (!excluded.has(name)) files.set(name, bytes);
    };
    for (const name of folder.files) if (!skips(name, false)) keep(joinPath(path, name), tree.files.get(joinPath(path, name)) as Uint8Array);
    for (const name of folder.links) if (!skips(name, false)) for (const [at, bytes] of linked(tree, folders, base, joinPath(path, name))) keep(at, bytes);
    for (const name of folder.folders) if (!skips(name, true)) visit(joinPath(path, name), rules);
  };
  visit(base, { ignored: [] });
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function rulesOf(tree: SourceTree, path: string, inherited: Rules): Rules {
  const own = tree.files.get(joinPath(path, '.fleetignore'));
  const ignored = own ? [...inherited.ignored, ...fleetIgnoreLines(utf8Text(own))] : inherited.ignored;
  const helm = tree.files.has(joinPath(path, 'Chart.yaml')) ? tree.files.get(joinPath(path, '.helmignore')) : undefined;
  const chart = helm ? { path, ignores: helmIgnore(utf8Text(helm)) } : inherited.chart;
  return { ignored, ...(chart ? { chart } : {}) };
}

function skipped({ ignored, chart }: Rules, path: string, isFolder: boolean): boolean {
  try {
    if (ignored.some((entry) => fleetIgnores(entry, baseName(path), isFolder))) return true;
    return chart?.ignores(chart.path === '' ? path : path.slice(chart.path.length + 1), isFolder) ?? false;
  } catch (error) {
    throw new FileFault(joinPath(dirName(path), '.fleetignore'), undefined, (error as Error).message);
  }
}

/** The files a link stands for: one, or those below a linked folder. */
function linked(tree: SourceTree, folders: Folders, base: string, link: string): [string, Uint8Array][] {
  const target = resolveLinks(tree, link);
  if (target === undefined || !isWithin(base, target)) throw new FileFault(link, undefined, `symbolic link leaves the bundle (it points to ${JSON.stringify(tree.links.get(link))}): copy the file into the bundle`);
  const file = tree.files.get(target);
  if (file) return [[link, file]];
  if (!folders.has(target)) throw new FileFault(link, undefined, `symbolic link points to nothing (${JSON.stringify(tree.links.get(link))}): remove it or add the file`);
  return walkFolders(folders, target)
    .filter((path) => !path.slice(target.length).includes('/.'))
    .flatMap((path) => (folders.get(path)?.files ?? []).filter((name) => !name.startsWith('.')).map((name) => joinPath(path, name)))
    .map((path): [string, Uint8Array] => [`${link}${path.slice(target.length)}`, tree.files.get(path) as Uint8Array]);
}
