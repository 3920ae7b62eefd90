/** The wire form of a watch: JSON documents separated by newlines, to {@link WatchEvent}s. */
import type { KubeObject } from '#apimachinery/meta';
import { StatusError, type Status } from '#apimachinery/status';
import type { WatchEvent } from '../types.ts';

/** One event above this size breaks the watch: no object of etcd's 1.5 MiB limit reaches it. */
const EVENT_BYTES_MAX = 64 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Splits a byte stream at newlines; empty lines are dropped, a last line without newline is delivered. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = buffer.indexOf(NEWLINE); end >= 0; end = buffer.indexOf(NEWLINE, start)) {
      const line = rest.length > 0 ? Buffer.concat([...rest, buffer.subarray(start, end)]).toString('utf8') : buffer.toString('utf8', start, end);
      rest = [];
      restBytes = 0;
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start < buffer.length) rest.push(buffer.subarray(start));
    restBytes += buffer.length - start;
    if (restBytes > EVENT_BYTES_MAX) throw new Error(`watch event is larger than ${EVENT_BYTES_MAX} bytes`);
  }
  if (rest.length > 0) yield Buffer.concat(rest).toString('utf8');
}

/** One line of a watch. Throws `StatusError` for an ERROR event. */
export function parseWatchEvent<T extends KubeObject>(line: string): WatchEvent<T> {
  const event = JSON.parse(line) as { type: string; object: T };
  if (event.type === 'ERROR') {
    const status = event.object as unknown as Partial<Status>;
    throw StatusError.from(status, status.code ?? 500);
  }
  return event as WatchEvent<T>;
}
