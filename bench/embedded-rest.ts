/**
 * A process of `bench/embedded.ts`: four durable clusters in one process, as `fleet up` runs them. Prints what they
 * take at rest, and how long Lease renewals take at 28 per second, the rate of a management plane with its agents.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '#base/clock';
import { silentLog } from '#base/log';
import { systemRandom } from '#base/random';
import { createCluster } from '#embedded';
import { cpuSeconds, Load, quantiles, residentMB } from './embedded-client.ts';

const REST_MS = 10_000;
const RENEWALS = 280;
const RENEWALS_PER_SECOND = 28;
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases';

const folder = mkdtempSync(join(tmpdir(), 'bench-rest-'));
const began = performance.now();
const clusters = ['local', 'dev', 'test', 'prod'].map((name) => createCluster({ name, dataDir: join(folder, name), clock: systemClock, random: systemRandom, log: silentLog }));
for (const cluster of clusters) {
  await cluster.start();
  await cluster.listen({ host: '127.0.0.1', port: 0 });
}
const startMs = Math.round(performance.now() - began);
const rest = await share(() => delay(REST_MS));
const rssMB = residentMB([process.pid]);
const loads = clusters.map(({ url, adminToken, caCert }) => new Load({ url, token: adminToken, ca: caCert, pids: [] }));
for (const load of loads) await load.send('POST', LEASES, { metadata: { name: 'l' }, spec: { holderIdentity: 'a', leaseDurationSeconds: 15 } });
const times: number[] = [];
const renewing = await share(() => renew());
process.stdout.write(`${JSON.stringify({ startMs, rssMB, cpuPercent: rest, renewals: { ...quantiles(times), cpuPercent: renewing, rssMB: residentMB([process.pid]) } })}\n`);
for (const load of loads) load.close();
for (const cluster of clusters) await cluster.stop();
rmSync(folder, { recursive: true, force: true });
process.exit(0);

/** Percent of one core that this process takes meanwhile. */
async function share(work: () => Promise<unknown>): Promise<number> {
  const cpu = cpuSeconds([process.pid]);
  const from = performance.now();
  await work();
  return Number((((cpuSeconds([process.pid]) - cpu) / (performance.now() - from)) * 100_000).toFixed(1));
}

async function renew(): Promise<void> {
  const pending: Promise<void>[] = [];
  for (let i = 0; i < RENEWALS; i++) {
    pending.push(renewOne(loads[i % loads.length] as Load));
    await delay(1000 / RENEWALS_PER_SECOND);
  }
  await Promise.all(pending);
}

async function renewOne(load: Load): Promise<void> {
  const from = performance.now();
  await load.send('PATCH', `${LEASES}/l`, { spec: { renewTime: new Date().toISOString().replace('Z', '000Z') } }, 'application/merge-patch+json');
  times.push(performance.now() - from);
}
