import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Schedule } from '#api/fleet';
import { windowAt } from './index.ts';

const at = (text: string) => Date.parse(`2026-03-${text}Z`);
const schedule = (pattern: string, duration: string, location = 'UTC'): Schedule => ({ metadata: { namespace: 'fleet-default', name: 's' }, spec: { schedule: pattern, duration, location } });

describe('a window', () => {
  const check = (name: string, spec: Schedule, now: string, expected: { active: boolean; changes: string }) =>
    test(name, () => {
      const { active, changesMs } = windowAt(spec, at(now));
      assert.deepEqual({ active, changes: new Date(changesMs ?? 0).toISOString() }, { active: expected.active, changes: new Date(at(expected.changes)).toISOString() });
    });
  const nightly = schedule('0 0 22 * * ?', '2h');
  check('before its start', nightly, '02T21:59:59', { active: false, changes: '02T22:00:00' });
  check('at its start', nightly, '02T22:00:00', { active: true, changes: '03T00:00:00' });
  check('in the middle, for whoever looks first', nightly, '02T23:30:00', { active: true, changes: '03T00:00:00' });
  check('at its end', nightly, '03T00:00:00', { active: false, changes: '03T22:00:00' });
  check('on Mondays, which quartz counts as 2', schedule('0 0 8 ? * 2', '1h'), '02T08:30:00', { active: true, changes: '02T09:00:00' });
  check('in another time zone', schedule('0 0 9 * * ?', '1h', 'Europe/Berlin'), '02T08:30:00', { active: true, changes: '02T09:00:00' });
  check('with seconds', schedule('30 * * * * ?', '10s'), '02T08:00:35', { active: true, changes: '02T08:00:40' });
});

test('what is wrong is named', () => {
  const wrong = (pattern: string, duration: string, location?: string) => () => windowAt(schedule(pattern, duration, location), at('02T08:30:00'));
  assert.throws(wrong('every day', '1h'), /spec.schedule: "every day"/);
  assert.throws(wrong('0 30 8 * * ?', '0s'), /spec.duration: must be longer/);
  assert.throws(wrong('0 * * * * ?', '2m'), /not shorter than the time between two starts/);
  assert.throws(wrong('0 0 8 * * ?', '1h', 'Mars/Olympus'), /time zone/);
});
