/**
 * Records Kubernetes Events (core v1, which `kubectl describe` shows) without ever delaying or failing what
 * they tell of. Repetitions become a count on one Event; an object that causes too many is cut short.
 *
 * Limits: {@link QUEUE_MAX} events wait (the oldest are dropped), {@link BURST} per object and then one per
 * {@link REFILL_MS} (the defaults of client-go's spam filter), {@link MEMORY_MAX} events are remembered.
 */
import { errorText, type Log } from '#base/log';
import { rfc3339, type Clock } from '#base/clock';
import { nameSuffix, type Random } from '#base/random';
import { events, type Event } from '#api/builtin';
import type { KubeObject } from '#apimachinery/meta';
import { isNotFound, StatusError } from '#apimachinery/status';
import type { Writer } from '#kube/client';

const QUEUE_MAX = 1_000;
const BURST = 25;
const REFILL_MS = 300_000;
const MEMORY_MAX = 4_096;
/** An equal event after this time is a new one. */
const REPETITION_MS = 600_000;
/** Longer messages are cut (the API refuses above 1024 bytes). */
const MESSAGE_CHARS_MAX = 1_000;
const WRITE_TIMEOUT_MS = 5_000;

export interface EventText {
  type: 'Normal' | 'Warning';
  /** CamelCase, stable: what alerts match. */
  reason: string;
  message: string;
}

export interface EventRecorder {
  /** Queues an Event about an object; returns at once and never throws. */
  event(about: KubeObject, text: EventText): void;
  /** Resolves when everything queued so far was written or given up. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  client: Pick<Writer, 'create' | 'patch'>;
  /** The component, e.g. `fleet-controller`. */
  component: string;
  /** The process, e.g. its pod's name. */
  instance: string;
  /** For events about cluster-scoped objects; default `default`. */
  namespace?: string;
  clock: Clock;
  random: Random;
  log: Log;
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new QueueingRecorder(options);
}

interface Remembered {
  name: string;
  namespace: string;
  count: number;
  lastMs: number;
}

interface Bucket {
  tokens: number;
  refilledMs: number;
}

class QueueingRecorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  #queue: { about: KubeObject; text: EventText; wallMs: number }[] = [];
  #remembered = new Map<string, Remembered>();
  #buckets = new Map<string, Bucket>();
  #running: Promise<void> | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  event(about: KubeObject, { type, reason, message }: EventText): void {
    if (!this.#admit(about)) return;
    const text = { type, reason, message: message.length > MESSAGE_CHARS_MAX ? `${message.slice(0, MESSAGE_CHARS_MAX)}…` : message };
    this.#queue.push({ about, text, wallMs: this.#options.clock.wallMs() });
    if (this.#queue.length > QUEUE_MAX) this.#queue.shift();
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
    });
  }

  flush(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  async #drain(): Promise<void> {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      try {
        await this.#write(next.about, next.text, next.wallMs);
      } catch (error) {
        const refused = error instanceof StatusError ? error.reason : 'no answer';
        this.#options.log.debug('event was not recorded', { reason: next.text.reason, refused, error: errorText(error) });
      }
    }
  }

  async #write(about: KubeObject, text: EventText, wallMs: number): Promise<void> {
    const { client, clock } = this.#options;
    const identity = [about.kind, about.metadata.namespace, about.metadata.name, about.metadata.uid, text.type, text.reason, text.message].join('\n');
    const known = this.#remembered.get(identity);
    const nowMs = clock.monotonicMs();
    if (known && nowMs - known.lastMs < REPETITION_MS) {
      const count = known.count + 1;
      try {
        await client.patch(events, known, { type: 'merge', body: { count, lastTimestamp: rfc3339(wallMs) } }, { timeoutMs: WRITE_TIMEOUT_MS });
        return this.#remember(identity, { ...known, count, lastMs: nowMs });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    const event = this.#compose(about, text, wallMs);
    await client.create(events, event, { timeoutMs: WRITE_TIMEOUT_MS });
    this.#remember(identity, { name: event.metadata.name ?? '', namespace: event.metadata.namespace ?? '', count: 1, lastMs: nowMs });
  }

  #compose(about: KubeObject, text: EventText, wallMs: number): Event {
    const { component, instance, random, namespace: fallback = 'default' } = this.#options;
    const { name = '', namespace, uid, resourceVersion } = about.metadata;
    const time = rfc3339(wallMs);
    return {
      metadata: { name: `${name.slice(0, 230)}.${nameSuffix(random, 16)}`, namespace: namespace ?? fallback },
      involvedObject: {
        kind: about.kind ?? '',
        apiVersion: about.apiVersion ?? '',
        name,
        ...(namespace ? { namespace } : {}),
        ...(uid ? { uid } : {}),
        ...(resourceVersion ? { resourceVersion } : {}),
      },
      ...text,
      source: { component },
      reportingComponent: component,
      reportingInstance: instance,
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
    };
  }

  #remember(identity: string, entry: Remembered): void {
    this.#remembered.delete(identity);
    this.#remembered.set(identity, entry);
    forgetOldest(this.#remembered);
  }

  #admit(about: KubeObject): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    const key = about.metadata.uid ?? `${about.kind}/${about.metadata.namespace ?? ''}/${about.metadata.name}`;
    const bucket = this.#buckets.get(key) ?? { tokens: BURST, refilledMs: nowMs };
    const refills = Math.floor((nowMs - bucket.refilledMs) / REFILL_MS);
    const tokens = Math.min(BURST, bucket.tokens + refills);
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: Math.max(0, tokens - 1), refilledMs: bucket.refilledMs + refills * REFILL_MS });
    forgetOldest(this.#buckets);
    return tokens > 0;
  }
}

function forgetOldest(map: Map<string, unknown>): void {
  if (map.size <= MEMORY_MAX) return;
  const oldest = map.keys().next().value;
  if (oldest !== undefined) map.delete(oldest);
}
