/**
 * The times of an election, and the inequality that makes them safe.
 *
 *   L  lease duration: a follower may act when it saw no change for L on its own monotonic clock
 *   D  renew deadline: the leader stops writing D after it *sent* its last successful renewal
 *   R  retry period: from the sending of one renewal to the next
 *   ρ  how far two clocks' rates may differ; w  time to stop writing once D is over
 *
 * Safe iff  D(1+ρ) + w ≤ L(1−ρ): a follower observes a renewal no earlier than it was sent, so the leader
 * has stopped before any follower may begin. Clock *offsets* do not matter; wall clocks are not compared.
 */
import { formatDuration, parseDuration } from '#base/duration';

/** Clock-rate error tolerated per clock. NTP slews by at most 0.05 %; the rest is for bad virtual clocks. */
export const RATE_ERROR = 0.1;
/** Between the end of D and the last byte of a guarded write leaving the process. */
export const STOP_MS = 250;
/** Renewals that must fit into D, so that one lost packet or slow answer loses nothing. */
export const ATTEMPTS_MIN = 4;
/** Default time without progress of the main thread after which the lease is no longer renewed. */
export const WATCHDOG_MS = 5_000;

export interface Timings {
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
  readonly watchdogMs: number;
}

export type ProfileName = 'default' | 'fast' | 'kubernetes' | 'fleet';

/** As named in charts (`leaderElection.profile`); `fleet` is lowered to safety by {@link profileTimings}. */
const PROFILES: Readonly<Record<ProfileName, Omit<Timings, 'watchdogMs'>>> = {
  default: { leaseDurationMs: 6_000, renewDeadlineMs: 4_000, retryPeriodMs: 1_000 },
  fast: { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 500 },
  kubernetes: { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 },
  fleet: { leaseDurationMs: 30_000, renewDeadlineMs: 25_000, retryPeriodMs: 10_000 },
};

export const DEFAULT_TIMINGS: Timings = { ...PROFILES.default, watchdogMs: WATCHDOG_MS };

/** The longest one request of the elector may take. */
export function requestTimeoutMs({ renewDeadlineMs }: Timings): number {
  return renewDeadlineMs / 3;
}

/** The longest D that is safe for a lease duration, in whole milliseconds. */
export function renewDeadlineMsMax(leaseDurationMs: number): number {
  return Math.floor((leaseDurationMs * (1 - RATE_ERROR) - STOP_MS) / (1 + RATE_ERROR) + 1e-6);
}

/** Why timings are refused, or `undefined` when they are safe. */
export function timingsProblem({ leaseDurationMs, renewDeadlineMs, retryPeriodMs, watchdogMs }: Timings): string | undefined {
  const values = `lease duration ${formatDuration(leaseDurationMs)}, renew deadline ${formatDuration(renewDeadlineMs)}, retry period ${formatDuration(retryPeriodMs)}`;
  if (![leaseDurationMs, renewDeadlineMs, retryPeriodMs, watchdogMs].every((value) => Number.isFinite(value) && value > 0)) return `${values}: every one must be greater than zero`;
  if (leaseDurationMs < 1_000) return `${values}: the lease duration must be at least 1s, the unit of the Lease object`;
  const deadlineMax = renewDeadlineMsMax(leaseDurationMs);
  if (renewDeadlineMs > deadlineMax) {
    return `${values}: unsafe: D(1+ρ)+w ≤ L(1−ρ) does not hold with ρ = ${RATE_ERROR}, w = ${formatDuration(STOP_MS)}; lower the renew deadline to ${formatDuration(deadlineMax)} or less, or raise the lease duration`;
  }
  if (retryPeriodMs * ATTEMPTS_MIN > renewDeadlineMs) {
    return `${values}: fewer than ${ATTEMPTS_MIN} renewals fit into the renew deadline; lower the retry period to ${formatDuration(renewDeadlineMs / ATTEMPTS_MIN)} or less`;
  }
  return undefined;
}

/** Throws an `Error` that names the inequality when the timings are unsafe. */
export function assertSafe(timings: Timings): Timings {
  const problem = timingsProblem(timings);
  if (problem) throw new Error(`leader election: ${problem}`);
  return timings;
}

