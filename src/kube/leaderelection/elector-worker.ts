/**
 * Entry of the elector's worker thread. It has its own connection, credentials and timers, so that nothing
 * the main thread does (rendering a chart, parsing a large list, collecting garbage) can delay a renewal.
 * It vouches for the main thread only while the main thread's progress counter moves.
 *
 * Like an entry file in `cmd`, it builds its real clock itself; it loads as little as it can, because every
 * process of ours has one.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { processClock } from '#base/clock';
import { seededRandom } from '#base/random';
import { createTransport } from '#kube/client/transport';
import { ElectionDriver } from './driver.ts';
import { requestTimeoutMs } from './timings.ts';
import { readProgress, sharedCell } from './validity.ts';
import type { FromWorker, ToWorker, WorkerInput } from './worker-protocol.ts';

/** The counter is read this often per watchdog time. */
const LOOKS_PER_WATCHDOG = 5;

function run(input: WorkerInput): void {
  const { connection, lock, me, timings, shared, seed } = input;
  const clock = processClock;
  // A dead connection must be found, and replaced, well within the renew deadline.
  const ping = { intervalMs: timings.retryPeriodMs * 2, deadlineMs: requestTimeoutMs(timings) };
  const transport = createTransport(connection, { clock, ping });
  const tell = (news: FromWorker) => parentPort?.postMessage(news);
  const driver = new ElectionDriver({ transport, clock, random: seededRandom(seed), lock, me, timings, validity: sharedCell(shared), onNews: tell });
  parentPort?.on('message', (message: ToWorker) => {
    if (message.kind === 'campaign') driver.campaign();
    else if (message.kind === 'outranked') driver.outranked(message.epoch);
    else driver.resign(message);
  });
  watchProgress(driver, shared, timings.watchdogMs);
  driver.start();
}

function watchProgress(driver: ElectionDriver, shared: SharedArrayBuffer, watchdogMs: number): void {
  let count = readProgress(shared);
  let changedMs = processClock.monotonicMs();
  let vouched = true;
  const look = () => {
    const nowMs = processClock.monotonicMs();
    const current = readProgress(shared);
    if (current !== count) {
      count = current;
      changedMs = nowMs;
    }
    const ok = nowMs - changedMs <= watchdogMs;
    if (ok !== vouched) driver.progress(ok);
    vouched = ok;
    processClock.after(watchdogMs / LOOKS_PER_WATCHDOG, look);
  };
  look();
}

run(workerData as WorkerInput);
