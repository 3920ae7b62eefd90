/** What people read under a lease. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transitionEvents, type Transition } from './index.ts';

const told = (transition: Transition): string[] => {
  const lines: string[] = [];
  transitionEvents({ kind: 'leases', namespace: 'fleet', name: 'agent' }, (about, { type, reason, message }) => lines.push(`${about.kind}/${about.metadata.name} ${type} ${reason} ${message}`))(transition);
  return lines;
};

test('a term that begins, is released, is lost', () => {
  assert.deepEqual(told({ state: 'leading', holder: 'a', epoch: 0, evidence: 'first', gapMs: 0 }), ['Lease/agent Normal LeaderElection a became leader, epoch 0']);
  assert.deepEqual(told({ state: 'leading', holder: 'a', epoch: 3, evidence: 'expired', gapMs: 6004 }), ['Lease/agent Normal LeaderElection a became leader, epoch 3: expired, 6004 ms after the last sign of the previous holder']);
  assert.deepEqual(told({ state: 'standby', holder: 'a', epoch: 3, reason: 'released' }), ['Lease/agent Normal LeaderElection a stopped leading, epoch 3: released']);
  assert.deepEqual(told({ state: 'standby', holder: 'a', epoch: 3, reason: 'the process made no progress' }), ['Lease/agent Warning LeaderElection a stopped leading, epoch 3: the process made no progress']);
  assert.deepEqual(told({ state: 'stopped', holder: '', epoch: 3 }), []);
});
