/** What the plan promises for known timings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_TIMINGS, profileTimings, timingsProblem, type Timings } from '#kube/leaderelection';
import { formatHaPlan, planHa } from './index.ts';

const latency = { meanMs: 10, worstMs: 50 };
const fleet: Timings = { leaseDurationMs: 30_000, renewDeadlineMs: 25_000, retryPeriodMs: 10_000, watchdogMs: 5_000 };

function takeover(timings: Timings, kind: string, replicas = 2): [number, number] | undefined {
  const found = planHa({ timings, replicas, latency }).takeovers.find((each) => each.kind === kind);
  return found && [found.meanMs, found.worstMs];
}

test('with a standby: one handover for a release, the lease for a lost node, the watchdog before it for a stall', () => {
  assert.deepEqual(takeover(DEFAULT_TIMINGS, 'graceful'), [30, 150]);
  assert.deepEqual(takeover(DEFAULT_TIMINGS, 'node'), [5_510, 6_100]);
  assert.deepEqual(takeover(DEFAULT_TIMINGS, 'stalled'), [10_510, 11_100]);
  assert.deepEqual(takeover(profileTimings('fast').timings, 'cut'), [2_760, 3_100]);
});

test('without a standby Kubernetes has to make one first', () => {
  const [mean = 0] = takeover(DEFAULT_TIMINGS, 'node', 1) ?? [];
  assert.ok(mean > 80_000);
  assert.match(planHa({ timings: DEFAULT_TIMINGS, replicas: 1, latency }).advice.join(), /run two/);
});

test("Fleet's own values break the inequality, and the plan names the value to change", () => {
  const plan = planHa({ timings: fleet, replicas: 2, latency });
  assert.equal(plan.safe, false);
  assert.match(plan.problem ?? '', /lower the renew deadline to 24\.?\d*s/);
  assert.match(plan.advice.join('\n'), /lower the retry period/);
});

test('requests a day: renewals by the period, watches by the standbys', () => {
  assert.deepEqual(planHa({ timings: DEFAULT_TIMINGS, replicas: 1, latency }).requestsPerDay, { renewals: 86_400, watches: 0, total: 86_400 });
  assert.deepEqual(planHa({ timings: DEFAULT_TIMINGS, replicas: 3, latency }).requestsPerDay, { renewals: 86_400, watches: 1_536, total: 87_936 });
});

test('a slow API server is told', () => {
  assert.match(planHa({ timings: DEFAULT_TIMINGS, replicas: 2, latency: { meanMs: 900, worstMs: 2_000 } }).advice.join(), /longer lease duration/);
});

test('safe and unsafe agree with what the elector accepts, and means never exceed worsts', () => {
  const ms = (max: number) => fc.integer({ min: 100, max });
  fc.assert(
    fc.property(ms(60_000), ms(60_000), ms(20_000), ms(60_000), fc.integer({ min: 1, max: 5 }), (leaseDurationMs, renewDeadlineMs, retryPeriodMs, watchdogMs, replicas) => {
      const timings = { leaseDurationMs, renewDeadlineMs, retryPeriodMs, watchdogMs };
      const plan = planHa({ timings, replicas, latency });
      assert.equal(plan.safe, timingsProblem(timings) === undefined);
      for (const { meanMs, worstMs } of plan.takeovers) assert.ok(meanMs <= worstMs);
    }),
  );
});

test('the text says it all', () => {
  const text = formatHaPlan(planHa({ timings: fleet, replicas: 2, latency }), (headings, rows) => [headings, ...rows].map((row) => row.join(' | ')).join('\n'));
  assert.match(text, /✖ unsafe: D\(1\+ρ\)\+w = 27750 ms > L\(1−ρ\) = 27000 ms/);
  assert.match(text, /node \| 25\.0 s \| 30\.1 s \| expired/);
});
