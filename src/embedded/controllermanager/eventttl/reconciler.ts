/** Deletes events an hour after they were last seen, as an API server does by their lease in etcd (`--event-ttl`). */
import { errorText } from '#base/log';
import { isNotFound } from '#apimachinery/status';
import { keyOf } from '#apimachinery/meta';
import { events, type Event } from '#api/builtin';
import { timeMs, type ControlPlane } from '#embedded/controlloop';

const EVENT_TTL_MS = 3_600_000;
const SWEEP_MS = 600_000;

/** Events that are older than the limit. Pure. */
export function expiredEvents(all: readonly Event[], nowMs: number): Event[] {
  return all.filter((event) => (timeMs(event.lastTimestamp) ?? timeMs(event.eventTime) ?? timeMs(event.metadata.creationTimestamp) ?? nowMs) < nowMs - EVENT_TTL_MS);
}

export class EventSweeper {
  readonly #plane: ControlPlane;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#plane;
    const next = () => {
      const timer = clock.after(SWEEP_MS, () => {
        this.#sweep().catch((error: unknown) => log.debug('events were not swept', { error: errorText(error) })).finally(() => !signal.aborted && next());
      });
      signal.addEventListener('abort', () => timer.cancel(), { once: true });
    };
    next();
  }

  async #sweep(): Promise<void> {
    const { client, clock } = this.#plane;
    const { items } = await client.list(events);
    for (const event of expiredEvents(items, clock.wallMs())) {
      await client.delete(events, keyOf(event)).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
  }
}
