/** Reading a chart's .tgz: the tar format only; decompression is passed in. */
import { ChartError } from './error.ts';
import type { ChartFiles } from './types.ts';

export const ARCHIVE_LIMITS = {
  /** Bytes of the unpacked archive (Helm allows 100 MiB). */
  totalBytesMax: 100 * 1024 * 1024,
  /** Bytes of one file (Helm allows 5 MiB). */
  fileBytesMax: 5 * 1024 * 1024,
  entriesMax: 20_000,
};

const BLOCK = 512;

/** The files of a chart archive, without the directory that wraps them. Throws {@link ChartError}. */
export function chartFilesOf(bytes: Uint8Array, gunzip: (bytes: Uint8Array) => Uint8Array): ChartFiles {
  const tar = unzip(bytes, gunzip);
  if (tar.length > ARCHIVE_LIMITS.totalBytesMax) throw new ChartError(`decompressed chart is larger than the maximum size ${ARCHIVE_LIMITS.totalBytesMax}`);
  const files = new Map<string, Uint8Array>();
  for (const { name, data } of entries(tar)) {
    const path = insidePath(name);
    if (path === undefined) continue;
    if (data.length > ARCHIVE_LIMITS.fileBytesMax) throw new ChartError(`decompressed chart file ${JSON.stringify(path)} is larger than the maximum file size ${ARCHIVE_LIMITS.fileBytesMax}`);
    files.set(path, data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf ? data.subarray(3) : data);
  }
  if (files.size === 0) throw new ChartError('no files in chart archive');
  return files;
}

function unzip(bytes: Uint8Array, gunzip: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) throw new ChartError('file does not appear to be a gzipped archive');
  try {
    return gunzip(bytes);
  } catch (error) {
    throw new ChartError('chart archive cannot be decompressed', { cause: error });
  }
}

/** The path below the wrapping directory; illegal ones are refused. */
function insidePath(name: string): string | undefined {
  const clean = name.replaceAll('\\', '/').replace(/^\.\//, '');
  const slash = clean.indexOf('/');
  if (slash < 0) {
    if (clean === 'Chart.yaml') throw new ChartError('chart yaml not in base directory');
    return undefined;
  }
  const path = clean.slice(slash + 1).replace(/\/+/g, '/');
  if (path === '') return undefined;
  if (path.split('/').includes('..')) throw new ChartError(`chart illegally references parent directory in ${JSON.stringify(name)}`);
  if (path.startsWith('/') || /^[a-zA-Z]:/.test(path)) throw new ChartError('chart contains illegally named files');
  return path;
}

interface Entry {
  name: string;
  data: Uint8Array;
}

function* entries(tar: Uint8Array): Iterable<Entry> {
  let longName: string | undefined;
  let count = 0;
  for (let at = 0; at + BLOCK <= tar.length; ) {
    const header = tar.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return;
    if (++count > ARCHIVE_LIMITS.entriesMax) throw new ChartError(`chart archive has more than ${ARCHIVE_LIMITS.entriesMax} entries`);
    const size = Number.parseInt(textOf(header, 124, 12).trim() || '0', 8);
    if (!Number.isFinite(size) || size < 0 || at + BLOCK + size > tar.length) throw new ChartError('chart archive is truncated');
    const data = tar.subarray(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156] as number);
    if (type === 'L') longName = textOf(data, 0, data.length);
    else if (type === 'x') longName = paxPath(data) ?? longName;
    else {
      const prefix = textOf(header, 257, 5) === 'ustar' ? textOf(header, 345, 155) : '';
      const name = longName ?? (prefix ? `${prefix}/` : '') + textOf(header, 0, 100);
      longName = undefined;
      if (type === '0' || type === '\0' || type === '7') yield { name, data };
    }
  }
}

function textOf(bytes: Uint8Array, start: number, length: number): string {
  const part = bytes.subarray(start, start + length);
  const end = part.indexOf(0);
  return new TextDecoder().decode(end < 0 ? part : part.subarray(0, end));
}

function paxPath(data: Uint8Array): string | undefined {
  return /\d+ path=([^\n]*)\n/.exec(new TextDecoder().decode(data))?.[1];
}
