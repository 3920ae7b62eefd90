/**
 * From what was seen to a verdict; pure. Times come from watches, so each is late by the way from the
 * server to here. Within one stream the order is the server's and exact; between streams (two clusters, two
 * kinds) only the times can be compared, so a small overlap is not held against anybody.
 */
import type { Check, DrillResult, GuardedWrite, LeaseSample, Membership, Observation } from './types.ts';

/** How far the times of two watches may be apart for events that happened at once. */
export const OBSERVATION_ERROR_MS = 75;

export function judge(target: { component: string; cluster: string }, seen: Observation): DrillResult {
  const takeover = takeoverOf(seen);
  const stale = staleWrites(seen.writes);
  const checks: Check[] = [
    replicasCheck('before', seen.before),
    leaderCheck('before', seen.before),
    takeoverCheck(seen, takeover),
    {
      name: 'writes of two epochs are never interleaved',
      passed: stale.length === 0,
      detail: stale.length === 0 ? `${seen.writes.length} guarded writes seen` : stale.map(({ subject, epoch, by }) => `${subject} under epoch ${epoch} after epoch ${by}`).slice(0, 3).join('; '),
    },
    availabilityCheck(seen),
    { name: 'nothing is left half done', passed: seen.leftovers.length === 0, detail: seen.leftovers.length === 0 ? 'all that was asked for is deployed, no release is pending' : seen.leftovers.slice(0, 3).join('; ') },
    replicasCheck('after', seen.after),
    leaderCheck('after', seen.after),
  ];
  return {
    ...target,
    kind: seen.kind,
    passed: checks.every(({ passed }) => passed),
    ...takeover,
    oldEpoch: seen.oldEpoch,
    doubleWriters: stale.length,
    halfDone: seen.leftovers.length,
    checks,
    observation: seen,
  };
}

type Takeover = Pick<DrillResult, 'gapMs' | 'sinceStrikeMs' | 'leaseGapMs' | 'evidence' | 'newEpoch'>;

function takeoverOf({ writes, leases, oldEpoch, strikeMs, probed }: Observation): Takeover {
  const won = leases.find((sample) => sample.epoch > oldEpoch && sample.holder !== '');
  const first = writes.find(({ epoch }) => epoch > oldEpoch);
  const last = writes.findLast((write) => write.epoch <= oldEpoch && (!first || write.atMs <= first.atMs));
  const leaseGapMs = won ? won.atMs - lastSign(leases, oldEpoch, won) : undefined;
  const gapMs = probed ? first && last && first.atMs - last.atMs : leaseGapMs;
  const firstMs = probed ? first?.atMs : won?.atMs;
  return {
    gapMs,
    sinceStrikeMs: firstMs === undefined ? undefined : Math.max(0, firstMs - strikeMs),
    leaseGapMs,
    evidence: won?.evidence,
    newEpoch: first?.epoch ?? won?.epoch,
  };
}

/** The last renewal of the old holder; its release is no sign of life. */
function lastSign(leases: readonly LeaseSample[], oldEpoch: number, won: LeaseSample): number {
  return leases.findLast((sample) => sample.epoch <= oldEpoch && sample.holder !== '' && sample.atMs < won.atMs)?.atMs ?? won.atMs;
}

/** Writes under an older epoch that took effect after one under a newer epoch. */
export function staleWrites(writes: readonly GuardedWrite[]): (GuardedWrite & { by: number })[] {
  const inStream = new Map<string, number>();
  const firstOf = new Map<number, number>();
  for (const { epoch, atMs } of writes) firstOf.set(epoch, Math.min(firstOf.get(epoch) ?? atMs, atMs));
  return writes.flatMap((write) => {
    const newest = inStream.get(write.stream) ?? -1;
    inStream.set(write.stream, Math.max(newest, write.epoch));
    if (newest > write.epoch) return [{ ...write, by: newest }];
    const overtaken = [...firstOf].find(([epoch, atMs]) => epoch > write.epoch && atMs < write.atMs - OBSERVATION_ERROR_MS);
    return overtaken ? [{ ...write, by: overtaken[0] }] : [];
  });
}

function takeoverCheck({ kind, oldEpoch }: Observation, { gapMs, newEpoch, evidence }: Takeover): Check {
  const name = 'another replica takes over';
  if (gapMs === undefined || newEpoch === undefined) return { name, passed: false, detail: `no write under an epoch above ${oldEpoch} was seen after ${kind}` };
  return { name, passed: true, detail: `epoch ${oldEpoch} to ${newEpoch}${evidence ? ` (${evidence})` : ''}, ${Math.round(gapMs)} ms without a guarded write` };
}

function replicasCheck(when: string, { wanted, ready }: Membership): Check {
  return { name: `replicas as configured ${when}`, passed: ready === wanted && wanted > 0, detail: `${ready} of ${wanted} ready` };
}

function leaderCheck(when: string, { leaders }: Membership): Check {
  return { name: `exactly one leader ${when}`, passed: leaders.length === 1, detail: leaders.length === 0 ? 'none' : leaders.join(', ') };
}

function availabilityCheck({ availability, vanished }: Observation): Check {
  const { requests, slowestMs, failures } = availability;
  const problems = [...failures, ...vanished.map((subject) => `${subject} vanished`)];
  return {
    name: 'the service is available throughout',
    passed: problems.length === 0 && requests > 0,
    detail: problems.length > 0 ? problems.slice(0, 3).join('; ') : `${requests} requests answered, the slowest in ${Math.round(slowestMs)} ms`,
  };
}
