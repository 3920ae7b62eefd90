/**
 * The few requests an elector makes, over a bare transport: small enough for a worker thread that exists
 * once per process, and strict about time.
 */
import { apiVersionOf, defineResource, resourcePath, type Resource } from '#apimachinery/resource';
import type { ObjectKey } from '#apimachinery/meta';
import type { RawResponse, Transport, WatchEvent } from '#kube/client';
import { parseWatchEvent, splitLines } from '#kube/client/watch';
import type { Answer } from './election.ts';
import type { LockObject } from './lock.ts';
import type { HolderPod } from './pod-evidence.ts';

const PODS = defineResource<HolderPod>('', 'v1', 'Pod', 'pods');
const HEADERS = { 'user-agent': 'fleet-ts-elector', accept: 'application/json' };
/** Asked of the server for watches; the transport's pings find dead connections long before. */
const WATCH_SECONDS = 450;
const EXCERPT_CHARS_MAX = 200;

export type LockAnswer = Answer | { kind: 'object'; object: LockObject };

export interface LockClient {
  read(): Promise<LockAnswer>;
  create(object: LockObject): Promise<LockAnswer>;
  update(object: LockObject): Promise<LockAnswer>;
  /** An object to create. */
  blank(): LockObject;
  /** From a version on; empty: from the present. */
  watch(version: string, signal: AbortSignal): AsyncIterable<WatchEvent<LockObject>>;
  /** `undefined` when the pod is gone or may not be read. */
  readPod(key: ObjectKey, signal: AbortSignal): Promise<HolderPod | undefined>;
  watchPod(key: ObjectKey, version: string, signal: AbortSignal): AsyncIterable<WatchEvent<HolderPod>>;
}

export function createLockClient(transport: Transport, resource: Resource<LockObject>, key: ObjectKey, timeoutMs: number): LockClient {
  const { namespace } = key;
  const collection = resourcePath(resource, namespace ? { namespace } : {});
  const path = resourcePath(resource, key);
  const send = async (method: string, target: string, body?: LockObject): Promise<LockAnswer> => {
    const content = body ? { headers: { ...HEADERS, 'content-type': 'application/json' }, body: JSON.stringify(body) } : { headers: HEADERS };
    return answerOf(await transport.request({ method, path: target, timeoutMs, ...content }));
  };
  return {
    read: () => send('GET', path),
    create: (object) => send('POST', collection, object),
    update: (object) => send('PUT', path, object),
    blank: () => ({ apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: { name: key.name, ...(namespace ? { namespace } : {}) } }),
    watch: (version, signal) => watchOne<LockObject>(transport, collection, { name: key.name, version, signal }),
    async readPod(pod, signal) {
      const response = await transport.request({ method: 'GET', path: resourcePath(PODS, pod), headers: HEADERS, timeoutMs, signal });
      return response.status === 200 ? parse<HolderPod>(response) : undefined;
    },
    watchPod: (pod, version, signal) => watchOne<HolderPod>(transport, resourcePath(PODS, pod.namespace ? { namespace: pod.namespace } : {}), { name: pod.name, version, signal }),
  };
}

function answerOf(response: RawResponse): LockAnswer {
  const { status } = response;
  if (status >= 200 && status < 300) return { kind: 'object', object: parse<LockObject>(response) };
  if (status === 404) return { kind: 'absent' };
  if (status === 409) return { kind: 'conflict' };
  return { kind: 'failed', reason: `HTTP ${status}: ${messageOf(response)}` };
}

function parse<T>(response: RawResponse): T {
  return JSON.parse(new TextDecoder().decode(response.body)) as T;
}

function messageOf(response: RawResponse): string {
  try {
    return parse<{ message?: string }>(response).message ?? '';
  } catch {
    return new TextDecoder().decode(response.body).slice(0, EXCERPT_CHARS_MAX);
  }
}

async function* watchOne<T extends LockObject | HolderPod>(
  transport: Transport,
  collection: string,
  { name, version, signal }: { name: string; version: string; signal: AbortSignal },
): AsyncIterable<WatchEvent<T>> {
  const since = version === '' ? '' : `&resourceVersion=${encodeURIComponent(version)}`;
  const query = `?watch=true&fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}${since}&timeoutSeconds=${WATCH_SECONDS}`;
  const response = await transport.stream({ method: 'GET', path: collection + query, headers: HEADERS, signal });
  if (response.status !== 200) {
    for await (const _ of response.body) break;
    throw new Error(`watch of ${name}: HTTP ${response.status}`);
  }
  for await (const line of splitLines(response.body)) {
    const event = parseWatchEvent<T>(line);
    if (event.type !== 'BOOKMARK') yield event;
  }
}
