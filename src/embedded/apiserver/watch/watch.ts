/**
 * Watches. A watcher first gets what it missed (the history after its revision, or the objects that exist),
 * then every change in the tick of its commit. Each event is serialised once per format and shared by all
 * watchers; a watcher only filters and hands buffers on. One that lags more than {@link LAG_BYTES_MAX} behind
 * is cut off: it can resume from its last revision, and the server's memory stays bounded.
 * Rule: Kubernetes API concepts, "Efficient detection of changes", "Watch bookmarks", "Streaming lists".
 */
import type { Clock, Timer } from '#base/clock';
import { formatApiVersion } from '#apimachinery/meta';
import { CompactedError, type Change, type Entry } from '#embedded/storage';
import type { BodySink, BodyStream } from '../http/types.ts';
import { attributesOf, decodeEntry, encodeObject, wireBytes } from '../registry/codec.ts';
import type { Deps } from '../registry/deps.ts';
import { selects, type Selection } from '../registry/read.ts';
import type { ResourceType } from '../registry/types.ts';

/** Bytes a watcher may have waiting before it is cut off. */
export const LAG_BYTES_MAX = 32 * 1024 * 1024;
/** How often a watcher that asked for bookmarks gets one. */
const BOOKMARK_INTERVAL_MS = 60_000;
/** A bookmark precedes the end of a watch by this much. */
const BOOKMARK_BEFORE_END_MS = 2000;

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** How objects are shown: `show` makes the JSON of one object. */
export interface EventFormat {
  /** Watchers of one name share the bytes of an event; undefined: this watcher's are its own. */
  name: string | undefined;
  show(entry: Entry, revision: number): Uint8Array;
  bookmark(revision: number, initialEnd: boolean): unknown;
}

export interface WatchRequest {
  type: ResourceType;
  /** Absent: all namespaces. */
  namespace?: string;
  selection: Selection;
  /** Changes after this revision; undefined: begin with the objects that exist. */
  since: number | undefined;
  bookmarks: boolean;
  /** Mark the end of the initial objects with a bookmark. */
  markInitialEnd: boolean;
  timeoutMs: number;
  format: EventFormat;
}

/** The format of plain objects. */
export function plainFormat(type: ResourceType): EventFormat {
  const apiVersion = formatApiVersion(type.group, type.version);
  return {
    name: `plain ${apiVersion}`,
    show: (entry, revision) => (revision === entry.revision ? wireBytes(entry.value, type) : wireBytes(encodeObject(decodeEntry(entry, type), revision), type)),
    bookmark: (revision, initialEnd) => ({
      kind: type.kind,
      apiVersion,
      metadata: { resourceVersion: String(revision), ...(initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}) },
    }),
  };
}

export function openWatch(deps: Pick<Deps, 'storage' | 'clock'>, request: WatchRequest): BodyStream {
  return {
    open(sink) {
      const watcher = new Watcher(deps, request, sink);
      watcher.start();
      return () => watcher.stop();
    },
  };
}

class Watcher {
  readonly #storage: Deps['storage'];
  readonly #clock: Clock;
  readonly #request: WatchRequest;
  readonly #sink: BodySink;
  readonly #prefix: string;
  #unsubscribe: (() => void) | undefined;
  #timers: Timer[] = [];
  #ended = false;

  constructor({ storage, clock }: Pick<Deps, 'storage' | 'clock'>, request: WatchRequest, sink: BodySink) {
    this.#storage = storage;
    this.#clock = clock;
    this.#request = request;
    this.#sink = sink;
    this.#prefix = request.namespace ? `${request.namespace}/` : '';
  }

