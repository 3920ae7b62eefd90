import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '#base/log';
import { seededRandom } from '#base/random';
import { FakeClock } from '#testing/clock';
import { memoryStorage } from '#embedded/storage';
import { createApiServer, generateTokenKey, isStream, type BodySink } from '#embedded/apiserver';
import { LAG_BYTES_MAX } from './watch.ts';

const HEADERS = { authorization: 'Bearer T', 'content-type': 'application/json' };

async function setup() {
  const clock = new FakeClock();
  const server = createApiServer({ storage: memoryStorage(), clock, random: seededRandom(1), log: silentLog, tokens: [{ token: 'T', user: 'admin', groups: ['system:masters'] }], tokenKey: generateTokenKey() });
  await server.start();
  const create = (name: string) => server.handle({ method: 'POST', path: '/api/v1/namespaces/default/configmaps', headers: HEADERS, body: Buffer.from(JSON.stringify({ metadata: { name } })) });
  const watch = async (query: string, sink: BodySink) => {
    const { body } = await server.handle({ method: 'GET', path: `/api/v1/namespaces/default/configmaps?watch=1${query}`, headers: HEADERS, body: new Uint8Array(0) });
    assert.ok(isStream(body));
    return body.open(sink);
  };
  return { clock, create, watch };
}

function recorder(state: { buffered: number }) {
  const log: string[] = [];
  const chunks: Uint8Array[] = [];
  const sink: BodySink = {
    write(chunk) {
      chunks.push(chunk);
      const event = JSON.parse(Buffer.from(chunk).toString()) as { type: string; object: { metadata: { name?: string } } };
      log.push(`${event.type} ${event.object.metadata.name ?? ''}`.trim());
    },
    end: () => void log.push('end'),
    abort: () => void log.push('abort'),
    get buffered() {
      return state.buffered;
    },
  };
  return { sink, log, chunks };
}

describe('watches', () => {
  it('a watcher that lags too far behind is cut off, and the others go on', async () => {
    const { create, watch } = await setup();
    const lag = { buffered: 0 };
    const slow = recorder(lag);
    const other = recorder({ buffered: 0 });
    await watch('', slow.sink);
    await watch('', other.sink);
    await create('a');
    lag.buffered = LAG_BYTES_MAX + 1;
    await create('b');
    await create('c');
    assert.deepEqual(slow.log, ['ADDED a', 'ADDED b', 'abort']);
    assert.deepEqual(other.log, ['ADDED a', 'ADDED b', 'ADDED c']);
  });

  it('watchers of one format share the bytes of an event', async () => {
    const { create, watch } = await setup();
    const [first, second] = [recorder({ buffered: 0 }), recorder({ buffered: 0 })];
    await watch('', first.sink);
    await watch('&labelSelector=!x', second.sink);
    await create('a');
    assert.equal(first.chunks[0], second.chunks[0]);
  });

  it('sends a bookmark before the end, and ends on time', async () => {
    const { clock, create, watch } = await setup();
    const seen = recorder({ buffered: 0 });
    await watch('&allowWatchBookmarks=true&timeoutSeconds=10', seen.sink);
    await create('a');
    await clock.advance(9000);
    assert.deepEqual(seen.log, ['ADDED a', 'BOOKMARK']);
    await clock.advance(1000);
    assert.deepEqual(seen.log, ['ADDED a', 'BOOKMARK', 'end']);
  });
});
