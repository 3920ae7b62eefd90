/** Two and more candidates on one lock, over a stub API server and a clock that stands still. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentLog } from '#base/log';
import { seededRandom } from '#base/random';
import { defineResource } from '#apimachinery/resource';
import { createClient } from '#kube/client';
import { FakeClock, settle } from '#testing/clock';
import { ApiStub, status } from '#testing/kube';
import { createInThreadElector, DEFAULT_TIMINGS, NotLeaderError, type HolderInfo, type LockKind, type LockObject, type Term, type Transition } from './index.ts';

const configMaps = defineResource('', 'v1', 'ConfigMap', 'configmaps');
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/fleet/leases';
const CONFIG_MAPS = '/api/v1/namespaces/fleet/configmaps';
const PODS = '/api/v1/namespaces/fleet/pods';

interface Running {
  transitions: Transition[];
  terms: Term[];
  /** Leaves the loop: what an orderly shutdown does. */
  stop(): Promise<void>;
  /** Cuts the candidate off from its API server for good, as a crash does. */
  kill(): void;
  leading(): boolean;
}

function world(kind: LockKind = 'leases') {
  const stub = new ApiStub();
  const clock = new FakeClock();
  const dead = new Set<string>();
  const start = (identity: string, info: Partial<HolderInfo> = {}, { hold = true } = {}): Running => {
    const transitions: Transition[] = [];
    const terms: Term[] = [];
    // Each candidate reaches the stub through its own transport, which can be cut.
    const refuse = () => Promise.reject(new Error('connection refused'));
    const transport = {
      server: stub.server,
      close() {},
      request: (request: Parameters<ApiStub['request']>[0]) => (dead.has(identity) ? refuse() : stub.request(request)),
      stream: (request: Parameters<ApiStub['stream']>[0]) => (dead.has(identity) ? refuse() : stub.stream(request)),
    };
    const elector = createInThreadElector({
      transport,
      identity,
      info: { bootId: `boot-${identity}`, startedAtMs: clock.wallMs(), ...info },
      lock: { kind, namespace: 'fleet', name: 'test' },
      timings: DEFAULT_TIMINGS,
      clock,
      random: seededRandom(1),
      log: silentLog,
      onTransition: (transition) => transitions.push(transition),
    });
    const abort = new AbortController();
    const finished = (async () => {
      for await (const term of elector.campaign(abort.signal)) {
        terms.push(term);
        if (hold) await new Promise<void>((resolve) => [term.signal, abort.signal].forEach((signal) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve()))));
      }
    })();
    return {
      transitions,
      terms,
      leading: () => elector.status().state === 'leading',
      kill: () => void dead.add(identity),
      stop: async () => {
        abort.abort();
        await clock.advance(0);
        await finished;
      },
    };
  };
  const lease = () => stub.read(kind === 'leases' ? LEASES : CONFIG_MAPS, 'test') as LockObject;
  return { stub, clock, start, lease };
}

const ends = ({ transitions }: Running) => transitions.map(({ state, epoch, evidence }) => `${state} ${epoch}${evidence ? ` ${evidence}` : ''}`);

for (const kind of ['leases', 'configmaps'] as const) {
  describe(`lock by ${kind}`, () => {
    test('the first takes the lock, renews it, and releases it to a standby that acts at once', async () => {
      const { clock, start, lease } = world(kind);
      const a = start('a');
      await clock.advance(10);
      const b = start('b');
      await clock.advance(20_000);
      assert.deepEqual([a.leading(), b.leading()], [true, false]);
      const before = clock.monotonicMs();
      await a.stop();
      await clock.advance(5);
      assert.deepEqual([b.leading(), ends(a), ends(b)], [true, ['leading 0 first', 'standby 0', 'stopped 0'], ['leading 1 released']]);
      assert.ok(clock.monotonicMs() - before <= 5);
      assert.match(JSON.stringify(lease()), /holderIdentity[^,]*b/);
      await b.stop();
    });

    test('a crash is noticed when the lease expires, not before and not later', async () => {
      const { clock, start } = world(kind);
      const a = start('a');
      await clock.advance(10);
      const b = start('b');
      await clock.advance(10_000);
      a.kill();
      const term = a.terms[0] as Term;
      const renewedMs = 10_000;
      await clock.advance(3_800);
      assert.equal(b.leading(), false);
      await clock.advance(300);
      assert.equal(term.signal.aborted, true, 'the old term ends D after its last renewal');
      assert.equal(b.leading(), false);
      await clock.advance(1_850);
      assert.equal(b.leading(), false, 'L is not over');
      await clock.advance(200);
      assert.deepEqual(ends(b), ['leading 1 expired']);
      assert.ok(clock.monotonicMs() - renewedMs < DEFAULT_TIMINGS.leaseDurationMs + 500);
      await b.stop();
    });
  });
}

