/** The folders of a source tree, which knows only files: built once, asked often. */
import { baseName, dirName, joinPath, type SourceTree } from '#base/sourcetree';

export interface Folder {
  /** Base names, sorted. */
  files: string[];
  folders: string[];
  /** Base names of symbolic links. */
  links: string[];
}

/** Every folder by path; `''` is the root. */
export type Folders = ReadonlyMap<string, Folder>;

export function foldersOf(tree: SourceTree): Folders {
  const folders = new Map<string, Folder>([['', { files: [], folders: [], links: [] }]]);
  const ensure = (path: string): Folder => {
    const known = folders.get(path);
    if (known) return known;
    const folder: Folder = { files: [], folders: [], links: [] };
    folders.set(path, folder);
    ensure(dirName(path)).folders.push(baseName(path));
    return folder;
  };
  for (const path of tree.files.keys()) ensure(dirName(path)).files.push(baseName(path));
  for (const path of tree.links.keys()) ensure(dirName(path)).links.push(baseName(path));
  for (const folder of folders.values()) for (const names of [folder.files, folder.folders, folder.links]) names.sort();
  return folders;
}

/** `path` and every folder below it, parents first, names in order; `.git` is not entered. */
export function walkFolders(folders: Folders, path: string): string[] {
  const found: string[] = [];
  const pending = [path];
  while (pending.length > 0) {
    const current = pending.pop() as string;
    const folder = folders.get(current);
    if (!folder) continue;
    found.push(current);
    for (const name of [...folder.folders].reverse()) if (name !== '.git') pending.push(joinPath(current, name));
  }
  return found;
}
