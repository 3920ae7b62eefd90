import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { Container } from '#api/builtin';
import { FakeClock } from '#testing/clock';
import { ContainerProbes, httpGet, portOf, tcpConnect } from './probes.ts';

async function server() {
  const state = { status: 200, asked: 0 };
  const http = createServer((_request, response) => {
    state.asked++;
    response.writeHead(state.status).end();
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return { state, port: (http.address() as AddressInfo).port, close: () => http.close() };
}

/** Moves the clock in small steps until the condition holds; real sockets answer between the steps. */
async function until(clock: FakeClock, condition: () => boolean, limitMs = 60_000): Promise<number> {
  const began = clock.monotonicMs();
  while (!condition()) {
    assert.ok(clock.monotonicMs() - began < limitMs, 'not within the limit');
    await clock.advance(10);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return clock.monotonicMs() - began;
}

function watch(container: Container, clock: FakeClock) {
  const events: string[] = [];
  const probes = new ContainerProbes(container, '127.0.0.1', {
    clock,
    events: { started: () => events.push('started'), ready: (ready) => events.push(ready ? 'ready' : 'unready'), failed: (kind) => events.push(`${kind} failed`) },
  });
  probes.start();
  return { probes, events };
}

test('without probes a container is started and ready at once', () => {
  assert.deepEqual(watch({ name: 'm' }, new FakeClock()).events, ['started', 'ready']);
});

test('a process that comes up late is noticed before the next period, and readiness follows the answers', async () => {
  const { state, port, close } = await server();
  const clock = new FakeClock();
  const probe = { httpGet: { port }, periodSeconds: 10, failureThreshold: 2 };
  state.status = 503;
  const { probes, events } = watch({ name: 'm', startupProbe: { ...probe, failureThreshold: 30 }, readinessProbe: probe }, clock);
  await until(clock, () => state.asked >= 3);
  state.status = 200;
  assert.ok((await until(clock, () => events.includes('ready'))) < 5000);
  state.status = 500;
  await until(clock, () => events.includes('unready'));
  assert.deepEqual(events, ['started', 'ready', 'unready']);
  probes.stop();
  close();
});

test('failures count once per period, and only so many are borne', async () => {
  const { state, port, close } = await server();
  const clock = new FakeClock();
  state.status = 500;
  const { events } = watch({ name: 'm', startupProbe: { httpGet: { port }, periodSeconds: 1, failureThreshold: 5 } }, clock);
  const tookMs = await until(clock, () => events.length > 0);
  assert.deepEqual(events, ['startup failed']);
  assert.ok(tookMs >= 4000, `${tookMs} ms`);
  close();
});

test('a frozen container is not judged', async () => {
  const { state, port, close } = await server();
  const clock = new FakeClock();
  const { probes, events } = watch({ name: 'm', livenessProbe: { httpGet: { port }, periodSeconds: 1, failureThreshold: 1 } }, clock);
  probes.frozen = true;
  state.status = 500;
  for (let i = 0; i < 500; i++) await clock.advance(10);
  assert.deepEqual(events, ['started', 'ready']);
  probes.stop();
  close();
});

test('what cannot be reached is told, and named ports are found', async () => {
  const { port, close } = await server();
  assert.equal(await tcpConnect('127.0.0.1', port, 1000), undefined);
  close();
  assert.match((await tcpConnect('127.0.0.1', 1, 1000)) ?? '', /dial tcp 127\.0\.0\.1:1/);
  assert.match((await httpGet({ port: 1, path: '/x' }, { container: { name: 'm' }, host: '127.0.0.1', timeoutMs: 1000 })) ?? '', /Get "\/x"/);
  assert.equal(portOf({ name: 'm', ports: [{ name: 'health', containerPort: 8081 }] }, 'health'), 8081);
  assert.equal(portOf({ name: 'm' }, '80'), 80);
});