  start(): void {
    const { type, since, markInitialEnd, bookmarks, timeoutMs } = this.#request;
    try {
      if (since === undefined) this.#sendExisting(markInitialEnd);
      else for (const change of this.#storage.changesSince(type.collection, since)) this.#onChange(change);
    } catch (error) {
      if (!(error instanceof CompactedError)) throw error;
      return this.#expire(since ?? 0, error.floor);
    }
    if (this.#ended) return;
    const floor = since ?? 0;
    this.#unsubscribe = this.#storage.subscribe(type.collection, (change) => {
      if (change.entry.revision > floor) this.#onChange(change);
    });
    this.#timers.push(this.#clock.after(timeoutMs, () => this.#end()));
    if (bookmarks) this.#scheduleBookmark(Math.min(BOOKMARK_INTERVAL_MS, Math.max(timeoutMs - BOOKMARK_BEFORE_END_MS, timeoutMs / 2)), this.#clock.monotonicMs() + timeoutMs);
  }

  stop(): void {
    this.#ended = true;
    this.#unsubscribe?.();
    for (const timer of this.#timers) timer.cancel();
  }

  #end(): void {
    if (this.#ended) return;
    this.stop();
    this.#sink.end();
  }

  #sendExisting(markEnd: boolean): void {
    const { type, selection } = this.#request;
    const range = this.#prefix ? { prefix: this.#prefix } : {};
    for (const entry of this.#storage.list(type.collection, range)) {
      if (selects(selection, attributesOf(entry, type))) this.#send(this.#frame('ADDED', entry, entry.revision));
    }
    if (markEnd) this.#sendJson({ type: 'BOOKMARK', object: this.#request.format.bookmark(this.#storage.revision, true) });
  }

  #onChange(change: Change): void {
    const { entry } = change;
    if (this.#prefix && !entry.key.startsWith(this.#prefix)) return;
    const event = eventOf(change, this.#request);
    if (!event) return;
    if (event.of === 'previous') this.#send(this.#frame(event.type, change.previous as Entry, entry.revision));
    else this.#send(this.#sharedFrame(event.type, change));
  }

  /** The event's bytes, made by the first watcher that needs them. */
  #sharedFrame(type: EventType, change: Change): Uint8Array {
    if (this.#request.format.name === undefined) return this.#frame(type, change.entry, change.entry.revision);
    const frames = (change.memo ??= new Map<string, Uint8Array>()) as Map<string, Uint8Array>;
    const key = `${type} ${this.#request.format.name}`;
    let frame = frames.get(key);
    if (!frame) {
      frame = this.#frame(type, change.entry, change.entry.revision);
      frames.set(key, frame);
    }
    return frame;
  }

  #frame(type: EventType, entry: Entry, revision: number): Uint8Array {
    return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), this.#request.format.show(entry, revision), Buffer.from('}\n')]);
  }

  #sendJson(event: unknown): void {
    this.#send(Buffer.from(`${JSON.stringify(event)}\n`));
  }

  #send(frame: Uint8Array): void {
    if (this.#ended) return;
    this.#sink.write(frame);
    if (this.#sink.buffered <= LAG_BYTES_MAX) return;
    this.stop();
    this.#sink.abort();
  }

  #expire(since: number, floor: number): void {
    const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: `too old resource version: ${since} (${floor})`, reason: 'Expired', code: 410 };
    this.#sendJson({ type: 'ERROR', object: status });
    this.#end();
  }

  #scheduleBookmark(delayMs: number, endMs: number): void {
    const timer = this.#clock.after(delayMs, () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
      if (this.#ended) return;
      this.#sendJson({ type: 'BOOKMARK', object: this.#request.format.bookmark(this.#storage.revision, false) });
      const left = endMs - this.#clock.monotonicMs();
      if (left > BOOKMARK_INTERVAL_MS) this.#scheduleBookmark(BOOKMARK_INTERVAL_MS, endMs);
    });
    this.#timers.push(timer);
  }
}

/** What a change means to a watcher: entering and leaving its selection are ADDED and DELETED. */
function eventOf(change: Change, { type, selection }: WatchRequest): { type: EventType; of: 'entry' | 'previous' } | undefined {
  const was = change.previous !== undefined && selects(selection, attributesOf(change.previous, type));
  if (change.type === 'delete') return was ? { type: 'DELETED', of: 'entry' } : undefined;
  const is = selects(selection, attributesOf(change.entry, type));
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', of: 'entry' };
  return was ? { type: 'DELETED', of: 'previous' } : undefined;
}
