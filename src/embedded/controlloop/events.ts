/**
 * Events for people (`kubectl describe`, `kubectl get events`). Recording never delays or fails the work it
 * tells about: it runs aside, one request at a time, and a full queue drops the newest. The same event about
 * the same object is counted, not repeated. Rule: API reference of Event v1.
 */
import { rfc3339 } from '#base/clock';
import { sha256Hex } from '#base/hash';
import { keyOf, type KubeObject } from '#apimachinery/meta';
import { isNotFound } from '#apimachinery/status';
import { events, type Event } from '#api/builtin';
import type { ControlPlane } from './types.ts';

/** Events known well enough to be counted up; the oldest is forgotten first. */
const KNOWN_MAX = 1000;
/** Events waiting to be written. */
const WAITING_MAX = 200;
const REQUEST_MS = 5000;

export interface EventNote {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

export class EventRecorder {
  readonly #plane: ControlPlane;
  readonly #component: string;
  readonly #host: string | undefined;
  readonly #known = new Map<string, Event>();
  readonly #waiting: (() => Promise<void>)[] = [];
  #writing = false;

  constructor(plane: ControlPlane, component: string, host?: string) {
    this.#plane = plane;
    this.#component = component;
    this.#host = host;
  }

  record(object: KubeObject, note: EventNote): void {
    if (this.#waiting.length >= WAITING_MAX) return;
    this.#waiting.push(() => this.#write(object, note));
    if (!this.#writing) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    for (let write = this.#waiting.shift(); write; write = this.#waiting.shift()) {
      // An event that cannot be written is not worth a second try.
      await write().catch(() => {});
    }
    this.#writing = false;
  }

  async #write(object: KubeObject, note: EventNote): Promise<void> {
    const { client, clock } = this.#plane;
    const now = rfc3339(clock.wallMs());
    const id = sha256Hex([object.metadata.uid, note.reason, note.message].join('\n')).slice(0, 16);
    const known = this.#known.get(id);
    if (known) {
      const count = (known.count ?? 1) + 1;
      try {
        this.#remember(id, await client.patch(events, keyOf(known), { type: 'merge', body: { count, lastTimestamp: now } }, { timeoutMs: REQUEST_MS }));
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    this.#remember(id, await client.create(events, this.#event(object, note, now), { timeoutMs: REQUEST_MS }));
  }

  #remember(id: string, event: Event): void {
    this.#known.delete(id);
    this.#known.set(id, event);
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.keys().next().value ?? '');
  }

  #event(object: KubeObject, { type, reason, message }: EventNote, now: string): Event {
    const { name = '', namespace, uid = '', resourceVersion = '' } = object.metadata;
    const suffix = Math.floor(this.#plane.clock.wallMs() * 1000).toString(16) + Math.floor(this.#plane.random.next() * 256).toString(16).padStart(2, '0');
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${suffix}`, namespace: namespace ?? 'default' },
      involvedObject: { apiVersion: object.apiVersion ?? '', kind: object.kind ?? '', name, uid, resourceVersion, ...(namespace ? { namespace } : {}) },
      type,
      reason,
      message,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component: this.#component, ...(this.#host ? { host: this.#host } : {}) },
      reportingComponent: this.#component,
      ...(this.#host ? { reportingInstance: this.#host } : {}),
    };
  }
}
