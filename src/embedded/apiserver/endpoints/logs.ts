/** `pods/log`: which container, which part, streamed from the node that runs the pod. Rule: PodLogOptions v1. */
import { errorText } from '#base/log';
import type { Unstructured } from '#apimachinery/meta';
import { forbidden as forbiddenField, invalid as invalidField, type FieldError } from '#apimachinery/validation';
import { badRequest, invalid } from '../errors.ts';
import { isTrue } from '../http/requestinfo.ts';
import type { ApiResponse, BodySink, BodyStream } from '../http/types.ts';
import { decodeEntry } from '../registry/codec.ts';
import { getEntry } from '../registry/read.ts';
import type { Call } from './call.ts';
import { integerOption } from './options.ts';

/** Which part of a log a reader wants. */
export interface LogRequest {
  container?: string;
  follow?: boolean;
  previous?: boolean;
  sinceSeconds?: number;
  sinceTime?: string;
  timestamps?: boolean;
  tailLines?: number;
  limitBytes?: number;
  /** Ends a follow. */
  signal?: AbortSignal;
}

/** What nodes offer the API server. */
export interface PodRuntime {
  /** Throws an `Error` with a sentence for the user when there is no such log. */
  logs(pod: Unstructured, options: LogRequest): AsyncIterable<Uint8Array>;
}

interface PodSpec {
  nodeName?: string;
  containers?: { name: string }[];
  initContainers?: { name: string }[];
  ephemeralContainers?: { name: string }[];
}

/** A reader that lags more than this makes the log wait. */
const LAG_BYTES = 1024 * 1024;
const LAG_POLL_MS = 20;

export async function logHandler(call: Call): Promise<ApiResponse> {
  const { info, deps, type } = call;
  const options = logOptions(call);
  const pod = decodeEntry(getEntry(deps, type, info), type);
  const container = containerOf(pod, options.container);
  const spec = pod['spec'] as PodSpec;
  const runtime = deps.services.podRuntime();
  if (!spec.nodeName) return { status: 204, headers: {}, body: new Uint8Array(0) };
  if (!runtime) throw badRequest(`node ${JSON.stringify(spec.nodeName)} does not answer: this server has no nodes that keep logs`);
  const abort = new AbortController();
  const chunks = runtime.logs(pod, { ...options, container, signal: abort.signal })[Symbol.asyncIterator]();
  // The first chunk is awaited, so that "no such log" can still be a Status.
  const first = await firstChunk(chunks, options.follow ?? false, deps.clock).catch((error: unknown) => {
    throw badRequest(errorText(error));
  });
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: stream(first, chunks, abort, deps.clock) };
}

type Pending = Promise<IteratorResult<Uint8Array>>;
type ClockLike = Call['deps']['clock'];
const FIRST_CHUNK_MS = 200;

/** The first result; of a followed log that is still silent, the promise of it. */
async function firstChunk(chunks: AsyncIterator<Uint8Array>, follow: boolean, clock: ClockLike): Promise<{ pending: Pending }> {
  const pending: Pending = chunks.next();
  if (!follow) await pending;
  else {
    await Promise.race([pending, new Promise<void>((resolve) => void clock.after(FIRST_CHUNK_MS, resolve))]);
    pending.catch(() => {});
  }
  return { pending };
}

function stream({ pending }: { pending: Pending }, chunks: AsyncIterator<Uint8Array>, abort: AbortController, clock: ClockLike): BodyStream {
  return {
    open(sink) {
      void pump(pending, chunks, sink, { signal: abort.signal, clock });
      return () => {
        abort.abort(new Error('the reader is gone'));
        void chunks.return?.().catch(() => {});
      };
    },
  };
}

async function pump(first: Pending, chunks: AsyncIterator<Uint8Array>, sink: BodySink, { signal, clock }: { signal: AbortSignal; clock: ClockLike }): Promise<void> {
  try {
    for (let result = await first; !result.done && !signal.aborted; result = await chunks.next()) {
      sink.write(result.value);
      while (sink.buffered > LAG_BYTES && !signal.aborted) await new Promise<void>((resolve) => void clock.after(LAG_POLL_MS, resolve));
    }
  } catch {
    // The log ended in an error after it had begun: the stream just ends, as on the real server.
  }
  if (!signal.aborted) sink.end();
}

function logOptions({ info }: Call): LogRequest {
  const { query } = info;
  const findings: FieldError[] = [];
  const numbers: Record<string, number> = {};
  for (const [field, min, why] of [['tailLines', 0, 'must be greater than or equal to 0'], ['limitBytes', 1, 'must be greater than 0'], ['sinceSeconds', 1, 'must be greater than 0']] as const) {
    const value = integerOption(query, field);
    if (value === undefined) continue;
    if (value < min) findings.push(invalidField(field, value, why));
    numbers[field] = value;
  }
  const sinceTime = query.get('sinceTime') ?? '';
  if (sinceTime && numbers['sinceSeconds'] !== undefined) findings.push(forbiddenField('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  if (findings.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, info.name, findings);
  const container = query.get('container') ?? '';
  return {
    ...numbers,
    ...(container ? { container } : {}),
    ...(sinceTime ? { sinceTime } : {}),
    follow: isTrue(query.get('follow')),
    previous: isTrue(query.get('previous')),
    timestamps: isTrue(query.get('timestamps')),
  };
}

function containerOf(pod: Unstructured, asked: string | undefined): string {
  const name = pod.metadata.name ?? '';
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod['spec'] as PodSpec;
  const names = (list: { name: string }[]) => list.map((item) => item.name);
  if (asked) {
    if (names([...initContainers, ...containers, ...ephemeralContainers]).includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  const preferred = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  if (preferred && names(containers).includes(preferred)) return preferred;
  if (containers.length === 1) return (containers[0] as { name: string }).name;
  const init = initContainers.length > 0 ? ` or one of the init containers: [${names(initContainers).join(' ')}]` : '';
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names(containers).join(' ')}]${init}`);
}
