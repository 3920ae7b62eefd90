/** Verdicts about takeovers, from what was seen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, staleWrites, type GuardedWrite, type LeaseSample, type Observation } from './index.ts';

const write = (atMs: number, epoch: number, stream = 'a'): GuardedWrite => ({ atMs, epoch, stream, subject: `x@${atMs}` });
const sample = (atMs: number, epoch: number, holder = `h${epoch}`): LeaseSample => ({ atMs, epoch, holder, evidence: 'released', gapMs: 5 });
const two = { wanted: 2, ready: 2, leaders: ['p'] };

function observation(change: Partial<Observation>): Observation {
  return {
    kind: 'crash',
    startedWall: '2026-01-01T00:00:00Z',
    oldEpoch: 1,
    strikeMs: 100,
    endMs: 1000,
    writes: [write(50, 1), write(110, 1), write(400, 2), write(420, 2)],
    leases: [sample(90, 1), sample(200, 1, ''), sample(300, 2)],
    marks: [],
    probed: true,
    before: two,
    after: two,
    availability: { requests: 3, slowestMs: 4, failures: [] },
    vanished: [],
    leftovers: [],
    ...change,
  };
}

function check(change: Partial<Observation>, expected: Record<string, unknown>): void {
  const { observation: _, checks, ...rest } = judge({ component: 'agent', cluster: 'prod' }, observation(change));
  const failed = checks.filter(({ passed }) => !passed).map(({ name }) => name);
  const seen = { ...rest, failed } as Record<string, unknown>;
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, seen[key]])), expected);
}

test('the gap runs from the last guarded write of the old leader to the first of the new one', () => {
  check({}, { passed: true, gapMs: 290, sinceStrikeMs: 300, leaseGapMs: 210, evidence: 'released', newEpoch: 2, failed: [] });
});

test('without a probe workload the lease alone tells', () => {
  check({ probed: false, writes: [] }, { passed: true, gapMs: 210, sinceStrikeMs: 200, newEpoch: 2 });
});

test('no successor is a failure, with no gap', () => {
  check({ writes: [write(50, 1)], leases: [sample(90, 1)] }, { passed: false, gapMs: undefined, newEpoch: undefined, failed: ['another replica takes over'] });
});

test('a late write of the old epoch fails the drill and does not move the gap', () => {
  check({ writes: [write(110, 1), write(400, 2), write(600, 1)] }, { passed: false, gapMs: 290, doubleWriters: 1, failed: ['writes of two epochs are never interleaved'] });
});

test('each broken promise is told by its own check', () => {
  check({ before: { ...two, ready: 1 } }, { failed: ['replicas as configured before'] });
  check({ after: { ...two, leaders: [] } }, { failed: ['exactly one leader after'] });
  check({ after: { ...two, leaders: ['p', 'q'] } }, { failed: ['exactly one leader after'] });
  check({ availability: { requests: 3, slowestMs: 4, failures: ['no answer'] } }, { failed: ['the service is available throughout'] });
  check({ availability: { requests: 0, slowestMs: 0, failures: [] } }, { failed: ['the service is available throughout'] });
  check({ vanished: ['ConfigMap/a/b'] }, { failed: ['the service is available throughout'] });
  check({ leftovers: ['release x is pending-upgrade'] }, { halfDone: 1, failed: ['nothing is left half done'] });
});

test('stale writes: exact within a stream, with the observation error between streams', () => {
  const cases: [GuardedWrite[], number][] = [
    [[write(1, 1), write(2, 2), write(3, 3)], 0],
    [[write(1, 1), write(2, 2), write(2.1, 1)], 1],
    [[write(1, 1), write(10, 2, 'b'), write(60, 1)], 0],
    [[write(1, 1), write(10, 2, 'b'), write(100, 1)], 1],
    [[write(1, 5), write(2, 4), write(3, 5), write(4, 4)], 2],
  ];
  for (const [writes, expected] of cases) assert.equal(staleWrites(writes).length, expected, JSON.stringify(writes));
});
