/**
 * What timings and replicas promise: takeover per kind of failure, cost in API requests, and whether the
 * inequality holds; pure. The bounds follow from the protocol (docs/failover.md), the means assume that a
 * failure comes at a random instant between two renewals.
 *
 * Not in it: how long the successor's first piece of work takes, and anything an overloaded machine adds.
 */
import { ATTEMPTS_MIN, RATE_ERROR, renewDeadlineMsMax, requestTimeoutMs, STOP_MS, timingsProblem, type Timings } from '#kube/leaderelection';
import { formatDuration } from '#base/duration';

/** Measured, or assumed when there is no cluster to measure. */
export interface Latency {
  meanMs: number;
  worstMs: number;
}

/** How the surroundings behave; the defaults are Kubernetes' own. */
export interface Surroundings {
  /** The kubelet notices a dead container and writes the pod's status. */
  kubeletReportMs: Latency;
  nodeMonitorGraceMs: number;
  /** Of the pods, for unreachable nodes. */
  tolerationMs: number;
  /** From a pod's creation until it is Ready. */
  podStartMs: Latency;
}

export const SURROUNDINGS: Surroundings = {
  kubeletReportMs: { meanMs: 600, worstMs: 1_300 },
  nodeMonitorGraceMs: 50_000,
  tolerationMs: 30_000,
  podStartMs: { meanMs: 3_000, worstMs: 10_000 },
};

export interface PlanInput {
  timings: Timings;
  replicas: number;
  latency: Latency;
  surroundings?: Surroundings;
}

export type FailureKind = 'graceful' | 'crash' | 'node' | 'cut' | 'frozen' | 'stalled';

export interface Takeover {
  kind: FailureKind;
  what: string;
  evidence: string;
  meanMs: number;
  worstMs: number;
}

export interface HaPlan {
  timings: Timings;
  replicas: number;
  latency: Latency;
  safe: boolean;
  /** Both sides of D(1+ρ)+w ≤ L(1−ρ), in milliseconds. */
  inequality: { leftMs: number; rightMs: number };
  /** Why the timings are refused, with the value to change; absent when they are safe. */
  problem?: string;
  advice: readonly string[];
  takeovers: readonly Takeover[];
  /** Per lease, all replicas together. */
  requestsPerDay: { renewals: number; watches: number; total: number };
}

const DAY_MS = 86_400_000;
/** A standby opens its watch of the lease, and of the leader's pod, anew after this time; each reopening reads once. */
const WATCH_MS = 450_000;
/** Request and event that carry a release to the standby, its own write, and what the standby needs in between. */
const HANDOVER_TRIPS = 3;

export function planHa({ timings, replicas, latency, surroundings = SURROUNDINGS }: PlanInput): HaPlan {
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = timings;
  const problem = timingsProblem(timings);
  const renewals = DAY_MS / retryPeriodMs;
  const watches = (Math.max(0, replicas - 1) * 2 * 2 * DAY_MS) / WATCH_MS;
  return {
    timings,
    replicas,
    latency,
    safe: problem === undefined,
    inequality: { leftMs: renewDeadlineMs * (1 + RATE_ERROR) + STOP_MS, rightMs: leaseDurationMs * (1 - RATE_ERROR) },
    ...(problem ? { problem } : {}),
    advice: adviceOn({ timings, replicas, latency, surroundings }),
    takeovers: replicas > 1 ? withStandby(timings, latency, surroundings) : alone(surroundings),
    requestsPerDay: { renewals: Math.round(renewals), watches: Math.round(watches), total: Math.round(renewals + watches) },
  };
}

function withStandby({ leaseDurationMs, retryPeriodMs, watchdogMs }: Timings, latency: Latency, { kubeletReportMs }: Surroundings): Takeover[] {
  const handover: Latency = { meanMs: HANDOVER_TRIPS * latency.meanMs, worstMs: HANDOVER_TRIPS * latency.worstMs };
  // The lease runs from the last renewal that the standby saw: on average half a period ago, at best just now.
  const expiry: Latency = { meanMs: leaseDurationMs - retryPeriodMs / 2 + latency.meanMs, worstMs: leaseDurationMs + 2 * latency.worstMs };
  const crash: Latency = { meanMs: Math.min(kubeletReportMs.meanMs + 2 * latency.meanMs, expiry.meanMs), worstMs: Math.min(kubeletReportMs.worstMs + 2 * latency.worstMs, expiry.worstMs) };
  return [
    { kind: 'graceful', what: 'rollout, drain, deletion of the pod', evidence: 'released', ...handover },
    { kind: 'crash', what: 'the process dies, its node lives', evidence: 'pod-terminated', ...crash },
    { kind: 'node', what: 'the node loses power', evidence: 'expired', ...expiry },
    { kind: 'cut', what: 'the node is cut off the network', evidence: 'expired', ...expiry },
    { kind: 'frozen', what: 'the whole process is frozen', evidence: 'expired', ...expiry },
    { kind: 'stalled', what: 'the process lives but makes no progress', evidence: 'expired', meanMs: watchdogMs + expiry.meanMs, worstMs: watchdogMs + expiry.worstMs },
  ];
}

/** One replica: Kubernetes has to make a new one first. */
function alone({ kubeletReportMs, nodeMonitorGraceMs, tolerationMs, podStartMs }: Surroundings): Takeover[] {
  const eviction = nodeMonitorGraceMs + tolerationMs;
  const restart: Latency = { meanMs: kubeletReportMs.meanMs + podStartMs.meanMs, worstMs: kubeletReportMs.worstMs + podStartMs.worstMs };
  const elsewhere: Latency = { meanMs: eviction + podStartMs.meanMs, worstMs: eviction + podStartMs.worstMs };
  return [
    // A rollout starts the new pod before it stops the old one; a deletion does not.
    { kind: 'graceful', what: 'deletion of the pod (a rollout overlaps)', evidence: 'released', meanMs: podStartMs.meanMs, worstMs: podStartMs.worstMs },
    { kind: 'crash', what: 'the process dies, its node lives', evidence: 'same-pod', ...restart },
    { kind: 'node', what: 'the node loses power', evidence: 'expired', ...elsewhere },
    { kind: 'cut', what: 'the node is cut off the network', evidence: 'expired', ...elsewhere },
  ];
}

function adviceOn({ timings, replicas, latency, surroundings = SURROUNDINGS }: PlanInput): string[] {
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = timings;
  const advice: string[] = [];
  if (replicas < 2) advice.push(`with one replica a lost node costs about ${formatDuration(Math.round((surroundings.nodeMonitorGraceMs + surroundings.tolerationMs) / 1000) * 1000)}: run two`);
  if (replicas > 3) advice.push(`${replicas} replicas take over no faster than two or three, and each holds full caches`);
  if (renewDeadlineMs > renewDeadlineMsMax(leaseDurationMs)) advice.push(`lower the renew deadline to ${formatDuration(renewDeadlineMsMax(leaseDurationMs))} or raise the lease duration`);
  if (retryPeriodMs * ATTEMPTS_MIN > renewDeadlineMs) advice.push(`lower the retry period to ${formatDuration(Math.floor(renewDeadlineMs / ATTEMPTS_MIN))}: ${ATTEMPTS_MIN} attempts must fit into the deadline`);
  if (latency.worstMs > requestTimeoutMs(timings)) advice.push(`the slowest request took ${Math.round(latency.worstMs)} ms, longer than the ${Math.round(requestTimeoutMs(timings))} ms one renewal may take: choose a longer lease duration`);
  return advice;
}