test('the Lease has client-go\'s fields', async () => {
  const { clock, start, lease } = world();
  const a = start('a');
  await clock.advance(2500);
  const { spec } = lease();
  assert.deepEqual({ ...spec, acquireTime: 0, renewTime: 0 }, { holderIdentity: 'a', leaseDurationSeconds: 6, acquireTime: 0, renewTime: 0, leaseTransitions: 0 });
  assert.match(spec?.renewTime ?? '', /^2026-01-01T00:00:02\.\d{6}Z$/);
  assert.match(spec?.acquireTime ?? '', /^2026-01-01T00:00:00\.\d{6}Z$/);
  await a.stop();
  assert.deepEqual([lease().spec?.holderIdentity, lease().spec?.leaseDurationSeconds, lease().spec?.leaseTransitions], ['', 1, 0]);
});

test('three standbys, one release: exactly one of them leads', async () => {
  const { clock, start } = world();
  const a = start('a');
  await clock.advance(10);
  const others = ['b', 'c', 'd'].map((name) => start(name));
  await clock.advance(3000);
  await a.stop();
  await clock.advance(100);
  assert.equal(others.filter((other) => other.leading()).length, 1);
  for (const other of others) await other.stop();
});

describe('evidence', () => {
  const pod = { podUid: 'uid-pod', podName: 'holder', podNamespace: 'fleet', container: 'agent' };
  const holderPod = (finishedAt: string | undefined, name = 'agent') => ({
    metadata: { namespace: 'fleet', name: 'holder', uid: 'uid-pod' },
    status: { containerStatuses: [{ name, state: finishedAt ? { terminated: { finishedAt } } : { running: {} } }] },
  });

  test('a restart in the same pod leads at once, in a new epoch', async () => {
    const { clock, start } = world();
    const a = start('same', { ...pod, bootId: 'one' });
    await clock.advance(3000);
    a.kill();
    const b = start('same-again', { ...pod, bootId: 'two' });
    await clock.advance(50);
    assert.deepEqual(ends(b), ['leading 1 same-pod']);
    await b.stop();
  });

  test('the same identity in another process is nobody\'s restart', async () => {
    const { clock, start } = world();
    const a = start('twin', { bootId: 'one' });
    await clock.advance(3000);
    const b = start('twin', { bootId: 'two' });
    await clock.advance(30_000);
    assert.deepEqual([a.leading(), b.leading()], [true, false]);
    await a.stop();
    await clock.advance(100);
    assert.equal(b.leading(), true);
    await b.stop();
  });

  const check = (name: string, change: (stub: ApiStub, clock: FakeClock) => void, expected: string[]) =>
    test(name, async () => {
      const { stub, clock, start } = world();
      stub.put(PODS, holderPod(undefined));
      await clock.advance(5_000);
      const a = start('a', pod);
      await clock.advance(10);
      const b = start('b');
      await clock.advance(3000);
      a.kill();
      change(stub, clock);
      await clock.advance(1000);
      assert.deepEqual(ends(b), expected);
      await clock.advance(10_000);
      await b.stop();
    });
  const at = (clock: FakeClock, offsetMs: number) => new Date(Math.floor((clock.wallMs() + offsetMs) / 1000) * 1000).toISOString().replace('.000', '');
  check('a container reported terminated after the holder started is proof', (stub, clock) => stub.put(PODS, holderPod(at(clock, 0))), ['leading 1 pod-terminated']);
  check('a termination from before the holder started is not', (stub, clock) => stub.put(PODS, holderPod(at(clock, -10_000))), []);
  check('another container\'s termination is not', (stub, clock) => stub.put(PODS, holderPod(at(clock, 0), 'sidecar')), []);
  check('a pod that vanished is not', (stub) => stub.remove(PODS, 'holder'), []);
  check('another pod of the same name is not', (stub, clock) => {
    stub.remove(PODS, 'holder');
    stub.put(PODS, { ...holderPod(at(clock, 0)), metadata: { namespace: 'fleet', name: 'holder', uid: 'other' } });
  }, []);
  check('a phase of Failed alone is not', (stub) => stub.put(PODS, { ...holderPod(undefined), status: { phase: 'Failed', containerStatuses: [] } } as never), []);
});

