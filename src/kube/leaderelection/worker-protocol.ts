/** What the main thread and the elector's worker thread say to each other; deadlines go through shared memory instead. */
import type { Connection } from '#kube/client/transport';
import type { ElectionNews, LockAddress } from './driver.ts';
import type { Candidate } from './record.ts';
import type { Timings } from './timings.ts';

export interface WorkerInput {
  connection: Connection;
  lock: LockAddress;
  me: Candidate;
  timings: Timings;
  /** See validity.ts. */
  shared: SharedArrayBuffer;
  /** Seed of the worker's chance (jitter only). */
  seed: number;
}

export type ToWorker = { kind: 'campaign' } | { kind: 'outranked'; epoch: number } | { kind: 'resign'; release: boolean; holdOffMs: number; stop: boolean };

export type FromWorker = ElectionNews;
