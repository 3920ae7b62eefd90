/** When repositories are asked: at once the first time, then every interval, spread out after a change of leader. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GitRepo } from '#api/fleet';
import { seededRandom } from '#base/random';
import { FakeClock } from '#testing/clock';
import { Poller } from './poller.ts';

const repo = (name: string, spec: Partial<GitRepo['spec']> = {}, status: object = { commit: 'abc' }): GitRepo => ({ metadata: { namespace: 'n', name }, spec: { repo: 'https://x', ...spec }, status }) as unknown as GitRepo;
const newRepo = (name: string, spec: Partial<GitRepo['spec']> = {}) => repo(name, spec, {});

function setup(next = 0.5) {
  const clock = new FakeClock();
  return { clock, poller: new Poller(clock, { next: () => next }) };
}

test('a repository that was never deployed is due at once', () => {
  const { poller } = setup();
  assert.equal(poller.untilDueMs(newRepo('a')), 0);
  assert.equal(poller.untilDueMs(newRepo('b', { disablePolling: true })), 0, 'also when polling is off');
});

test('after a poll it is due again an interval later, give or take ten per cent', async () => {
  const check = async (pollingInterval: string | undefined, intervalMs: number) => {
    const { clock, poller } = setup(0.5);
    const asked = repo('a', pollingInterval === undefined ? {} : { pollingInterval });
    poller.polled(asked);
    assert.equal(poller.untilDueMs(asked), intervalMs * 1.05, pollingInterval);
    await clock.advance(intervalMs * 1.05);
    assert.equal(poller.untilDueMs(asked), 0);
  };
  await check(undefined, 15_000);
  await check('0s', 15_000);
  await check('1m', 60_000);
  await check('1h30m', 5_400_000);
});

test('a new leader spreads the first polls over one interval instead of asking all at once', () => {
  const poller = new Poller(new FakeClock(), seededRandom(3));
  const due = Array.from({ length: 200 }, (_, index) => poller.untilDueMs(repo(`r${index}`)) ?? -1);
  assert.ok(due.every((ms) => ms >= 0 && ms < 15_000));
  for (let slot = 0; slot < 5; slot++) assert.ok(due.filter((ms) => ms >= slot * 3_000 && ms < (slot + 1) * 3_000).length > 15, `slot ${slot}`);
  assert.equal(poller.untilDueMs(repo('r0')), due[0], 'the time stays once it is drawn');
});

test('polling can be off, hurried, forgotten and begun anew', async () => {
  const { clock, poller } = setup();
  assert.equal(poller.untilDueMs(repo('off', { disablePolling: true })), undefined);
  const one = repo('one');
  poller.polled(one);
  poller.hurry(one);
  assert.equal(poller.untilDueMs(one), 0);
  await clock.advance(1_000);
  assert.equal(poller.untilDueMs(one), -1_000, 'overdue');
  poller.polled(one);
  poller.forget('n/one');
  assert.equal(poller.untilDueMs(one), 7_500, 'drawn again');
  poller.polled(one);
  poller.reset();
  assert.equal(poller.untilDueMs(one), 7_500);
});