describe('trouble', () => {
  test('a deleted lock ends the term, and no epoch comes twice', async () => {
    const { stub, clock, start } = world();
    const a = start('a');
    await clock.advance(10);
    const b = start('b');
    await clock.advance(3000);
    stub.remove(LEASES, 'test');
    await clock.advance(20_000);
    assert.deepEqual([a.leading(), b.leading()], [true, false]);
    assert.deepEqual(ends(a), ['leading 0 first', 'standby 0', 'leading 1 same-pod']);
    await a.stop();
    await b.stop();
  });

  test('a standby that sees the lock deleted waits until its holder must have stopped', async () => {
    const { stub, clock, start } = world();
    const a = start('a');
    await clock.advance(10);
    const b = start('b');
    await clock.advance(3000);
    a.kill();
    stub.remove(LEASES, 'test');
    await clock.advance(4000);
    assert.deepEqual(ends(b), []);
    await clock.advance(2500);
    assert.deepEqual(ends(b), ['leading 1 expired']);
    await b.stop();
  });

  test('an API server that is away for everybody does not change the leader', async () => {
    const { stub, clock, start } = world();
    const a = start('a');
    await clock.advance(10);
    const b = start('b');
    await clock.advance(3000);
    stub.intercept = () => status(503, 'ServiceUnavailable', 'etcd elects');
    stub.breakWatches(new Error('reset'));
    await clock.advance(9_000);
    assert.deepEqual([a.leading(), b.leading()], [false, false], 'nobody may lead without renewals');
    stub.intercept = undefined;
    await clock.advance(5_000);
    assert.deepEqual([a.leading(), b.leading(), ends(a).at(-1)], [true, false, 'leading 1 same-pod'], 'the incumbent has a head start');
    await a.stop();
    await b.stop();
  });

  test('lost answers to renewals are cleared up by reading', async () => {
    const { stub, clock, start } = world();
    const a = start('a');
    await clock.advance(3000);
    let lost = 0;
    stub.intercept = (request) => {
      if (request.method !== 'PUT' || ++lost > 2) return undefined;
      stub.intercept = undefined;
      void stub.request(request);
      throw new Error('the answer was lost');
    };
    await clock.advance(10_000);
    assert.deepEqual(ends(a), ['leading 0 first']);
    await a.stop();
  });

  test('a standby whose watch is deaf finds the renewals when it looks, and stays standby', async () => {
    const { stub, clock, start } = world();
    const a = start('a');
    await clock.advance(10);
    stub.intercept = (request) => (request.path.includes('watch=true') ? new Promise(() => {}) : undefined);
    const b = start('b');
    await clock.advance(60_000);
    assert.deepEqual([a.leading(), ends(a).length, ends(b)], [true, 1, []]);
    await a.stop();
    await b.stop();
  });
});

describe('the write guard', () => {
  const map = { metadata: { namespace: 'fleet', name: 'x' } };

  test('refuses after the term without sending, aborts what is in flight, and lets reads pass', async () => {
    const { stub, clock, start } = world();
    const a = start('a');
    await clock.advance(10);
    const term = a.terms[0] as Term;
    const client = term.guard(createClient(stub));
    await client.create(configMaps, map);
    stub.intercept = (request) => (request.method === 'DELETE' ? new Promise(() => {}) : undefined);
    const inFlight = assert.rejects(client.delete(configMaps, { namespace: 'fleet', name: 'x' }), NotLeaderError);
    a.kill();
    await clock.advance(4_000);
    await inFlight;
    const sent = stub.requests.length;
    for (const write of [() => client.create(configMaps, map), () => client.patch(configMaps, { namespace: 'fleet', name: 'x' }, { type: 'merge', body: {} }), () => client.request({ method: 'POST', path: '/x' })]) {
      await assert.rejects(write, NotLeaderError);
    }
    assert.equal(stub.requests.length, sent);
    assert.equal((await client.get(configMaps, { namespace: 'fleet', name: 'x' })).metadata.name, 'x');
    assert.equal(term.remainingMs(), 0);
  });

  test('a machine that slept finds its term over though its monotonic clock stood still', async () => {
    const { stub, clock, start } = world();
    const a = start('a');
    await clock.advance(100);
    const term = a.terms[0] as Term;
    clock.jumpWall(60_000);
    await assert.rejects(term.guard(createClient(stub)).create(configMaps, map), NotLeaderError);
    await a.stop();
  });

  test('a release waits for writes in flight, and is not made when one does not settle', async () => {
    const { stub, clock, start, lease } = world();
    const a = start('a');
    await clock.advance(10);
    const client = (a.terms[0] as Term).guard(createClient(stub));
    let answer = () => {};
    stub.intercept = (request) => (request.path.includes('configmaps') ? new Promise((resolve) => (answer = () => resolve(undefined))) : undefined);
    const write = client.create(configMaps, map);
    const stopping = a.stop();
    await clock.advance(1000);
    assert.equal(lease().spec?.holderIdentity, 'a');
    answer();
    await clock.advance(20);
    await Promise.all([write, stopping]);
    assert.equal(lease().spec?.holderIdentity, '');

    const b = start('b');
    await clock.advance(10);
    const hanging = assert.rejects((b.terms[0] as Term).guard(createClient(stub)).create(configMaps, { metadata: { namespace: 'fleet', name: 'y' } }), NotLeaderError);
    const stopped = b.stop();
    await clock.advance(4000);
    await Promise.all([hanging, stopped]);
    assert.equal(lease().spec?.holderIdentity, 'b', 'left to expire');
  });
});

test('a candidate that resigns at once lets another lead', async () => {
  const { clock, start } = world();
  const shy = start('shy', {}, { hold: false });
  await settle();
  const eager = start('eager');
  await clock.advance(500);
  assert.ok(shy.terms.length >= 1);
  await shy.stop();
  await clock.advance(100);
  assert.equal(eager.leading(), true);
  await eager.stop();
});
