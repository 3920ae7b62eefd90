/**
 * Events are forgotten an hour after they were last written. One timer, set only while there are events; it
 * removes what is due, and is set again for the next.
 */
import type { Clock, Timer } from '#base/clock';
import { errorText, type Log } from '#base/log';
import { GuardError, type Entry, type Storage } from '#embedded/storage';

export const EVENT_TTL_MS = 3600_000;
/** The timer fires at most this often, so that many events share one sweep. */
const SWEEP_MS_MIN = 60_000;
const COLLECTION = 'core/events';

export interface ExpiryParts {
  storage: Storage;
  clock: Clock;
  log: Log;
}

export class EventExpiry {
  readonly #parts: ExpiryParts;
  /** When each event was last written, in order of that time. After a restart, events count from then on. */
  readonly #written = new Map<string, number>();
  #timer: Timer | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(parts: ExpiryParts) {
    this.#parts = parts;
  }

  start(): void {
    const { storage } = this.#parts;
    for (const { key } of storage.list(COLLECTION)) this.#touch(key);
    this.#unsubscribe = storage.subscribe(COLLECTION, ({ type, entry }) => {
      this.#written.delete(entry.key);
      if (type === 'put') this.#touch(entry.key);
    });
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#timer?.cancel();
  }

  #touch(key: string): void {
    this.#written.set(key, this.#parts.clock.monotonicMs());
    this.#schedule();
  }

  #schedule(): void {
    const [oldest] = this.#written.values();
    if (this.#timer || oldest === undefined) return;
    const dueMs = oldest + EVENT_TTL_MS - this.#parts.clock.monotonicMs();
    this.#timer = this.#parts.clock.after(Math.max(dueMs, SWEEP_MS_MIN), () => void this.#sweep());
  }

  async #sweep(): Promise<void> {
    const { storage, clock, log } = this.#parts;
    this.#timer = undefined;
    const due: Promise<unknown>[] = [];
    for (const [key, writtenMs] of this.#written) {
      if (writtenMs + EVENT_TTL_MS > clock.monotonicMs()) break;
      this.#written.delete(key);
      const entry = storage.head(COLLECTION, key);
      if (entry) due.push(this.#remove(entry));
    }
    await Promise.all(due).catch((error: unknown) => log.warn('expired events could not be removed', { error: errorText(error) }));
    this.#schedule();
  }

  async #remove(entry: Entry): Promise<void> {
    try {
      await this.#parts.storage.write({ type: 'delete', collection: COLLECTION, key: entry.key, expected: entry.revision, encode: (revision) => withRevision(entry.value, revision) });
    } catch (error) {
      if (!(error instanceof GuardError)) throw error;
    }
  }
}

/** The last state of an object, as of its deletion. */
function withRevision(value: Uint8Array, revision: number): Uint8Array {
  const object = JSON.parse(Buffer.from(value).toString('utf8')) as { metadata: Record<string, unknown> };
  object.metadata['resourceVersion'] = String(revision);
  return Buffer.from(JSON.stringify(object));
}
