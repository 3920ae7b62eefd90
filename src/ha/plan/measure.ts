/** Measures how fast an API server answers, by reading a lease a few times. */
import { leases } from '#api/builtin';
import { isForbidden, isNotFound } from '#apimachinery/status';
import type { Clock } from '#base/clock';
import type { Client } from '#kube/client';
import type { Latency } from './plan.ts';

const READS = 10;
const REQUEST_MS = 5_000;

/** The first read opens the connection and does not count. A lease that is missing or may not be read answers as fast. */
export async function measureLatency(client: Client, clock: Clock): Promise<Latency> {
  const times: number[] = [];
  for (let read = 0; read <= READS; read++) {
    const startMs = clock.monotonicMs();
    await client.get(leases, { namespace: 'cattle-fleet-system', name: 'fleet-controller-leader-election-shard' }, { timeoutMs: REQUEST_MS }).catch((error: unknown) => {
      if (!isNotFound(error) && !isForbidden(error)) throw error;
    });
    if (read > 0) times.push(clock.monotonicMs() - startMs);
  }
  return { meanMs: times.reduce((sum, ms) => sum + ms, 0) / times.length, worstMs: Math.max(...times) };
}
