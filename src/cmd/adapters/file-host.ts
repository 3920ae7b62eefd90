/** The machine as the offline commands see it: the working folder, standard streams, gzip. */
import { lstatSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { TREE_LIMITS, type SourceTree } from '#base/sourcetree';
import type { FileHost } from '#cli/apply';
import { templateTools } from './templates.ts';

/** Archives inside a bundle may not blow up beyond this when they are unpacked. */
const UNPACKED_BYTES_MAX = 512 * 1024 ** 2;

/** A folder as a source tree; `.git` is left out. Throws an `Error` naming a folder that is not there, or a limit. */
export function readSourceTree(dir: string): SourceTree {
  const files = new Map<string, Uint8Array>();
  const links = new Map<string, string>();
  const pending = [''];
  while (pending.length > 0) {
    const folder = pending.pop() as string;
    for (const entry of readdirSync(join(dir, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isSymbolicLink()) links.set(path, readlinkSync(join(dir, path)));
      else if (entry.isDirectory() && entry.name !== '.git') pending.push(path);
      else if (entry.isFile()) files.set(path, readFileSync(join(dir, path)));
      if (files.size + links.size > TREE_LIMITS.entriesMax) throw new Error(`${dir}: more than ${TREE_LIMITS.entriesMax} files: run the command in the bundle's folder`);
    }
  }
  return { files, links };
}

/** `cwd` is the folder relative paths start from. */
export function fileHost(cwd: string, env: NodeJS.ProcessEnv, nowMs: number): FileHost {
  return {
    readTree(dir) {
      const path = join(cwd, dir);
      if (!lstatSync(path, { throwIfNoEntry: false })) throw new Error(`${dir}: there is no such folder`);
      return readSourceTree(path);
    },
    readFile: (path) => readFileSync(join(cwd, path), 'utf8'),
    writeFile: (path, text) => writeFileSync(join(cwd, path), text),
    print: (text) => void process.stdout.write(text),
    warn: (text) => void process.stderr.write(text),
    env: { COMMIT: env.COMMIT, NAMESPACE: env.NAMESPACE },
    gzip: (bytes) => new Uint8Array(gzipSync(bytes)),
    gunzip: (bytes) => new Uint8Array(gunzipSync(bytes, { maxOutputLength: UNPACKED_BYTES_MAX })),
    templates: templateTools(),
    nowMs,
  };
}
