/** The wire format, read and written beside client-go's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DETAILS_ANNOTATION, decodeLock, encodeLock, LEADER_ANNOTATION, type LockKind, type LockObject } from './index.ts';

const WALL = Date.UTC(2026, 0, 1, 12, 0, 0, 123);
const info = { bootId: 'b', startedAtMs: 5, podUid: 'u', podName: 'p', node: 'n' };
const record = { holder: 'me', durationMs: 2500, transitions: 7, info, evidence: 'released', gapMs: 41.6 } as const;

for (const kind of ['leases', 'configmaps'] as const satisfies LockKind[]) {
  test(`${kind}: what is written is read again, exactly`, () => {
    const base: LockObject = { metadata: { name: 'x', labels: { keep: 'me' }, annotations: { other: 'kept' }, managedFields: [{}] } };
    const { object } = encodeLock(kind, base, { record, wallMs: WALL, previous: undefined });
    const { stamp: _, acquireTime, renewTime, ...rest } = decodeLock(kind, object) ?? { stamp: '' };
    assert.deepEqual(rest, { ...record, gapMs: 42 });
    assert.equal(renewTime, kind === 'leases' ? '2026-01-01T12:00:00.123000Z' : '2026-01-01T12:00:00Z');
    assert.equal(acquireTime, renewTime);
    assert.deepEqual([object.metadata.labels, object.metadata.annotations?.['other'], object.metadata.managedFields], [{ keep: 'me' }, 'kept', undefined]);
  });

  test(`${kind}: renewals differ from one another in whole seconds, or else promise longer`, () => {
    let previous: Parameters<typeof encodeLock>[2]['previous'];
    const seen = new Set<string>();
    for (const wallMs of [0, 400, 900, 1000, 1100, 500, 2500].map((offset) => WALL - 123 + offset)) {
      const { object, written } = encodeLock(kind, { metadata: { name: 'x' } }, { record, wallMs, previous });
      previous = written;
      const goView = JSON.stringify(kind === 'leases' ? [object.spec?.renewTime?.slice(0, 19), object.spec?.leaseDurationSeconds] : object.metadata.annotations?.[LEADER_ANNOTATION]);
      assert.ok(!seen.has(goView), goView);
      seen.add(goView);
      assert.ok(written.durationSeconds >= 3);
    }
  });
}

test('a record of client-go is understood', () => {
  const lease: LockObject = { metadata: { name: 'x' }, spec: { holderIdentity: 'go_1', leaseDurationSeconds: 15, acquireTime: '2026-01-01T00:00:00.000000Z', renewTime: '2026-01-01T00:00:10.000000Z', leaseTransitions: 3 } };
  const { stamp: _, ...rest } = decodeLock('leases', lease) ?? { stamp: '' };
  assert.deepEqual(rest, { holder: 'go_1', durationMs: 15_000, transitions: 3, acquireTime: '2026-01-01T00:00:00.000000Z', renewTime: '2026-01-01T00:00:10.000000Z' });
  const leader = JSON.stringify({ holderIdentity: '', leaseDurationSeconds: 1, acquireTime: null, renewTime: null, leaderTransitions: 4 });
  assert.equal(decodeLock('configmaps', { metadata: { annotations: { [LEADER_ANNOTATION]: leader } } })?.transitions, 4);
});

test('details that another candidate carried along are not believed', () => {
  const { object } = encodeLock('leases', { metadata: { name: 'x' } }, { record, wallMs: WALL, previous: undefined });
  const takenOver: LockObject = { ...object, spec: { ...object.spec, holderIdentity: 'go_1', leaseDurationSeconds: 15, leaseTransitions: 8 } };
  const read = decodeLock('leases', takenOver);
  assert.deepEqual([read?.holder, read?.durationMs, read?.info, read?.evidence], ['go_1', 15_000, undefined, undefined]);
  const sameName: LockObject = { ...object, spec: { ...object.spec, renewTime: '2026-01-01T12:00:30.000000Z', leaseDurationSeconds: 15 } };
  assert.equal(decodeLock('leases', sameName)?.info, undefined);
});

test('an object without a record, or with nonsense in it, is no record', () => {
  const cases: [LockKind, LockObject][] = [
    ['leases', { metadata: {} }],
    ['leases', { metadata: {}, spec: {} }],
    ['configmaps', { metadata: {} }],
    ['configmaps', { metadata: { annotations: { [LEADER_ANNOTATION]: '{"holder' } } }],
    ['configmaps', { metadata: { annotations: { [LEADER_ANNOTATION]: '[]', [DETAILS_ANNOTATION]: '7' } } }],
  ];
  for (const [kind, object] of cases) assert.equal(decodeLock(kind, object), undefined);
});
