/** The inequality, the profiles, and Fleet's environment variables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ATTEMPTS_MIN, profileTimings, RATE_ERROR, renewDeadlineMsMax, STOP_MS, timingsFromEnv, timingsProblem, type ProfileName, type Timings } from './index.ts';

const seconds = ({ leaseDurationMs, renewDeadlineMs, retryPeriodMs }: Timings) => [leaseDurationMs, renewDeadlineMs, retryPeriodMs].map((ms) => ms / 1000);

const profile = (name: ProfileName, expected: number[], notes: RegExp[] = []) =>
  test(`profile ${name}`, () => {
    const chosen = profileTimings(name);
    assert.deepEqual(seconds(chosen.timings), expected);
    assert.equal(chosen.notes.length, notes.length);
    notes.forEach((note, i) => assert.match(chosen.notes[i] ?? '', note));
  });
profile('default', [6, 4, 1]);
profile('fast', [3, 2, 0.5]);
profile('kubernetes', [15, 10, 2]);
profile('fleet', [30, 24, 6], [/renew deadline lowered from 25s to 24s, so that D\(1\+ρ\)\+w ≤ L\(1−ρ\) holds/, /retry period lowered from 10s to 6s/]);

const env = (name: string, variables: Record<string, string>, expected: number[] | RegExp) =>
  test(name, () => {
    if (expected instanceof RegExp) assert.throws(() => timingsFromEnv(variables), expected);
    else assert.deepEqual(seconds(timingsFromEnv(variables).timings), expected);
  });
const L = 'CATTLE_ELECTION_LEASE_DURATION';
const D = 'CATTLE_ELECTION_RENEW_DEADLINE';
const R = 'CATTLE_ELECTION_RETRY_PERIOD';
env('nothing set', {}, [6, 4, 1]);
env('set but empty, as charts do', { [L]: '', [D]: '', [R]: '', CATTLE_ELECTION_PROFILE: '' }, [6, 4, 1]);
env('a profile', { CATTLE_ELECTION_PROFILE: 'fast' }, [3, 2, 0.5]);
env('an unknown profile', { CATTLE_ELECTION_PROFILE: 'warp' }, /CATTLE_ELECTION_PROFILE: "warp" is no profile: use default, fast, kubernetes, fleet/);
env('only the lease duration', { [L]: '12s' }, [12, 8, 2]);
env('values win over the profile', { [L]: '15s', [D]: '10s', [R]: '2s', CATTLE_ELECTION_PROFILE: 'fast' }, [15, 10, 2]);
env('Fleet\'s own values are lowered, not refused', { [L]: '30s', [D]: '25s', [R]: '10s' }, [30, 24, 6]);
env('Flux\'s values have no margin', { [L]: '35s', [D]: '30s', [R]: '5s' }, /unsafe: D\(1\+ρ\)\+w ≤ L\(1−ρ\) does not hold.*lower the renew deadline to 28\.4/);
env('too few attempts', { [L]: '15s', [D]: '10s', [R]: '5s' }, /fewer than 4 renewals fit into the renew deadline; lower the retry period to 2\.5s or less/);
env('no duration', { [L]: 'soon' }, /CATTLE_ELECTION_LEASE_DURATION: not a duration/);
env('zero', { [L]: '0s', [D]: '1s', [R]: '1s' }, /every one must be greater than zero/);

test('whatever is accepted satisfies the inequality, and the greatest deadline is accepted', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1000, max: 200_000 }), fc.integer({ min: 1, max: 200_000 }), (leaseDurationMs, renewDeadlineMs) => {
      const timings = { leaseDurationMs, renewDeadlineMs, retryPeriodMs: renewDeadlineMs / ATTEMPTS_MIN, watchdogMs: 1000 };
      if (timingsProblem(timings) === undefined) assert.ok(renewDeadlineMs * (1 + RATE_ERROR) + STOP_MS <= leaseDurationMs * (1 - RATE_ERROR) + 1e-6);
      const most = renewDeadlineMsMax(leaseDurationMs);
      assert.equal(timingsProblem({ ...timings, renewDeadlineMs: most, retryPeriodMs: most / ATTEMPTS_MIN }), undefined);
    }),
  );
});
