/**
 * Says upstream that this agent is alive: Cluster.status.agent.lastSeen. Once soon after the start of a term,
 * then every check-in interval; a failed report is tried again soon, not a whole interval later.
 * Source: Fleet, agentCheckinInterval (default 15m).
 */
import { clusters } from '#api/fleet';
import { type Clock, rfc3339, sleep } from '#base/clock';
import { errorText, type Log } from '#base/log';
import { jitter, type Random } from '#base/random';
import type { LeaderClient } from '#kube/leaderelection';

const LIMITS = { retryMs: 5_000, retryMsMax: 60_000, jitterShare: 0.1 };

export interface HeartbeatDependencies {
  upstream: LeaderClient;
  cluster: { namespace: string; name: string };
  /** The agent's own namespace. */
  agentNamespace: string;
  intervalMs: number;
  clock: Clock;
  random: Random;
  log: Log;
  signal: AbortSignal;
}

/** Runs until the signal aborts. */
export async function heartbeat(deps: HeartbeatDependencies): Promise<void> {
  let retryMs = LIMITS.retryMs;
  while (!deps.signal.aborted) {
    const reported = await report(deps);
    const waitMs = reported ? jitter(deps.random, deps.intervalMs, LIMITS.jitterShare) : retryMs;
    retryMs = reported ? LIMITS.retryMs : Math.min(LIMITS.retryMsMax, retryMs * 2);
    await sleep(deps.clock, waitMs, deps.signal).catch(() => undefined);
  }
}

async function report({ upstream, cluster, agentNamespace, clock, log }: HeartbeatDependencies): Promise<boolean> {
  const status = { agent: { lastSeen: rfc3339(clock.wallMs()), namespace: agentNamespace } };
  try {
    await upstream.patch(clusters, cluster, { type: 'merge', body: { status } }, { subresource: 'status' });
    return true;
  } catch (error) {
    log.warn('check-in failed', { error: errorText(error) });
    return false;
  }
}