export interface ChosenTimings {
  readonly timings: Timings;
  /** What was changed to be safe, for the log at start. */
  readonly notes: readonly string[];
}

export function profileTimings(profile: ProfileName, watchdogMs: number = WATCHDOG_MS): ChosenTimings {
  return lowered({ ...PROFILES[profile], watchdogMs }, `profile ${profile}`);
}

/** D and R cut down until they are safe for L; says so. */
function lowered(wanted: Timings, subject: string): ChosenTimings {
  const notes: string[] = [];
  // Whole seconds: people read these values.
  const deadlineMax = Math.floor(renewDeadlineMsMax(wanted.leaseDurationMs) / 1000) * 1000;
  let { renewDeadlineMs, retryPeriodMs } = wanted;
  if (renewDeadlineMs > deadlineMax && timingsProblem({ ...wanted, retryPeriodMs: 1 }) !== undefined) {
    notes.push(`${subject}: renew deadline lowered from ${formatDuration(renewDeadlineMs)} to ${formatDuration(deadlineMax)}, so that D(1+ρ)+w ≤ L(1−ρ) holds`);
    renewDeadlineMs = deadlineMax;
  }
  if (retryPeriodMs * ATTEMPTS_MIN > renewDeadlineMs) {
    const retryMax = renewDeadlineMs / ATTEMPTS_MIN;
    notes.push(`${subject}: retry period lowered from ${formatDuration(retryPeriodMs)} to ${formatDuration(retryMax)}, so that ${ATTEMPTS_MIN} renewals fit into the renew deadline`);
    retryPeriodMs = retryMax;
  }
  return { timings: assertSafe({ ...wanted, renewDeadlineMs, retryPeriodMs }), notes };
}

const LEASE = 'CATTLE_ELECTION_LEASE_DURATION';
const DEADLINE = 'CATTLE_ELECTION_RENEW_DEADLINE';
const RETRY = 'CATTLE_ELECTION_RETRY_PERIOD';
const PROFILE = 'CATTLE_ELECTION_PROFILE';
const WATCHDOG = 'CATTLE_ELECTION_WATCHDOG';

/**
 * Timings from environment variables under Fleet's names (an empty value counts as unset). Values win over
 * the profile; values that are unset follow from the lease duration (D = 2/3 L, R = 1/4 D), or from the
 * profile when L is unset too. Fleet's own values 30s/25s/10s, which many installations carry, are taken
 * as the `fleet` profile. Throws an `Error` naming the variable or the inequality.
 */
export function timingsFromEnv(env: Readonly<Record<string, string | undefined>>): ChosenTimings {
  const profile = env[PROFILE] || 'default';
  if (!Object.hasOwn(PROFILES, profile)) throw new Error(`${PROFILE}: ${JSON.stringify(profile)} is no profile: use ${Object.keys(PROFILES).join(', ')}`);
  const watchdogMs = duration(env, WATCHDOG) ?? WATCHDOG_MS;
  const lease = duration(env, LEASE);
  const deadline = duration(env, DEADLINE);
  const retry = duration(env, RETRY);
  if (lease === undefined && deadline === undefined && retry === undefined) return profileTimings(profile as ProfileName, watchdogMs);
  const { fleet } = PROFILES;
  if (lease === fleet.leaseDurationMs && deadline === fleet.renewDeadlineMs && retry === fleet.retryPeriodMs) return profileTimings('fleet', watchdogMs);
  const base = PROFILES[profile as ProfileName];
  const leaseDurationMs = lease ?? base.leaseDurationMs;
  const renewDeadlineMs = deadline ?? (lease === undefined ? base.renewDeadlineMs : Math.floor((leaseDurationMs * 2) / 3));
  const retryPeriodMs = retry ?? (lease === undefined && deadline === undefined ? base.retryPeriodMs : Math.floor(renewDeadlineMs / ATTEMPTS_MIN));
  return { timings: assertSafe({ leaseDurationMs, renewDeadlineMs, retryPeriodMs, watchdogMs }), notes: [] };
}

function duration(env: Readonly<Record<string, string | undefined>>, name: string): number | undefined {
  const text = env[name];
  if (!text) return undefined;
  try {
    return parseDuration(text);
  } catch (error) {
    throw new Error(`${name}: not a duration`, { cause: error });
  }
}
