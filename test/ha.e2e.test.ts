/** Real processes on embedded clusters: leaders go away in order and by force, and the promise is kept. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '#base/clock';
import type { DrillResult } from '#ha/drill';
import { reportPage } from '#ha/report';
import { assessHa, readClusters } from '#ha/status';
import { startDrills, startTestFleet, type TestFleet } from './fleet/fleet.ts';

let fleet: TestFleet;

before(async () => {
  fleet = await startTestFleet();
});

after(async () => {
  await fleet.stop();
});

/** Gaps are measured by `npm run bench:failover`; here only that they stay below what a lost lease would cost. */
function assertKept(result: DrillResult, evidence: string): void {
  assert.deepEqual(result.checks.filter(({ passed }) => !passed), []);
  assert.equal(result.evidence, evidence);
  assert.equal(result.newEpoch, result.oldEpoch + 1);
  assert.ok((result.gapMs ?? Number.POSITIVE_INFINITY) < 5_000, `${result.gapMs} ms`);
}

test('an agent that is asked to stop hands over; one whose process is killed is replaced on the kubelet\'s word', { timeout: 60_000 }, async () => {
  const session = await startDrills(fleet, { component: 'agent', cluster: 'prod', bundles: 2 });
  try {
    const graceful = await session.run('graceful');
    assertKept(graceful, 'released');
    const crash = await session.run('crash');
    assertKept(crash, 'pod-terminated');
    const page = reportPage([graceful, crash]);
    assert.match(page, /<svg[^]*class="new"[^]*<\/svg>/);
    assert.doesNotMatch(page, /https?:\/\/(?!www\.w3\.org)/, 'the page needs nothing from outside');
  } finally {
    await session.close();
  }
});

test('a fleet-controller whose process is killed is replaced, and the status tells how', { timeout: 60_000 }, async () => {
  const session = await startDrills(fleet, { component: 'fleet-controller', cluster: 'local', bundles: 2 });
  try {
    assertKept(await session.run('crash'), 'pod-terminated');
  } finally {
    await session.close();
  }
  const named = [...fleet.host.clusters].map(([name, { client }]) => ({ name, client }));
  const status = assessHa(await readClusters(named), systemClock.wallMs());
  const controller = status.clusters.find(({ name }) => name === 'local')?.components.find(({ component }) => component === 'fleet-controller');
  assert.deepEqual([controller?.lastTransition?.evidence, controller?.replicas.wanted, controller?.pods.filter(({ role }) => role === 'leader').length], ['pod-terminated', 2, 1]);
});
