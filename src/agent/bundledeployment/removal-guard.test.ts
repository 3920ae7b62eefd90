import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#testing/clock';
import { RemovalGuard } from './removal-guard.ts';

const owners = (count: number) => Array.from({ length: count }, (_, index) => `b${index}`);

test('a deletion that was seen is carried out, however many there are', () => {
  const guard = new RemovalGuard({ clock: new FakeClock(), holdMs: 1000 });
  for (const owner of owners(10)) guard.witnessed(owner);
  assert.equal(guard.holdMs('b0', owners(10), 10), 0);
});

test('a few that vanished unseen go; most of them stay for the time of the hold', async () => {
  const clock = new FakeClock();
  const guard = new RemovalGuard({ clock, holdMs: 1000 });
  assert.equal(guard.holdMs('b0', owners(2), 2), 0);
  assert.equal(guard.holdMs('b0', owners(5), 10), 0);
  assert.equal(guard.holdMs('b0', owners(6), 10), 1000);
  await clock.advance(600);
  assert.equal(guard.holdMs('b1', owners(6), 10), 400);
  await clock.advance(400);
  assert.equal(guard.holdMs('b0', owners(6), 10), 0);
});

test('the hold begins anew after the BundleDeployments came back, and can be switched off', async () => {
  const clock = new FakeClock();
  const guard = new RemovalGuard({ clock, holdMs: 1000 });
  assert.equal(guard.holdMs('b0', owners(8), 10), 1000);
  await clock.advance(900);
  assert.equal(guard.holdMs('b0', owners(1), 10), 0);
  assert.equal(guard.holdMs('b0', owners(8), 10), 1000);
  assert.equal(new RemovalGuard({ clock, holdMs: 0 }).holdMs('b0', owners(8), 10), 0);
});
