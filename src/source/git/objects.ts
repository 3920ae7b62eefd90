/** A commit's files, read from the object store: `ls-tree` says what there is, `cat-file --batch` gives it. */
import { utf8, utf8Text } from '#base/hash';
import type { Operation } from './client.ts';
import { GitError } from './types.ts';

/** Bytes of one line of `ls-tree`, generously. */
const ENTRY_BYTES = 1024;
/** What `cat-file` adds to each object: name, type, size, line ends. */
const HEADER_BYTES = 128;

export interface Gitlink {
  path: string;
  commit: string;
}

interface Entry {
  mode: string;
  id: string;
  size: number;
  path: string;
}

export interface ReadTree {
  tree: { files: Map<string, Uint8Array>; links: Map<string, string> };
  submodules: Gitlink[];
}

/** Throws a {@link GitError} when the commit has more entries or bytes than allowed. */
export async function readTree(operation: Operation, cacheDir: string, commit: string): Promise<ReadTree> {
  const { limits, remote } = operation;
  const listing = await operation.git(['ls-tree', '-r', '-z', '-l', '--full-tree', commit], { cache: cacheDir, outputBytesMax: limits.entriesMax * ENTRY_BYTES });
  const entries = utf8Text(listing.stdout).split('\0').filter(Boolean).map(parseEntry);
  if (entries.length > limits.entriesMax) throw new GitError('too-large', `git repository ${remote.shown}: ${entries.length} entries, at most ${limits.entriesMax} are taken`);
  const blobs = entries.filter(({ mode }) => mode !== '160000');
  const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
  if (bytes > limits.bytesMax) throw new GitError('too-large', `git repository ${remote.shown}: ${bytes} bytes, at most ${limits.bytesMax} are taken`);
  const ids = [...new Set(blobs.map(({ id }) => id))];
  const contents = ids.length === 0 ? new Map<string, Uint8Array>() : await readBlobs(operation, cacheDir, ids, bytes);
  const tree: ReadTree['tree'] = { files: new Map(), links: new Map() };
  for (const { mode, id, path } of blobs) {
    const content = contents.get(id) ?? new Uint8Array();
    if (mode === '120000') tree.links.set(path, utf8Text(content));
    else tree.files.set(path, content);
  }
  return { tree, submodules: entries.filter(({ mode }) => mode === '160000').map(({ path, id }) => ({ path, commit: id })) };
}

/** `100644 blob <id>    <size>\t<path>` */
function parseEntry(line: string): Entry {
  const tab = line.indexOf('\t');
  const [mode = '', , id = '', size = ''] = line.slice(0, tab).split(/ +/);
  return { mode, id, size: Number(size) || 0, path: line.slice(tab + 1) };
}

async function readBlobs(operation: Operation, cacheDir: string, ids: readonly string[], bytes: number): Promise<Map<string, Uint8Array>> {
  const { stdout } = await operation.git(['cat-file', '--batch'], { cache: cacheDir, stdin: utf8(`${ids.join('\n')}\n`), outputBytesMax: bytes + ids.length * HEADER_BYTES });
  const contents = new Map<string, Uint8Array>();
  let at = 0;
  while (at < stdout.length) {
    const end = stdout.indexOf(10, at);
    const [id = '', type = '', size = ''] = utf8Text(stdout.subarray(at, end)).split(' ');
    if (type !== 'blob') throw new GitError('failed', `git repository ${operation.remote.shown}: object ${id} is ${type || 'damaged'} in the cache`);
    const start = end + 1;
    contents.set(id, stdout.subarray(start, start + Number(size)));
    at = start + Number(size) + 1;
  }
  return contents;
}
